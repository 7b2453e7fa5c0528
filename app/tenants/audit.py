"""The audit: one row per command, in the command's own transaction, and who wrote the last one of a thing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.tenants.access import Actor
from app.tenants.models import AuditEntry


def record(
    session: Session,
    *,
    actor: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    summary: str,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Add one row. `changes` maps a field to its old and new value, never to a secret."""
    session.add(
        AuditEntry(
            organization_id=actor.organization_id,
            actor_user_id=actor.user_id,
            actor_label=actor.label,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            summary=summary,
            changes=dict(changes or {}),
            at=now,
        )
    )


@dataclass(frozen=True)
class AuditRow:
    """What somebody did to a thing. `changes` maps a field to its old and new value."""

    id: UUID
    at: datetime
    by: str
    action: str
    summary: str
    changes: dict[str, Any]


def list_entries(
    session: Session, *, organization_id: UUID, subject_kind: str, subject_id: UUID, limit: int,
    before: UUID | None = None,
) -> list[AuditRow]:  # fmt: skip
    """What was done to a thing, the newest first. `before` is the last one of the page before."""
    here = AuditEntry.organization_id == organization_id, AuditEntry.subject_id == subject_id
    query = select(AuditEntry).where(*here, AuditEntry.subject_kind == subject_kind)
    if before is not None:
        edge = select(AuditEntry.at, AuditEntry.id).where(AuditEntry.id == before, *here)
        query = query.where(tuple_(AuditEntry.at, AuditEntry.id) < edge.scalar_subquery())
    found = session.scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit))
    return [AuditRow(one.id, one.at, one.actor_label, one.action, one.summary, one.changes) for one in found]


def last_author(session: Session, *, organization_id: UUID, subject_id: UUID) -> str | None:
    """Who changed a thing last, by the name the audit has."""
    query = (
        select(AuditEntry.actor_label)
        .where(AuditEntry.organization_id == organization_id, AuditEntry.subject_id == subject_id)
        .order_by(AuditEntry.at.desc())
        .limit(1)
    )
    return session.scalar(query)
