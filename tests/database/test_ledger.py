"""The ledger: guarded moves, fencing tokens, one run per slot, and an event with every change."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.events.models import Event
from app.jobs.kinds.base import Level
from app.jobs.models import Job
from app.runs import claims, ledger, logs, planner
from app.runs.claims import Claim, LeaseTerms
from app.runs.ledger import AttemptEnd
from app.runs.logs import NewLine
from app.runs.models import Attempt
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState, Trigger
from tests.factories.work import load_run, make_organization, make_run, make_schedule
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
TERMS = LeaseTerms.for_lease(30)
WELL = AttemptEnd(AttemptState.SUCCEEDED)
BADLY = AttemptEnd(AttemptState.FAILED, error="It broke.")


def take(session: Session, run_id: UUID, worker: str = "w-1") -> Claim:
    claim = claims.take(session, run_id=run_id, worker=worker, terms=TERMS, safe_until=TERMS.safe_until(), now=NOW)
    assert claim is not None
    return claim


class TestOpeningARun:
    def test_gives_a_slot_one_run_however_often_it_is_opened(self, session: Session, job: Job) -> None:
        schedule = make_schedule(session, job)
        request = planner.request_for(job, trigger=Trigger.SCHEDULE, due_at=NOW, schedule_id=schedule.id, slot_at=NOW)

        opened = [ledger.open_run(session, request, now=NOW) for _ in range(2)]

        assert opened[0] is not None
        assert opened[1] is None

    def test_appends_its_event_in_the_same_transaction(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)

        kinds = session.scalars(select(Event.kind).where(Event.subject_id == run_id)).all()

        assert kinds == ["run.ready"]


class TestClaiming:
    def test_is_won_by_one_worker_only(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        take(session, run_id)

        second = claims.take(session, run_id=run_id, worker="w-2", terms=TERMS, safe_until=TERMS.safe_until(), now=NOW)

        assert second is None

    def test_counts_the_try_and_raises_the_token(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)

        claim = take(session, run_id)

        assert (claim.started.attempt, claim.started.token) == (1, 1)
        assert load_run(session, run_id).lease_until == NOW + timedelta(seconds=30)

    def test_has_to_stop_before_the_lease_ends_in_the_database(self, session: Session, job: Job) -> None:
        claim = take(session, make_run(session, job, now=NOW))

        assert 24 < claim.safe_until.seconds_left <= 25

    def test_leaves_a_run_alone_whose_time_has_not_come(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)

        early = claims.take(
            session,
            run_id=run_id,
            worker="w-1",
            terms=TERMS,
            safe_until=TERMS.safe_until(),
            now=NOW - timedelta(seconds=1),
        )

        assert early is None


class TestFencing:
    def test_refuses_every_write_of_an_attempt_that_lost_its_run(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        old = take(session, run_id).started
        lost = AttemptEnd(AttemptState.LOST)
        ledger.put_down(
            session, run_id=run_id, token=old.token, end=lost, then=Next(RunState.READY, Reason.LOST, NOW), now=NOW
        )
        take(session, run_id, "w-2")

        refused = [
            ledger.succeed(session, run_id=run_id, token=old.token, end=WELL, now=NOW),
            ledger.extend_lease(session, run_id=run_id, token=old.token, lease_until=NOW),
            logs.append_lines(
                session,
                organization_id=job.organization_id,
                run_id=run_id,
                token=old.token,
                lines=[NewLine("late", Level.INFO, NOW)],
            ),
        ]

        assert refused == [False, False, False]
        assert load_run(session, run_id).worker == "w-2"

    def test_keeps_a_terminal_state_for_ever(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        token = take(session, run_id).started.token
        ledger.succeed(session, run_id=run_id, token=token, end=WELL, now=NOW)

        again = ledger.put_down(
            session, run_id=run_id, token=token, end=BADLY, then=Next(RunState.FAILED, Reason.ERROR), now=NOW
        )

        assert again is False
        assert load_run(session, run_id).state == RunState.SUCCEEDED.value


class TestEndingAnAttempt:
    def test_keeps_what_it_said_about_itself(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        token = take(session, run_id).started.token
        then = Next(RunState.WAITING_RETRY, Reason.ERROR, NOW + timedelta(seconds=5))

        ledger.put_down(session, run_id=run_id, token=token, end=BADLY, then=then, now=NOW)

        attempt = session.get_one(Attempt, (run_id, token))
        session.refresh(attempt)
        assert (attempt.state, attempt.error) == ("failed", "It broke.")
        assert load_run(session, run_id).ready_at == NOW + timedelta(seconds=5)

    def test_gives_the_try_back_when_the_worker_was_stopping(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        token = take(session, run_id).started.token
        released = AttemptEnd(AttemptState.RELEASED)

        ledger.put_down(
            session,
            run_id=run_id,
            token=token,
            end=released,
            then=Next(RunState.READY, None, NOW),
            now=NOW,
            refund=True,
        )

        run = load_run(session, run_id)
        assert (run.attempt, run.token, run.state) == (0, 1, "ready")


class TestLogLines:
    def test_are_numbered_on_over_batches_and_lose_their_nul_bytes(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        token = take(session, run_id).started.token
        for text in ("one", "t\x00wo"):
            line = NewLine(text, Level.INFO, NOW)
            logs.append_lines(session, organization_id=job.organization_id, run_id=run_id, token=token, lines=[line])

        read = logs.read_lines(session, organization_id=job.organization_id, run_id=run_id)

        assert [(line.number, line.text) for line in read] == [(1, "one"), (2, "two")]

    def test_are_not_shown_to_another_organization(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        token = take(session, run_id).started.token
        line = NewLine("secret figures", Level.INFO, NOW)
        logs.append_lines(session, organization_id=job.organization_id, run_id=run_id, token=token, lines=[line])

        read = logs.read_lines(session, organization_id=make_organization(session, "Other"), run_id=run_id)

        assert read == []
