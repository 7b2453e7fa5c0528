"""How long runs usually take, from those that ended well lately. Medians: one stuck run must not move them."""

import statistics
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.runs.models import Run
from app.runs.states import RunState

_LATELY = 50


def typical_of_job(session: Session, *, organization_id: UUID, job_id: UUID) -> timedelta | None:
    """What a run of the job usually takes; None where too few have ended."""
    return _median(session, Run.created_at, Run.organization_id == organization_id, Run.job_id == job_id)


def typical_of_organization(session: Session, *, organization_id: UUID) -> timedelta | None:
    """What a run in the organization usually takes; None where too few have ended."""
    return _median(session, Run.finished_at, Run.organization_id == organization_id, Run.finished_at.is_not(None))


def _median(session: Session, newest: InstrumentedAttribute[Any], *which: ColumnElement[bool]) -> timedelta | None:
    # The last runs of whichever state, by an index: behind a job that only fails lies a long history.
    last = select(Run.state, Run.started_at, Run.finished_at).where(*which).order_by(newest.desc()).limit(_LATELY)
    found = [
        (finished_at - started_at).total_seconds()
        for state, started_at, finished_at in session.execute(last)
        if state == RunState.SUCCEEDED.value and started_at is not None and finished_at is not None
    ]
    return timedelta(seconds=statistics.median(found)) if found else None
