"""What somebody changed, told twice in one transaction: to the audit, and to the pages that watch its topic."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.events.service import Topic, append_event
from app.tenants.access import Actor
from app.tenants.audit import record


def record_change(
    session: Session,
    *,
    actor: Actor,
    topic: Topic,
    action: str,
    subject_id: UUID,
    summary: str,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
) -> None:
    """Say that the actor did this to a thing of their organization. `action` begins with its kind: `job.revised`.

    `changes` maps a field to its old and new value, never to a secret.
    """
    kind = action.partition(".")[0]
    record(
        session, actor=actor, action=action, subject_kind=kind, subject_id=subject_id, summary=summary, now=now,
        changes=changes,
    )  # fmt: skip
    append_event(
        session, organization_id=actor.organization_id, topic=topic, kind=action, subject_id=subject_id, now=now
    )
