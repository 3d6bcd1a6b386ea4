"""Files that people bring: what was understood of them, and what they brought."""

from datetime import datetime

from pydantic import Field

from watthour.api.schemas.base import Answer, shown_as
from watthour.api.schemas.sites import NextStep


class OpenQuestion(Answer):
    """Something that a table leaves open: send the file again with this field."""

    field: str = Field(description="Field of the form that answers the question.", examples=["date_order"])
    problem: str = Field(
        description="What is not clear.",
        examples=["these dates can be read with the day first or with the month first"],
    )
    choices: list[str] = Field(
        description="Possible answers; empty if any answer is possible.", examples=[["dmy", "mdy"]]
    )


class PreviewRow(Answer):
    """A row of the file, as understood."""

    time: datetime | None = Field(
        description="Start of the interval; as written in the file if the time zone is unknown.",
        examples=["2021-01-01T00:00:00Z"],
    )
    value: float | None = Field(description="Value; null is a gap. [unit of the file]", examples=[15234.0])


class ImportPreview(Answer):
    """What was understood of a table; each choice can be overridden by the field of its name."""

    file: str = Field(description="Name of the file.", examples=["load.csv"])
    encoding: str | None = Field(description="Encoding of the text; null: Parquet.", examples=["utf-8"])
    separator: str | None = Field(description="comma, semicolon, tab or bar.", examples=["comma"])
    decimal: str = Field(description="Decimal mark: point or comma.", examples=["point"])
    date_order: str = Field(description="dmy (day first), mdy (month first) or ymd.", examples=["mdy"])
    date_order_reason: str = Field(description="Why this order.", examples=["otherwise most dates would not exist"])
    time_columns: list[str] = Field(description="Columns that make the time.", examples=[["Timestamp"]])
    time_zone: str | None = Field(
        description="Time zone of times without an offset, where it is known.", examples=["America/New_York"]
    )
    names_end: bool = Field(description="True if each time is the end of its interval.", examples=[False])
    named_by_reason: str = Field(description="Why start or end.", examples=["assumed"])
    value_column: str = Field(description="Column of the values.", examples=["Load (MW)"])
    value_columns: list[str] = Field(description="Columns that could be meant.", examples=[["Load (MW)"]])
    columns: list[str] = Field(description="All columns of the file.", examples=[["Timestamp", "Load (MW)"]])
    unit: str | None = Field(description="Unit of the values, where it is known.", examples=["MW"])
    channel: str | None = Field(description="Channel of the values, as given or proposed.", examples=["grid.ny.demand"])
    step_seconds: int | None = Field(description="Length of an interval. [s]", examples=[3600])
    first_time: datetime | None = Field(description="Start of the first interval.", examples=["2021-01-01T05:00:00Z"])
    last_time: datetime | None = Field(description="Start of the last interval.", examples=["2023-12-31T04:00:00Z"])
    rows: int = Field(description="Rows of the table. [count]", examples=[26280])
    refused: dict[str, int] = Field(
        description="Rows that cannot be read, by the rule they break. [count]", examples=[{"value_is_a_number": 2}]
    )
    doubted: int = Field(description="Values outside the possible range of the channel. [count]", examples=[0])
    cells: list[list[str]] = Field(description="First rows of the file.", examples=[[["01/01/2021 00:00", "15,234"]]])
    values: list[PreviewRow] = Field(description="First rows as read.")
    notes: list[str] = Field(description="Further notes.", examples=[["lines above the header, not read: 2"]])
    is_new_site: bool = Field(description="The import adds the site.", examples=[True])
    is_sample: bool = Field(description="The file is large, and only its beginning was read.", examples=[False])
    meter: str = Field(
        description="What the values are: interval (energy or mean power of each interval), counter (stands of a "
        "counter) or samples (power at instants).",
        examples=["interval"],
    )
    questions: list[OpenQuestion] = Field(description="Open questions; empty if the file can be imported.")


class ImportedRows(Answer):
    """What a file brought, or would bring."""

    model_config = shown_as(
        {
            "region": "ny",
            "channel": "grid.ny.demand",
            "new_rows": 4368,
            "refused_rows": 0,
            "refused": {},
            "doubted": {},
            "preview": None,
            "findings": [],
            "next": [],
        }
    )

    region: str | None = Field(description="Id of the site; null if it is not known yet.", examples=["ny"])
    channel: str | None = Field(description="Channel of the imported table.", examples=["grid.ny.demand"])
    new_rows: int = Field(description="Rows that were new. [count]", examples=[4368])
    refused_rows: int = Field(description="Rows that were refused. [count]", examples=[0])
    refused: dict[str, int] = Field(description="Refused rows by the rule they break. [count]", examples=[{}])
    doubted: dict[str, int] = Field(
        description="Readings that are kept but not used, as they cannot be right, by the rule they break: `zero`, "
        "`frozen`, `out_of_range`, `unusual`; none in a dry run. [count]",
        examples=[{}],
    )
    preview: ImportPreview | None = Field(description="How the table was read; null for a file with a known layout.")
    findings: list[str] = Field(
        description="Faults that the readings show beside a rival's forecast, with what to do; none in a dry run.",
        examples=[[]],
    )
    next: list[NextStep] = Field(description="What can be done next for a site that the file has added.")
