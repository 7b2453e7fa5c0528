"""Runs that go on for a while: cancelled, slower than expected, telling how far they have come."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from app.events.models import Event
from app.jobs.kinds.base import KindName, Outcome, RunContext, StopReason
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.kinds.code.loading import load_modules
from app.jobs.kinds.code.supply import GuardSupply
from app.jobs.kinds.stops import stopped
from app.runs import attempts, interventions, keeper, logs
from app.runs.attempt_queries import newest_progress
from app.runs.attempts import LiveAttempt
from app.runs.models import Attempt, Run
from app.runs.progress import Progress
from app.runs.states import Reason
from tests.conftest import make_settings
from tests.database.workshop import Workshop
from tests.factories.work import load_run, make_job, make_organization, make_run
from tests.unit.jobs.calls import MODULE, guard_supply

PATIENCE_SECONDS = 15.0


@pytest.fixture
def connections() -> int:
    return 3


@pytest.fixture
def live_keeper(workshop: Workshop) -> Iterator[None]:
    workshop.keeper.start()
    yield
    workshop.keeper.close()


@pytest.fixture(scope="module")
def supply() -> Iterator[GuardSupply]:
    supply = guard_supply()
    yield supply
    supply.close()


def cancel(workshop: Workshop, run_id: UUID) -> None:
    with workshop.database.transaction() as session:
        run = session.get_one(Run, run_id)
        assert interventions.request_cancel(
            session, run_id=run_id, organization_id=run.organization_id, reason=Reason.CANCELLED,
            words="Ana cancelled it.", now=workshop.clock.moment,
        )  # fmt: skip


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < until, "it did not come to that"
        pause.wait(0.05)


def log_of(workshop: Workshop, run_id: UUID) -> list[str]:
    with workshop.database.reading() as session:
        organization_id = load_run(session, run_id).organization_id
        return [line.text for line in logs.read_lines(session, organization_id=organization_id, run_id=run_id)]


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


class TestACancelledRun:
    def test_learns_of_it_within_a_moment_and_stops_before_its_next_call(
        self, workshop: Workshop, live_keeper: None
    ) -> None:
        run_id = workshop.ready_run()
        seconds: list[float] = []

        def call_again_and_again(_definition: object, context: RunContext) -> Outcome:
            cancel(workshop, run_id)
            asked_at = time.monotonic()
            wait_until(lambda: context.stop_reason() is not None)
            seconds.append(time.monotonic() - asked_at)
            return stopped(StopReason.CANCELLED)

        workshop.kind.run = call_again_and_again  # type: ignore[assignment, method-assign]

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("cancelled", "cancelled")
        assert workshop.attempts_of(run_id) == ["cancelled"]
        assert seconds[0] < 2

    def test_that_ended_well_before_it_noticed_has_succeeded(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        workshop.kind.before_end = lambda: cancel(workshop, run_id)

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("succeeded", None)

    def test_that_failed_before_it_noticed_is_not_tried_again(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="failed")
        workshop.kind.before_end = lambda: cancel(workshop, run_id)

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("cancelled", "cancelled")
        assert workshop.attempts_of(run_id) == ["failed"]

    def test_whose_worker_is_dead_is_ended_by_the_sweep(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        workshop.claim(run_id)
        cancel(workshop, run_id)
        workshop.clock.advance(seconds=31)

        workshop.reap()

        assert workshop.state_of(run_id) == ("cancelled", "cancelled")
        assert workshop.attempts_of(run_id) == ["lost"]

    @pytest.mark.parametrize("function", ["spin", "escape"])
    def test_takes_its_function_and_all_that_it_started_with_it(
        self, workshop: Workshop, live_keeper: None, supply: GuardSupply, tmp_path: Path, function: str
    ) -> None:
        kinds = {KindName.CODE: CodeKind(load_modules([MODULE]).functions, make_settings(tmp_path), supply)}
        workshop.kinds.clear()
        workshop.kinds.update(kinds)  # type: ignore[arg-type]
        with workshop.database.transaction() as session:
            job = make_job(session, make_organization(session))
            job.definition = {"function": function, "arguments": {}}
            run_id = make_run(session, job, now=workshop.clock.moment)
        worker = threading.Thread(target=workshop.executor.execute, args=(run_id,))

        worker.start()
        wait_until(lambda: any(line.startswith("pid ") for line in log_of(workshop, run_id)))
        pid = int(log_of(workshop, run_id)[0].removeprefix("pid "))
        was_alive = is_alive(pid)
        cancel(workshop, run_id)
        worker.join(PATIENCE_SECONDS)

        assert (was_alive, is_alive(pid), worker.is_alive()) == (True, False, False)
        assert workshop.state_of(run_id) == ("cancelled", "cancelled")


class TestLookingAfter:
    @pytest.fixture
    def attempt(self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveAttempt]:
        """One that has been going on for a minute, of a run that was expected to take half of that."""
        with workshop.database.transaction() as session:
            job = make_job(session, make_organization(session))
            job.soft_limit_seconds, job.time_limit_seconds = 30, 120
            run_id = make_run(session, job, now=workshop.clock.moment)
        attempt = workshop.attempt(run_id, is_stopping=lambda: False)
        began = attempts.boot_seconds()
        monkeypatch.setattr(attempts, "boot_seconds", lambda: began + 60)
        with workshop.keeper.keeping(attempt):
            yield attempt

    def test_tells_of_a_cancel_only_those_it_concerns(self, workshop: Workshop, attempt: LiveAttempt) -> None:
        workshop.keeper.pass_on_cancels()
        before = attempt.stop_reason()
        cancel(workshop, attempt.run_id)

        workshop.keeper.pass_on_cancels()

        assert (before, attempt.stop_reason()) == (None, StopReason.CANCELLED)

    def test_reads_nothing_for_what_has_just_begun(
        self, workshop: Workshop, attempt: LiveAttempt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keeper, "YOUNG_SECONDS", 3_600)
        cancel(workshop, attempt.run_id)

        workshop.keeper.pass_on_cancels()

        assert attempt.stop_reason() is None

    def test_tells_of_a_cancel_within_one_and_a_half_seconds_at_the_latest(
        self, workshop: Workshop, attempt: LiveAttempt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Cancelled as it began, and too young at the look just then: the next one is two passes later.
        passes = -(-keeper.LOOK_SECONDS // keeper.WRITE_LOGS_SECONDS)
        too_young = 1.5 - passes * keeper.WRITE_LOGS_SECONDS
        began = attempts.boot_seconds() - attempt.age_seconds
        monkeypatch.setattr(attempts, "boot_seconds", lambda: began + too_young)
        cancel(workshop, attempt.run_id)

        workshop.keeper.pass_on_cancels()

        assert attempt.stop_reason() is StopReason.CANCELLED

    def test_says_once_that_it_takes_longer_than_expected(self, workshop: Workshop, attempt: LiveAttempt) -> None:
        for _ in range(2):
            workshop.keeper.tell_slow_ones()
            workshop.keeper.write_logs()

        with workshop.database.reading() as session:
            told = session.scalars(select(Event.kind).where(Event.kind == "run.slow")).all()
            assert load_run(session, attempt.run_id).slow_at == workshop.clock.moment
        assert told == ["run.slow"]
        assert log_of(workshop, attempt.run_id) == ["It takes longer than the 30 s expected of it."]

    def test_writes_the_newest_progress_alone(self, workshop: Workshop, attempt: LiveAttempt) -> None:
        for number in (1, 2, 3):
            attempt.progress(number, 10, "Orders")

        workshop.keeper.write_progress()

        with workshop.database.reading() as session:
            found = newest_progress(session, organization_id=attempt.organization_id, run_id=attempt.run_id)
        assert (found, attempt.unwritten_progress()) == (Progress(3, 10, "Orders"), None)

    def test_leaves_progress_to_the_end_of_the_run_until_it_is_written(self, attempt: LiveAttempt) -> None:
        attempt.progress(3, 10)
        taken_by_the_keeper = attempt.unwritten_progress()

        at_the_end = attempt.unwritten_progress(at_the_end=True)

        assert taken_by_the_keeper == at_the_end == Progress(3, 10)

    def test_writes_no_progress_of_a_run_that_went_to_another(self, workshop: Workshop, attempt: LiveAttempt) -> None:
        attempt.progress(3, 10)
        workshop.clock.advance(seconds=31)
        workshop.reap()

        workshop.keeper.write_progress()

        with workshop.database.reading() as session:
            assert session.scalars(select(Attempt.progress_done)).all() == [None]


class TestTheEnd:
    def test_of_a_failure_says_how_far_it_came(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="failed")
        workshop.kind.progress = (7, 9)

        workshop.executor.execute(run_id)

        with workshop.database.reading() as session:
            found = newest_progress(session, organization_id=load_run(session, run_id).organization_id, run_id=run_id)
        assert found == Progress(7, 9)

    def test_keeps_what_kind_of_trouble_it_was_and_when_to_come_back(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="failed", error_class="rate_limited", come_back_seconds=600)

        workshop.executor.execute(run_id)

        later = workshop.clock.advance(seconds=600)
        with workshop.database.reading() as session:
            attempt = session.scalars(select(Attempt)).one()
            assert (attempt.error_class, attempt.come_back_at) == ("rate_limited", later)
            assert load_run(session, run_id).ready_at == later
