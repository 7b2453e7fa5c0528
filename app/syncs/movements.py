"""Why a number that had been complete moved: read from the log of changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, func, or_, select, tuple_, type_coerce
from sqlalchemy.orm import Session

from app.syncs.models import FigureChange, LandedEntity
from app.syncs.series import Wanted, joined, sum_parts

MovementPlace = tuple[datetime, date, UUID]


@dataclass(frozen=True)
class Movement:
    """One run changed one day: by how much in all, and how many of its figures. Nothing for a currency is a count."""

    connection_id: UUID
    day: date
    run_id: UUID
    at: datetime
    currency: str | None
    delta: Decimal
    figures: int

    @property
    def place(self) -> MovementPlace:
        """Where it stands in the list."""
        return self.at, self.day, self.connection_id


@dataclass(frozen=True)
class EntityMovement:
    """One figure of a movement. Without an old value it appeared, without a new one it vanished."""

    entity_id: str
    name: str
    old_value: Decimal | None
    new_value: Decimal | None
    currency: str | None

    @property
    def delta(self) -> Decimal:
        return (self.new_value or Decimal(0)) - (self.old_value or Decimal(0))


def list_movements(
    session: Session, wanted: Wanted, *, since: datetime | None = None, before: MovementPlace | None = None, limit: int
) -> list[Movement]:
    """What changed of these days after they had been complete, the newest first; from an instant on, if one is given.

    Only what differs: of a metric that must not be added up, `delta` says how much its figures went up together.
    `before` is the place of the last one that was seen.
    """
    change = FigureChange
    place = (change.connection_id, change.day, change.at)
    # Which they are, the index alone tells; only their own changes are read then, and not all there ever were.
    found = select(*place).where(*_which(wanted)).distinct()
    if since is not None:
        found = found.where(change.at >= since)
    if before is not None:
        at, day, connection_id = before
        is_later = or_(change.day < day, and_(change.day == day, change.connection_id > connection_id))
        found = found.where(change.at <= at, or_(change.at < at, is_later))
    newest = found.order_by(change.at.desc(), change.day.desc(), change.connection_id).limit(limit).subquery()
    keys = (change.connection_id, change.day, change.run_id, change.at, change.currency)
    is_same = and_(*(column == newest.c[column.key] for column in place))
    query = select(*keys, *sum_parts(_delta()), func.count()).join(newest, is_same).where(*_which(wanted))
    order = (change.at.desc(), change.day.desc(), change.connection_id)
    rows = session.execute(query.group_by(*keys).order_by(*order))
    return [
        Movement(connection_id, day, run_id, at, currency, joined(whole, rest), count)
        for connection_id, day, run_id, at, currency, whole, rest, count in rows
    ]


def list_entity_movements(session: Session, wanted: Wanted, *, movement: Movement, limit: int) -> list[EntityMovement]:
    """What a movement is made of, the largest first."""
    return largest_of_movements(session, wanted, movements=[movement], each=limit).get(movement.place, [])


def largest_of_movements(
    session: Session, wanted: Wanted, *, movements: Sequence[Movement], each: int
) -> dict[MovementPlace, list[EntityMovement]]:
    """What movements are made of, so many figures of each, the largest first."""
    if not movements:
        return {}
    change = FigureChange
    key = (change.at, change.day, change.connection_id)
    number = func.row_number().over(partition_by=key, order_by=(func.abs(_delta()).desc(), change.entity_id))
    columns = (*key, change.entity_id, change.old_value, change.new_value, change.currency, number.label("number"))
    # The first narrows it to a part of the index, the others to what was asked for.
    days = change.day.in_({one.day for one in movements})
    largest = (
        select(*columns).where(*_which(wanted), days, tuple_(*key).in_([one.place for one in movements])).subquery()
    )
    named = and_(
        LandedEntity.organization_id == wanted.organization_id,
        LandedEntity.connection_id == largest.c.connection_id,
        LandedEntity.level == wanted.level.value,
        LandedEntity.entity_id == largest.c.entity_id,
    )
    query = (
        select(largest, LandedEntity.name)
        .select_from(largest)
        .outerjoin(LandedEntity, named)
        .where(largest.c.number <= each)
        .order_by(largest.c.number)
    )
    found: dict[MovementPlace, list[EntityMovement]] = {}
    for row in session.execute(query):
        moved = EntityMovement(row.entity_id, row.name or "", row.old_value, row.new_value, row.currency)
        found.setdefault((row.at, row.day, row.connection_id), []).append(moved)
    return found


def _which(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [
        FigureChange.organization_id == wanted.organization_id,
        FigureChange.connection_id.in_(wanted.connection_ids),
        FigureChange.level == wanted.level.value,
        FigureChange.metric == wanted.metric.value,
        FigureChange.day.between(wanted.days.first, wanted.days.last),
    ]
    return found if wanted.entity_id is None else [*found, FigureChange.entity_id == wanted.entity_id]


def _delta() -> ColumnElement[int]:
    new, old = (type_coerce(column, BigInteger) for column in (FigureChange.new_value, FigureChange.old_value))
    return func.coalesce(new, 0) - func.coalesce(old, 0)
