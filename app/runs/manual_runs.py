"""Runs that somebody asks for by hand. Who may, and what is noted of it, is said by the commands: service, repeats."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import digest
from app.jobs.kinds.definitions import with_chosen
from app.jobs.models import Job
from app.runs import planner
from app.runs.facts import via_of
from app.runs.models import Run
from app.runs.states import Trigger
from app.tenants.access import Actor

# A double click, or a form that a browser or proxy sends again, comes within this time; what comes later is meant.
_ONE_PRESS = timedelta(minutes=1)


@dataclass(frozen=True)
class ManualRun:
    """A run as it was asked for. `is_new` is False for the second of two requests with one key, which make one run."""

    id: UUID
    is_new: bool


@dataclass(frozen=True)
class Press:
    """A press of a button. `key` is that of the run it stands for; `is_again` says that this run was made before."""

    key: str
    is_again: bool = False


def press_of(session: Session, *, organization_id: UUID, request_key: str, now: datetime) -> Press:
    """Which press of a button it is, by the key that its page carries.

    A page may stay as it is for hours, paused or without a script. Its key stands for one press, and after a minute
    for the next one, so that nobody is told of an old run as if it had just begun. Two presses at once are one still.
    """
    key = request_key
    while True:
        mine = Run.organization_id == organization_id, Run.request_key == key
        found = session.execute(select(Run.id, Run.created_at).where(*mine)).one_or_none()
        if found is None or now - found.created_at <= _ONE_PRESS:
            return Press(key, is_again=found is not None)
        key = digest(f"press {request_key} after {found.id}")


def open_manual_run(
    session: Session, *, actor: Actor, job_id: UUID, schedule_id: UUID | None, request_key: str,
    chosen: dict[str, Any], now: datetime, again_of_run_id: UUID | None = None,
) -> ManualRun:  # fmt: skip
    """Add a run of a job as it is defined now, with what was `chosen` in the place of the job's own arguments.

    A sync without a connection is skipped, and its run says what to do.
    """
    request = planner.request_for(
        session.get_one(Job, job_id),
        trigger=Trigger.MANUAL,
        due_at=now,
        schedule_id=schedule_id,
        requested_by=actor.user_id,
        requested_via=via_of(actor),
        request_key=request_key,
    )
    definition = with_chosen(request.definition, chosen)
    request = replace(request, definition=definition, again_of_run_id=again_of_run_id)
    run_id = planner.open_or_skip(session, request, now=now)
    if run_id is not None:
        return ManualRun(run_id, is_new=True)
    # The first click made the run; the second is told the same.
    query = select(Run.id).where(Run.organization_id == actor.organization_id, Run.request_key == request_key)
    return ManualRun(session.scalars(query).one(), is_new=False)
