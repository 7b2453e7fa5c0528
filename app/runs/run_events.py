"""The event of each change of a run's state, appended in the transaction that makes it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.events.service import Topic, append_event


def note(
    session: Session,
    organization_id: UUID,
    run_id: UUID,
    verb: str,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append `run.<verb>`. `data` says what the run does not go on to say of itself."""
    append_event(
        session, organization_id=organization_id, topic=Topic.RUNS, kind=f"run.{verb}", subject_id=run_id, now=now,
        data=dict(data or {}),
    )  # fmt: skip
