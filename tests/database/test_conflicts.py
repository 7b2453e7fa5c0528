"""Two transactions in each other's way: the database takes one of them back, and it is tried again."""

import threading

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.core.db import MOST_TRIES, again_after_conflict, was_in_conflict
from app.core.scopes import Scope
from app.schedules.models import Schedule
from tests.factories.work import make_job, make_organization, make_schedule
from tests.fakes.database import OpenDatabase

TIME_OUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    "TimeZone": "UTC",
}


@pytest.fixture
def connections() -> int:
    """These tests hold several at once."""
    return 5


@pytest.fixture
def engine() -> str:
    """SQLite lets one writer in at a time, so its transactions never meet."""
    return "postgresql"


class Refused(Exception):
    """Stands for the driver's error."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


def failing(times: int, sqlstate: str) -> tuple[list[int], object]:
    calls: list[int] = []

    def attempt() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise OperationalError("UPDATE", {}, Refused(sqlstate))
        return "done"

    return calls, attempt


class TestAgainAfterConflict:
    @pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
    def test_tries_again_until_it_goes_through(self, sqlstate: str):
        calls, attempt = failing(MOST_TRIES - 1, sqlstate)

        assert again_after_conflict(attempt) == "done"
        assert len(calls) == MOST_TRIES

    def test_gives_up_after_five_tries(self):
        calls, attempt = failing(MOST_TRIES, "40P01")

        with pytest.raises(OperationalError) as caught:
            again_after_conflict(attempt)

        assert was_in_conflict(caught.value)
        assert len(calls) == MOST_TRIES

    def test_does_not_repeat_what_failed_for_another_reason(self):
        calls, attempt = failing(1, "57014")

        with pytest.raises(OperationalError):
            again_after_conflict(attempt)

        assert len(calls) == 1


class TestADeadlock:
    def test_costs_nobody_anything(self, database: OpenDatabase):
        with database.transaction() as session:
            organization_id = make_organization(session)
            job = make_job(session, organization_id)
            first, second = (make_schedule(session, job).id for _ in range(2))
        both_hold_one = threading.Barrier(2)
        attempts: list[str] = []

        def work(order: tuple, name: str):
            def change(session: Session) -> None:
                attempts.append(name)
                for position, schedule_id in enumerate(order):
                    session.execute(
                        update(Schedule).where(Schedule.id == schedule_id).values(version=Schedule.version + 1)
                    )
                    # Only the first tries meet: they are the ones that lock in opposite orders at the same moment.
                    if position == 0 and attempts.count(name) == 1:
                        both_hold_one.wait(10)

            return lambda: database.run(Scope.tenant(organization_id), change)

        threads = [
            threading.Thread(target=work((first, second), "one")),
            threading.Thread(target=work((second, first), "other")),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

        with database.reading() as session:
            versions = [session.get_one(Schedule, schedule_id).version for schedule_id in (first, second)]
        assert versions == [3, 3]
        assert len(attempts) == 3


class TestConnections:
    @pytest.mark.parametrize(("name", "value"), TIME_OUTS.items())
    def test_never_wait_for_ever(self, database: OpenDatabase, name: str, value: str):
        with database.write.connect() as connection:
            assert connection.scalar(text(f"SHOW {name}")) == value

    def test_for_reading_refuse_to_write(self, database: OpenDatabase):
        with database.transaction() as session:
            organization_id = make_organization(session)

        with (
            pytest.raises(Exception, match="read-only transaction"),
            database.reading(Scope.tenant(organization_id)) as session,
        ):
            session.execute(update(Schedule).values(version=2))
