"""What somebody asks of landed figures: read from words, the same for pages, API and commands.

Words that cannot be read are problems with the field they stand in; whoever asks decides whether the rest holds.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from app.core.errors import Invalid
from app.core.text import quoted, storable
from app.jobs.services import SERVICE_NAMES, Service
from app.syncs.amounts import LEVEL_WORDS
from app.syncs.days import ONE_DAY, DayRange, day_of
from app.syncs.figure_sources import FigureSource
from app.syncs.figures import LONGEST_ID, METRIC_FACTS, Level, Metric
from app.syncs.periods import Grain, previous, split
from app.syncs.series import Wanted
from app.syncs.service_metrics import lookback_days, metrics_of

# What is read is twice as long, for the period before.
MOST_DAYS = 400
# More of them side by side nobody tells apart.
MOST_POINTS = 120
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_YEARS = range(2000, 2101)
Word = TypeVar("Word", bound=StrEnum)
FIELDS = ("source", "metric", "level", "entity", "range", "from", "to", "grain", "compare")


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


@dataclass
class Reading:
    """A question, as far as it could be read."""

    problems: list[Problem] = field(default_factory=list)
    question: KpiQuestion | None = None

    def forget_entity(self) -> None:
        """Ask about all of them instead: nobody knows this one."""
        if self.question is not None and self.question.entity_id is not None:
            word, id_ = LEVEL_WORDS[self.question.level], quoted(self.question.entity_id)
            self.problems.append(Problem("entity", f"Nothing ever landed of a {word} {id_} here."))
            self.question = replace(self.question, entity_id=None)

    def refuse_problems(self) -> None:
        """Raises QuestionInvalid."""
        if self.problems:
            first = self.problems[0]
            raise QuestionInvalid(" ".join(one.words for one in self.problems), field=first.field)


def read_question(
    texts: Mapping[str, str], sources: Sequence[FigureSource], *, organization_id: UUID, now: datetime
) -> Reading:
    """What these words ask of these sources. Without a word, what most people want to see; no question without sources.

    Words are those of FIELDS; an empty one is none. `sources` are all that may be asked about.
    """
    reading = Reading()
    ask = _Asker({name: texts.get(name, "") for name in FIELDS}, reading.problems)
    chosen, service, is_of_service = ask.sources(sources)
    if not chosen:
        return reading
    # Where it is already tomorrow, the day before is whole; the range has to be whole in all of them.
    today = min(day_of(now, source.zone or "UTC") for source in chosen)
    metric = ask.metric(service)
    is_additive = METRIC_FACTS[metric].is_additive
    # Each point of what must not be added up is a day.
    wanted_range, days = ask.days(today, most=MOST_DAYS if is_additive else MOST_POINTS)
    question = KpiQuestion(
        organization_id=organization_id,
        sources=chosen,
        service=service,
        is_of_service=is_of_service,
        metric=metric,
        level=Level.ACCOUNT,
        entity_id=None,
        range=wanted_range,
        days=days,
        today=today,
        grain=ask.grain(days, is_additive=is_additive),
        compares=ask.word(Compare, "compare", Compare.PREVIOUS) is Compare.PREVIOUS,
    )
    question = replace(question, level=ask.level(question.levels))
    reading.question = replace(question, entity_id=ask.entity(question))
    return reading


def service_name(service: str) -> str:
    """The service as people call it."""
    return SERVICE_NAMES[Service(service)] if service in set(Service) else service


@dataclass
class _Asker:
    """Reads word after word, and notes what it cannot read."""

    texts: Mapping[str, str]
    problems: list[Problem]

    def refuse(self, name: str, words: str) -> None:
        self.problems.append(Problem(name, words))

    def word(self, values: type[Word], name: str, usual: Word) -> Word:
        text = self.texts[name]
        if not text:
            return usual
        if text in {value.value for value in values}:
            return values(text)
        known = ", ".join(values)
        self.refuse(name, f"{quoted(text)} is no {name} that there is. Use one of: {known}.")
        return usual

    def sources(self, sources: Sequence[FigureSource]) -> tuple[tuple[FigureSource, ...], str, bool]:
        """Of which connections, of which service, and whether of all of it."""
        text = self.texts["source"]
        for source in sources:
            if str(source.id) == text.lower():
                return (source,), source.service, False
        # One that was ended may be connected anew, and then has the same days again.
        of_service = tuple(one for one in sources if one.service == text and one.is_connected)
        if of_service:
            return of_service, text, True
        if text:
            self.refuse("source", f"{quoted(text)} is no connection here, and no service of which one is connected.")
        usual = max(sources, key=lambda one: (one.is_connected, bool(one.streams)), default=None)
        return ((), "", False) if usual is None else ((usual,), usual.service, False)

    def metric(self, service: str) -> Metric:
        known = metrics_of(service)
        text = self.texts["metric"]
        if not text:
            return known[0]
        if text in set(known):
            return Metric(text)
        names = ", ".join(known)
        self.refuse("metric", f"{service_name(service)} tells no {quoted(text)}. Use one of: {names}.")
        return known[0]

    def level(self, there: Sequence[Level]) -> Level:
        usual = there[0] if there else Level.ACCOUNT
        level = self.word(Level, "level", usual)
        if level in there or not there:
            return level
        names = ", ".join(there)
        self.refuse("level", f"There are no figures by {LEVEL_WORDS[level]} here. Use one of: {names}.")
        return usual

    def entity(self, question: KpiQuestion) -> str | None:
        text = self.texts["entity"]
        if not text:
            return None
        if question.level is Level.ACCOUNT:
            self.refuse("entity", "An account has no parts at its own level. Say level=campaign as well.")
        elif len(question.sources) > 1:
            self.refuse("entity", "Say which connection this is of, for others may have one with the same id.")
        elif len(text) > LONGEST_ID or storable(text) != text:
            self.refuse("entity", f"{quoted(text)} cannot be the id of anything.")
        else:
            return text
        return None

    def grain(self, days: DayRange, *, is_additive: bool) -> Grain:
        grain = self.word(Grain, "grain", Grain.DAY)
        if not is_additive and grain is not Grain.DAY:
            self.refuse("grain", "People come on several days, so their number by day makes none by week or month.")
            return Grain.DAY
        if not is_additive or sum(1 for _ in split(days, grain)) <= MOST_POINTS:
            return grain
        if self.texts["grain"]:
            self.refuse("grain", f"{days.days} days are more than {MOST_POINTS} points. Weeks are shown instead.")
        return Grain.WEEK

    def days(self, today: date, *, most: int) -> tuple[Range, DayRange]:
        wanted = self.word(Range, "range", Range.LAST_28)
        is_custom = wanted is Range.CUSTOM or bool(self.texts["from"] or self.texts["to"])
        usual = days_of(Range.LAST_28 if wanted is Range.CUSTOM else wanted, today)
        # A form sends the days that it showed along with the range that they are.
        if not is_custom or (self.texts["from"], self.texts["to"]) == (str(usual.first), str(usual.last)):
            return wanted, usual
        days = self._custom(today, most)
        return (Range.LAST_28, days_of(Range.LAST_28, today)) if days is None else (Range.CUSTOM, days)

    def _custom(self, today: date, most: int) -> DayRange | None:
        first, last = (self._day(name) for name in ("from", "to"))
        if first is None or last is None:
            return None
        if first > last:
            self.refuse("from", f"{first} is after {last}. Give the earlier day first.")
        elif last > today:
            self.refuse("to", f"{last} has not begun: in the account it is {today}.")
        elif (last - first).days >= most:
            self.refuse("from", f"From {first} to {last} is more than {most} days. Ask for fewer.")
        else:
            return DayRange(first, last)
        return None

    def _day(self, name: str) -> date | None:
        text = self.texts[name]
        try:
            found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
        except ValueError:
            found = None
        if found is None or found.year not in _YEARS:
            said = f"{quoted(text)} is no day" if text else f"The range has no day “{name}”"
            self.refuse(name, f"{said}. Write one such as 2026-11-05.")
            return None
        return found


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
