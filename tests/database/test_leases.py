"""What a worker believes of its leases: never more than the database does, and of each as if it were the only one."""

from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core.db import Database
from app.core.deadline import Deadline
from app.runs import claims
from app.runs.models import LogLine
from tests.database.workshop import TERMS, Workshop
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


class SleepyClock(ManualClock):
    """Tells the time, and whoever asked sleeps for twenty seconds before hearing it."""

    boot_seconds = 1_000.0

    def now(self, session: Session) -> datetime:
        self.boot_seconds += 20
        return self.moment


@pytest.fixture
def sleepy(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> SleepyClock:
    sleepy = SleepyClock("2026-03-02T08:00:00")
    sleepy.moment = clock.moment
    monkeypatch.setattr(claims, "boot_seconds", lambda: sleepy.boot_seconds)
    return sleepy


def lines_of(database: OpenDatabase) -> dict[UUID, str]:
    with database.reading() as session:
        return {line.run_id: line.text for line in session.scalars(select(LogLine))}


class TestALease:
    def test_is_counted_from_before_the_time_was_asked_for_when_it_is_taken(
        self, database: Database, sleepy: SleepyClock
    ) -> None:
        workshop = Workshop(database, sleepy)
        run_id = workshop.ready_run()

        claim = workshop.executor._claim(run_id)

        assert claim is not None
        assert claim.safe_until == Deadline(1_000 + TERMS.seconds - TERMS.margin_seconds)

    def test_is_counted_from_before_the_time_was_asked_for_when_it_is_renewed(
        self, database: Database, sleepy: SleepyClock
    ) -> None:
        workshop = Workshop(database, sleepy)
        attempt = workshop.attempt(workshop.ready_run(), is_stopping=lambda: False)

        with workshop.keeper.keeping(attempt):
            workshop.keeper.renew_leases()

        assert attempt.safe_until == Deadline(1_000 + TERMS.seconds - TERMS.margin_seconds)


class TestARowThatSomebodyKeepsLocked:
    @pytest.fixture
    def engine(self) -> str:
        """SQLite locks no rows."""
        return "postgresql"

    @pytest.fixture
    def connections(self) -> int:
        return 3

    def test_keeps_no_other_lease_from_being_renewed(self, database: OpenDatabase, clock: ManualClock) -> None:
        workshop = Workshop(database, clock)
        free, locked = (workshop.attempt(workshop.ready_run(), is_stopping=lambda: False) for _ in range(2))
        before = free.safe_until, locked.safe_until

        with workshop.keeper.keeping(free), workshop.keeper.keeping(locked), database.transaction() as session:
            session.execute(text("SELECT id FROM runs WHERE id = :id FOR UPDATE"), {"id": locked.run_id})
            got_at_all = workshop.keeper.renew_leases()

        assert not got_at_all
        assert free.safe_until.at > before[0].at
        assert locked.safe_until == before[1]

    def test_keeps_no_other_line_of_a_log_from_being_written(self, database: OpenDatabase, clock: ManualClock) -> None:
        workshop = Workshop(database, clock)
        locked, free = (workshop.attempt(workshop.ready_run(), is_stopping=lambda: False) for _ in range(2))

        with workshop.keeper.keeping(locked), workshop.keeper.keeping(free):
            with database.transaction() as session:
                session.execute(text("SELECT id FROM runs WHERE id = :id FOR UPDATE"), {"id": locked.run_id})
                for attempt in (locked, free):
                    attempt.log("one")
                workshop.keeper.write_logs()
            meanwhile = lines_of(database)
            workshop.keeper.write_logs()

        assert meanwhile == {free.run_id: "one"}
        assert lines_of(database) == {free.run_id: "one", locked.run_id: "one"}
