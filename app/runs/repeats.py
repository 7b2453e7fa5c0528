"""Running again: what a run did, once more, with the same parameters or with others. Retries are in service.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.core.errors import Conflict
from app.jobs.given_arguments import GivenArguments, checked_arguments
from app.jobs.kinds.base import JobKinds
from app.jobs.kinds.definitions import chosen_arguments
from app.jobs.queries import JobRow, get_job
from app.runs.manual_runs import open_manual_run
from app.runs.models import Run
from app.runs.queries import RunRow, definition_of_run, get_run
from app.tenants.access import Actor, Permission, require
from app.tenants.audit import record

# Of each run, however often somebody asked for it again.
MOST_AGAIN = 20


class RunNotRepeatable(Conflict):
    """The run has not ended, or its job cannot be started any more."""


def run_again(
    session: Session,
    *,
    actor: Actor,
    kinds: JobKinds,
    run_id: UUID,
    request_key: str,
    now: datetime,
    parameters: Mapping[str, Any] | None = None,
) -> UUID:
    """Start the job of a run that has ended once more, as it is defined now. Returns the id of the new run.

    Without `parameters` with what was chosen for the old run; else with these in the place of the job's own, and with
    what the old run had where they are its mask.
    The same key twice is one run. Raises RunNotRepeatable, DefinitionInvalid and ParametersForPlatform.
    """
    require(actor, Permission.RUN)
    before = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    if before.why_not_again is not None:
        raise RunNotRepeatable(before.why_not_again)
    chosen = _chosen(session, actor, kinds, before, parameters)
    made = open_manual_run(
        session, actor=actor, job_id=before.job_id, schedule_id=before.schedule_id, request_key=request_key,
        chosen=chosen, now=now, again_of_run_id=run_id,
    )  # fmt: skip
    if made.is_new:
        _note(session, actor, before, made.id, parameters, now)
    return made.id


def parameters_of_run(session: Session, *, run: RunRow) -> dict[str, Any]:
    """The arguments that a run had in all, the job's own and those that were chosen for it."""
    arguments = definition_of_run(session, run=run).get("arguments")
    return dict(arguments) if isinstance(arguments, dict) else {}


def arguments_to_repeat(session: Session, *, run: RunRow, job: JobRow) -> dict[str, Any]:
    """What a run that is this one once more starts from: what it had, and what its job has got since."""
    return {**job.definition.get("arguments", {}), **parameters_of_run(session, run=run)}


def list_again(session: Session, *, organization_id: UUID, run_id: UUID) -> list[UUID]:
    """The runs that are this one once more, the newest first; the last ones of many."""
    # Asked of the old run: for an organization a database might go through all of its runs in their order.
    old = aliased(Run)
    mine = select(old.id).where(old.id == run_id, old.organization_id == organization_id).scalar_subquery()
    query = select(Run.id).where(Run.again_of_run_id == mine).order_by(Run.created_at.desc())
    return list(session.scalars(query.limit(MOST_AGAIN)))


def _chosen(
    session: Session, actor: Actor, kinds: JobKinds, before: RunRow, parameters: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Checked against what the job takes now. Whoever may not choose them may not choose them by an old run either."""
    wanted = chosen_arguments(definition_of_run(session, run=before)) if parameters is None else parameters
    if parameters is None and not wanted:
        return {}
    job = get_job(session, organization_id=actor.organization_id, job_id=before.job_id)
    had = arguments_to_repeat(session, run=before, job=job)
    return checked_arguments(actor, job, GivenArguments(wanted, kinds), stored=had)


def _note(
    session: Session, actor: Actor, before: RunRow, run_id: UUID, parameters: Mapping[str, Any] | None, now: datetime
) -> None:
    with_what = "with the same parameters" if parameters is None else "with other parameters"
    record(
        session,
        actor=actor,
        action="run.repeated",
        subject_kind="run",
        subject_id=run_id,
        summary=f"Ran “{before.job_name}” again {with_what}",
        changes={"run": [str(before.id), str(run_id)]},
        now=now,
    )
