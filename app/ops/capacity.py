"""How many runs the workers of this installation take at once: what dispatch gives hints for."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ops.heartbeats import SILENT_AFTER
from app.ops.models import Heartbeat


def live_slots(session: Session, now: datetime) -> int:
    """The slots of all workers that were heard of lately and take new runs."""
    is_open = Heartbeat.problem.is_(None), ~Heartbeat.is_stopping, Heartbeat.beat_at >= now - SILENT_AFTER
    query = select(func.coalesce(func.sum(Heartbeat.slots), 0)).where(*is_open)
    return session.scalars(query).one()
