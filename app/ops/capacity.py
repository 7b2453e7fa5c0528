"""How many runs the workers of this installation take at once: what dispatch gives hints for."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.ops.heartbeats import SILENT_AFTER
from app.ops.models import Heartbeat


def live_slots(session: Session, now: datetime) -> int:
    """The slots of all workers that were heard of lately."""
    query = select(func.coalesce(func.sum(Heartbeat.slots), 0)).where(Heartbeat.beat_at >= now - SILENT_AFTER)
    return session.scalars(query).one()
