"""Reads of landed figures: a metric over time, what it is made of, and every figure of it.

What vanished counts no more. Sums are exact: of whole numbers, in the database.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, func, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from app.core.columns import Millionths, plain
from app.core.errors import Invalid
from app.syncs.days import DayRange
from app.syncs.figures import METRIC_FACTS, Level, Metric, MetricFacts
from app.syncs.models import LandedEntity, LandedFigure, StreamState
from app.syncs.periods import Grain, previous, split

MILLION = 10**Millionths.PLACES
# Connection, day and entity: in their order figures are listed.
FigurePlace = tuple[UUID, date, str]
DaySums = Mapping[str | None, Mapping[date, Decimal]]


class NotAdditive(Invalid):
    """The figures of this metric must not be added up."""


class PointState(StrEnum):
    """How far a point of a series can be relied on."""

    FINAL = "final"  # its service changes it no more
    SETTLING = "settling"  # complete, and may still be corrected
    PROVISIONAL = "provisional"  # not all of it is here yet


@dataclass(frozen=True)
class Wanted:
    """One metric over some days, of one or more connections; of one entity, or of all of a level together."""

    organization_id: UUID
    connection_ids: tuple[UUID, ...]
    metric: Metric
    days: DayRange
    level: Level = Level.CAMPAIGN
    grain: Grain = Grain.DAY
    entity_id: str | None = None


@dataclass(frozen=True)
class Point:
    """One day, week or month. Without a value, nothing is known of it yet."""

    days: DayRange
    value: Decimal | None
    state: PointState


@dataclass(frozen=True)
class Series:
    """The points of one currency, or of counts. `total` is None where days must not be added up."""

    currency: str | None
    points: tuple[Point, ...]
    total: Decimal | None


@dataclass(frozen=True)
class EntitySum:
    """What one entity adds to the sum."""

    connection_id: UUID
    entity_id: str
    name: str
    currency: str | None
    value: Decimal


@dataclass(frozen=True)
class FigureRow:
    """One figure, as it was landed."""

    connection_id: UUID
    day: date
    entity_id: str
    name: str
    value: Decimal
    currency: str | None
    flags: tuple[str, ...]


def read_series(session: Session, wanted: Wanted, *, lookback_days: int) -> list[Series]:
    """The metric over time, one series for each currency, for money of two is never added. Raises NotAdditive.

    What is older than `lookback_days` before the last complete day is final.
    """
    sums = read_day_sums(session, wanted)
    data_through = read_data_through(session, wanted)
    return make_series(wanted, sums, data_through=data_through, lookback_days=lookback_days)


def read_day_sums(session: Session, wanted: Wanted) -> DaySums:
    """The sums of each day, by currency. Raises NotAdditive."""
    refuse_sums(wanted)
    sums: dict[str | None, dict[date, Decimal]] = defaultdict(dict)
    query = select(LandedFigure.day, LandedFigure.currency, *sum_parts(_value())).where(*_which(wanted))
    for day, currency, whole, rest in session.execute(query.group_by(LandedFigure.day, LandedFigure.currency)):
        sums[currency][day] = joined(whole, rest)
    return sums


def make_series(wanted: Wanted, sums: DaySums, *, data_through: date | None, lookback_days: int) -> list[Series]:
    """The series of the days wanted, of sums that may hold others as well. In the order of their currencies."""
    pieces = tuple(split(wanted.days, wanted.grain))
    return [
        series_of(wanted, currency, sums[currency], pieces, data_through=data_through, lookback_days=lookback_days)
        for currency in sorted(sums, key=lambda currency: currency or "")
    ]


def read_previous(session: Session, wanted: Wanted, *, lookback_days: int) -> list[Series]:
    """The same of the period before."""
    return read_series(session, replace(wanted, days=previous(wanted.days)), lookback_days=lookback_days)


def read_data_through(session: Session, wanted: Wanted) -> date | None:
    """The last day that is complete in all of these connections; None when one has landed nothing whole."""
    query = select(StreamState.connection_id, func.min(StreamState.high_water)).where(
        StreamState.organization_id == wanted.organization_id,
        StreamState.connection_id.in_(wanted.connection_ids),
        StreamState.level == wanted.level.value,
    )
    rows = session.execute(query.group_by(StreamState.connection_id))
    reached = [day for _, day in rows if day is not None]
    return min(reached, default=None) if len(reached) == len(set(wanted.connection_ids)) else None


def list_entities(session: Session, wanted: Wanted, *, limit: int, skip: int = 0) -> list[EntitySum]:
    """What the sum is made of, the largest first: so many of each currency. Raises NotAdditive."""
    facts = METRIC_FACTS[wanted.metric]
    if not facts.is_additive and wanted.days.days > 1:
        raise _not_additive(facts)
    whole, rest = sum_parts(_value())
    keys = (LandedFigure.connection_id, LandedFigure.entity_id, LandedFigure.currency)
    place = func.row_number().over(
        partition_by=LandedFigure.currency,
        # Larger than 64 bits, SQLite orders them roughly.
        order_by=((whole * MILLION + rest).desc(), LandedFigure.entity_id, LandedFigure.connection_id),
    )
    columns = (*keys, whole.label("whole"), rest.label("rest"), place.label("place"))
    sums = select(*columns).where(*_which(wanted)).group_by(*keys).subquery()
    query = (
        select(sums, LandedEntity.name)
        .select_from(sums)
        .outerjoin(LandedEntity, _is_named(wanted, sums.c))
        .where(sums.c.place > skip, sums.c.place <= skip + limit)
    )
    rows = session.execute(query).all()
    found = [
        EntitySum(row.connection_id, row.entity_id, row.name or "", row.currency, joined(row.whole, row.rest))
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.currency or "", -one.value, one.entity_id, one.connection_id))


def flagged_days(session: Session, wanted: Wanted) -> dict[date, tuple[str, ...]]:
    """The days with figures that may not be the whole truth, each with the quality flags that say why."""
    query = select(LandedFigure.day, LandedFigure.flags).where(*_which(wanted), LandedFigure.flags != "").distinct()
    found: dict[date, set[str]] = defaultdict(set)
    for day, flags in session.execute(query):
        found[day] |= set(flags.split(","))
    return {day: tuple(sorted(flags)) for day, flags in found.items()}


def each_figure(session: Session, wanted: Wanted, *, batch: int = 1_000) -> Iterator[FigureRow]:
    """Every figure by itself, by connection, day and entity, so many read at once."""
    last: FigurePlace | None = None
    while True:
        rows = list_figures(session, wanted, limit=batch, after=last)
        yield from rows
        if len(rows) < batch:
            return
        last = (rows[-1].connection_id, rows[-1].day, rows[-1].entity_id)


def list_figures(session: Session, wanted: Wanted, *, limit: int, after: FigurePlace | None = None) -> list[FigureRow]:
    """Some of them, from behind the last one that was seen."""
    figure = LandedFigure
    key = (figure.connection_id, figure.day, figure.entity_id)
    columns = (*key, figure.value, figure.currency, figure.flags, LandedEntity.name)
    named = select(*columns).select_from(figure).outerjoin(LandedEntity, _is_named(wanted, figure))
    query = named.where(*_which(wanted)).order_by(*key).limit(limit)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    return [
        FigureRow(
            row.connection_id,
            row.day,
            row.entity_id,
            row.name or "",
            row.value,
            row.currency,
            tuple(row.flags.split(",")) if row.flags else (),
        )
        for row in session.execute(query)
    ]


def sum_parts(value: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """The sum of millionths as two: of whole units, and of what is left of each. Together they are exact.

    In one, the 64 bits of SQLite's sums would be too few for some thousands of the largest figures.
    """
    return func.sum(value // MILLION), func.sum(value % MILLION)


def joined(whole: Any, rest: Any) -> Decimal:
    """The sum that `sum_parts` took apart."""
    return plain(Decimal(int(whole)) + Decimal(int(rest)).scaleb(-Millionths.PLACES))


def _value() -> ColumnElement[int]:
    return type_coerce(LandedFigure.value, BigInteger)


def _which(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [
        LandedFigure.organization_id == wanted.organization_id,
        LandedFigure.connection_id.in_(wanted.connection_ids),
        LandedFigure.level == wanted.level.value,
        LandedFigure.metric == wanted.metric.value,
        LandedFigure.day.between(wanted.days.first, wanted.days.last),
        LandedFigure.vanished_at.is_(None),
    ]
    return found if wanted.entity_id is None else [*found, LandedFigure.entity_id == wanted.entity_id]


def _is_named(wanted: Wanted, of: Any) -> ColumnElement[bool]:
    return and_(
        LandedEntity.organization_id == wanted.organization_id,
        LandedEntity.connection_id == of.connection_id,
        LandedEntity.level == wanted.level.value,
        LandedEntity.entity_id == of.entity_id,
    )


def refuse_sums(wanted: Wanted) -> None:
    """Raise NotAdditive for what could only be had by adding up what must not be added up."""
    facts = METRIC_FACTS[wanted.metric]
    is_one = len(wanted.connection_ids) == 1 and (wanted.entity_id is not None or wanted.level is Level.ACCOUNT)
    if facts.is_additive or (is_one and wanted.grain is Grain.DAY):
        return
    raise _not_additive(facts)


def _not_additive(facts: MetricFacts) -> NotAdditive:
    return NotAdditive(
        f"{facts.name} counts people, and the same people come on several days and in several campaigns, so that it "
        "must not be added up. Look at one account or one campaign by day.",
        field="metric",
    )


def series_of(
    wanted: Wanted, currency: str | None, sums: Mapping[date, Decimal], pieces: Sequence[DayRange], *,
    data_through: date | None, lookback_days: int,
) -> Series:  # fmt: skip
    """The series of one currency over these pieces. The total is of all the days wanted."""
    mine = {day: value for day, value in sums.items() if wanted.days.first <= day <= wanted.days.last}
    points = tuple(_point(days, mine, data_through, lookback_days) for days in pieces)
    is_additive = METRIC_FACTS[wanted.metric].is_additive
    return Series(currency, points, sum(mine.values(), Decimal(0)) if is_additive else None)


def _point(days: DayRange, sums: Mapping[date, Decimal], data_through: date | None, lookback_days: int) -> Point:
    known = [sums[day] for day in _each(days) if day in sums]
    if data_through is None or days.last > data_through:
        return Point(days, sum(known, Decimal(0)) if known else None, PointState.PROVISIONAL)
    is_final = days.last <= data_through - timedelta(days=lookback_days)
    # A complete day without a figure is one on which there was nothing.
    return Point(days, sum(known, Decimal(0)), PointState.FINAL if is_final else PointState.SETTLING)


def _each(days: DayRange) -> Sequence[date]:
    return [days.first + timedelta(days=number) for number in range(days.days)]
