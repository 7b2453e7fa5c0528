"""When the next sync of a connection begins, or began: by a schedule, or because a run of it has no end yet."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.core.questions import Question, ask_together
from app.jobs.models import Job, connection_of_job
from app.jobs.sync_jobs import reads_from
from app.runs.models import Run
from app.runs.states import ACTIVE, RunState
from app.schedules.models import Schedule

_Starts = Question[dict[UUID, datetime]]


def next_starts(session: Session, *, organization_id: UUID, connection_ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Of each connection that anything reads. One statement, or none."""
    if not connection_ids:
        return {}
    asked = _planned(organization_id, connection_ids), _under_way(organization_id, connection_ids)
    planned, under_way = ask_together(session, *asked)
    both = planned.keys() & under_way.keys()
    return {**planned, **under_way, **{one: min(planned[one], under_way[one]) for one in both}}


def _planned(organization_id: UUID, connection_ids: Collection[UUID]) -> _Starts:
    connection_id = connection_of_job().label("connection_id")
    query = (
        select(connection_id, func.min(Schedule.next_run_at).label("begins"))
        .select_from(Job)
        .join(Schedule, (Schedule.organization_id == Job.organization_id) & (Schedule.job_id == Job.id))
        .where(Job.organization_id == organization_id, *reads_from(connection_ids))
        .where(Schedule.enabled.is_(True), Schedule.deleted_at.is_(None), Schedule.problem.is_(None))
        .group_by(connection_id)
    )
    return Question(query, _by_connection)


def _under_way(organization_id: UUID, connection_ids: Collection[UUID]) -> _Starts:
    begins = case((Run.state == RunState.RUNNING.value, Run.started_at), else_=Run.ready_at)
    connection_id = connection_of_job().label("connection_id")
    query = (
        select(connection_id, func.min(begins).label("begins"))
        .select_from(Job)
        .join(Run, (Run.organization_id == Job.organization_id) & (Run.job_id == Job.id))
        .where(Job.organization_id == organization_id, *reads_from(connection_ids))
        # By words, which an index leads to.
        .where(Run.organization_id == organization_id, Run.state.in_([state.value for state in ACTIVE]))
        .group_by(connection_id)
    )
    return Question(query, _by_connection)


def _by_connection(rows: Collection[Any]) -> dict[UUID, datetime]:
    return {UUID(row.connection_id): row.begins for row in rows if row.begins is not None}
