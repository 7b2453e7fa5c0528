"""The audit: one row per command, in the command's own transaction, and the reads of those rows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.tenants.access import Actor
from app.tenants.audit_filter import AuditFilter
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


class ActorKind(StrEnum):
    """As what somebody acted."""

    PERSON = "person"  # in a browser
    TOKEN = "token"  # noqa: S105 - a program, with the API token of a person
    SYSTEM = "system"  # the installation itself, or whoever has its files: the command line


# Where an entry stands in the order of all: its instant and its id.
Place = tuple[datetime, UUID]


@dataclass(frozen=True)
class AuditRow:
    """What somebody did to a thing. `changes` maps a field to its old and new value."""

    id: UUID
    at: datetime
    by: str
    by_kind: ActorKind
    action: str
    subject_kind: str
    subject_id: UUID | None
    summary: str
    changes: dict[str, Any]

    @property
    def place(self) -> Place:
        return self.at, self.id


def list_audit(
    session: Session, *, organization_id: UUID, audit_filter: AuditFilter, limit: int, before: Place | None = None
) -> list[AuditRow]:
    """What was done in an organization, the newest first. `before` is the place of the last one seen."""
    here, newest_first = AuditEntry.organization_id == organization_id, (AuditEntry.at.desc(), AuditEntry.id.desc())
    # Their ids first, which an index answers alone: a filter that hardly anything matches must not fetch all rows.
    wanted = select(AuditEntry.id).where(here, *audit_filter.conditions())
    if before is not None:
        wanted = wanted.where(tuple_(AuditEntry.at, AuditEntry.id) < before)
    wanted = wanted.order_by(*newest_first).limit(limit)
    # Only by these ids: asked for the organization as well, a database may go through all of its entries again.
    query = select(AuditEntry).where(AuditEntry.id.in_(wanted.scalar_subquery())).order_by(*newest_first)
    return [_row(one) for one in session.scalars(query)]


def list_entries(
    session: Session, *, organization_id: UUID, subject_kind: str, subject_id: UUID, limit: int,
    before: UUID | None = None,
) -> list[AuditRow]:  # fmt: skip
    """What was done to a thing, the newest first. `before` is the last one of the page before."""
    wanted = AuditFilter(subject_kind=subject_kind, subject_id=subject_id)
    edge = None if before is None else _place_of(session, organization_id, before)
    if before is not None and edge is None:
        return []
    return list_audit(session, organization_id=organization_id, audit_filter=wanted, limit=limit, before=edge)


def _place_of(session: Session, organization_id: UUID, entry_id: UUID) -> Place | None:
    here = AuditEntry.organization_id == organization_id, AuditEntry.id == entry_id
    found = session.execute(select(AuditEntry.at, AuditEntry.id).where(*here)).one_or_none()
    return None if found is None else (found.at, found.id)


def _row(one: AuditEntry) -> AuditRow:
    return AuditRow(
        id=one.id,
        at=one.at,
        by=one.actor_label,
        by_kind=_kind_of(one),
        action=one.action,
        subject_kind=one.subject_kind,
        subject_id=one.subject_id,
        summary=one.summary,
        changes=one.changes,
    )


def _kind_of(one: AuditEntry) -> ActorKind:
    if one.actor_user_id is None:
        return ActorKind.SYSTEM
    return ActorKind.TOKEN if " (token " in one.actor_label else ActorKind.PERSON


def last_author(session: Session, *, organization_id: UUID, subject_id: UUID) -> str | None:
    """Who changed a thing last, by the name the audit has."""
    query = (
        select(AuditEntry.actor_label)
        .where(AuditEntry.organization_id == organization_id, AuditEntry.subject_id == subject_id)
        .order_by(AuditEntry.at.desc())
        .limit(1)
    )
    return session.scalar(query)


def authors_of(
    session: Session, *, organization_id: UUID, action: str, subject_ids: Collection[UUID]
) -> dict[UUID, str]:
    """Who did something to each of these things, by the name the audit has. What nobody did it to is left out."""
    if not subject_ids:
        return {}
    here = AuditEntry.organization_id == organization_id, AuditEntry.subject_id.in_(subject_ids)
    query = select(AuditEntry.subject_id, AuditEntry.actor_label).where(*here, AuditEntry.action == action)
    return {row.subject_id: row.actor_label for row in session.execute(query.order_by(AuditEntry.at))}
