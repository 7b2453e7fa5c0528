"""The audit: one row per command, in the command's own transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

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
