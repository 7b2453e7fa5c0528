"""From a report of Google Analytics to exact numbers. Pure.

Everything is text in its rows; columns are found by name, for their order is nobody's promise.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.syncs.figures import FigureInvalid, Level, Metric, QualityFlag, Stream, exact

# Which metric of a report a metric comes from.
FIELDS = {
    Metric.SESSIONS: "sessions",
    Metric.TOTAL_USERS: "totalUsers",
    Metric.KEY_EVENTS: "keyEvents",
    Metric.PURCHASES: "ecommercePurchases",
    Metric.REVENUE: "totalRevenue",
}
DATE = "date"
CHANNEL = "sessionDefaultChannelGroup"
CHANNELS = Stream("channels", Level.CHANNEL, frozenset(FIELDS), "each channel by day")
# People who came through two channels are one person: users of a whole day are asked for by themselves.
ACCOUNT = Stream("account", Level.ACCOUNT, frozenset(FIELDS), "the property as a whole by day; people count once")
STREAMS = (CHANNELS, ACCOUNT)
MAPPING_VERSION = 1
# What did not fit into a report is put together under this name; as a date it belongs to no day.
OTHER = "(other)"
_NAMELESS = "(blank)"


@dataclass(frozen=True, slots=True)
class ChannelDay:
    """One channel, or the property, on one day. The property's name is empty."""

    day: date
    channel: str
    values: Mapping[Metric, Decimal]


@dataclass(frozen=True)
class ReportPage:
    """A page of a report. `came` is how many rows it had, `total` how many the whole report has.

    `flags` are of the whole report, `hidden` are metrics that the login may not see and that read as zero.
    """

    rows: tuple[ChannelDay, ...]
    came: int
    total: int
    zone: str | None
    currency: str | None
    flags: frozenset[QualityFlag]
    hidden: frozenset[Metric]

    @property
    def frame(self) -> tuple[int, str | None, str | None]:
        """What has to be the same on all pages of one report."""
        return self.total, self.zone, self.currency


def dimensions_of(stream: Stream) -> tuple[str, ...]:
    """What a stream is broken down by."""
    return (DATE, CHANNEL) if stream.level is Level.CHANNEL else (DATE,)


def metrics_of(stream: Stream) -> tuple[Metric, ...]:
    """What a stream asks for, always in the same order."""
    return tuple(metric for metric in FIELDS if metric in stream.metrics)


def read_page(said: Mapping[str, Any], *, stream: Stream) -> ReportPage:
    """What a page says. Raises FigureInvalid. An empty report has neither rows nor their number."""
    rows = _objects(said.get("rows", []), "rows")
    names = _Columns.of(said, stream) if rows else None
    found = [] if names is None else [names.read(row) for row in rows]
    days = tuple(row for row in found if row is not None)
    flags, hidden = _quality(said)
    if len(days) < len(found):
        flags |= {QualityFlag.OTHER_ROW}
    total = said.get("rowCount", 0)
    if not isinstance(total, int) or isinstance(total, bool) or total < len(rows):
        raise FigureInvalid("a report does not say how many rows it has")
    metadata = _metadata(said)
    return ReportPage(
        days, len(rows), total, _text(metadata.get("timeZone")), _text(metadata.get("currencyCode")), flags, hidden
    )


@dataclass(frozen=True)
class _Columns:
    """Where what stands in a row."""

    date: int
    channel: int | None
    metrics: Mapping[Metric, int]

    @classmethod
    def of(cls, said: Mapping[str, Any], stream: Stream) -> "_Columns":
        dimensions, metrics = _names(said, "dimensionHeaders"), _names(said, "metricHeaders")
        missing = [name for name in dimensions_of(stream) if name not in dimensions]
        missing += [FIELDS[metric] for metric in metrics_of(stream) if FIELDS[metric] not in metrics]
        if missing:
            raise FigureInvalid(f"a report lacks {', '.join(missing)}")
        channel = dimensions.index(CHANNEL) if stream.level is Level.CHANNEL else None
        places = {metric: metrics.index(FIELDS[metric]) for metric in metrics_of(stream)}
        return cls(dimensions.index(DATE), channel, places)

    def read(self, row: Mapping[str, Any]) -> ChannelDay | None:
        """None for what belongs to no day."""
        dimensions, values = _values(row, "dimensionValues"), _values(row, "metricValues")
        try:
            day, channel = dimensions[self.date], "" if self.channel is None else dimensions[self.channel]
            numbers = {metric: exact(values[place]) for metric, place in self.metrics.items()}
        except IndexError as error:
            raise FigureInvalid("a row is shorter than its report") from error
        if day == OTHER:
            return None
        return ChannelDay(_day(day), channel if self.channel is None else channel or _NAMELESS, numbers)


def _quality(said: Mapping[str, Any]) -> tuple[frozenset[QualityFlag], frozenset[Metric]]:
    metadata = _metadata(said)
    marks = {
        QualityFlag.SAMPLED: metadata.get("samplingMetadatas"),
        QualityFlag.THRESHOLDED: metadata.get("subjectToThresholding"),
        QualityFlag.OTHER_ROW: metadata.get("dataLossFromOtherRow"),
        QualityFlag.TRUNCATED: metadata.get("dataTruncationReasons"),
    }
    return frozenset(flag for flag, mark in marks.items() if mark), frozenset(_hidden(metadata))


def _hidden(metadata: Mapping[str, Any]) -> Iterator[Metric]:
    restrictions = metadata.get("schemaRestrictionResponse")
    listed = restrictions.get("activeMetricRestrictions", []) if isinstance(restrictions, Mapping) else []
    names = [each.get("metricName") for each in _objects(listed, "restrictions")]
    yield from (metric for metric, name in FIELDS.items() if name in names)


def _metadata(said: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = said.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _names(said: Mapping[str, Any], field: str) -> list[str]:
    return [str(header.get("name")) for header in _objects(said.get(field, []), "headers")]


def _values(row: Mapping[str, Any], field: str) -> list[str]:
    # Without a value it is an empty text.
    return [each.get("value", "") for each in _objects(row.get(field, []), "values")]


def _objects(said: Any, what: str) -> Sequence[Mapping[str, Any]]:
    if not isinstance(said, list) or not all(isinstance(each, Mapping) for each in said):
        raise FigureInvalid(f"the {what} of a report are not where they belong")
    return said


def _day(said: Any) -> date:
    if isinstance(said, str) and len(said) == 8 and said.isascii() and said.isdecimal():
        try:
            return date(int(said[:4]), int(said[4:6]), int(said[6:]))
        except ValueError:
            pass
    raise FigureInvalid("a row has a day that is none")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
