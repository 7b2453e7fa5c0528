"""Pausing a queue: nothing of it is started, what runs goes on, nothing is lost, and it resumes at once."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.scopes import ENGINE, PLATFORM
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops.capacity import live_slots
from app.queue.called import Called
from app.queue.dispatch import Dispatcher
from app.queue.hints import Hints
from app.runs import ledger
from app.runs.claims import LeaseTerms, take
from app.runs.facts import AttemptEnd
from app.runs.states import AttemptState
from app.runs.switches import QueueUnknown, list_switches, pause_queue, resume_queue
from app.tenants.access import Actor
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from app.tenants.platform import PlatformAdminNeeded
from app.tenants.roles import Role
from tests.factories.outcomes import make_running
from tests.factories.work import actor_in, load_run, make_job, make_organization, make_run
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
TERMS = LeaseTerms.for_lease(60)


class KeptHints(Hints):
    """A broker that keeps what it is handed, and whose workers take it at once."""

    def __init__(self) -> None:
        self.sent: list[UUID] = []

    def send(self, called: list[Called]) -> None:
        self.sent += [one.run_id for one in called]

    def lying(self, names: Collection[str]) -> dict[str, int]:
        return dict.fromkeys(names, 0)


@pytest.fixture
def admin(job: Job) -> Actor:
    return platform_admin(job.organization_id)


def platform_admin(organization_id: UUID) -> Actor:
    return Actor(organization_id, Role.OWNER, "ada@example.com", is_platform_admin=True)


def claim(session: Session, run_id: UUID) -> bool:
    return take(session, run_id=run_id, worker="w", terms=TERMS, safe_until=TERMS.safe_until(), now=NOW) is not None


class TestSwitching:
    def test_is_known_with_who_and_when(self, session: Session, admin: Actor) -> None:
        did_pause = pause_queue(session, actor=admin, name="code", now=NOW)

        (found,) = list_switches(session)

        assert did_pause
        assert (found.name, found.paused_at, found.paused_by) == ("code", NOW, "ada@example.com")

    def test_twice_is_once(self, session: Session, admin: Actor) -> None:
        pause_queue(session, actor=admin, name="code", now=NOW)
        paused_again = pause_queue(session, actor=admin, name="code", now=NOW + timedelta(minutes=1))

        resumed = [resume_queue(session, actor=admin, name="code", now=NOW) for _ in range(2)]

        assert not paused_again
        assert resumed == [True, False]

    def test_leaves_an_audit_row_with_the_installation(self, session: Session, admin: Actor) -> None:
        pause_queue(session, actor=admin, name="sync", now=NOW)
        resume_queue(session, actor=admin, name="sync", now=NOW + timedelta(minutes=1))

        query = select(AuditEntry.action).where(AuditEntry.organization_id == SYSTEM_ORGANIZATION_ID)

        assert session.scalars(query.order_by(AuditEntry.at)).all() == ["queue.paused", "queue.resumed"]

    def test_is_for_platform_admins(self, session: Session, job: Job) -> None:
        owner = actor_in(job.organization_id)

        with pytest.raises(PlatformAdminNeeded):
            pause_queue(session, actor=owner, name="code", now=NOW)
        with pytest.raises(PlatformAdminNeeded):
            resume_queue(session, actor=owner, name="code", now=NOW)

    def test_refuses_a_queue_that_does_not_exist(self, session: Session, admin: Actor) -> None:
        with pytest.raises(QueueUnknown, match="code, sync, workflow"):
            pause_queue(session, actor=admin, name="mail", now=NOW)

    def test_works_as_the_role_of_platform_admins(self, database: OpenDatabase) -> None:
        with database.transaction() as session:
            admin = platform_admin(make_organization(session))

        with database.transaction(PLATFORM) as session:
            did_pause = pause_queue(session, actor=admin, name="code", now=NOW)
        with database.transaction(PLATFORM) as session:
            did_resume = resume_queue(session, actor=admin, name="code", now=NOW)

        assert (did_pause, did_resume) == (True, True)


class TestAPausedQueue:
    def test_starts_nothing_and_forgets_the_hint_that_was_out(self, session: Session, job: Job, admin: Actor) -> None:
        run_id = make_run(session, job, now=NOW)
        load_run(session, run_id).hinted_at = NOW
        session.flush()
        pause_queue(session, actor=admin, name="code", now=NOW)

        was_claimed = claim(session, run_id)

        run = load_run(session, run_id)
        assert not was_claimed
        assert (run.state, run.attempt, run.hinted_at) == ("ready", 0, None)

    def test_lets_what_runs_come_to_its_end(self, session: Session, job: Job, admin: Actor) -> None:
        run_id = make_running(session, job, now=NOW)
        pause_queue(session, actor=admin, name="code", now=NOW)

        ended = ledger.succeed(session, run_id=run_id, token=1, end=AttemptEnd(AttemptState.SUCCEEDED), now=NOW)

        assert ended
        assert load_run(session, run_id).state == "succeeded"

    def test_is_in_nobody_elses_way(self, session: Session, job: Job, admin: Actor) -> None:
        other = make_job(session, job.organization_id, name="Other", kind=KindName.WORKFLOW)
        run_id = make_run(session, other, now=NOW)
        pause_queue(session, actor=admin, name="code", now=NOW)

        assert claim(session, run_id)

    def test_starts_again_once_it_is_resumed(self, session: Session, job: Job, admin: Actor) -> None:
        run_id = make_run(session, job, now=NOW)
        pause_queue(session, actor=admin, name="code", now=NOW)
        refused = claim(session, run_id)
        resume_queue(session, actor=admin, name="code", now=NOW)

        assert (refused, claim(session, run_id)) == (False, True)


class TestDispatch:
    def test_hints_at_nothing_of_a_paused_queue_and_at_everything_right_after(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        hints = KeptHints()
        dispatcher = Dispatcher(database, clock, hints, live_slots, own_slots=2)
        with database.transaction() as session:
            job = make_job(session, make_organization(session))
            run_ids = {make_run(session, job, now=clock.moment) for _ in range(2)}
            admin = platform_admin(job.organization_id)
            pause_queue(session, actor=admin, name="code", now=clock.moment)

        paused = dispatcher.dispatch()
        with database.transaction() as session:
            resume_queue(session, actor=admin, name="code", now=clock.moment)
        resumed = dispatcher.dispatch()

        assert (paused, resumed) == (0, 2)
        assert set(hints.sent) == run_ids

    def test_hints_again_at_what_a_pause_turned_away(self, database: OpenDatabase, clock: ManualClock) -> None:
        hints = KeptHints()
        dispatcher = Dispatcher(database, clock, hints, live_slots, own_slots=2)
        with database.transaction() as session:
            job = make_job(session, make_organization(session))
            run_id = make_run(session, job, now=clock.moment)
            admin = platform_admin(job.organization_id)
        dispatcher.dispatch()
        with database.transaction() as session:
            pause_queue(session, actor=admin, name="code", now=clock.moment)
        with database.transaction(ENGINE) as session:
            take(session, run_id=run_id, worker="w", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)
        with database.transaction() as session:
            resume_queue(session, actor=admin, name="code", now=clock.moment)

        dispatcher.dispatch()

        assert hints.sent == [run_id, run_id]

    def test_is_not_held_up_by_a_line_that_waits_for_a_paused_queue(
        self, database: OpenDatabase, clock: ManualClock
    ) -> None:
        hints = KeptHints()
        dispatcher = Dispatcher(database, clock, hints, live_slots, own_slots=1)
        with database.transaction() as session:
            job = make_job(session, make_organization(session))
            for _ in range(20):
                make_run(session, job, now=clock.moment)
            pause_queue(session, actor=platform_admin(job.organization_id), name="code", now=clock.moment)
            other = make_job(session, job.organization_id, name="Other", kind=KindName.WORKFLOW)
            run_id = make_run(session, other, now=clock.moment)

        dispatcher.dispatch()

        assert hints.sent == [run_id]
