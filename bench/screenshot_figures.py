"""Figures for the page of data: two months of campaigns, landed as a sync lands them, and one day corrected."""

from datetime import datetime, timedelta
from decimal import Decimal

from app.core.clock import DatabaseClock
from app.core.ids import new_id
from app.core.scopes import Scope
from app.syncs.days import DayRange, day_of, last_whole_day
from app.syncs.figures import Entity, FetchedWindow, Figure, Level, Metric, Stream
from app.syncs.landing import land_window
from app.syncs.models import Connection
from app.tenants.access import Actor
from bench.installation import Installation

ZONE = "Europe/Riga"
NAMES = ("Autumn sale", "Brand search", "Retargeting", "New customers", "Video, 15 seconds")
STREAM = Stream("campaigns", Level.CAMPAIGN, frozenset({Metric.SPEND, Metric.CLICKS}))
DAYS = 62


def land_figures(place: Installation, actor: Actor) -> None:
    """An account, its figures up to now, and a correction of last week."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        connection = Connection(
            organization_id=actor.organization_id, name="Northwind EU", service="meta", account_id="act_100200300",
            zone=ZONE, currency="EUR", state="connected", created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(connection)
        session.flush()
        connection_id = connection.id
    today = day_of(now, ZONE)
    first = today - timedelta(days=DAYS)
    whole = DayRange(first, today)
    corrected = DayRange(*(last_whole_day(now, ZONE) - timedelta(days=back) for back in (6, 5)))
    for days, fetched_at, more in ((whole, now - timedelta(hours=5), 0), (corrected, now - timedelta(hours=1), 7)):
        with place.database.transaction(Scope.tenant(actor.organization_id)) as session:
            land_window(
                session,
                organization_id=actor.organization_id,
                connection_id=connection_id,
                run_id=new_id(),
                window=_window(days, fetched_at, more),
                hold_run=lambda _session: None,
                now=fetched_at + timedelta(seconds=40),
            )


def _window(days: DayRange, fetched_at: datetime, more: int) -> FetchedWindow:
    figures = []
    for offset in range(days.days):
        day = days.first + timedelta(days=offset)
        for number, name in enumerate(NAMES):
            campaign = Entity(Level.CAMPAIGN, f"1202{number:05}", name)
            # Weekends are quieter, and each campaign has a size of its own.
            spend = (90 - 15 * number) * (60 if day.weekday() > 4 else 100) // 100 + day.toordinal() * 7919 % 23 + more
            figures.append(Figure(day, campaign, Metric.SPEND, Decimal(spend) + Decimal(number * 17) / 100, "EUR"))
            figures.append(Figure(day, campaign, Metric.CLICKS, Decimal(spend * 3)))
    return FetchedWindow(STREAM, days.first, days.last, tuple(figures), fetched_at, ZONE, "EUR", "v26.0")
