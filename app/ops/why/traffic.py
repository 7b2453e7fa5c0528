"""Counts what goes on in all organizations. What comes out of here serves to make numbers, and is never told."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, Uuid, cast, func, literal, null, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.columns import UTCDateTime
from app.core.scopes import PLATFORM, rescoped
from app.ops.why.facts import Active, Line, Traffic
from app.runs.models import Run, in_state
from app.runs.states import RunState

_Column = ColumnElement[Any] | InstrumentedAttribute[Any]
_NOTHING = null()


def read_traffic(session: Session, *, queues: Collection[str], now: datetime) -> dict[str, Traffic]:
    """For each queue what takes a place anywhere, and who waits in it. In one statement, as PLATFORM, or in none."""
    if not queues:
        return {}
    # A tenant sees its own runs alone, and limits and slots are shared by all.
    with rescoped(session, PLATFORM):
        found = session.execute(union_all(*_parts(queues, now))).all()
    active = [
        Active(row.organization_id, row.queue, row.job_id, row.connection_key, row.worker)
        for row in found if row.waiting is None
    ]  # fmt: skip
    lines = [row for row in found if row.waiting is not None]
    return {
        name: Traffic(active, [Line(row.organization_id, row.waiting) for row in lines if row.queue == name])
        for name in queues
    }


def _parts(queues: Collection[str], now: datetime) -> tuple[Select[Any], ...]:
    # Each state by itself, because each has an index of its own. Those that take a place are few: as many as there are
    # slots, and twice that.
    running = _rows(worker=Run.worker).where(in_state(RunState.RUNNING))
    # Whoever had a run before that somebody is called for has nothing to do with it any more.
    called = _rows().where(in_state(RunState.READY), Run.hinted_at.is_not(None))
    waiting = _rows(job_id=_NOTHING, connection_key=_NOTHING, waiting=func.count()).group_by(
        Run.organization_id, Run.queue
    )
    in_line = in_state(RunState.READY), Run.hinted_at.is_(None), Run.aside_at.is_(None)
    is_due = Run.ready_at <= literal(now, UTCDateTime())
    return running, called, waiting.where(*in_line, is_due, Run.queue.in_(queues))


def _rows(
    *,
    job_id: _Column = Run.job_id,
    connection_key: _Column = Run.connection_key,
    worker: _Column = _NOTHING,
    waiting: _Column = _NOTHING,
) -> Select[Any]:
    # Cast, because of a NULL alone no engine knows what it might have been.
    columns: list[Any] = [
        Run.organization_id,
        Run.queue,
        cast(job_id, Uuid()).label("job_id"),
        cast(connection_key, String(80)).label("connection_key"),
        cast(worker, String(120)).label("worker"),
        cast(waiting, Integer()).label("waiting"),
    ]
    return select(*columns)
