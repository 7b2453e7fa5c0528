"""Which of the things that the audit speaks of still exist, and what they are called now."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from app.jobs.models import Job
from app.notifications.incident_models import Incident
from app.notifications.models import Channel
from app.ops.models import BulkAction
from app.runs.models import Run
from app.schedules.models import Schedule
from app.syncs.models import Connection
from app.tenants.audit import AuditRow
from app.tenants.models import ApiToken, Invitation, Membership, User

_Read = Select[Any, Any, Any, Any]


@dataclass(frozen=True)
class Subject:
    """A thing that exists. `code_name` is what code calls it, if code defines it."""

    kind: str
    id: UUID
    name: str
    code_name: str | None = None


def living_subjects(
    session: Session, *, organization_id: UUID, rows: Iterable[AuditRow]
) -> dict[tuple[str, UUID], Subject]:
    """The things of these entries that still exist, by kind and id, in one statement."""
    wanted: dict[str, set[UUID]] = defaultdict(set)
    for row in rows:
        if row.subject_id is not None and row.subject_kind in _READS:
            wanted[row.subject_kind].add(row.subject_id)
    return living_things(session, organization_id=organization_id, wanted=wanted)


def living_things(
    session: Session, *, organization_id: UUID, wanted: Mapping[str, Collection[UUID]]
) -> dict[tuple[str, UUID], Subject]:
    """Those of these ids, by their kinds, that still exist. A kind that has no page has none."""
    reads = [_READS[kind](organization_id, ids) for kind, ids in wanted.items() if ids and kind in _READS]
    if not reads:
        return {}
    found = session.execute(union_all(*reads) if len(reads) > 1 else reads[0])
    return {(row[0], row[1]): Subject(*row) for row in found}


def _schedules(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("schedule").label("kind"), Schedule.id, Schedule.name, Schedule.code_id
    alive = Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    return select(*columns).where(*alive, Schedule.id.in_(ids))


def _jobs(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("job").label("kind"), Job.id, Job.name, Job.code_name
    alive = Job.organization_id == organization_id, Job.deleted_at.is_(None)
    return select(*columns).where(*alive, Job.id.in_(ids))


def _runs(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("run").label("kind"), Run.id, Run.job_name, _NO_CODE
    return select(*columns).where(Run.organization_id == organization_id, Run.id.in_(ids))


def _bulk_actions(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    # What it does is in the entry already.
    columns = literal("bulk_action").label("kind"), BulkAction.id, literal("What became of each"), _NO_CODE
    return select(*columns).where(BulkAction.organization_id == organization_id, BulkAction.id.in_(ids))


def _connections(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("connection").label("kind"), Connection.id, Connection.name, _NO_CODE
    return select(*columns).where(Connection.organization_id == organization_id, Connection.id.in_(ids))


def _people(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("user").label("kind"), User.id, User.name, _NO_CODE
    is_here = Membership.organization_id == organization_id, User.id.in_(ids)
    return select(*columns).join(Membership, Membership.user_id == User.id).where(*is_here)


def _invitations(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("invitation").label("kind"), Invitation.id, Invitation.email, _NO_CODE
    is_open = Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None)
    return select(*columns).where(Invitation.organization_id == organization_id, *is_open, Invitation.id.in_(ids))


def _tokens(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("api_token").label("kind"), ApiToken.id, ApiToken.name, _NO_CODE
    alive = ApiToken.organization_id == organization_id, ApiToken.revoked_at.is_(None)
    return select(*columns).where(*alive, ApiToken.id.in_(ids))


def _incidents(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("incident").label("kind"), Incident.id, Incident.title, _NO_CODE
    return select(*columns).where(Incident.organization_id == organization_id, Incident.id.in_(ids))


def _channels(organization_id: UUID, ids: Collection[UUID]) -> _Read:
    columns = literal("channel").label("kind"), Channel.id, Channel.name, _NO_CODE
    alive = Channel.organization_id == organization_id, Channel.deleted_at.is_(None)
    return select(*columns).where(*alive, Channel.id.in_(ids))


_NO_CODE = cast(null(), String)
_READS: dict[str, Callable[[UUID, Collection[UUID]], _Read]] = {
    "schedule": _schedules,
    "job": _jobs,
    "connection": _connections,
    "incident": _incidents,
    "channel": _channels,
    "run": _runs,
    "bulk_action": _bulk_actions,
    "user": _people,
    "invitation": _invitations,
    "api_token": _tokens,
}
