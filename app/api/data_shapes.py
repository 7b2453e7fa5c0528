"""What questions about landed figures look like in the API, and the answers. Amounts are decimals in texts."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, PlainSerializer, WithJsonSchema

from app.api.models import Answer, Moment, Paging, Query
from app.ops.kpi_question import Compare, Range
from app.ops.kpi_report import Mark
from app.syncs.connections import ConnectionState
from app.syncs.figures import LONGEST_ID, Level, Metric
from app.syncs.freshness import Freshness
from app.syncs.periods import Grain
from app.syncs.streams import Doubt

_DAY = "A day of the account's zone, as 2026-11-05."
_LONGEST_SOURCE = 40
_LONGEST_DAY = 10

Amount = Annotated[
    Decimal,
    # Never as a number of JSON, which most readers take for a float; and never as 1E+3.
    PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json"),
    Field(json_schema_extra={"examples": ["1204.5"]}),
]
"""A decimal number in a text, exact to its last place."""


# Written out in its place: lines of logs have levels as well, and the document has one model by each name.
FigureLevel = Annotated[Level, WithJsonSchema({"type": "string", "enum": [level.value for level in Level]})]


class SourceQuery(Query):
    """Whose figures."""

    source: Annotated[
        str,
        Field(
            max_length=_LONGEST_SOURCE,
            description="The id of a connection, or a service (`meta`) for all of it that are connected. Unless given, "
            "the first connection.",
            examples=["meta"],
        ),
    ] = ""


class DataQuery(SourceQuery):
    """One metric over some days."""

    metric: Annotated[Metric | None, Field(description="Unless given, the first that the service tells.")] = None
    level: Annotated[FigureLevel | None, Field(description="Unless given, the first of which something landed.")] = None
    entity: Annotated[
        str, Field(max_length=LONGEST_ID, description="The id of one campaign or channel of that level.")
    ] = ""
    range: Annotated[
        Range | None, Field(description="Unless given, the last 28 whole days. `from` and `to` say otherwise.")
    ] = None
    first: Annotated[str, Field(alias="from", max_length=_LONGEST_DAY, description=f"{_DAY} With `to`.")] = ""
    last: Annotated[str, Field(alias="to", max_length=_LONGEST_DAY, description=f"{_DAY} Included.")] = ""

    def texts(self) -> dict[str, str]:
        """The words of the question, as an address of the page has them."""
        given = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {name: value for name, value in given.items() if isinstance(value, str)}


class SeriesQuery(DataQuery):
    """The same in points of a grain, and what it is compared with."""

    grain: Annotated[Grain | None, Field(description="Unless given, `day`, or `week` for more than 120 days.")] = None
    compare: Annotated[Compare | None, Field(description="Unless given, with the period just before.")] = None


class DataPaging(DataQuery, Paging):
    """The same, in pages."""


class SourceStreamOut(Answer):
    """Some metrics of one level that are fetched together."""

    name: str
    level: FigureLevel
    data_through: Annotated[date | None, Field(description="The last day that landed completely.")]
    fetched_at: Moment | None
    promised_minute: Annotated[
        int | None, Field(description="By which minute of a day the day before is promised, on the account's clock.")
    ]
    doubt: Annotated[Doubt | None, Field(description="Why its newest landing is in doubt.")]


class SourceOut(Answer):
    """A connection as a place that figures come from."""

    id: UUID
    name: str
    service: str
    zone: Annotated[str | None, Field(description="In which its days begin; null before its first sync.")]
    currency: str | None
    state: ConnectionState
    metrics: Annotated[list[Metric], Field(description="What the service tells.")]
    streams: list[SourceStreamOut]


class FreshnessOut(Answer):
    """How new one stream is."""

    connection_id: UUID
    connection: str
    stream: str
    level: FigureLevel
    data_through: date | None
    fetched_at: Moment | None
    deadline: Annotated[Moment | None, Field(description="By when the next day is promised; past when it is stale.")]
    freshness: Annotated[Freshness | None, Field(description="Null where nothing is promised.")]
    doubt: Doubt | None
    words: Annotated[str, Field(examples=["data through 2026-11-20 · promised by 07:00 · fresh"])]


class PointOut(Answer):
    """One day, week or month."""

    first_day: date
    last_day: date
    value: Annotated[Amount | None, Field(description="Null where nothing is known of it.")]
    previous: Annotated[Amount | None, Field(description="Of the point at the same place of the period before.")]
    previous_first_day: Annotated[date | None, Field(description="Which days `previous` is of: as many as its own.")]
    previous_last_day: date | None
    marks: Annotated[list[Mark], Field(description="Why it is looked at twice; empty for what is final.")]
    flags: Annotated[list[str], Field(description="What its service says of the figures, as `sampled`.")]
    words: Annotated[str, Field(description="The same in words.", examples=["not complete yet"])]


class CurrencySeriesOut(Answer):
    """The points of one currency, or of counts. Money of two currencies is never added."""

    currency: str | None
    total: Annotated[Amount | None, Field(description="Null where days must not be added up, or nothing is known.")]
    previous_total: Annotated[Amount | None, Field(description="Null unless all of the period before is known.")]
    previous_known_from: Annotated[
        date | None, Field(description="From which day on the period before is known, where that is not all of it.")
    ]
    change_percent: Annotated[Amount | None, Field(description="Null without both totals, and where it was 0 before.")]
    change: Annotated[str, Field(description="In words.", examples=["up 46.50 EUR (+3.9%)"])]
    points: list[PointOut]


class SeriesOut(Answer):
    """What a question was taken for, and its answer."""

    source: Annotated[str, Field(description="As it can be asked for again.")]
    service: str
    metric: Metric
    level: FigureLevel
    entity: str | None
    entity_name: str | None
    grain: Grain
    first_day: date
    last_day: date
    previous_first_day: date | None
    previous_last_day: date | None
    zones: Annotated[list[str], Field(description="Whose days they are; more than one where accounts differ.")]
    data_through: Annotated[date | None, Field(description="The last day that is complete in all of them.")]
    absent: Annotated[list[UUID], Field(description="Connections of which nothing has landed: they are in no figure.")]
    known_from: Annotated[date | None, Field(description="The first day of which anything is known.")]
    incomplete_points: Annotated[int, Field(description="Of how many points the value may be too small.")]
    series: list[CurrencySeriesOut]


class EntityOut(Answer):
    """A campaign or channel, and what it adds."""

    connection_id: UUID
    id: str
    name: str
    currency: str | None
    value: Amount
    share_percent: Annotated[Amount | None, Field(description="Of all of that currency; null where it says nothing.")]


class PartOut(Answer):
    """One figure of a change. Without an old value it appeared, without a new one it vanished."""

    entity: str
    name: str
    old_value: Amount | None
    new_value: Amount | None
    delta: Amount


class DataChangeOut(Answer):
    """One run changed one day that had been complete."""

    at: Moment
    day: date
    connection_id: UUID
    connection: str
    run_id: UUID
    run_is_kept: Annotated[bool, Field(description="False once retention has removed the run.")]
    currency: str | None
    delta: Annotated[Amount, Field(description="By how much in all. Of people: by how much their figures together.")]
    figures: Annotated[int, Field(description="How many figures changed.")]
    largest: Annotated[list[PartOut], Field(description="The largest five of them.")]


class FigureOut(Answer):
    """One figure as it landed."""

    connection_id: UUID
    day: date
    entity: str
    name: str
    value: Amount
    currency: str | None
    flags: list[str]
