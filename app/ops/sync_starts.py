"""When the next sync of a connection begins, or began: by a schedule, or because a run of it has no end yet."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.jobs.models import Job, connection_of_job
from app.jobs.sync_jobs import reads_from
from app.runs.models import Run
from app.runs.states import ACTIVE, RunState
from app.schedules.of_connections import schedules_of_connections


def next_starts(session: Session, *, organization_id: UUID, connection_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Of each connection that anything reads. Two statements, or none."""
    if not connection_ids:
        return {}
    found = _under_way(session, organization_id, connection_ids)
    schedules = schedules_of_connections(session, organization_id=organization_id, connection_ids=connection_ids)
    for connection_id, rows in schedules.items():
        starts = [row.next_run_at for row in rows if row.next_run_at is not None]
        starts += [found[connection_id]] if connection_id in found else []
        if starts:
            found[connection_id] = min(starts)
    return found


def _under_way(session: Session, organization_id: UUID, connection_ids: Collection[UUID]) -> dict[UUID, datetime]:
    query = (
        select(connection_of_job().label("connection_id"), Run.state, Run.started_at, Run.ready_at)
        .select_from(Job)
        .join(Run, (Run.organization_id == Job.organization_id) & (Run.job_id == Job.id))
        .where(Job.organization_id == organization_id, *reads_from(connection_ids))
        # By words, which an index leads to.
        .where(Run.organization_id == organization_id, Run.state.in_([state.value for state in ACTIVE]))
    )
    found: dict[UUID, datetime] = {}
    for row in session.execute(query):
        begins = row.started_at if row.state == RunState.RUNNING.value else row.ready_at
        connection_id = UUID(row.connection_id)
        found[connection_id] = min(begins, found.get(connection_id, begins))
    return found
