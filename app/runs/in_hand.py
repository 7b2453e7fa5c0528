"""The runs that workers have in hand now, of all organizations, without what they are about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.questions import Question, ask
from app.runs.models import Run, in_state
from app.runs.states import RunState

_MOST = 500


@dataclass(frozen=True)
class RunInHand:
    """A run that goes on."""

    id: UUID
    job_name: str
    queue: str
    worker: str | None
    started_at: datetime | None


def runs_in_hand() -> Question[list[RunInHand]]:
    """The runs that go on, those that began first coming first. Works as PLATFORM."""
    query = (
        select(Run.id, Run.job_name, Run.queue, Run.worker, Run.started_at)
        .where(in_state(RunState.RUNNING))
        .order_by(Run.started_at)
        .limit(_MOST)
    )
    return Question(query, lambda rows: [RunInHand(*row) for row in rows])


def going_on_since(
    session: Session, *, organization_id: UUID, schedule_id: UUID | None = None, job_id: UUID | None = None
) -> datetime | None:
    """When the run began that goes on of a schedule or a job, of several the first; None where none does."""
    which = Run.job_id == job_id if schedule_id is None else Run.schedule_id == schedule_id
    query = select(func.min(Run.started_at)).where(Run.organization_id == organization_id, in_state(RunState.RUNNING))
    return session.scalar(query.where(which))


def count_in_hand(session: Session) -> dict[str, int]:
    """How many runs each worker has in hand, by its name. Works as PLATFORM."""
    return ask(session, numbers_in_hand())


def numbers_in_hand() -> Question[dict[str, int]]:
    """The same as a question."""
    query = select(Run.worker, func.count()).where(in_state(RunState.RUNNING), Run.worker.is_not(None))
    return Question(query.group_by(Run.worker), lambda rows: {worker or "": runs for worker, runs in rows})
