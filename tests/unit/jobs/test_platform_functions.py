"""The functions that look after the installation: old runs go, and a check names what is wrong."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.core.db import Database
from app.core.ids import new_id
from app.jobs.kinds.base import Level
from app.jobs.kinds.code.context import FunctionContext, JobFailed
from app.ops.code_jobs import CHECKS, CleanUpArguments, NoArguments, clean_up_runs, self_check
from app.ops.heartbeats import ProcessFacts, beat
from app.runs.models import Attempt, LogLine, Run
from app.runs.retention import delete_old_runs
from app.runs.states import RunState
from app.vault.models import Secret
from tests.factories.dead_letters import dead_letters
from tests.factories.work import LONG_AGO, load_run, make_job, make_organization, make_run

DAY = timedelta(days=1)
NOW = LONG_AGO + 200 * DAY


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def finished_run(
    session: Session, organization_id: UUID, *, age: timedelta, state: RunState = RunState.SUCCEEDED, **more: Any
) -> UUID:
    """A run that ended that long before NOW."""
    job = make_job(session, organization_id, name=f"Job {new_id()}")
    run_id = make_run(session, job, now=NOW - age, **more)
    values = {"state": state.value, "created_at": NOW - age, "finished_at": NOW - age}
    session.execute(update(Run).where(Run.id == run_id).values(**values))
    return run_id


def remaining(session: Session) -> set[UUID]:
    return set(session.scalars(select(Run.id)))


def clean(session: Session, organization_id: UUID, *, limit: int = 100) -> int:
    found = delete_old_runs(session, organization_id=organization_id, before=NOW - 90 * DAY, limit=limit, now=NOW)
    return found.runs


class TestRetention:
    def test_only_what_ended_before_goes(self, session: Session) -> None:
        own = make_organization(session)
        finished_run(session, own, age=91 * DAY)
        young = finished_run(session, own, age=89 * DAY)

        deleted = clean(session, own)

        assert (deleted, remaining(session)) == (1, {young})

    def test_attempts_and_lines_go_with_their_run(self, session: Session) -> None:
        own = make_organization(session)
        run_id = finished_run(session, own, age=91 * DAY)
        shared = {"run_id": run_id, "organization_id": own, "token": 1}
        session.add(Attempt(**shared, number=1, state="succeeded", worker="w", result={}, started_at=NOW))
        session.add(LogLine(**shared, number=1, level="info", text="x", at=NOW))
        session.flush()

        clean(session, own)

        assert session.scalar(select(func.count()).select_from(Attempt)) == 0
        assert session.scalar(select(func.count()).select_from(LogLine)) == 0

    def test_runs_of_others_stay(self, session: Session) -> None:
        theirs = finished_run(session, make_organization(session, "Theirs"), age=300 * DAY)

        deleted = clean(session, make_organization(session, "Ours"))

        assert (deleted, remaining(session)) == (0, {theirs})

    def test_a_run_that_has_not_ended_stays(self, session: Session) -> None:
        own = make_organization(session)
        run_id = make_run(session, make_job(session, own), now=NOW - 300 * DAY)

        clean(session, own)

        assert load_run(session, run_id).state == RunState.READY.value

    def test_a_run_stays_as_long_as_its_retry(self, session: Session) -> None:
        own = make_organization(session)
        first = finished_run(session, own, age=100 * DAY, state=RunState.FAILED)
        second = finished_run(session, own, age=80 * DAY, retry_of_run_id=first)

        clean(session, own)

        assert remaining(session) == {first, second}

    def test_a_chain_of_retries_goes_from_its_end(self, session: Session) -> None:
        own = make_organization(session)
        first = finished_run(session, own, age=100 * DAY, state=RunState.FAILED)
        finished_run(session, own, age=99 * DAY, retry_of_run_id=first)

        counts = [clean(session, own) for _ in range(3)]

        assert counts == [1, 1, 0]

    def test_a_failed_run_stays_until_somebody_dealt_with_it(self, session: Session) -> None:
        own = make_organization(session)
        waits = finished_run(session, own, age=400 * DAY, state=RunState.FAILED)
        removed = finished_run(session, own, age=400 * DAY, state=RunState.FAILED)
        session.execute(update(Run).where(Run.id == removed).values(dismissed_at=NOW - 399 * DAY))

        deleted = clean(session, own)

        assert (deleted, remaining(session)) == (1, {waits})

    def test_a_failed_run_does_not_wait_again_when_its_retry_goes(self, session: Session) -> None:
        own = make_organization(session)
        first = finished_run(session, own, age=100 * DAY, state=RunState.FAILED)
        finished_run(session, own, age=99 * DAY, retry_of_run_id=first)

        clean(session, own)

        assert remaining(session) == {first}
        assert dead_letters(session, own) == []

    def test_those_that_stay_are_looked_at_once(self, session: Session) -> None:
        own = make_organization(session)
        finished_run(session, own, age=300 * DAY, state=RunState.FAILED)
        finished_run(session, own, age=200 * DAY)
        young = finished_run(session, own, age=100 * DAY)
        where = {"organization_id": own, "before": NOW - 90 * DAY, "limit": 1, "now": NOW}

        first = delete_old_runs(session, **where)
        second = delete_old_runs(session, **where, reached=first.reached)

        assert (first.reached, second.reached) == (NOW - 200 * DAY, NOW - 100 * DAY)
        assert young not in remaining(session)

    def test_lines_go_before_their_runs_and_no_more_than_asked_for(self, session: Session) -> None:
        own = make_organization(session)
        run_id = finished_run(session, own, age=91 * DAY)
        shared = {"run_id": run_id, "organization_id": own, "token": 1, "level": "info", "text": "x", "at": NOW}
        session.add_all(LogLine(**shared, number=number) for number in range(3))
        session.flush()
        where = {"organization_id": own, "before": NOW - 90 * DAY, "limit": 2, "now": NOW}

        found = [delete_old_runs(session, **where) for _ in range(3)]

        assert [(each.lines, each.runs) for each in found] == [(2, 0), (1, 1), (0, 0)]

    def test_no_more_go_at_once_than_asked_for(self, session: Session) -> None:
        own = make_organization(session)
        for _ in range(3):
            finished_run(session, own, age=100 * DAY)

        assert clean(session, own, limit=2) == 2


@pytest.fixture
def lines() -> list[tuple[str, Level]]:
    return []


@pytest.fixture
def context_for(settings: Settings, lines: list[tuple[str, Level]]) -> Callable[[UUID], FunctionContext]:
    def make(organization_id: UUID) -> FunctionContext:
        def write_line(text: str, level: Level) -> None:
            lines.append((text, level))

        return FunctionContext(new_id(), organization_id, "key", settings, write_line, lambda *_: None)

    return make


def test_clean_up_tells_how_many_runs_went(
    database: Database,
    context_for: Callable[[UUID], FunctionContext],
    lines: list[tuple[str, Level]],
) -> None:
    with database.transaction() as session:
        own = make_organization(session)
        age = NOW - DatabaseClock().now(session) + 40 * DAY
        for _ in range(3):
            finished_run(session, own, age=age)

    result = clean_up_runs.call(context_for(own), CleanUpArguments(days=30))

    assert result == {"deleted": 3}
    assert [text for text, _ in lines[1:]] == ["Deleted 3 runs."]


def test_clean_up_erases_sealed_values_that_went_out_of_use(
    database: Database, context_for: Callable[[UUID], FunctionContext], lines: list[tuple[str, Level]]
) -> None:
    with database.transaction() as session:
        own, now = make_organization(session), DatabaseClock().now(session)
        row = {"organization_id": own, "owner_kind": "job", "owner_id": new_id(), "sealed": "x", "key_id": "k"}
        for age in (None, 10 * DAY, 40 * DAY):
            retired_at = None if age is None else now - age
            session.add(Secret(**row, field=f"header:{age}", created_at=now, retired_at=retired_at))

    clean_up_runs.call(context_for(own), CleanUpArguments(days=30))

    assert lines[-1][0] == "Sealed values out of use, erased: 1."
    with database.reading() as session:
        assert session.scalars(select(func.count()).select_from(Secret)).one() == 2


class TestSelfCheck:
    def report(self, database: Database, *, slots: int, schedules: bool, ago: timedelta = timedelta(0)) -> None:
        facts = ProcessFacts(new_id(), "host:1", "1", slots=slots, schedules=schedules)
        with database.transaction() as session:
            beat(session, facts, now=DatabaseClock().now(session) - ago, ticked_at=None, tick_ms=None)

    def failure(self, context: FunctionContext) -> str:
        with pytest.raises(JobFailed) as failed:
            self_check.call(context, NoArguments())
        return failed.value.message

    def test_a_whole_installation_passes(
        self,
        database: Database,
        context_for: Callable[[UUID], FunctionContext],
        lines: list[tuple[str, Level]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(100, 90, 10))
        self.report(database, slots=5, schedules=True)

        result = self_check.call(context_for(new_id()), NoArguments())

        assert result == {"checks": list(CHECKS)}
        assert lines == [(f"{name}: fine.", Level.INFO) for name in CHECKS]

    def test_everything_that_is_wrong_is_named(
        self,
        database: Database,
        context_for: Callable[[UUID], FunctionContext],
        lines: list[tuple[str, Level]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(100, 97, 3))
        self.report(database, slots=5, schedules=False)
        self.report(database, slots=0, schedules=True, ago=timedelta(seconds=95))

        message = self.failure(context_for(new_id()))

        assert message.startswith(
            "2 of 7 checks failed. Scheduler: No scheduler has reported within 90 seconds. Start one with: "
            "belfry scheduler. Disk: Only 3.0% of the disk"
        )
        assert [level for _, level in lines].count(Level.ERROR) == 2

    def test_a_database_without_tables_fails_with_what_to_do(
        self, context_for: Callable[[UUID], FunctionContext]
    ) -> None:
        message = self.failure(context_for(new_id()))

        assert "Tables: The database has no tables yet. Run: belfry db upgrade" in message
        assert "Workers: The database did not answer (OperationalError)." in message
