"""What people do to a run that is not over: cancel it, cut its wait short, give it up."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.events.models import Event
from app.jobs.models import Job
from app.runs import ledger, steering
from app.runs.facts import AttemptEnd
from app.runs.queries import RunNotFound, get_run
from app.runs.states import AttemptState, Reason, RunState
from app.runs.steering import RunNotCancellable, RunNotWaiting
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.factories.dead_letters import dead_letters
from tests.factories.outcomes import make_running, make_succeeded, make_waiting_retry, start_run
from tests.factories.work import actor_in, load_run, make_organization, make_run
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
LATER = NOW + timedelta(hours=1)
WORDS = "ana@example.com cancelled it at 2027-01-05 12:00:00 UTC."


@pytest.fixture
def actor(job: Job) -> Actor:
    return actor_in(job.organization_id, Role.ADMIN)


@pytest.fixture
def waiting(session: Session, job: Job) -> UUID:
    return make_waiting_retry(session, job, now=NOW, ready_at=LATER)


def events_of(session: Session, run_id: UUID) -> list[str]:
    return list(session.scalars(select(Event.kind).where(Event.subject_id == run_id).order_by(Event.id)))


def audited(session: Session) -> list[str]:
    return list(session.scalars(select(AuditEntry.action)))


class TestCancelling:
    @pytest.mark.parametrize("is_waiting_for_a_retry", [False, True])
    def test_ends_what_waits_at_once(
        self, session: Session, job: Job, actor: Actor, is_waiting_for_a_retry: bool
    ) -> None:
        ready = make_run(session, job, now=NOW)
        run_id = make_waiting_retry(session, job, now=NOW, ready_at=LATER) if is_waiting_for_a_retry else ready

        is_over = steering.cancel_run(session, actor=actor, run_id=run_id, now=NOW)

        run = load_run(session, run_id)
        assert (is_over, run.state, run.reason, run.error) == (True, "cancelled", "cancelled", WORDS)
        assert audited(session) == ["run.cancelled"]

    def test_asks_what_is_running_to_stop(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_running(session, job, now=NOW)

        is_over = steering.cancel_run(session, actor=actor, run_id=run_id, now=NOW)

        run = get_run(session, organization_id=job.organization_id, run_id=run_id)
        assert (is_over, run.state, run.is_being_cancelled, run.can_cancel) == (False, RunState.RUNNING, True, False)
        assert run.cancel_words == WORDS
        assert events_of(session, run_id)[-1] == "run.cancel_requested"

    def test_twice_is_refused_in_words(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_running(session, job, now=NOW)
        steering.cancel_run(session, actor=actor, run_id=run_id, now=NOW)

        with pytest.raises(RunNotCancellable, match="Somebody cancelled this run already"):
            steering.cancel_run(session, actor=actor, run_id=run_id, now=NOW)

    def test_what_is_over_is_refused_in_words(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_succeeded(session, job, now=NOW)

        with pytest.raises(RunNotCancellable, match="This run is over"):
            steering.cancel_run(session, actor=actor, run_id=run_id, now=NOW)

    def test_is_for_operators_and_not_for_viewers(self, session: Session, job: Job) -> None:
        run_id = make_run(session, job, now=NOW)
        viewer, operator = (actor_in(job.organization_id, role) for role in (Role.VIEWER, Role.OPERATOR))

        with pytest.raises(PermissionMissing):
            steering.cancel_run(session, actor=viewer, run_id=run_id, now=NOW)

        assert steering.cancel_run(session, actor=operator, run_id=run_id, now=NOW)

    def test_of_somebody_elses_run_finds_nothing(self, session: Session, job: Job) -> None:
        run_id, stranger = make_run(session, job, now=NOW), actor_in(make_organization(session, "Other"))

        with pytest.raises(RunNotFound):
            steering.cancel_run(session, actor=stranger, run_id=run_id, now=NOW)


class TestACancelThatCameFirst:
    @pytest.fixture
    def run_id(self, session: Session, job: Job, actor: Actor) -> UUID:
        run_id = make_running(session, job, now=NOW)
        steering.cancel_run(session, actor=actor, run_id=run_id, now=NOW)
        return run_id

    @pytest.mark.parametrize(
        "state", [AttemptState.CANCELLED, AttemptState.FAILED, AttemptState.LOST, AttemptState.RELEASED]
    )
    def test_lets_nothing_follow_however_the_try_ends(
        self, session: Session, run_id: UUID, state: AttemptState
    ) -> None:
        then = ledger.Next(RunState.WAITING_RETRY, Reason.ERROR, LATER)

        was_written = ledger.put_down(
            session, run_id=run_id, token=1, end=AttemptEnd(state, "It broke."), then=then, now=LATER
        )

        run = load_run(session, run_id)
        assert (was_written, run.state, run.reason, run.error) == (True, "cancelled", "cancelled", WORDS)
        assert (run.finished_at, run.attempt, run.lease_until) == (LATER, 0, None)
        assert events_of(session, run_id)[-1] == "run.cancelled"

    def test_does_not_undo_what_went_well(self, session: Session, run_id: UUID) -> None:
        end = AttemptEnd(AttemptState.SUCCEEDED, result={"rows": 3})

        assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=LATER)

        assert load_run(session, run_id).state == "succeeded"

    def test_is_written_by_nobody_who_lost_the_run(self, session: Session, run_id: UUID) -> None:
        then = ledger.Next(RunState.CANCELLED, Reason.CANCELLED)

        assert not ledger.put_down(
            session, run_id=run_id, token=2, end=AttemptEnd(AttemptState.CANCELLED), then=then, now=LATER
        )


class TestRetryingNow:
    def test_cuts_the_wait_short(self, session: Session, actor: Actor, waiting: UUID) -> None:
        steering.retry_run_now(session, actor=actor, run_id=waiting, now=NOW)

        run = load_run(session, waiting)
        assert (run.state, run.reason, run.ready_at) == ("ready", None, NOW)
        assert start_run(session, waiting, at=NOW).attempt == 2
        assert audited(session) == ["run.retried_now"]

    def test_is_refused_for_what_does_not_wait(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_run(session, job, now=NOW)

        with pytest.raises(RunNotWaiting):
            steering.retry_run_now(session, actor=actor, run_id=run_id, now=NOW)

    def test_is_for_admins(self, session: Session, job: Job, waiting: UUID) -> None:
        with pytest.raises(PermissionMissing):
            steering.retry_run_now(session, actor=actor_in(job.organization_id, Role.OPERATOR), run_id=waiting, now=NOW)


class TestGivingUp:
    def test_ends_it_as_a_dead_letter(self, session: Session, actor: Actor, waiting: UUID) -> None:
        steering.give_run_up(session, actor=actor, run_id=waiting, now=NOW)

        run = load_run(session, waiting)
        dead = dead_letters(session, actor.organization_id)
        assert (run.state, run.reason, [row.id for row in dead]) == ("failed", "given_up", [waiting])
        assert run.error == "ana@example.com gave it up after 1 of 3 tries. The shop did not answer."
        assert audited(session) == ["run.given_up"]

    def test_twice_is_refused(self, session: Session, actor: Actor, waiting: UUID) -> None:
        steering.give_run_up(session, actor=actor, run_id=waiting, now=NOW)

        with pytest.raises(RunNotWaiting):
            steering.give_run_up(session, actor=actor, run_id=waiting, now=NOW)
