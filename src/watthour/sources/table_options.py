"""What a person says of a table at hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a person says of a table; what is None is recognised, or asked."""

    channel: str | None = None
    unit: str | None = None
    time_zone: str | None = None  # of a new site, and of times that carry none
    time_column: str | None = None
    value_column: str | None = None
    named_by: str | None = None
    site: str | None = None
    times_in: str | None = None  # zone of the times, where it is not the site's
    separator: str | None = None
    decimal: str | None = None
    date_order: str | None = None
    forecast_of: str | None = None  # channel whose values are forecast by the values of the table
    forecast_column: str | None = None
    covariate_columns: tuple[str, ...] = ()  # known ahead: NAME, NAME=UNIT, NAME=VARIABLE or NAME=VARIABLE:UNIT
    issued_column: str | None = None
    issued_at: str | None = None
    holidays: str | None = None  # code of the calendar of a new site
    meter: str | None = None  # what the values are: interval, counter or samples
    solar: str | None = None  # yes: energy is also fed in, so values may be negative; no: negative ones are refused
    longest_silence: str | None = None  # [minutes] between two samples

    @property
    def is_said(self) -> bool:
        """Whether the file is said to be a table of one's own, of whatever layout."""
        return any((self.channel, self.site, self.forecast_of))
