"""What the database did without saying so, or did not do: nothing runs twice, and nothing is lost."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.exc import OperationalError

from app.core import deadline
from app.core.db import Database
from app.core.deadline import Deadline
from app.jobs.kinds.base import KindName
from app.runs import executor
from app.runs.claims import LeaseTerms
from tests.database.workshop import Workshop
from tests.factories.work import load_run
from tests.fakes.clock import ManualClock
from tests.fakes.driver import Fault, commits_failing, statements_failing

both_faults = pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.value)


@pytest.fixture
def workshop(database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setattr(executor, "RETRY_WRITE_SECONDS", 0)
    return Workshop(database, clock)


@pytest.fixture
def later(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds go by, here and in the database."""
    moment = deadline.boot_seconds()

    def go_by(seconds: float) -> None:
        nonlocal moment
        moment += seconds
        workshop.clock.advance(seconds=seconds)

    monkeypatch.setattr(deadline, "boot_seconds", lambda: moment)
    return go_by


def claim_without_an_answer(workshop: Workshop, run_id: UUID, fault: Fault) -> None:
    with commits_failing(workshop.database, fault), pytest.raises(OperationalError):
        workshop.executor.execute(run_id)


class TestAClaimWithoutAnAnswer:
    @both_faults
    def test_runs_nothing(self, workshop: Workshop, fault: Fault) -> None:
        run_id = workshop.ready_run()

        claim_without_an_answer(workshop, run_id, fault)

        assert workshop.kind.executed == []
        assert workshop.keeper.run_ids == []

    @both_faults
    def test_runs_nothing_by_another_hint_before_it_is_settled(self, workshop: Workshop, fault: Fault) -> None:
        run_id = workshop.ready_run()
        claim_without_an_answer(workshop, run_id, fault)

        assert workshop.executor.execute(run_id) is False
        assert workshop.kind.executed == []

    @both_faults
    def test_is_settled_at_no_cost_of_a_try(self, workshop: Workshop, fault: Fault) -> None:
        run_id = workshop.ready_run(may_repeat=False)
        claim_without_an_answer(workshop, run_id, fault)

        workshop.keeper.settle_doubts()

        assert workshop.state_of(run_id) == ("ready", None)
        with workshop.database.reading() as session:
            assert load_run(session, run_id).attempt == 0

    @both_faults
    def test_is_followed_by_one_that_runs_once(self, workshop: Workshop, fault: Fault) -> None:
        run_id = workshop.ready_run()
        claim_without_an_answer(workshop, run_id, fault)
        workshop.keeper.settle_doubts()

        workshop.executor.execute(run_id)

        assert workshop.kind.executed == [str(run_id)]
        assert workshop.state_of(run_id) == ("succeeded", None)

    def test_that_takes_effect_after_it_was_settled_is_given_back_before_it_counts_as_lost(
        self, workshop: Workshop, later: Callable[[float], None]
    ) -> None:
        run_id = workshop.ready_run(may_repeat=False)
        claim_without_an_answer(workshop, run_id, Fault.REPORTED_FAILED_AND_NOT_EXECUTED)
        workshop.keeper.settle_doubts()
        workshop.claim(run_id)

        for _ in range(2):
            later(13)
            workshop.keeper.settle_doubts()

        assert (workshop.state_of(run_id), workshop.attempts_of(run_id)) == (("ready", None), ["released"])
        with workshop.database.reading() as session:
            assert load_run(session, run_id).attempt == 0

    def test_is_not_taken_for_the_next_one_that_this_worker_follows(
        self, workshop: Workshop, later: Callable[[float], None]
    ) -> None:
        run_id = workshop.ready_run()
        claim_without_an_answer(workshop, run_id, Fault.REPORTED_FAILED_AND_NOT_EXECUTED)
        workshop.keeper.settle_doubts()
        later(26)
        workshop.kind.before_end = workshop.keeper.settle_doubts

        workshop.executor.execute(run_id)
        workshop.keeper.settle_doubts()

        assert (workshop.state_of(run_id), workshop.attempts_of(run_id)) == (("succeeded", None), ["succeeded"])

    def test_says_on_its_try_that_it_did_not_begin(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        claim_without_an_answer(workshop, run_id, Fault.EXECUTED_BUT_REPORTED_FAILED)

        workshop.keeper.settle_doubts()

        assert workshop.attempts_of(run_id) == ["released"]
        with workshop.database.reading() as session:
            assert "did not say whether this try could begin" in (load_run(session, run_id).error or "")

    def test_stays_open_while_the_database_is_away(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        claim_without_an_answer(workshop, run_id, Fault.EXECUTED_BUT_REPORTED_FAILED)

        with (
            commits_failing(workshop.database, Fault.REPORTED_FAILED_AND_NOT_EXECUTED),
            pytest.raises(OperationalError),
        ):
            workshop.keeper.settle_doubts()
        workshop.keeper.settle_doubts()

        assert workshop.state_of(run_id) == ("ready", None)

    def test_is_settled_though_the_answer_was_waited_for_longer_than_a_lease_lasts(
        self, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_id = workshop.ready_run(may_repeat=False)
        moment = deadline.boot_seconds()

        def begin_a_long_wait(terms: LeaseTerms) -> Deadline:
            nonlocal moment
            moment += terms.seconds + 5
            return Deadline(moment)

        monkeypatch.setattr(deadline, "boot_seconds", lambda: moment)
        # The last thing that happens before the database is asked.
        monkeypatch.setattr(LeaseTerms, "safe_until", begin_a_long_wait)

        claim_without_an_answer(workshop, run_id, Fault.EXECUTED_BUT_REPORTED_FAILED)
        workshop.keeper.settle_doubts()

        assert workshop.state_of(run_id) == ("ready", None)

    def test_leaves_alone_what_the_sweep_gave_to_another_worker(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        claim_without_an_answer(workshop, run_id, Fault.EXECUTED_BUT_REPORTED_FAILED)
        workshop.clock.advance(seconds=31)
        workshop.reap()
        workshop.claim(run_id, worker="w-2")

        workshop.keeper.settle_doubts()

        assert workshop.state_of(run_id)[0] == "running"

    def test_is_taken_back_by_the_database_when_a_statement_failed(self, workshop: Workshop) -> None:
        run_id = workshop.ready_run()
        with statements_failing(workshop.database, "UPDATE runs"), pytest.raises(OperationalError):
            workshop.executor.execute(run_id)

        workshop.keeper.settle_doubts()

        assert workshop.kind.executed == []
        assert (workshop.state_of(run_id), workshop.attempts_of(run_id)) == (("ready", None), [])


class TestAnOutcomeWithoutAnAnswer:
    @both_faults
    def test_is_written_once(self, workshop: Workshop, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
        run_id = workshop.ready_run(lines=["one"])
        faults = commits_failing(workshop.database, fault)
        workshop.kind.before_end = faults.__enter__

        workshop.executor.execute(run_id)
        faults.__exit__(None, None, None)

        assert (workshop.kind.executed, workshop.state_of(run_id)) == ([str(run_id)], ("succeeded", None))
        assert workshop.attempts_of(run_id) == ["succeeded"]
        assert "outcome refused" not in caplog.text


class TestARenewalWithoutAnAnswer:
    @both_faults
    def test_does_not_count(self, workshop: Workshop, fault: Fault) -> None:
        attempt = workshop.attempt(workshop.ready_run(), is_stopping=lambda: False)
        before = attempt.safe_until

        with (
            workshop.keeper.keeping(attempt),
            commits_failing(workshop.database, fault),
            pytest.raises(OperationalError),
        ):
            workshop.keeper.renew_leases()

        assert attempt.safe_until == before

    @both_faults
    def test_is_made_up_for_by_the_next(self, workshop: Workshop, fault: Fault) -> None:
        attempt = workshop.attempt(workshop.ready_run(), is_stopping=lambda: False)
        with workshop.keeper.keeping(attempt):
            with commits_failing(workshop.database, fault), pytest.raises(OperationalError):
                workshop.keeper.renew_leases()

            workshop.keeper.renew_leases()

        assert attempt.claim is not None
        assert attempt.stop_reason() is None


class TestASweepWithoutAnAnswer:
    @both_faults
    def test_counts_a_loss_once(self, workshop: Workshop, fault: Fault) -> None:
        run_id = workshop.ready_run()
        workshop.claim(run_id)
        workshop.clock.advance(seconds=31)

        with commits_failing(workshop.database, fault), pytest.raises(OperationalError):
            workshop.reap()
        workshop.reap()

        assert workshop.attempts_of(run_id) == ["lost"]
        assert workshop.state_of(run_id) == ("ready", "lost")


class TestHandingBackWithoutAnAnswer:
    def test_does_not_keep_a_worker_from_ending(self, workshop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
        run_id = workshop.ready_run(kind=KindName.WORKFLOW)
        attempt = workshop.attempt(run_id, is_stopping=lambda: True)

        with (
            workshop.keeper.keeping(attempt),
            commits_failing(workshop.database, Fault.REPORTED_FAILED_AND_NOT_EXECUTED),
        ):
            workshop.executor.hand_back()

        assert workshop.state_of(run_id)[0] == "running"
        assert "runs not handed back" in caplog.text
