"""Which schedules read from a connection, and which of them were switched off because it could not be read."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.core.questions import Question
from app.jobs.models import Job, connection_of_job
from app.jobs.sync_jobs import reads_from
from app.schedules.connection_pauses import PAUSED_BY, is_paused_for_connection
from app.schedules.models import Schedule


@dataclass(frozen=True)
class ConnectionSchedule:
    """A schedule of a job that reads from a connection.

    `is_paused_for_it`: it was switched off with the connection, and nobody has switched it since.
    """

    id: UUID
    name: str
    enabled: bool
    is_paused_for_it: bool
    next_run_at: datetime | None


def schedules_of_connection(
    session: Session, *, organization_id: UUID, connection_id: UUID
) -> list[ConnectionSchedule]:
    """Those of one connection, by name."""
    found = schedules_of_connections(session, organization_id=organization_id, connection_ids=[connection_id])
    return found.get(connection_id, [])


def schedules_of_connections(
    session: Session, *, organization_id: UUID, connection_ids: Collection[UUID]
) -> dict[UUID, list[ConnectionSchedule]]:
    """Those of some connections, by name. A connection without any is left out."""
    found: dict[UUID, list[ConnectionSchedule]] = defaultdict(list)
    if not connection_ids:
        return found
    columns = Schedule.id, Schedule.name, Schedule.enabled, Schedule.switched_by, Schedule.next_run_at
    query = (
        select(*columns, connection_of_job().label("connection_id"))
        .join(Job, (Job.id == Schedule.job_id) & (Job.organization_id == Schedule.organization_id))
        .where(Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
        .where(*reads_from(connection_ids))
        .order_by(Schedule.name, Schedule.id)
    )
    for row in session.execute(query):
        is_paused = is_paused_for_connection(enabled=row.enabled, switched_by=row.switched_by)
        next_run_at = row.next_run_at if row.enabled else None
        found[UUID(row.connection_id)].append(ConnectionSchedule(row.id, row.name, row.enabled, is_paused, next_run_at))
    return found


def paused_by_connection(organization_id: UUID) -> Question[dict[UUID, int]]:
    """How many schedules are switched off because their connection cannot be read, by connection."""
    connection_id = connection_of_job().label("connection_id")
    query = (
        select(connection_id, func.count().label("schedules"))
        .select_from(Schedule)
        .join(Job, (Job.id == Schedule.job_id) & (Job.organization_id == Schedule.organization_id))
        .where(Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None))
        .where(Schedule.enabled.is_(False), Schedule.switched_by.startswith(PAUSED_BY))
        .where(connection_id.is_not(None))
        .group_by(connection_id)
    )
    return Question(query, lambda rows: {UUID(row.connection_id): row.schedules for row in rows})
