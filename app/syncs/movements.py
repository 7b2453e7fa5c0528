"""Why a number that had been complete moved: read from the log of changes."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, and_, func, select, type_coerce
from sqlalchemy.orm import Session

from app.syncs.models import FigureChange, LandedEntity
from app.syncs.series import Wanted, joined, sum_parts


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


def list_movements(session: Session, wanted: Wanted, *, since: datetime | None = None, limit: int) -> list[Movement]:
    """What changed of these days after they had been complete, the newest first; from an instant on, if one is given.

    Only what differs: of a metric that must not be added up, `delta` says how much its figures went up together.
    """
    change = FigureChange
    keys = (change.connection_id, change.day, change.run_id, change.at, change.currency)
    query = select(*keys, *sum_parts(_delta()), func.count()).where(*_which(wanted)).group_by(*keys)
    if since is not None:
        query = query.where(change.at >= since)
    rows = session.execute(query.order_by(change.at.desc(), change.day.desc(), change.connection_id).limit(limit))
    return [
        Movement(connection_id, day, run_id, at, currency, joined(whole, rest), count)
        for connection_id, day, run_id, at, currency, whole, rest, count in rows
    ]


def list_entity_movements(session: Session, wanted: Wanted, *, movement: Movement, limit: int) -> list[EntityMovement]:
    """What a movement is made of, the largest first."""
    change = FigureChange
    named = and_(
        LandedEntity.organization_id == change.organization_id,
        LandedEntity.connection_id == change.connection_id,
        LandedEntity.level == change.level,
        LandedEntity.entity_id == change.entity_id,
    )
    query = (
        select(change.entity_id, LandedEntity.name, change.old_value, change.new_value, change.currency)
        .select_from(change)
        .outerjoin(LandedEntity, named)
        .where(*_which(wanted), change.connection_id == movement.connection_id, change.day == movement.day)
        .where(change.run_id == movement.run_id, change.at == movement.at)
        .order_by(func.abs(_delta()).desc(), change.entity_id)
        .limit(limit)
    )
    return [
        EntityMovement(entity_id, name or "", old_value, new_value, currency)
        for entity_id, name, old_value, new_value, currency in session.execute(query)
    ]


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
