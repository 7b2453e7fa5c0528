"""What a run starts when it has ended, because its job says so at that moment. Chains themselves are in app.jobs."""

import logging
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from app.core.db import OUTAGES
from app.core.ids import digest
from app.events.service import Topic, append_event
from app.jobs.chains import why_not_started
from app.jobs.kinds.definitions import with_chosen
from app.jobs.models import Job, JobChain
from app.jobs.policies import ChainOutcome
from app.runs import ledger, planner
from app.runs.models import Run
from app.runs.states import Reason, RunState, Trigger

log = logging.getLogger(__name__)

# A run that was cancelled or skipped went neither well nor badly, and starts nothing.
_AFTER = {RunState.SUCCEEDED: ChainOutcome.SUCCESS, RunState.FAILED: ChainOutcome.FAILURE}


def follow(session: Session, *, run_id: UUID, now: datetime) -> bool:
    """Open the runs that follow from the end of this one; none while it has not ended. For whoever has just ended it.

    Called again it opens none. Always true: that it ended stays true whatever follows.
    """
    for chain in session.execute(_chains_of(run_id)).all():
        try:
            with session.begin_nested():
                _open(session, run_id, chain, now)
        except OUTAGES:
            # The database, not the job: the end is written again, and what follows with it.
            raise
        except Exception as error:
            # A job that cannot be read must not keep the run before it from ending.
            log.exception("a chained run was not opened", extra={"run_id": str(run_id), "job_id": str(chain.job_id)})
            _tell(session, run_id, chain, error, now)
    return True


def _open(session: Session, run_id: UUID, chain: Row[Any], now: datetime) -> None:
    job = session.scalars(select(Job).where(Job.id == chain.then_job_id, Job.deleted_at.is_(None))).one_or_none()
    if job is None:
        return
    request = planner.request_for(
        job,
        trigger=Trigger.CHAIN,
        due_at=now,
        request_key=digest(f"chain {chain.id} {run_id}"),
        cause_run_id=run_id,
    )
    request = replace(request, definition=with_chosen(request.definition, chain.parameters))
    why = why_not_started(job.name, kind=job.kind, definition=job.definition, left_code_at=job.left_code_at)
    if why is None:
        planner.open_or_skip(session, request, now=now)
        return
    # Recorded, for somebody expects it: a worker could only fail to find what left, and groups could go on for ever.
    reason = Reason.ENDLESS if job.left_code_at is None else Reason.LEFT_CODE
    ledger.open_run(session, request, now=now, state=RunState.SKIPPED, reason=reason, explanation=why)


def _chains_of(run_id: UUID) -> Select[Any]:
    ended = or_(*(and_(Run.state == state.value, JobChain.outcome == end.value) for state, end in _AFTER.items()))
    same_job = and_(JobChain.organization_id == Run.organization_id, JobChain.job_id == Run.job_id)
    return (
        select(JobChain.id, JobChain.organization_id, JobChain.job_id, JobChain.then_job_id, JobChain.parameters)
        .join(Run, same_job)
        .where(Run.id == run_id, ended)
        .order_by(JobChain.created_at, JobChain.id)
    )


def _tell(session: Session, run_id: UUID, chain: Row[Any], error: Exception, now: datetime) -> None:
    append_event(
        session,
        organization_id=chain.organization_id,
        topic=Topic.RUNS,
        kind="run.chain_failed",
        subject_id=run_id,
        now=now,
        data={"job_id": str(chain.then_job_id), "text": f"The run that follows could not be opened: {error}"},
    )
