"""How many runs the workers of this installation take at once: what dispatch gives hints for."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, ScalarSelect, func, select

from app.ops.heartbeats import SILENT_AFTER
from app.ops.models import Heartbeat


def live_slots(ago: Callable[[timedelta], ColumnElement[datetime]]) -> ScalarSelect[int]:
    """The slots of all workers that were heard of lately and take new runs.

    A part of the statement whose moments `ago` tells.
    """
    # A report from the future is one from before the clock was set back.
    is_heard = Heartbeat.beat_at >= ago(SILENT_AFTER), Heartbeat.beat_at <= ago(-SILENT_AFTER)
    is_open = Heartbeat.problem.is_(None), ~Heartbeat.is_stopping
    return select(func.coalesce(func.sum(Heartbeat.slots), 0)).where(*is_heard, *is_open).scalar_subquery()
