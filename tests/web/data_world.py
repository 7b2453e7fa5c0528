"""Figures of an organization whose pages, API and commands are asked: a Meta account of campaigns and as a whole."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.ids import new_id
from app.syncs.figures import Entity, FetchedWindow, Figure, Level, Metric, Stream
from app.syncs.models import StreamState
from tests.database.kpi_world import KpiWorld
from tests.factories.figures import CAMPAIGNS, campaign, days_from, figure, make_connection
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

ACCOUNT = Stream("account", Level.ACCOUNT, frozenset({Metric.SPEND, Metric.REACH}))
# In Riga it is the same day; the clock of tests says 5 January 2027, noon.
FETCHED = utc("2027-01-05 05:00")
TODAY = date(2027, 1, 5)
# Two months and a bit, up to and with today.
FIRST = date(2026, 11, 1)
DAYS = (TODAY - FIRST).days + 1


def connect(database: OpenDatabase, organization_id: UUID, **columns: Any) -> KpiWorld:
    """Another account of an organization."""
    with database.transaction() as session:
        made = make_connection(session, organization_id, **columns)
    return KpiWorld(database, organization_id, made.id)


def of_campaigns(
    count: int = 2, *, days: int = DAYS, spend: str = "10.50", first: date = FIRST, currency: str = "EUR"
) -> list[Figure]:
    """The same spend each day, a cent more for each campaign; a click for each."""
    return [
        one
        for day in days_from(first, days)
        for number in range(count)
        for one in (
            figure(day, _campaign(number), Metric.SPEND, Decimal(spend) + Decimal(number) / 100, currency),
            figure(day, _campaign(number), Metric.CLICKS, number + 1),
        )
    ]


def of_account(*, days: int = DAYS, spend: str = "21.01", reach: int = 900) -> list[Figure]:
    entity = Entity(Level.ACCOUNT, "", "Acme EU")
    return [
        one
        for day in days_from(FIRST, days)
        for one in (figure(day, entity, Metric.SPEND, spend), figure(day, entity, Metric.REACH, reach))
    ]


def land(
    world: KpiWorld, fetched: list[Figure], *, stream: Stream = CAMPAIGNS, days: int = DAYS, first: date = FIRST,
    at: datetime = FETCHED, run_id: UUID | None = None, **more: Any,
) -> None:  # fmt: skip
    window = world.window(fetched, first=first, days=days, fetched_at=at, stream=stream, **more)
    assert isinstance(window, FetchedWindow)
    world.land(window, run_id=run_id or new_id())


def land_all(world: KpiWorld) -> None:
    """Campaigns and the account, as one sync brings them."""
    land(world, of_campaigns())
    land(world, of_account(), stream=ACCOUNT)


def correct(world: KpiWorld, day: date, spend: str, *, run_id: UUID) -> None:
    """A later sync finds another spend of the first campaign on one day."""
    fetched = [figure(day, _campaign(0), Metric.SPEND, spend), figure(day, _campaign(1), Metric.SPEND, "10.51")]
    fetched += [figure(day, _campaign(number), Metric.CLICKS, number + 1) for number in range(2)]
    land(world, fetched, first=day, days=1, at=FETCHED + timedelta(hours=1), run_id=run_id)


def promise(world: KpiWorld, minute: int) -> None:
    with world.database.transaction() as session:
        for stream in session.query(StreamState).filter_by(connection_id=world.connection_id):
            stream.promised_minute = minute


def _campaign(number: int) -> Entity:
    return campaign(str(number), f"Campaign {number}")
