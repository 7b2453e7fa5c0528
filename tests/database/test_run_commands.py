"""What people do to runs, and to schedules whose slots are due: run now, retry, remove, edit, switch, delete."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.jobs.given_arguments import GivenArguments, ParametersForPlatform
from app.jobs.kinds.base import DefinitionInvalid
from app.jobs.models import Job
from app.jobs.queries import JobNotFound
from app.runs import claims, ledger, planner, service
from app.runs.claims import LeaseTerms
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.queries import RunNotFound, get_run
from app.runs.retries import Next
from app.runs.service import RunNotRemovable, RunNotRetryable
from app.runs.states import AttemptState, Reason, RunState
from app.runs.statistics import count_queue
from app.schedules.models import Gap, Schedule
from app.schedules.queries import ScheduleNotFound
from app.schedules.service import ScheduleChanged, ScheduleDraft, ScheduleNameTaken
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.factories.dead_letters import dead_letters
from tests.factories.work import actor_in, load_run, make_job, make_organization, make_run, make_schedule
from tests.fakes.clock import utc
from tests.fakes.kind import scripted_kinds

NOW = utc("2027-01-05 12:00")
TERMS = LeaseTerms.for_lease(30)


@pytest.fixture
def stranger(session: Session) -> Actor:
    return actor_in(make_organization(session, "Other"))


def fail(session: Session, run_id: UUID) -> None:
    claim = claims.take(session, run_id=run_id, worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(), now=NOW)
    assert claim is not None
    end = AttemptEnd(AttemptState.FAILED, error="It broke.")
    then = Next(RunState.FAILED, Reason.ERROR)
    ledger.put_down(session, run_id=run_id, token=claim.started.token, end=end, then=then, now=NOW)


def start_with(session: Session, actor: Actor, job: Job, schedule: Schedule | None = None, **arguments: object) -> UUID:
    session.flush()
    given = GivenArguments(arguments, scripted_kinds())
    key = str(uuid4())
    if schedule is None:
        return service.run_job_now(session, actor=actor, job_id=job.id, request_key=key, given=given, now=NOW)
    return service.run_schedule_now(
        session, actor=actor, schedule_id=schedule.id, request_key=key, given=given, now=NOW
    )


def draft(job: Job, **changes: object) -> ScheduleDraft:
    values = {"name": "Nightly", "job_id": job.id, "cron": "0 3 * * *", "timezone": "UTC", "spread_key": "k"}
    return ScheduleDraft(**(values | changes))  # type: ignore[arg-type]


def gaps_of(session: Session, schedule: Schedule) -> list[tuple[int, str]]:
    rows = session.scalars(select(Gap).where(Gap.schedule_id == schedule.id))
    return [(gap.slots, gap.reason) for gap in rows]


def slots_run(session: Session, schedule: Schedule) -> list[datetime | None]:
    return list(session.scalars(select(Run.slot_at).where(Run.schedule_id == schedule.id)))


class TestRunNow:
    def test_makes_one_run_of_a_double_click(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job)

        ids = {
            service.run_schedule_now(session, actor=actor, schedule_id=schedule.id, request_key="form-1", now=NOW)
            for _ in range(2)
        }

        assert len(ids) == 1
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == 1

    def test_is_not_for_viewers(self, session: Session, job: Job) -> None:
        viewer = actor_in(job.organization_id, Role.VIEWER)

        with pytest.raises(PermissionMissing, match="needs operator"):
            service.run_job_now(session, actor=viewer, job_id=job.id, request_key="k", now=NOW)

    def test_does_not_find_what_belongs_to_others(self, session: Session, job: Job, stranger: Actor) -> None:
        with pytest.raises(JobNotFound):
            service.run_job_now(session, actor=stranger, job_id=job.id, request_key="k", now=NOW)


class TestParameters:
    def test_take_the_place_of_the_jobs_own_in_that_run(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = start_with(session, actor, job, rows=3)

        assert load_run(session, run_id).definition["arguments"] == {"rows": 3, "pages": 2}

    def test_that_do_not_fit_are_refused(self, session: Session, job: Job, actor: Actor) -> None:
        with pytest.raises(DefinitionInvalid, match="Rows has to be a whole number"):
            start_with(session, actor, job, rows="three")

    @pytest.mark.parametrize("is_scheduled", [False, True])
    def test_of_what_concerns_the_installation_are_for_platform_admins(
        self, session: Session, job: Job, actor: Actor, is_scheduled: bool
    ) -> None:
        job.definition = {**job.definition, "is_for_platform": True}
        schedule = make_schedule(session, job) if is_scheduled else None

        with pytest.raises(ParametersForPlatform, match="Only platform admins may give"):
            start_with(session, actor, job, schedule, rows=3)

        start_with(session, replace(actor, is_platform_admin=True), job, schedule, rows=3)
        start_with(session, actor, job, schedule)

    @pytest.fixture
    def job(self, session: Session) -> Job:
        return make_job(session, make_organization(session), arguments={"rows": 1, "pages": 2})


class TestRetry:
    def test_goes_on_with_what_was_chosen_for_that_run(self, session: Session, actor: Actor, job: Job) -> None:
        job.definition = {"ends": "failed", "arguments": {"rows": 1, "pages": 2}}
        failed = start_with(session, actor, job, rows=3)
        fail(session, failed)
        job.definition = {"ends": "failed", "arguments": {"rows": 1, "pages": 9}}

        retried = service.retry_run(session, actor=actor, run_id=failed, now=NOW)
        fail(session, retried)
        again = service.retry_run(session, actor=actor, run_id=retried, now=NOW)

        for run_id in (retried, again):
            assert load_run(session, run_id).definition["arguments"] == {"rows": 3, "pages": 9}

    def test_where_nobody_chose_anything_is_as_the_job_is_now(self, session: Session, actor: Actor, job: Job) -> None:
        job.definition = {"ends": "failed", "arguments": {"rows": 1}}
        failed = start_with(session, actor, job)
        fail(session, failed)
        job.definition = {"ends": "failed", "arguments": {}}

        retried = service.retry_run(session, actor=actor, run_id=failed, now=NOW)

        assert load_run(session, retried).definition == {"ends": "failed", "arguments": {}}

    def test_makes_a_new_run_that_points_at_the_failed_one(self, session: Session, job: Job, actor: Actor) -> None:
        failed = make_run(session, job, now=NOW)
        fail(session, failed)

        retry_id = service.retry_run(session, actor=actor, run_id=failed, now=NOW)

        retry = load_run(session, retry_id)
        assert (retry.retry_of_run_id, retry.trigger, retry.state) == (failed, "retry", "ready")
        assert load_run(session, failed).state == "failed"

    def test_takes_the_failed_run_off_the_queue_page(self, session: Session, job: Job, actor: Actor) -> None:
        failed = make_run(session, job, now=NOW)
        fail(session, failed)

        service.retry_run(session, actor=actor, run_id=failed, now=NOW)

        assert dead_letters(session, job.organization_id) == []
        assert count_queue(session, organization_id=job.organization_id)[RunState.FAILED] == 0

    def test_happens_once(self, session: Session, job: Job, actor: Actor) -> None:
        failed = make_run(session, job, now=NOW)
        fail(session, failed)
        service.retry_run(session, actor=actor, run_id=failed, now=NOW)

        with pytest.raises(RunNotRetryable, match="retried already"):
            service.retry_run(session, actor=actor, run_id=failed, now=NOW)

    def test_is_only_for_what_failed(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_run(session, job, now=NOW)

        with pytest.raises(RunNotRetryable, match="Only a failed run"):
            service.retry_run(session, actor=actor, run_id=run_id, now=NOW)

    @pytest.mark.parametrize(
        ("gone", "why"),
        [
            ({"left_code_at": NOW, "code_source": "tasks.py:7"}, "is no longer defined in code (it was in tasks.py:7)"),
            ({"deleted_at": NOW}, "was deleted, so there is nothing left to run"),
        ],
    )
    def test_is_not_offered_when_its_job_is_gone(
        self, session: Session, job: Job, actor: Actor, gone: dict[str, Any], why: str
    ) -> None:
        failed = make_run(session, job, now=NOW)
        fail(session, failed)
        session.execute(update(Job).where(Job.id == job.id).values(**gone))

        row = get_run(session, organization_id=job.organization_id, run_id=failed)

        assert (row.can_retry, row.wants_retry) == (False, True)
        assert why in str(row.why_not_retry)
        with pytest.raises(RunNotRetryable, match=re.escape(why)):
            service.retry_run(session, actor=actor, run_id=failed, now=NOW)

    def test_does_not_find_what_belongs_to_others(self, session: Session, job: Job, stranger: Actor) -> None:
        failed = make_run(session, job, now=NOW)
        fail(session, failed)

        with pytest.raises(RunNotFound):
            service.retry_run(session, actor=stranger, run_id=failed, now=NOW)


class TestRemove:
    def test_cancels_a_run_that_waits(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_run(session, job, now=NOW)

        service.remove_run(session, actor=actor, run_id=run_id, now=NOW)

        run = load_run(session, run_id)
        assert (run.state, run.reason) == ("cancelled", "removed")
        assert "ana@example.com" in (run.error or "")

    def test_keeps_the_outcome_of_a_run_that_failed(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_run(session, job, now=NOW)
        fail(session, run_id)

        service.remove_run(session, actor=actor, run_id=run_id, now=NOW)

        assert load_run(session, run_id).state == "failed"
        assert dead_letters(session, job.organization_id) == []

    def test_refuses_a_run_that_is_running(self, session: Session, job: Job, actor: Actor) -> None:
        run_id = make_run(session, job, now=NOW)
        claims.take(session, run_id=run_id, worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(), now=NOW)

        with pytest.raises(RunNotRemovable):
            service.remove_run(session, actor=actor, run_id=run_id, now=NOW)


class TestEditingASchedule:
    def test_still_runs_the_slot_that_was_due_by_the_old_text(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)

        service.edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft(job), version=1, now=NOW)

        assert slots_run(session, schedule) == [NOW]

    def test_moves_the_cursor_and_fires_nothing(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))

        service.edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft(job), version=1, now=NOW)

        session.expire_all()
        assert schedule.next_run_at == utc("2027-01-06 03:00")
        assert slots_run(session, schedule) == []

    def test_writes_old_and_new_values_into_the_audit(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))

        service.edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft(job), version=1, now=NOW)

        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "schedule.edited")).one()
        assert entry.changes["cron"] == ["*/5 * * * *", "0 3 * * *"]

    def test_is_refused_when_somebody_else_was_faster(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, version=2)

        with pytest.raises(ScheduleChanged):
            service.edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft(job), version=1, now=NOW)

    def test_is_refused_when_the_name_is_in_use(self, session: Session, job: Job, actor: Actor) -> None:
        make_schedule(session, job, name="Nightly")
        schedule = make_schedule(session, job)

        with pytest.raises(ScheduleNameTaken):
            service.edit_schedule(session, actor=actor, schedule_id=schedule.id, draft=draft(job), version=1, now=NOW)

    def test_does_not_take_the_job_of_another_organization(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        foreign = make_job(session, make_organization(session, "Other"))

        with pytest.raises(JobNotFound):
            service.edit_schedule(
                session, actor=actor, schedule_id=schedule.id, draft=draft(foreign), version=1, now=NOW
            )


class TestSwitching:
    def test_off_and_on_records_what_passed_meanwhile(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))
        service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=NOW)

        later = NOW + timedelta(minutes=12)
        service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=True, now=later)

        session.expire_all()
        assert gaps_of(session, schedule) == [(2, "paused")]
        assert schedule.next_run_at == NOW + timedelta(minutes=15)
        assert slots_run(session, schedule) == []

    def test_plans_a_slot_that_is_due_before_it_is_switched_off(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)

        service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=NOW)

        assert slots_run(session, schedule) == [NOW]

    def test_twice_is_one_fact(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))

        for _ in range(2):
            service.switch_schedule(session, actor=actor, schedule_id=schedule.id, enabled=False, now=NOW)

        entries = session.scalar(select(func.count()).where(AuditEntry.action == "schedule.disabled"))
        assert entries == 1

    def test_does_not_find_what_belongs_to_others(self, session: Session, job: Job, stranger: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))

        with pytest.raises(ScheduleNotFound):
            service.switch_schedule(session, actor=stranger, schedule_id=schedule.id, enabled=False, now=NOW)


class TestDeleting:
    def test_a_schedule_cancels_its_runs_that_wait(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW)
        planner.tick(session, now=NOW)

        service.delete_schedule(session, actor=actor, schedule_id=schedule.id, now=NOW)

        run = session.scalars(select(Run).where(Run.schedule_id == schedule.id)).one()
        assert (run.state, run.reason) == ("cancelled", "job_deleted")

    def test_a_job_takes_its_schedules_along(self, session: Session, job: Job, actor: Actor) -> None:
        schedule = make_schedule(session, job, next_run_at=NOW + timedelta(minutes=5))

        service.delete_job(session, actor=actor, job_id=job.id, now=NOW)

        session.expire_all()
        assert (schedule.enabled, schedule.deleted_at, job.deleted_at) == (False, NOW, NOW)

    def test_frees_the_name(self, session: Session, job: Job, actor: Actor) -> None:
        first = make_schedule(session, job, name="Nightly", next_run_at=NOW + timedelta(minutes=5))
        service.delete_schedule(session, actor=actor, schedule_id=first.id, now=NOW)

        assert make_schedule(session, job, name="Nightly").name == "Nightly"
