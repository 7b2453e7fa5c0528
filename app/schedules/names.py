"""What schedules are called: a column or two of each, for those who need no more of them."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.called import Named, list_called
from app.core.questions import Question, ask
from app.schedules.models import Schedule

_MOST_MEANT = 3


def schedules_by_job(session: Session, *, organization_id: UUID) -> dict[UUID, list[tuple[UUID, str]]]:
    """Of each job that has schedules: their ids and names, by name."""
    here = (Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
    query = select(Schedule.job_id, Schedule.id, Schedule.name).where(*here).order_by(Schedule.name)
    found: dict[UUID, list[tuple[UUID, str]]] = {}
    for job_id, schedule_id, name in session.execute(query):
        found.setdefault(job_id, []).append((schedule_id, name))
    return found


def schedule_names(session: Session, *, organization_id: UUID, schedule_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of these schedules, of those that are not deleted."""
    return ask(session, names_of_schedules(organization_id=organization_id, schedule_ids=schedule_ids))


def names_of_schedules(*, organization_id: UUID, schedule_ids: Collection[UUID]) -> Question[dict[UUID, str]]:
    """The same as a question."""
    mine = (Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
    query = select(Schedule.id, Schedule.name).where(*mine, Schedule.id.in_(schedule_ids))
    return Question(query, lambda rows: {row.id: row.name for row in rows})


def schedules_called(session: Session, *, organization_id: UUID, text: str, limit: int) -> list[Named]:
    """Schedules of an organization with this text in their name, the likeliest first. Deleted ones are none of them."""
    mine = select(Schedule.id, Schedule.name).where(
        Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    )
    return list_called(session, mine, Schedule.name, text, limit=limit)


def names_like(session: Session, *, organization_id: UUID, name: str) -> list[str]:
    """The names of schedules that are called so in other letters."""
    here = Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    alike = select(Schedule.name).where(*here, func.lower(Schedule.name) == name.strip().lower())
    return list(session.scalars(alike.order_by(Schedule.name).limit(_MOST_MEANT)))
