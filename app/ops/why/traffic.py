"""Counts what goes on in all organizations. What comes out of here serves to make numbers, and is never told."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, Uuid, cast, func, literal, null, select, union_all
from sqlalchemy import String as Text
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.scopes import PLATFORM, rescoped
from app.ops.why.facts import Active, Line, Traffic
from app.runs.models import Run, in_state
from app.runs.states import RunState


def read_traffic(session: Session, *, queue: str, now: datetime) -> Traffic:
    """What takes a place anywhere, and who waits in the queue. In one statement, as PLATFORM."""
    # A tenant sees its own runs alone, and limits and slots are shared by all.
    with rescoped(session, PLATFORM):
        found = session.execute(union_all(*_parts(queue, now))).all()
    return Traffic(
        active=[Active(row.organization_id, row.queue, row.job_id, row.connection_key, row.worker)
                for row in found if row.waiting is None],
        lines=[Line(row.organization_id, row.waiting) for row in found if row.waiting is not None],
    )  # fmt: skip


def _parts(queue: str, now: datetime) -> tuple[Select[Any], ...]:
    # Each state by itself, because each has an index of its own. Those that are active are few: as many as there are
    # slots, and twice that.
    running = _active(Run.worker).where(in_state(RunState.RUNNING))
    called = _active(cast(null(), Text(120))).where(in_state(RunState.READY), Run.hinted_at.is_not(None))
    waiting = (
        select(
            Run.organization_id,
            literal(queue, Text(32)).label("queue"),
            cast(null(), Uuid()).label("job_id"),
            cast(null(), Text(80)).label("connection_key"),
            cast(null(), Text(120)).label("worker"),
            func.count().label("waiting"),
        )
        .where(in_state(RunState.READY), Run.hinted_at.is_(None), Run.queue == queue)
        .where(Run.ready_at <= literal(now, UTCDateTime()))
        .group_by(Run.organization_id)
    )
    return running, called, waiting


def _active(worker: ColumnElement[Any] | Any) -> Select[Any]:
    # Whoever was called for it last is no worker of it yet.
    no_number = cast(null(), Integer()).label("waiting")
    return select(Run.organization_id, Run.queue, Run.job_id, Run.connection_key, worker.label("worker"), no_number)
