"""Commands of people on runs, and those on jobs and schedules that concern slots and runs as well."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.jobs import service as jobs
from app.jobs.given_arguments import GivenArguments, checked_arguments
from app.jobs.kinds.base import JobKinds
from app.jobs.kinds.definitions import chosen_arguments, with_chosen
from app.jobs.models import Job
from app.jobs.queries import get_job
from app.jobs.service import JobDraft
from app.runs import interventions, ledger, planner
from app.runs.facts import via_of
from app.runs.line_lock import lock_line
from app.runs.manual_runs import open_manual_run
from app.runs.models import Run
from app.runs.queries import RunRow, get_run, keep_run
from app.runs.resuming import make_up, missed_meanwhile, refuse_others
from app.runs.states import Reason, RunState, Trigger
from app.schedules import defaults
from app.schedules import service as schedules
from app.schedules.code_origin import refuse_left
from app.schedules.policies import Missed
from app.schedules.queries import get_schedule, list_schedules_of_job, lock_schedule
from app.schedules.service import ScheduleDraft
from app.schedules.slot_accounts import NOTHING_MADE_UP, MadeUp
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record


class RunNotRetryable(Conflict):
    """The run did not fail, or somebody retried it already."""


class RunNotRemovable(Conflict):
    """The run is running or over."""


def run_schedule_now(
    session: Session,
    *,
    actor: Actor,
    schedule_id: UUID,
    request_key: str,
    now: datetime,
    given: GivenArguments | None = None,
) -> UUID:
    """Start a schedule's job by hand. The same key twice is one run. Returns the run's id.

    What is `given` takes the place of the job's own arguments in this run. A sync without a connection is skipped, and
    its run says what to do. Raises DefinitionInvalid and ParametersForPlatform.
    """
    require(actor, Permission.RUN)
    schedule = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    refuse_left(schedule.code)
    job = get_job(session, organization_id=actor.organization_id, job_id=schedule.job_id)
    jobs.refuse_left_code(job)
    arguments = checked_arguments(actor, job, given)
    return _run_now(session, actor, schedule.job_id, schedule_id, schedule.name, request_key, arguments, now)


def run_job_now(
    session: Session,
    *,
    actor: Actor,
    job_id: UUID,
    request_key: str,
    now: datetime,
    given: GivenArguments | None = None,
) -> UUID:
    """Start a job by hand. The same key twice is one run. Returns the run's id.

    What is `given` takes the place of the job's own arguments in this run.
    Raises DefinitionInvalid and ParametersForPlatform.
    """
    require(actor, Permission.RUN)
    job = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    jobs.refuse_left_code(job)
    return _run_now(session, actor, job_id, None, job.name, request_key, checked_arguments(actor, job, given), now)


def retry_run(session: Session, *, actor: Actor, run_id: UUID, now: datetime) -> UUID:
    """Give a failed run another go, as its job is defined now, with what somebody chose for that run alone.

    Raises RunNotRetryable.
    """
    require(actor, Permission.MANAGE_QUEUE)
    keep_run(session, organization_id=actor.organization_id, run_id=run_id)
    failed = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    if failed.why_not_retry is not None:
        raise RunNotRetryable(failed.why_not_retry)
    retry_id = open_retry(session, actor=actor, run=failed, now=now)
    _note(session, actor, "run.retried", run_id, f"Retried a failed run of “{failed.job_name}”", now)
    return retry_id


def open_retry(session: Session, *, actor: Actor, run: RunRow, now: datetime, ready_at: datetime | None = None) -> UUID:
    """Open the run that follows one that is over, as its job is defined now. It does not start before `ready_at`.

    Raises RunNotRetryable.
    """
    if run.job_gone is not None:
        raise RunNotRetryable(run.job_gone)
    request = planner.request_for(
        session.get_one(Job, run.job_id),
        trigger=Trigger.RETRY,
        due_at=now,
        schedule_id=run.schedule_id,
        requested_by=actor.user_id,
        requested_via=via_of(actor),
        retry_of_run_id=run.id,
    )
    request = replace(request, definition=_as_started(session, run.id, request.definition))
    retry_id = ledger.open_run(session, request, now=now, ready_at=ready_at)
    if retry_id is None:
        raise RunNotRetryable("Somebody else has retried this run already.")
    return retry_id


def remove_run(session: Session, *, actor: Actor, run_id: UUID, now: datetime) -> None:
    """Take a run off the queue: one that waits is cancelled, one that failed is no longer listed there."""
    require(actor, Permission.MANAGE_QUEUE)
    run = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    if run.state is RunState.FAILED:
        is_removed = interventions.dismiss(session, run_id=run_id, organization_id=actor.organization_id, now=now)
    else:
        is_removed = interventions.cancel(
            session,
            run_id=run_id,
            organization_id=actor.organization_id,
            reason=Reason.REMOVED,
            explanation=f"{actor.label} removed it before it started.",
            now=now,
        )
    if not is_removed:
        raise RunNotRemovable("This run is no longer waiting, so there is nothing to remove.")
    _note(session, actor, "run.removed", run_id, f"Removed a run of “{run.job_name}” from the queue", now)


def edit_schedule(
    session: Session, *, actor: Actor, schedule_id: UUID, draft: ScheduleDraft, version: int, now: datetime,
    missed: Missed = Missed.SKIP, seen: int | None = None, restored_from: int | None = None,
) -> None:  # fmt: skip
    """Change a schedule. A slot that is due already still runs by what the schedule said at that time.

    Where the change switches it on, `missed` says what becomes of the slots that it missed while it was off.
    Raises MissedMoreMeanwhile where they are other ones than somebody saw, `seen` in number, and chose to run.
    """
    _plan_first(session, actor, schedule_id, now)
    made_up = _make_up(session, actor, schedule_id, missed, seen, now) if draft.enabled else NOTHING_MADE_UP
    schedules.edit_schedule(
        session, actor=actor, schedule_id=schedule_id, draft=draft, version=version, now=now, made_up=made_up,
        restored_from=restored_from,
    )  # fmt: skip


def change_default(
    session: Session, *, actor: Actor, service: str, cron: str, is_enabled: bool, timezone: str, now: datetime,
    missed: Missed = Missed.SKIP, seen: int | None = None,
) -> None:  # fmt: skip
    """Say when the default schedule of a service runs. A slot that is due already still runs as it was.

    Where that switches it on, `missed` says what becomes of the slots that it missed while it was off.
    Raises MissedMoreMeanwhile where they are other ones than somebody saw, `seen` in number, and chose to run.
    """
    found = defaults.find_default(session, organization_id=actor.organization_id, service=service)
    lock_schedule(session, organization_id=actor.organization_id, schedule_id=found.id)
    _plan_first(session, actor, found.id, now)
    made_up = _make_up(session, actor, found.id, missed, seen, now) if is_enabled else NOTHING_MADE_UP
    defaults.change_default(
        session, actor=actor, service=service, cron=cron, is_enabled=is_enabled, timezone=timezone, now=now,
        made_up=made_up,
    )  # fmt: skip


def switch_schedule(
    session: Session, *, actor: Actor, schedule_id: UUID, enabled: bool, now: datetime, missed: Missed = Missed.SKIP,
    seen: int | None = None,
) -> MadeUp:  # fmt: skip
    """Switch a schedule on or off. A slot that is due already is planned before it is switched off.

    `missed` says what becomes of the slots that it missed while it was off. Returns what became of them.
    Raises MissedMoreMeanwhile where they are other ones than somebody saw, `seen` in number, and chose to run.
    """
    # Two who switch it on at once must not both account for the time in which it was off.
    lock_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    _plan_first(session, actor, schedule_id, now)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    made_up = NOTHING_MADE_UP
    if enabled:
        refuse_others(before, missed=missed, seen=seen, now=now)
        slots = missed_meanwhile(before, now=now)
        made_up = replace(make_up(session, before, missed=missed, now=now), missed=slots)
    schedules.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=enabled, now=now, made_up=made_up)
    return made_up


def delete_schedule(session: Session, *, actor: Actor, schedule_id: UUID, now: datetime) -> None:
    """Delete a schedule and cancel its runs that wait. A run that is going on ends by itself; history stays.

    Raises ScheduleIsDefault for one that every organization has.
    """
    _plan_first(session, actor, schedule_id, now)
    schedules.mark_deleted(session, actor=actor, schedule_id=schedule_id, now=now)
    _cancel_waiting(session, actor, Run.schedule_id == schedule_id, "Its schedule was deleted.", now)


def revise_job(
    session: Session, *, actor: Actor, kinds: JobKinds, job_id: UUID, draft: JobDraft, revision: int, now: datetime
) -> None:
    """Change a job. Whoever calls it dispatches after the commit.

    What was called by another limit of it and has not started waits for its turn again.
    """
    require(actor, Permission.EDIT_JOBS)
    before = get_job(session, organization_id=actor.organization_id, job_id=job_id)
    has_other_limit = draft.concurrency != before.concurrency
    if has_other_limit:
        # Whoever calls runs just now does so by the limit of before, and is done first.
        lock_line(session)
    jobs.revise_job(session, actor=actor, kinds=kinds, job_id=job_id, draft=draft, revision=revision, now=now)
    if has_other_limit:
        ledger.forget_hints(session, Run.job_id == job_id, Run.organization_id == actor.organization_id)


def delete_job(session: Session, *, actor: Actor, job_id: UUID, now: datetime) -> None:
    """Delete a job with its schedules and cancel its runs that wait. History stays. Raises ScheduleIsDefault."""
    require(actor, Permission.EDIT_JOBS)
    for schedule in list_schedules_of_job(session, organization_id=actor.organization_id, job_id=job_id):
        delete_schedule(session, actor=actor, schedule_id=schedule.id, now=now)
    jobs.mark_deleted(session, actor=actor, job_id=job_id, now=now)
    _cancel_waiting(session, actor, Run.job_id == job_id, "Its job was deleted.", now)


def _run_now(
    session: Session,
    actor: Actor,
    job_id: UUID,
    schedule_id: UUID | None,
    name: str,
    request_key: str,
    arguments: dict[str, Any],
    now: datetime,
) -> UUID:
    made = open_manual_run(
        session, actor=actor, job_id=job_id, schedule_id=schedule_id, request_key=request_key, chosen=arguments,
        now=now,
    )  # fmt: skip
    if made.is_new:
        _note(session, actor, "run.requested", made.id, f"Started “{name}” by hand", now)
    return made.id


def _as_started(session: Session, run_id: UUID, definition: dict[str, Any]) -> dict[str, Any]:
    """What the job is now, with the arguments that somebody, or a chain, chose for the run."""
    before = session.scalars(select(Run.definition).where(Run.id == run_id)).one()
    return with_chosen(definition, chosen_arguments(before))


def _plan_first(session: Session, actor: Actor, schedule_id: UUID, now: datetime) -> None:
    require(actor, Permission.EDIT_SCHEDULES)
    planner.plan_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id, now=now)


def _make_up(
    session: Session, actor: Actor, schedule_id: UUID, missed: Missed, seen: int | None, now: datetime
) -> MadeUp:
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    refuse_others(before, missed=missed, seen=seen, now=now)
    return make_up(session, before, missed=missed, now=now)


def _cancel_waiting(
    session: Session, actor: Actor, which: ColumnElement[bool], explanation: str, now: datetime
) -> None:
    waiting = [RunState.READY.value, RunState.WAITING.value, RunState.WAITING_RETRY.value]
    query = select(Run.id).where(which, Run.organization_id == actor.organization_id, Run.state.in_(waiting))
    for run_id in session.scalars(query).all():
        interventions.cancel(
            session,
            run_id=run_id,
            organization_id=actor.organization_id,
            reason=Reason.JOB_DELETED,
            explanation=explanation,
            now=now,
        )


def _note(session: Session, actor: Actor, action: str, run_id: UUID, summary: str, now: datetime) -> None:
    record(session, actor=actor, action=action, subject_kind="run", subject_id=run_id, summary=summary, now=now)
