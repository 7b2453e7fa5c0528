"""Seals what definitions of jobs hold in the open, from before it was sealed at saving."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.jobs.kinds.base import DefinitionInvalid, JobKinds, KindName
from app.jobs.models import Job
from app.vault.service import SecretOwner

# A definition without this has nothing in the open. Most have not, and are then not even read.
OPEN_MARK = '"value"'
# What a definition raises that means nothing to this version. It is counted, and the others go on.
UNREADABLE = (DefinitionInvalid, ValueError, TypeError, KeyError)


@dataclass(frozen=True)
class Cleared:
    """What one batch did, and where the next one begins; without `last_id` there is no next one."""

    changed: int = 0
    unreadable: int = 0
    last_id: UUID | None = None


def seal_leftovers(
    session: Session, *, kinds: JobKinds, organization_id: UUID, limit: int, after: UUID | None, now: datetime
) -> Cleared:
    """Seal the open secrets of some of an organization's jobs, in the order of their ids. Safe to repeat."""
    query = select(Job.id).where(Job.organization_id == organization_id, has_open_values(Job.definition))
    ids = list(session.scalars((query if after is None else query.where(Job.id > after)).order_by(Job.id).limit(limit)))
    changed = unreadable = 0
    for job_id in ids:
        try:
            changed += _seal_job(session, kinds, job_id, now)
        except UNREADABLE:
            unreadable += 1
    return Cleared(changed, unreadable, ids[-1] if len(ids) == limit else None)


def has_open_values(definition: InstrumentedAttribute[dict[str, object]]) -> ColumnElement[bool]:
    """Whether a definition may hold a value in the open."""
    return cast(definition, Text).contains(OPEN_MARK)


def _seal_job(session: Session, kinds: JobKinds, job_id: UUID, now: datetime) -> bool:
    # Locked: a person who saves the job meanwhile waits, and what they save then stands.
    query = select(Job).where(Job.id == job_id).with_for_update().execution_options(populate_existing=True)
    job = session.scalars(query).one()
    kind, before = kinds[KindName(job.kind)], job.definition
    cleared = kind.without_secrets(before)
    if cleared == before:
        return False
    owner = SecretOwner.job(job.organization_id, job.id)
    is_deleted = job.deleted_at is not None
    job.definition = cleared if is_deleted else kind.store(session, before, owner=owner, before=before, now=now)
    session.flush()
    return True
