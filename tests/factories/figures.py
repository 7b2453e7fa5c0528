"""Connections and what is fetched through them."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.syncs.figures import METRIC_FACTS, Entity, FetchedWindow, Figure, Level, Metric, Stream, Unit
from app.syncs.models import Connection
from tests.fakes.clock import utc

MADE_AT = utc("2026-11-01 00:00")
CAMPAIGNS = Stream("campaigns", Level.CAMPAIGN, frozenset({Metric.SPEND, Metric.CLICKS}))


def make_connection(session: Session, organization_id: UUID, **columns: Any) -> Connection:
    values: dict[str, Any] = {
        "name": "Acme EU",
        "service": "meta",
        "account_id": f"act_{new_id().hex[-8:]}",
        "zone": "Europe/Riga",
        "currency": "EUR",
        "state": "connected",
        "created_at": MADE_AT,
        "updated_at": MADE_AT,
    }
    connection = Connection(organization_id=organization_id, **(values | columns))
    session.add(connection)
    session.flush()
    return connection


def campaign(id_: str, name: str | None = None) -> Entity:
    return Entity(Level.CAMPAIGN, id_, name or f"Campaign {id_}")


def figure(day: date, entity: Entity, metric: Metric, value: str | int, currency: str = "EUR", **more: Any) -> Figure:
    is_money = METRIC_FACTS[metric].unit is Unit.MONEY
    return Figure(day, entity, metric, Decimal(value), currency if is_money else None, **more)


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def window(
    figures: Iterable[Figure], *, first_day: date, last_day: date, fetched_at: datetime, **more: Any
) -> FetchedWindow:
    values: dict[str, Any] = {"stream": CAMPAIGNS, "zone": "Europe/Riga", "currency": "EUR", "api_version": "v26.0"}
    return FetchedWindow(
        first_day=first_day, last_day=last_day, figures=tuple(figures), fetched_at=fetched_at, **(values | more)
    )
