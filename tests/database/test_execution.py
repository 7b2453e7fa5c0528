"""From a ready run to its end: executor, keeper and reaper on a real database."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from app.jobs.kinds.base import KindName, Level, Outcome, StopReason
from app.jobs.policies import Backoff, RetryPolicy
from app.runs import executor, ledger, logs
from app.runs.attempts import LiveAttempt
from app.runs.facts import AttemptEnd
from app.runs.states import AttemptState
from tests.database.workshop import Workshop
from tests.factories.work import load_run
from tests.fakes.kind import ScriptedKind

# PostgreSQL stores nothing that is no JSON, but anything that is.
NO_DEFINITION = {"sqlite": "{broken", "postgresql": '"words"'}
BROKEN = "broken"
ONE_TRY = RetryPolicy(1, 0, Backoff.FIXED)


class TestExecuting:
    def test_sees_a_run_through_with_its_log(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(lines=["one", "two"])

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("succeeded", None)
        with workshop.database.reading() as session:
            organization_id = load_run(session, run_id).organization_id
            read = logs.read_lines(session, organization_id=organization_id, run_id=run_id)
        assert [line.text for line in read] == ["one", "two"]

    def test_tries_again_after_the_delay_until_the_tries_are_used_up(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(retry=ONE_TRY, ends="failed")

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("failed", "error")

    def test_waits_for_the_next_try(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="failed")

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("waiting_retry", "error")
        assert workshop.executor.execute(run_id) is False

    def test_does_not_try_again_what_cannot_help(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="failed", may_retry=False)

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("failed", "error")

    def test_turns_whatever_escapes_a_job_into_a_failure(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(retry=ONE_TRY, raises="3")

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("failed", "error")

    def test_executes_once_however_many_hints_there_are(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()

        done = [workshop.executor.execute(run_id) for _ in range(3)]

        assert done == [True, False, False]
        assert workshop.kind.executed == [str(run_id)]


class TestADatabaseThatTakesNoWrites:
    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executor.time, "sleep", lambda _seconds: None)

    def test_gets_the_outcome_as_it_was_once_it_does(self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = workshop.ready_run()
        write, refusals = ledger.succeed, iter([InternalError("UPDATE", {}, Exception("read-only transaction"))] * 3)

        def refuse_at_first(*args: Any, **named: Any) -> bool:
            refusal = next(refusals, None)
            if refusal is not None:
                raise refusal
            return write(*args, **named)

        monkeypatch.setattr(ledger, "succeed", refuse_at_first)
        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("succeeded", None)
        assert workshop.attempts_of(run_id) == ["succeeded"]

    def test_tells_nothing_of_its_statements_to_those_who_see_the_run(
        self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = workshop.ready_run(retry=ONE_TRY)

        def lose_it(*_args: Any) -> Outcome:
            raise InternalError("SELECT set_config('role', …)", {}, Exception("gone"))

        monkeypatch.setattr(ScriptedKind, "run", lose_it)
        workshop.executor.execute(run_id)

        with workshop.database.reading() as session:
            assert load_run(session, run_id).error == "The database did not answer while this ran."


class TestStopping:
    def test_hands_back_what_may_be_repeated_and_refunds_the_try(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="stopped")

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("ready", None)
        assert workshop.attempts_of(run_id) == ["released"]

    def test_ends_what_must_not_be_repeated_as_lost(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(ends="stopped", may_repeat=False)

        workshop.executor.execute(run_id)

        assert (workshop.state_of(run_id), workshop.attempts_of(run_id)) == (("failed", "lost"), ["lost"])
        with workshop.database.reading() as session:
            assert "not declared safe to repeat" in str(load_run(session, run_id).error)

    def test_hands_back_what_did_not_end_in_time_and_refuses_its_late_outcome(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(kind=KindName.WORKFLOW)
        attempt = workshop.attempt(run_id, is_stopping=lambda: True)

        with workshop.keeper.keeping(attempt):
            workshop.executor.hand_back()

        assert workshop.state_of(run_id) == ("ready", None)
        with workshop.database.transaction() as session:
            end = AttemptEnd(AttemptState.SUCCEEDED)
            assert not ledger.succeed(session, run_id=run_id, token=1, end=end, now=workshop.clock.moment)

    def test_leaves_a_function_whose_process_may_still_be_ending_to_its_lease(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        attempt = workshop.attempt(run_id, is_stopping=lambda: True)

        with workshop.keeper.keeping(attempt):
            workshop.executor.hand_back()

        assert workshop.state_of(run_id)[0] == "running"


class TestReaping:
    def test_leaves_a_run_alone_whose_lease_is_alive(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        workshop.claim(run_id)
        workshop.clock.advance(seconds=30)

        assert workshop.reap() == 0
        assert workshop.state_of(run_id)[0] == "running"

    def test_gives_a_lost_run_another_attempt_where_it_may_be_repeated(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        workshop.claim(run_id)
        workshop.clock.advance(seconds=31)

        workshop.reap()
        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("succeeded", None)
        assert workshop.attempts_of(run_id) == ["lost", "succeeded"]

    def test_ends_a_lost_run_that_must_not_be_repeated(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(may_repeat=False)
        workshop.claim(run_id)
        workshop.clock.advance(seconds=31)

        workshop.reap()

        assert workshop.state_of(run_id) == ("failed", "lost")

    def test_ends_a_run_that_keeps_killing_its_worker(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        for _ in range(3):
            workshop.claim(run_id)
            workshop.clock.advance(seconds=31)
            workshop.reap()

        assert workshop.state_of(run_id) == ("failed", "lost_too_often")


class TestUnreadableRuns:
    def spoil(self, workshop: Workshop, run_id: UUID, column: str, value: str) -> None:
        with workshop.database.transaction() as session:
            spoil = text(f"UPDATE runs SET {column} = :value WHERE id = :id")
            session.execute(spoil, {"value": value, "id": run_id.hex})

    @pytest.mark.parametrize(("column", "value"), [("kind", "ritual"), ("definition", BROKEN), ("retry_backoff", "?")])
    def test_are_ended_with_the_reason_where_they_would_be_claimed(
        self, workshop: Workshop, engine: str, column: str, value: str
    ) -> None:
        run_id = workshop.ready_run()
        self.spoil(workshop, run_id, column, NO_DEFINITION[engine] if value is BROKEN else value)

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("failed", "unreadable")

    def test_are_ended_by_the_sweep_and_do_not_keep_it_from_others(self, workshop: Workshop) -> None:
        bad, good = workshop.ready_run(), workshop.ready_run(name="Other")
        for run_id in (bad, good):
            workshop.claim(run_id)
        self.spoil(workshop, bad, "kind", "ritual")
        workshop.clock.advance(seconds=31)

        workshop.reap()

        assert workshop.state_of(bad) == ("failed", "unreadable")
        assert workshop.state_of(good)[0] == "ready"


class TestHostileOutcomes:
    def test_that_cannot_be_stored_end_the_run_and_free_the_slot(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(returns_a_set=True)

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("failed", "error")

    def test_with_characters_no_database_holds_are_cleaned(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run(retry=ONE_TRY, lines=["half \ud800 a pair"], ends="failed", message="nul \x00 byte")

        workshop.executor.execute(run_id)

        with workshop.database.reading() as session:
            assert load_run(session, run_id).error == "nul  byte"
        assert workshop.state_of(run_id) == ("failed", "error")


class TestKeeping:
    def attempt(self, workshop: Workshop, run_id: UUID) -> LiveAttempt:
        return workshop.attempt(run_id, is_stopping=workshop.keeper.is_stopping)

    def test_prolongs_the_lease_of_what_runs(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        attempt = self.attempt(workshop, run_id)
        later = workshop.clock.advance(seconds=20)

        with workshop.keeper.keeping(attempt):
            workshop.keeper.renew_leases()

        with workshop.database.reading() as session:
            assert load_run(session, run_id).lease_until == later + timedelta(seconds=30)

    def test_tells_an_attempt_that_lost_its_run_to_stop(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        attempt = self.attempt(workshop, run_id)
        workshop.clock.advance(seconds=31)
        workshop.reap()

        with workshop.keeper.keeping(attempt):
            workshop.keeper.renew_leases()

        assert attempt.stop_reason() is StopReason.LEASE_LOST

    def test_writes_lines_while_the_run_goes_on(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        attempt = self.attempt(workshop, run_id)
        attempt.log("half way", Level.INFO)

        with workshop.keeper.keeping(attempt):
            workshop.keeper.write_logs()

        with workshop.database.reading() as session:
            assert logs.last_line_number(session, organization_id=attempt.organization_id, run_id=run_id) == 1

    def test_asks_attempts_to_stop_when_the_worker_does(self, workshop: Workshop) -> None:
        attempt = self.attempt(workshop, workshop.ready_run())

        workshop.keeper.stop_attempts_after(0)

        assert attempt.stop_reason() is StopReason.WORKER_STOPPING
