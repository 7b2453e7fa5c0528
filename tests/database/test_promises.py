"""Promised figures that will not be there in time: told once when they are at risk, and once when they are late."""

from datetime import date, datetime

import pytest
from sqlalchemy import select

from app.events.models import Event
from app.jobs.models import Job
from app.ops.promise_watch import tell_promises
from app.runs.models import Run
from app.schedules.models import Schedule
from app.syncs.models import Connection, StreamState
from tests.database.sync_world import SyncWorld, WorldClock
from tests.factories.work import make_run
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.world import World

# In Berlin, 2:00 of the 20th. The figures of the 19th are promised by 7:00, and the schedule runs at 5:00.
NIGHT = utc("2026-11-20 01:00")
RUNS_AT = utc("2026-11-20 04:00")
TOMORROW = utc("2026-11-21 04:00")


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    syncs = SyncWorld(database, World(MetaFake(), now=NIGHT))
    here = {"organization_id": syncs.organization_id, "connection_id": syncs.connection_id}
    with database.transaction() as session:
        session.get_one(Connection, syncs.connection_id).zone = "Europe/Berlin"
        through = date(2026, 11, 18)
        session.add(StreamState(name="campaigns", level="campaign", high_water=through, promised_minute=7 * 60, **here))
    run_next(syncs, RUNS_AT)
    return syncs


def run_next(syncs: SyncWorld, at: datetime) -> None:
    with syncs.database.transaction() as session:
        session.get_one(Schedule, syncs.schedule_id).next_run_at = at


def look(syncs: SyncWorld, at: str) -> list[tuple[str, str]]:
    """What has been told so far, after a look at a time."""
    syncs.world.advance(seconds=(utc(at) - syncs.world.now).total_seconds())
    tell_promises(syncs.database, WorldClock(syncs.world))
    with syncs.database.reading() as session:
        events = session.scalars(select(Event).where(Event.kind.like("figures.%")).order_by(Event.id))
        return [(event.kind, event.data["day"]) for event in events]


def test_are_told_at_risk_and_late_once_each(syncs: SyncWorld) -> None:
    assert look(syncs, "2026-11-20 01:00") == []
    run_next(syncs, TOMORROW)

    told = [look(syncs, f"2026-11-20 {time}") for time in ("04:30", "04:31", "06:00", "06:01", "12:00")]

    risk, late = ("figures.at_risk", "2026-11-19"), ("figures.stale", "2026-11-19")
    assert told == [[risk], [risk], [risk, late], [risk, late], [risk, late]]


def test_are_not_at_risk_while_a_run_can_still_bring_them(syncs: SyncWorld) -> None:
    run_next(syncs, TOMORROW)
    with syncs.database.transaction() as session:
        run_id = make_run(session, session.get_one(Job, syncs.job_id), now=RUNS_AT)
        session.get_one(Run, run_id).ready_at = utc("2026-11-20 05:00")

    assert look(syncs, "2026-11-20 04:30") == []
    with syncs.database.transaction() as session:
        session.get_one(Run, run_id).ready_at = utc("2026-11-20 05:51")
    assert look(syncs, "2026-11-20 04:31") == [("figures.at_risk", "2026-11-19")]


def test_are_told_anew_of_the_next_day(syncs: SyncWorld) -> None:
    run_next(syncs, TOMORROW)
    look(syncs, "2026-11-20 06:00")
    with syncs.database.transaction() as session:
        session.scalars(select(StreamState)).one().high_water = date(2026, 11, 19)

    assert look(syncs, "2026-11-20 12:00")[1:] == [("figures.fresh", "2026-11-19")]
    assert look(syncs, "2026-11-21 07:00")[2:] == [("figures.stale", "2026-11-20")]


@pytest.mark.parametrize("state", ["disconnected"])
def test_of_ended_connections_are_nobodys_business(syncs: SyncWorld, state: str) -> None:
    with syncs.database.transaction() as session:
        session.get_one(Connection, syncs.connection_id).state = state

    assert look(syncs, "2026-11-20 12:00") == []


def test_that_nobody_made_are_not_looked_at(syncs: SyncWorld) -> None:
    with syncs.database.transaction() as session:
        session.scalars(select(StreamState)).one().promised_minute = None

    assert look(syncs, "2026-11-20 12:00") == []


def test_are_told_to_be_kept_when_the_figures_are_there_after_all(syncs: SyncWorld) -> None:
    run_next(syncs, TOMORROW)
    look(syncs, "2026-11-20 06:00")
    with syncs.database.transaction() as session:
        session.scalars(select(StreamState)).one().high_water = date(2026, 11, 19)

    assert look(syncs, "2026-11-20 12:00")[1:] == [("figures.fresh", "2026-11-19")]
    assert look(syncs, "2026-11-20 12:01")[2:] == []


@pytest.mark.parametrize("change", ["promise", "connection"])
def test_are_over_when_nobody_waits_for_them_any_more(syncs: SyncWorld, change: str) -> None:
    run_next(syncs, TOMORROW)
    look(syncs, "2026-11-20 06:00")
    with syncs.database.transaction() as session:
        if change == "promise":
            session.scalars(select(StreamState)).one().promised_minute = None
        else:
            session.get_one(Connection, syncs.connection_id).state = "disconnected"

    assert look(syncs, "2026-11-20 12:00")[1:] == [("figures.unpromised", "2026-11-19")]
    assert look(syncs, "2026-11-20 12:01")[2:] == []
