"""Reads of several metrics at once, for whoever puts them side by side."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.syncs.days import DayRange
from app.syncs.figures import Level, Metric
from app.syncs.models import LandedEntity, LandedFigure


@dataclass(frozen=True)
class WideFigure:
    """One figure of one metric. What vanished is none."""

    day: date
    entity_id: str
    name: str
    metric: Metric
    value: Decimal
    currency: str | None
    flags: tuple[str, ...]


def read_wide(
    session: Session, *, organization_id: UUID, connection_id: UUID, level: Level, metrics: Collection[Metric],
    days: DayRange,
) -> list[WideFigure]:  # fmt: skip
    """All figures of some metrics and days, in no order."""
    figure, entity = LandedFigure, LandedEntity
    is_named = and_(
        entity.organization_id == organization_id, entity.connection_id == connection_id,
        entity.level == level.value, entity.entity_id == figure.entity_id,
    )  # fmt: skip
    columns = figure.day, figure.entity_id, entity.name, figure.metric, figure.value, figure.currency, figure.flags
    query = (
        select(*columns)
        .select_from(figure)
        .outerjoin(entity, is_named)
        .where(
            figure.organization_id == organization_id,
            figure.connection_id == connection_id,
            figure.level == level.value,
            figure.metric.in_([metric.value for metric in metrics]),
            figure.day.between(days.first, days.last),
            figure.vanished_at.is_(None),
        )
    )
    return [
        WideFigure(
            day, entity_id, name or "", Metric(metric), value, currency, tuple(flags.split(",")) if flags else ()
        )
        for day, entity_id, name, metric, value, currency, flags in session.execute(query)
    ]
