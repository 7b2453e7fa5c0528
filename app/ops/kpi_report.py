"""What landed figures answer to a question: points with what is in doubt about them, sums, and a comparison."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy.orm import Session

from app.ops.kpi_question import KpiQuestion, QuestionInvalid
from app.syncs.amounts import change_words, flag_words
from app.syncs.days import ONE_DAY, DayRange
from app.syncs.figure_sources import DoubtfulDays, FigureSource, first_days, list_doubtful_days
from app.syncs.figures import Level, QualityFlag
from app.syncs.periods import is_whole, percent_change, split, split_before
from app.syncs.series import (
    EntitySum,
    NotAdditive,
    Point,
    PointState,
    Series,
    flagged_days,
    list_entities,
    read_day_sums,
    series_of,
)

TOP_ENTITIES = 20


class Mark(StrEnum):
    """Why a point is looked at twice. Without one it is final, or complete and old enough to be taken for it."""

    SETTLING = "settling"  # complete, and its service may still correct it
    PROVISIONAL = "provisional"  # the day is not over, or not all of it is here
    PARTLY = "partly landed"  # some of its days or accounts are complete, and some are not
    MISSING = "missing"  # nothing of it is here
    DOUBTFUL = "in doubt"  # brought by a landing that lacks most of what was there, or has an unusual size
    FLAGGED = "flagged"  # its service says that it is not the whole truth
    CUT = "cut"  # a week or month of which the days that were asked for are a part


MARK_WORDS = {
    Mark.SETTLING: "complete, may still be corrected",
    Mark.PROVISIONAL: "not complete yet",
    Mark.PARTLY: "partly landed",
    Mark.MISSING: "missing",
    Mark.DOUBTFUL: "in doubt",
    Mark.FLAGGED: "flagged by its service",
    Mark.CUT: "cut off by the range",
}
# Sums of these are too small, or may be.
INCOMPLETE = frozenset({Mark.PROVISIONAL, Mark.PARTLY, Mark.MISSING})


@dataclass(frozen=True)
class KpiPoint:
    """One day, week or month. Without a value nothing is known of it; `flags` are quality flags of its figures."""

    days: DayRange
    value: Decimal | None
    marks: tuple[Mark, ...] = ()
    flags: tuple[str, ...] = ()
    # As many days of the period before, and what they had; both where there is something to compare with.
    before_days: DayRange | None = None
    before: Decimal | None = None

    @property
    def words(self) -> str:
        """`not complete yet; in doubt`. Empty for what is final."""
        said = [MARK_WORDS[mark] for mark in self.marks if mark is not Mark.FLAGGED]
        return "; ".join([*said, *(flag_words(flag) for flag in self.flags)])


@dataclass(frozen=True)
class KpiSeries:
    """One currency, or counts. Totals are None where days must not be added up, and where nothing is known."""

    currency: str | None
    points: tuple[KpiPoint, ...]
    total: Decimal | None
    before_total: Decimal | None
    # The first day of which all is known that is in the period before, where that is not all of it.
    before_known_from: date | None = None

    @property
    def incomplete(self) -> int:
        """Of how many points the sum may be too small."""
        return sum(1 for point in self.points if INCOMPLETE.intersection(point.marks))

    @property
    def percent(self) -> Decimal | None:
        """By how much the total went up; None without one of the two, and where it was 0 before."""
        if self.total is None or self.before_total is None:
            return None
        return percent_change(self.before_total, self.total)

    @property
    def change_words(self) -> str:
        """`up 46.50 EUR (+3.9%)`; empty without two totals."""
        if self.total is None or self.before_total is None:
            return ""
        return change_words(self.before_total, self.total, self.currency)


@dataclass(frozen=True)
class KpiReport:
    """The answer. `data_through` is the last day complete in all sources; `first_day` the first one known of any.

    Of `absent` sources nothing ever landed: they are in none of it, and nothing is called incomplete for their sake.
    """

    question: KpiQuestion
    series: tuple[KpiSeries, ...]
    data_through: date | None
    first_day: date | None
    # Why there is nothing to show, where a sum would be wrong.
    refusal: str = ""
    absent: tuple[FigureSource, ...] = ()

    @property
    def incomplete(self) -> int:
        """Of how many points the sum may be too small, in the series that has most of them."""
        return max((series.incomplete for series in self.series), default=0)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """All that there are."""
        there = {mark for series in self.series for point in series.points for mark in point.marks}
        return tuple(mark for mark in Mark if mark in there)


def read_report(session: Session, question: KpiQuestion) -> KpiReport:
    """The series that a question is about, in at most four statements."""
    wanted, level = question.wanted, question.level
    here, ids = question.organization_id, wanted.connection_ids
    begins = first_days(session, organization_id=here, connection_ids=ids, level=level, metric=question.metric)
    known = [
        _Known(source, source.data_through(level), begins.get(source.id))
        for source in question.sources
        if source.of_level(level) or source.id in begins
    ]
    absent = tuple(one for one in question.sources if one not in {each.source for each in known})
    whole = DayRange(question.before.first, wanted.days.last) if question.compares else wanted.days
    try:
        sums = read_day_sums(session, replace(wanted, days=whole))
    except NotAdditive as error:
        return KpiReport(question, (), _through(known), None, error.message, absent)
    is_doubted = any(stream.doubt for source in question.sources for stream in source.of_level(level))
    doubtful = list_doubtful_days(session, organization_id=here, connection_ids=ids, level=level) if is_doubted else ()
    flagged = flagged_days(session, wanted)
    series = []
    for currency in sorted(sums, key=lambda currency: currency or ""):
        mine = [one for one in known if currency is None or one.source.currency in (None, currency)] or known
        marker = _Marker(question, tuple(mine), doubtful, flagged)
        series.append(_series(question, currency, sums[currency], marker))
    first_day = min((one.begins for one in known if one.begins is not None), default=None)
    return KpiReport(question, tuple(series), _through(known), first_day, absent=absent)


def list_top(session: Session, question: KpiQuestion, *, limit: int = TOP_ENTITIES, skip: int = 0) -> list[EntitySum]:
    """The campaigns or channels that a metric is made of, the largest first: so many of each currency.

    Of people, who must not be added up, those of the last day of which all is known. Raises QuestionInvalid.
    """
    if question.level is Level.ACCOUNT:
        raise QuestionInvalid("An account is one number. Ask for its campaigns with level=campaign.", field="level")
    return list_entities(
        session, replace(question.wanted, entity_id=None, days=top_days(question)), limit=limit, skip=skip
    )


def read_totals(session: Session, question: KpiQuestion) -> dict[str | None, Decimal]:
    """What shares are of: the sum of each currency. Nothing for people, who are not added up."""
    if not question.is_additive:
        return {}
    sums = read_day_sums(session, replace(question.wanted, entity_id=None))
    return {currency: sum(days.values(), Decimal(0)) for currency, days in sums.items()}


def top_days(question: KpiQuestion) -> DayRange:
    """The days that `list_top` is about."""
    if question.is_additive:
        return question.days
    reached = [day for source in question.sources if (day := source.data_through(question.level))]
    last = min([question.days.last, *reached])
    day = max(last, question.days.first)
    return DayRange(day, day)


@dataclass(frozen=True)
class _Known:
    """How much of a source is here: up to which day everything, and from which one on."""

    source: FigureSource
    reached: date | None
    begins: date | None


def _through(known: Sequence[_Known]) -> date | None:
    reached = [one.reached for one in known]
    return None if None in reached else min((day for day in reached if day is not None), default=None)


@dataclass(frozen=True)
class _Marker:
    """What is known about days, apart from their figures, in the sources that a series is of."""

    question: KpiQuestion
    known: tuple[_Known, ...]
    doubtful: Sequence[DoubtfulDays]
    flagged: Mapping[date, tuple[str, ...]]

    @property
    def first_day(self) -> date | None:
        return min((one.begins for one in self.known if one.begins is not None), default=None)

    @property
    def all_from(self) -> date | None:
        """The first day that is known of all that have landed."""
        return max((one.begins for one in self.known if one.begins is not None), default=None)

    def point(self, point: Point) -> KpiPoint:
        days, value = point.days, point.value
        is_before_all = self.first_day is None or days.last < self.first_day
        if (is_before_all and point.state is not PointState.PROVISIONAL) or self._is_lost_to_all(days):
            # Nobody fetched these: that they would be zero is not known.
            value = None
        flags = {flag for day in _each(days) for flag in self.flagged.get(day, ())}
        if any(lost.first <= days.last and lost.last >= days.first for lost in self._lost):
            flags.add(QualityFlag.LOST.value)
        return KpiPoint(days, value, tuple(self._marks(point, value, bool(flags))), tuple(sorted(flags)))

    @property
    def _lost(self) -> list[DayRange]:
        return [days for one in self.known for days in one.source.lost(self.question.level)]

    def _is_lost_to_all(self, days: DayRange) -> bool:
        """Whether there is no account of which any of these days could be had."""
        lost = (one.source.lost(self.question.level) for one in self.known)
        return bool(self.known) and all(
            any(some.first <= days.first and days.last <= some.last for some in each) for each in lost
        )

    def _marks(self, point: Point, value: Decimal | None, has_flags: bool) -> Iterator[Mark]:
        days = point.days
        if value is None:
            yield Mark.MISSING
        elif self._is_partly(days):
            yield Mark.PARTLY
        elif point.state is PointState.PROVISIONAL:
            yield Mark.PROVISIONAL
        elif point.state is PointState.SETTLING:
            yield Mark.SETTLING
        if any(one.first <= days.last and one.last >= days.first for one in self.doubtful):
            yield Mark.DOUBTFUL
        if has_flags:
            yield Mark.FLAGGED
        if not is_whole(days, self.question.grain):
            yield Mark.CUT

    def _is_partly(self, days: DayRange) -> bool:
        """Whether some of it is whole, and some is not: of its days, or of the accounts."""
        ends = [one.reached is not None and one.reached >= days.last for one in self.known]
        has_begun = [one.reached is not None and one.reached >= days.first for one in self.known]
        # One that has landed, and had nothing at all, lacks nothing.
        starts = [one.reached is not None if one.begins is None else one.begins <= days.first for one in self.known]
        is_cut_off = not all(ends) and any(has_begun)
        return is_cut_off or not all(starts)


def _series(question: KpiQuestion, currency: str | None, sums: Mapping[date, Decimal], marker: _Marker) -> KpiSeries:
    wanted, grain = question.wanted, question.grain
    through, lookback = _through(marker.known), question.lookback_days
    pieces = tuple(split(wanted.days, grain))
    now = series_of(wanted, currency, sums, pieces, data_through=through, lookback_days=lookback)
    points = [marker.point(point) for point in now.points]
    if not question.compares:
        return KpiSeries(currency, tuple(points), _known(now, points), None)
    beside, earlier = tuple(split_before(wanted.days, grain)), replace(wanted, days=question.before)
    before = series_of(earlier, currency, sums, beside, data_through=through, lookback_days=lookback)
    old = [marker.point(point) for point in before.points]
    known_from = marker.all_from
    is_cut = known_from is not None and question.before.first < known_from <= question.before.last
    return KpiSeries(
        currency,
        tuple(_beside(point, old[place] if place < len(old) else None) for place, point in enumerate(points)),
        _known(now, points),
        # A part beside the whole would look like growth.
        None if is_cut else _known(before, old),
        known_from if is_cut else None,
    )


def _beside(point: KpiPoint, old: KpiPoint | None) -> KpiPoint:
    # Of a part of the accounts, or of its days, it would be too small to be compared with.
    if old is None or old.value is None or Mark.PARTLY in old.marks:
        return point
    return replace(point, before_days=old.days, before=old.value)


def _known(series: Series, points: Sequence[KpiPoint]) -> Decimal | None:
    """The total, unless nothing of it is known at all."""
    return series.total if any(point.value is not None for point in points) else None


def _each(days: DayRange) -> Iterator[date]:
    day = days.first
    while day <= days.last:
        yield day
        day += ONE_DAY
