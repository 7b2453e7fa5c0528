"""Runs that a run starts and waits for. When its wait is over is said in waits.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database
from app.core.errors import Conflict
from app.core.ids import digest
from app.core.patience import patiently
from app.core.scopes import Scope
from app.jobs.kinds.base import ChildCounts, JobKinds, KindName
from app.jobs.models import Job
from app.runs import ledger, planner
from app.runs.facts import Started
from app.runs.models import Run
from app.runs.states import TERMINAL, Reason, RunState, Trigger

_FAILURES = {RunState.FAILED, RunState.MISSED}


class RunLost(Conflict):
    """The run is no longer this attempt's, so it starts nothing."""


@dataclass(frozen=True)
class ChildRuns:
    """What attempts ask about the runs that they start. A database that is away for a moment is waited for."""

    database: Database
    clock: Clock
    kinds: JobKinds
    patience_seconds: float

    def start(self, parent: Started, group: str | None) -> int:
        """Open the runs of a group's functions, or of all, once. Returns how many there are. Raises RunLost."""

        def ask(session: Session) -> int:
            return open_children(session, parent=parent, group=group, kinds=self.kinds, now=self.clock.now(session))

        scope = Scope.tenant(parent.organization_id)
        return patiently(lambda: self.database.run(scope, ask), seconds=self.patience_seconds)

    def count(self, parent: Started) -> ChildCounts | None:
        """How those runs stand; None when there are none."""

        def ask() -> ChildCounts | None:
            with self.database.reading(Scope.tenant(parent.organization_id)) as session:
                return count_children(session, organization_id=parent.organization_id, run_id=parent.run_id)

        return patiently(ask, seconds=self.patience_seconds)


def open_children(session: Session, *, parent: Started, group: str | None, kinds: JobKinds, now: datetime) -> int:
    """Open a run of every function of the code that is in a group, or of all functions, once for a parent.

    That of a job that is known to have a mistake is recorded as skipped, and says which. Returns how many it has then:
    also those that were opened before, for an answer that never came is asked for again.
    Raises RunLost when the parent is no longer this attempt's.
    """
    # Held until the commit, so two tries of one run never open some each.
    if not ledger.hold(session, run_id=parent.run_id, token=parent.token):
        raise RunLost("Another worker has taken this run over, so this try starts nothing.")
    before = count_children(session, organization_id=parent.organization_id, run_id=parent.run_id)
    if before is not None:
        return before.total
    opened = 0
    for job in _functions(session, parent, group):
        request = planner.request_for(
            job,
            trigger=Trigger.GROUP,
            due_at=now,
            request_key=digest(f"child {parent.run_id} {job.id}"),
            parent_run_id=parent.run_id,
        )
        why = kinds[request.kind].why_not_startable(request.definition) if request.kind in kinds else None
        held: dict[str, Any] = (
            {} if why is None else {"state": RunState.SKIPPED, "reason": Reason.MISTAKE, "explanation": why}
        )
        opened += ledger.open_run(session, request, now=now, **held) is not None
    return opened


def count_children(session: Session, *, organization_id: UUID, run_id: UUID) -> ChildCounts | None:
    """How the runs stand that a run started; None when it started none."""
    query = select(Run.state, Run.job_name).where(Run.parent_run_id == run_id, Run.organization_id == organization_id)
    found = [(RunState(state), name) for state, name in session.execute(query.order_by(Run.job_name))]
    if not found:
        return None
    succeeded = sum(state is RunState.SUCCEEDED for state, _ in found)
    failed = tuple(name for state, name in found if state in _FAILURES)
    skipped = tuple(name for state, name in found if state is RunState.SKIPPED)
    running = sum(state not in TERMINAL for state, _ in found)
    # The rest was ended before it could say how it goes.
    cancelled = len(found) - succeeded - len(failed) - len(skipped) - running
    return ChildCounts(len(found), succeeded, len(failed), cancelled, running, failed, skipped)


def _functions(session: Session, parent: Started, group: str | None) -> list[Job]:
    query = select(Job).where(
        Job.organization_id == parent.organization_id,
        Job.kind == KindName.CODE.value,
        Job.code_name.is_not(None),
        Job.left_code_at.is_(None),
        Job.deleted_at.is_(None),
        Job.id != parent.job_id,
    )
    if group is not None:
        query = query.where(Job.code_group == group)
    # What starts others is started by nobody but its schedule and people: groups in groups would have no end.
    return [job for job in session.scalars(query.order_by(Job.name)) if "group" not in job.definition]
