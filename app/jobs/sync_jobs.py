"""The jobs that read from connections: which they are, and how a connection gets one."""

from collections.abc import Collection
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.events.changes import record_change
from app.events.service import Topic
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.service import LONGEST_NAME, SYNC_RETRY
from app.jobs.services import Service
from app.syncs.connections import ConnectionNotFound, ConnectionState
from app.syncs.models import Connection
from app.tenants.access import Actor, Permission, require

TIME_LIMIT_SECONDS = 3_600


def reads_from(connection_ids: Collection[UUID]) -> tuple[ColumnElement[bool], ...]:
    """Of a job: that it is one that reads from one of these connections."""
    ids = [str(connection_id) for connection_id in connection_ids]
    return Job.kind == KindName.SYNC.value, Job.definition["connection_id"].as_string().in_(ids)


def jobs_of_connection(session: Session, *, organization_id: UUID, connection_id: UUID) -> list[UUID]:
    """The jobs that read from a connection, the oldest first."""
    here = Job.organization_id == organization_id, Job.deleted_at.is_(None)
    query = select(Job.id).where(*here, *reads_from([connection_id])).order_by(Job.created_at, Job.id)
    return list(session.scalars(query))


def bind_sync_job(session: Session, *, actor: Actor, connection_id: UUID, service: str, now: datetime) -> UUID:
    """Give a connection the job that reads it, and say which one. Again it is the same job.

    The job that came with the organization takes the first connection of its service; for another one a job is made,
    without a schedule. Raises ConnectionNotFound.
    """
    require(actor, Permission.EDIT_JOBS)
    tenant = actor.organization_id
    bound = jobs_of_connection(session, organization_id=tenant, connection_id=connection_id)
    if bound:
        return bound[0]
    name = session.scalar(
        select(Connection.name).where(Connection.organization_id == tenant, Connection.id == connection_id)
    )
    if name is None:
        raise ConnectionNotFound("This connection is gone.")
    definition = {"service": Service(service).value, "connection_id": str(connection_id)}
    free = _free_job(session, tenant, service)
    if free is None:
        return _make(session, actor, definition, f"Sync {name}", now)
    values = {"definition": definition, "revision": free.revision + 1, "updated_at": now}
    session.execute(update(Job).where(Job.id == free.id, Job.organization_id == tenant).values(**values))
    _note(session, actor, free.id, "revised", f"Let job “{free.name}” read from “{name}”", now)
    return free.id


def _free_job(session: Session, tenant: UUID, service: str) -> Job | None:
    """A job of the service that has no connection, or one that somebody ended."""
    mine = Job.organization_id == tenant, Job.deleted_at.is_(None), Job.kind == KindName.SYNC.value
    # Few: an organization has one for each account.
    query = select(Job).where(*mine, Job.service == service).order_by(Job.created_at, Job.id).with_for_update()
    is_live = Connection.organization_id == tenant, Connection.state != ConnectionState.DISCONNECTED.value
    live = {str(connection_id) for connection_id in session.scalars(select(Connection.id).where(*is_live))}
    return next((job for job in session.scalars(query) if job.definition.get("connection_id") not in live), None)


def _make(session: Session, actor: Actor, definition: dict[str, Any], wanted: str, now: datetime) -> UUID:
    job = Job(
        id=new_id(), organization_id=actor.organization_id, name=_free_name(session, actor.organization_id, wanted),
        kind=KindName.SYNC.value, service=definition["service"], definition=definition,
        time_limit_seconds=TIME_LIMIT_SECONDS, created_at=now, updated_at=now, **SYNC_RETRY.columns,
    )  # fmt: skip
    session.add(job)
    session.flush()
    _note(session, actor, job.id, "created", f"Created job “{job.name}”", now)
    return job.id


def _free_name(session: Session, organization_id: UUID, wanted: str) -> str:
    taken = Job.organization_id == organization_id, Job.deleted_at.is_(None)
    names = set(session.scalars(select(Job.name).where(*taken)))
    for number in count(1):
        suffix = "" if number == 1 else f" {number}"
        name = wanted[: LONGEST_NAME - len(suffix)].rstrip() + suffix
        if name not in names:
            return name
    raise AssertionError


def _note(session: Session, actor: Actor, job_id: UUID, verb: str, summary: str, now: datetime) -> None:
    record_change(
        session, actor=actor, topic=Topic.JOBS, action=f"job.{verb}", subject_id=job_id, summary=summary, now=now
    )
