"""The last hour of the queues, minute by minute."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.core.ids import new_id
from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import ENGINE, PLATFORM, Scope
from app.ops.bookkeeping import Bookkeeper
from app.runs.queue_minutes import NO_HOUR, QueueHour, keep_minute, minute_of, read_minutes
from app.runs.queue_models import QueueMinute
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry
from tests.factories.tenants import Member, make_member
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")


@pytest.fixture
def bob(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session, email="bob@example.com")


def keep(database: OpenDatabase, now: Any, kept: int | None = None) -> int:
    with database.transaction(ENGINE) as session:
        return keep_minute(session, now=now, kept=kept)


def read(database: OpenDatabase, member: Member | None, now: Any) -> dict[str, QueueHour]:
    scope = PLATFORM if member is None else Scope.tenant(member.organization_id)
    with database.reading(scope) as session:
        return read_minutes(session, organization_id=member and member.organization_id, now=now)


def add_some(database: OpenDatabase, member: Member) -> None:
    """Three that wait, one that runs, two that ended within the minute before NOW and one long before."""
    with database.transaction() as session:
        job = make_job(session, member.organization_id, name=f"Job {new_id()}")
        for _ in range(2):
            make_run(session, job, now=NOW)
        make_waiting_retry(session, job, now=NOW, ready_at=NOW)
        make_running(session, job, now=NOW)
        make_succeeded(session, job, now=NOW - timedelta(seconds=40))
        make_failed(session, job, now=NOW - timedelta(seconds=50))
        make_succeeded(session, job, now=NOW - timedelta(minutes=10))


def test_keep_what_waits_and_what_ended(database: OpenDatabase, bob: Member) -> None:
    add_some(database, bob)

    keep(database, NOW)

    assert read(database, bob, NOW) == {"code": QueueHour((0,) * 59 + (3,), (0,) * 59 + (2,))}


def test_are_told_to_their_organization_alone(database: OpenDatabase, bob: Member) -> None:
    with database.transaction() as session:
        eve = make_member(session, email="eve@example.com")
    add_some(database, bob)
    add_some(database, eve)
    keep(database, NOW)

    assert read(database, bob, NOW)["code"].waiting[-1] == 3
    assert read(database, None, NOW)["code"].waiting[-1] == 6


def test_are_written_once_however_many_keep_them(database: OpenDatabase, bob: Member) -> None:
    add_some(database, bob)

    keep(database, NOW)
    add_some(database, bob)
    keep(database, NOW + timedelta(seconds=30))

    assert read(database, bob, NOW)["code"].waiting[-1] == 3


def test_have_no_hole_where_one_was_passed_over(database: OpenDatabase, bob: Member) -> None:
    add_some(database, bob)

    kept = keep(database, NOW)
    keep(database, NOW + timedelta(minutes=2), kept)

    assert read(database, bob, NOW + timedelta(minutes=2))["code"].waiting[-3:] == (3, 3, 3)


def test_are_forgotten_after_two_hours_and_where_they_lie_ahead(database: OpenDatabase, bob: Member) -> None:
    add_some(database, bob)
    keep(database, NOW)
    keep(database, NOW + timedelta(hours=1))

    keep(database, NOW + timedelta(minutes=30))
    with database.reading() as session:
        minutes = set(session.scalars(select(QueueMinute.minute)))

    assert minutes == {minute_of(NOW), minute_of(NOW + timedelta(minutes=30))}
    keep(database, NOW + timedelta(hours=3))
    with database.reading() as session:
        assert session.scalar(select(func.count()).where(QueueMinute.minute == minute_of(NOW))) == 0


def test_the_rate_is_of_the_five_minutes_before() -> None:
    assert QueueHour((0,) * 60, (9,) * 54 + (10, 20, 30, 40, 50, 0)).per_minute == 30.0
    assert NO_HOUR.per_minute == 0.0


def test_the_bookkeeper_keeps_them_and_names_causes(database: OpenDatabase, bob: Member, clock: ManualClock) -> None:
    add_some(database, bob)
    clock.moment = NOW
    keeper = Bookkeeper(database, clock, SchemaGate(database, expected=newest_migration()))

    keeper.keep_minute()

    assert keeper.name_causes() == 0
    assert read(database, bob, NOW)["code"].waiting[-1] == 3
