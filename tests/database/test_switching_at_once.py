"""Two people switch one schedule at the same moment: the second finds what the first did."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.core.scopes import Scope
from app.runs.service import switch_schedule
from app.schedules.models import Gap
from tests.factories.work import actor_in, make_job, make_organization, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
# Whether anybody waits for a lock in this database.
WAITS = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


@pytest.fixture
def connections() -> int:
    """These tests hold several at once."""
    return 5


@pytest.fixture
def engine() -> str:
    """SQLite lets one writer in at a time, so its transactions never meet."""
    return "postgresql"


def is_waiting(database: OpenDatabase) -> bool:
    # Each look in a transaction of its own, because one sees the same all along.
    with database.reading() as session:
        return bool(session.scalar(WAITS))


def test_the_time_it_was_off_is_accounted_for_once(database: OpenDatabase) -> None:
    with database.transaction() as session:
        organization_id = make_organization(session)
        off = make_schedule(session, make_job(session, organization_id), enabled=False, next_run_at=NOW)
    later = NOW + timedelta(hours=1)

    def switch_on() -> None:
        with database.transaction(Scope.tenant(organization_id)) as session:
            switch_schedule(session, actor=actor_in(organization_id), schedule_id=off.id, enabled=True, now=later)

    second = threading.Thread(target=switch_on)
    with database.transaction(Scope.tenant(organization_id)) as session:
        switch_schedule(session, actor=actor_in(organization_id), schedule_id=off.id, enabled=True, now=later)
        second.start()
        while second.is_alive() and not is_waiting(database):
            pass
    second.join()

    with database.reading() as session:
        assert session.scalars(select(Gap.slots)).all() == [13]
