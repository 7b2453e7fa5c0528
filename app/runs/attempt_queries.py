"""Reads of the tries of runs, as frozen rows. Every one is scoped to an organization."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.policies import ErrorClass
from app.runs.models import Attempt
from app.runs.progress import Progress
from app.runs.states import AttemptState


@dataclass(frozen=True)
class AttemptRow:
    """One try of a run."""

    token: int
    number: int
    state: AttemptState
    worker: str
    error: str | None
    detail: str | None
    result: dict[str, Any]
    started_at: datetime
    finished_at: datetime | None
    progress: Progress | None
    error_class: ErrorClass | None
    come_back_at: datetime | None

    @property
    def duration(self) -> timedelta | None:
        return None if self.finished_at is None else self.finished_at - self.started_at


def list_attempts(session: Session, *, organization_id: UUID, run_id: UUID) -> list[AttemptRow]:
    """The tries of a run, in order."""
    query = select(Attempt).where(Attempt.organization_id == organization_id, Attempt.run_id == run_id)
    return [_attempt(row) for row in session.scalars(query.order_by(Attempt.token))]


def newest_progress(session: Session, *, organization_id: UUID, run_id: UUID) -> Progress | None:
    """How far the newest try of a run has come, as it said itself."""
    query = select(Attempt).where(Attempt.organization_id == organization_id, Attempt.run_id == run_id)
    row = session.scalars(query.order_by(Attempt.token.desc()).limit(1)).first()
    return None if row is None else _progress(row)


def _attempt(row: Attempt) -> AttemptRow:
    return AttemptRow(
        token=row.token,
        number=row.number,
        state=AttemptState(row.state),
        worker=row.worker,
        error=row.error,
        detail=row.detail,
        result=row.result,
        started_at=row.started_at,
        finished_at=row.finished_at,
        progress=_progress(row),
        error_class=None if row.error_class is None else ErrorClass(row.error_class),
        come_back_at=row.come_back_at,
    )


def _progress(row: Attempt) -> Progress | None:
    if row.progress_done is None:
        return None
    return Progress(row.progress_done, row.progress_total, row.progress_text or "")
