"""How many runs the workers of this installation take at once: what dispatch gives hints for."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, SQLColumnExpression, func, literal_column, or_, select

from app.ops.heartbeats import SILENT_AFTER
from app.ops.models import Heartbeat


def live_slots(
    ago: Callable[[timedelta], ColumnElement[datetime]], queue: SQLColumnExpression[Any] | None = None
) -> ScalarSelect[int]:
    """The slots of all workers that were heard of lately and take new runs, or of those that serve a queue.

    A part of the statement whose moments `ago` tells.
    """
    # A report from the future is one from before the clock was set back.
    is_heard = Heartbeat.beat_at >= ago(SILENT_AFTER), Heartbeat.beat_at <= ago(-SILENT_AFTER)
    is_open = Heartbeat.problem.is_(None), ~Heartbeat.is_stopping
    found = select(func.coalesce(func.sum(Heartbeat.slots), 0)).where(*is_heard, *is_open)
    if queue is not None:
        # Names hold no sign that LIKE would read.
        comma: ColumnElement[Any] = literal_column("','")
        named = comma.op("||")(Heartbeat.queues).op("||")(comma)
        found = found.where(or_(Heartbeat.queues.is_(None), named.contains(comma.op("||")(queue).op("||")(comma))))
    return found.scalar_subquery()
