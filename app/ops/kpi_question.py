"""What somebody asks of landed figures: one metric, of whom, over which days, in which points."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from app.core.errors import Invalid
from app.jobs.services import SERVICE_NAMES, Service
from app.syncs.days import ONE_DAY, DayRange
from app.syncs.figure_sources import FigureSource
from app.syncs.figures import METRIC_FACTS, Level, Metric
from app.syncs.periods import Grain, previous
from app.syncs.series import Wanted, refuse_sums
from app.syncs.service_metrics import lookback_days


class Range(StrEnum):
    """Which days, seen from today in the account's zone. The last days are whole ones: they end yesterday."""

    LAST_7 = "7d"
    LAST_28 = "28d"
    LAST_90 = "90d"
    THIS_MONTH = "this_month"  # today included
    LAST_MONTH = "last_month"
    CUSTOM = "custom"  # from a day to a day


class Compare(StrEnum):
    """What a series is compared with."""

    PREVIOUS = "previous"  # the period just before
    NONE = "none"


RANGE_WORDS = {
    Range.LAST_7: "Last 7 days",
    Range.LAST_28: "Last 28 days",
    Range.LAST_90: "Last 90 days",
    Range.THIS_MONTH: "This month",
    Range.LAST_MONTH: "Last month",
    Range.CUSTOM: "From … to …",
}
_LENGTHS = {Range.LAST_7: 7, Range.LAST_28: 28, Range.LAST_90: 90}


class QuestionInvalid(Invalid):
    """Something that was asked for cannot be."""


@dataclass(frozen=True)
class Problem:
    """What could not be read, in which field, and what to do."""

    field: str
    words: str


@dataclass(frozen=True)
class KpiQuestion:
    """One metric of one connection, or of all of a service together, over some days of their zone."""

    organization_id: UUID
    sources: tuple[FigureSource, ...]
    service: str
    # Whether it is about all connections of the service, even where that is one.
    is_of_service: bool
    metric: Metric
    level: Level
    entity_id: str | None
    range: Range
    days: DayRange
    today: date
    grain: Grain
    compares: bool

    @property
    def wanted(self) -> Wanted:
        ids = tuple(source.id for source in self.sources)
        return Wanted(self.organization_id, ids, self.metric, self.days, self.level, self.grain, self.entity_id)

    @property
    def before(self) -> DayRange:
        """The period that it is compared with."""
        return previous(self.days)

    @property
    def zones(self) -> tuple[str, ...]:
        """In whose days it is told. More than one means that each account has its own."""
        return tuple(sorted({source.zone for source in self.sources if source.zone}))

    @property
    def lookback_days(self) -> int:
        return lookback_days(self.service)

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels of which something landed."""
        there = {stream.level for source in self.sources for stream in source.streams}
        return tuple(level for level in Level if level in there)

    @property
    def is_additive(self) -> bool:
        return METRIC_FACTS[self.metric].is_additive

    def refuse_wrong_sums(self) -> None:
        """Raises NotAdditive for people of several days, campaigns or accounts together."""
        refuse_sums(self.wanted)

    @property
    def name(self) -> str:
        """`Acme EU`, or `All of Meta`."""
        return f"All of {service_name(self.service)}" if self.is_of_service else self.sources[0].name

    @property
    def args(self) -> dict[str, str]:
        """The words that mean this question, for links. What follows from others is left out."""
        source = self.service if self.is_of_service else str(self.sources[0].id)
        found = {"source": source, "metric": self.metric.value, "level": self.level.value, "grain": self.grain.value}
        if self.range is not Range.CUSTOM:
            found["range"] = self.range.value
        else:
            found |= {"from": self.days.first.isoformat(), "to": self.days.last.isoformat()}
        if self.entity_id is not None:
            found["entity"] = self.entity_id
        if not self.compares:
            found["compare"] = Compare.NONE.value
        return found


def service_name(service: str) -> str:
    """The service as people call it."""
    return SERVICE_NAMES[Service(service)] if service in set(Service) else service


def days_of(wanted: Range, today: date) -> DayRange:
    """The days of a range that is not custom."""
    match wanted:
        case Range.THIS_MONTH:
            return DayRange(today.replace(day=1), today)
        case Range.LAST_MONTH:
            last = today.replace(day=1) - ONE_DAY
            return DayRange(last.replace(day=1), last)
        case _:
            return DayRange(today - timedelta(days=_LENGTHS[wanted]), today - ONE_DAY)
