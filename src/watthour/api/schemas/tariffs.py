"""The tariff of a home, what the hours ahead cost by it, and bills."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, JsonValue

from watthour.api.schemas.base import Answer, Question, shown_as
from watthour.api.schemas.readings import InstantOrDay

_TARIFF: dict[str, JsonValue] = {
    "name": "Day and night",
    "currency": "EUR",
    "tax_percent": 20,
    "import": {
        "kind": "time_of_use",
        "bands": [
            {"name": "night", "price": 0.14, "hours": ["22:00-06:00"]},
            {"name": "day", "price": 0.21, "hours": ["06:00-22:00"]},
        ],
    },
    "standing": {"price": 0.4, "per": "day"},
}
_HOW = (
    "As described in docs/how-to/tariffs.md: `name`, `currency`, `import` (`kind` is `flat`, `time_of_use`, `blocks` "
    "or `dynamic`), and `export`, `fees`, `standing`, `demand`, `tax_percent` where there are any."
)


_POINT: dict[str, JsonValue] = {
    "time": "2026-11-20T09:00:00Z",
    "local_time": "2026-11-20T10:00:00+01:00",
    "band": "dynamic",
    "forecast": False,
    "import_price": 0.2318,
    "import_lower": 0.2318,
    "import_upper": 0.2318,
    "export_price": 0.08,
    "export_lower": 0.08,
    "export_upper": 0.08,
}
_PEAK: dict[str, JsonValue] = {
    "month": "2026-11",
    "start": "2026-11-20T09:00:00Z",
    "end": "2026-11-22T09:00:00Z",
    "price_per_kw": 6.0,
    "free_kw": 3.0,
    "interval_seconds": 900,
}
_LINE: dict[str, JsonValue] = {
    "kind": "energy",
    "name": "night",
    "quantity": 112.4,
    "unit": "kWh",
    "price": 0.14,
    "amount": 15.736,
}
_SPAN: dict[str, JsonValue] = {"start": "2026-11-03T04:00:00Z", "end": "2026-11-03T06:00:00Z"}


class SetTariff(Question):
    """A tariff as a person describes it."""

    model_config = (
        shown_as({"tariff": _TARIFF, "since": "2026-12-01", "confirm": False, "drop_later": False})
        | Question.model_config
    )
    tariff: dict[str, JsonValue] = Field(description=_HOW)
    since: date | None = Field(
        default=None,
        description=(
            "Local day from which it holds until the next one, which may lie ahead or be past, in place of one that "
            "began on that day; without it from the hour now running, and where none holds yet at all times."
        ),
        examples=["2026-12-01"],
    )
    confirm: bool = Field(default=False, strict=True, description="Prices ten or a thousand times off are meant.")
    drop_later: bool = Field(default=False, strict=True, description="What was to hold later is dropped.")


class TariffTerm(Answer):
    """A tariff that a home has had, has or will have."""

    since: datetime | None = Field(
        description="Since when it holds, by the clock of the home; null: at all times before the next one.",
        examples=["2026-12-01T00:00:00+01:00"],
    )
    tariff: dict[str, Any] = Field(description=_HOW, examples=[_TARIFF])


class TariffAnswer(TariffTerm):
    """The tariff of a home as it was said: the one that holds now or, where one was just kept, that one."""

    model_config = (
        shown_as({"home": "flat", "since": None, "tariff": _TARIFF, "terms": [{"since": None, "tariff": _TARIFF}]})
        | Answer.model_config
    )
    home: str = Field(description="Id of the home.", examples=["flat"])
    terms: list[TariffTerm] = Field(description="All of its tariffs, the first one first; each holds until the next.")


class PricesQuestion(Question):
    """Which hours."""

    hours: int = Field(default=48, ge=1, le=168, description="From the step now running on. [h]")
    step_minutes: int | None = Field(
        default=None,
        ge=5,
        le=60,
        description="Length of a step: 5, 10, 15, 30 or 60; default: that of the prices the tariff follows. [min]",
        examples=[15],
    )


class PricePoint(Answer):
    """What one more kWh costs and earns in a step."""

    time: datetime = Field(description="Start of the step, UTC.", examples=["2026-11-20T09:00:00Z"])
    local_time: datetime = Field(description="The same in the time zone of the home.")
    band: str = Field(description="Name of the price, such as of a band or a tier.", examples=["night"])
    forecast: bool = Field(description="It is not published yet, but forecast.")
    import_price: float | None = Field(
        description="Of one more kWh drawn, with fees and taxes; null: not known. [`unit`]", examples=[0.168]
    )
    import_lower: float | None = Field(description="Lower end of the 90 % band of a forecast; else the price. [`unit`]")
    import_upper: float | None = Field(description="Upper end of that band. [`unit`]")
    export_price: float | None = Field(description="Of one more kWh fed in; 0 where nothing is paid. [`unit`]")
    export_lower: float | None = Field(description="Lower end of the 90 % band of a forecast. [`unit`]")
    export_upper: float | None = Field(description="Upper end of that band. [`unit`]")


class PeakPrice(Answer):
    """What the peak of a local month costs."""

    month: str = Field(description="The month.", examples=["2026-11"])
    start: datetime = Field(description="Where its part of the window begins, UTC.")
    end: datetime = Field(description="Where it ends, UTC.")
    price_per_kw: float = Field(description="Of each kW of the month's peak, with taxes. [currency/kW]")
    free_kw: float = Field(description="Of the peak, for which nothing is paid. [kW]")
    interval_seconds: int = Field(description="Over which the meter takes the mean power. [s]", examples=[900])


class HomePrices(Answer):
    """What energy costs in a home in the hours ahead."""

    model_config = (
        shown_as(
            {
                "home": "flat",
                "time_zone": "Europe/Paris",
                "currency": "EUR",
                "unit": "EUR/kWh",
                "step_seconds": 3600,
                "generated_at": "2026-11-20T09:12:00Z",
                "points": [_POINT],
                "peaks": [_PEAK],
                "remarks": [],
            }
        )
        | Answer.model_config
    )
    home: str = Field(description="Id of the home.", examples=["flat"])
    time_zone: str = Field(description="Of the home.", examples=["Europe/Paris"])
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    unit: str = Field(description="Of the prices.", examples=["EUR/kWh"])
    step_seconds: int = Field(description="Length of a step. [s]", examples=[3600])
    generated_at: datetime = Field(description="When it was told, UTC.")
    points: list[PricePoint] = Field(description="One for each step.")
    peaks: list[PeakPrice] = Field(description="The charges for the peaks of months; empty where there are none.")
    remarks: list[str] = Field(description="Why prices are not known, such as beyond a change of currency.")


class BillQuestion(Question):
    """Which period."""

    start: InstantOrDay | None = Field(
        default=None,
        description="First local day, or an instant; default: a day before `end`.",
        examples=["2026-11-01"],
    )
    end: InstantOrDay | None = Field(
        default=None,
        description="Last local day, included, or an instant; default: yesterday.",
        examples=["2026-11-19"],
    )


class BillLine(Answer):
    """One line of a bill."""

    kind: Literal["energy", "fee", "standing", "demand", "tax", "export"] = Field(description="What is paid for.")
    name: str = Field(description="For a person.", examples=["night"])
    quantity: float = Field(description="How much of it. [`unit`]", examples=[112.4])
    unit: str = Field(description="Of the quantity; of a tax the currency.", examples=["kWh"])
    price: float | None = Field(description="Of one of them; the mean where it varies. [currency/`unit`]")
    amount: float = Field(description="What is paid; negative: earned. [currency]", examples=[15.74])


class BilledSpan(Answer):
    """A span of time."""

    start: datetime = Field(description="UTC.")
    end: datetime = Field(description="UTC.")


class HomeBill(Answer):
    """What a period cost, as far as it is known."""

    model_config = (
        shown_as(
            {
                "home": "flat",
                "time_zone": "Europe/Paris",
                "start": "2026-10-31T23:00:00Z",
                "end": "2026-11-19T23:00:00Z",
                "currency": "EUR",
                "lines": [_LINE],
                "total": 15.736,
                "complete": False,
                "missing_hours": 2.0,
                "missing": [_SPAN],
                "unpriced": [],
                "remarks": ["What was used in the hours that are missing may have reached a higher tier."],
            }
        )
        | Answer.model_config
    )
    home: str = Field(description="Id of the home.", examples=["flat"])
    time_zone: str = Field(description="Of the home.", examples=["Europe/Paris"])
    start: datetime = Field(description="UTC.")
    end: datetime = Field(description="UTC.")
    currency: str = Field(description="ISO 4217.", examples=["EUR"])
    lines: list[BillLine] = Field(description="What is paid and earned.")
    total: float = Field(description="Their sum; where `complete` is false, of what is known. [currency]")
    complete: bool = Field(description="Whether every interval was metered, at a known price.")
    missing_hours: float = Field(description="How long it was not; those hours are in no line. [h]", examples=[0.0])
    missing: list[BilledSpan] = Field(description="When nothing was metered.")
    unpriced: list[BilledSpan] = Field(description="When the price is not known.")
    remarks: list[str] = Field(description="What else to know of the figures, for a person.")
