"""Reads what an organization may know of one of its runs: columns and joins to put into a query, and their meaning."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, ScalarSelect, Select, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from app.core.columns import UTCDateTime
from app.jobs.models import Job
from app.ops.why.facts import Limits, Obstacle, Rate, RateLimited, RunFacts
from app.runs.models import Run, in_state
from app.runs.queue_models import ConnectionLimit, Queue, QueueSwitch
from app.runs.states import Reason, RunState
from app.runs.switches import QueueSwitchRow
from app.runs.waits import those_before
from app.tenants.models import Organization

_JOB = aliased(Job, name="job_of_run")


def columns_of_run(now: datetime) -> list[ColumnElement[Any]]:
    """What `facts_of_run` reads, each by a name of its own."""
    named: dict[str, Any] = {
        **{f"run_{column.key}": column for column in _OF_RUN},
        "paused_at": QueueSwitch.paused_at,
        "paused_by": QueueSwitch.paused_by,
        "queue_limit": Queue.concurrency,
        "rate_starts": Queue.rate_starts,
        "rate_seconds": Queue.rate_seconds,
        "tokens": Queue.tokens,
        "tokens_at": Queue.tokens_at,
        "connection_limit": ConnectionLimit.concurrency,
        "limited_until": ConnectionLimit.limited_until,
        "limit_explanation": ConnectionLimit.explanation,
        "job_limit": _JOB.concurrency,
        "job_source": _JOB.code_source,
        "organization_limit": Organization.concurrency,
        **{f"in_the_way_{name}": _first_in_the_way(name) for name in ("id", "created_at", "started_at")},
        "place": _place(now),
        "children": _count_children(),
        "children_left": _count_children(is_over=False),
    }
    return [column.label(name) for name, column in named.items()]


_OF_RUN = (
    Run.id, Run.organization_id, Run.job_id, Run.queue, Run.connection_key, Run.state, Run.reason, Run.error,
    Run.due_at, Run.ready_at, Run.started_at, Run.hinted_at,
)  # fmt: skip


def with_surroundings(query: Select[Any]) -> Select[Any]:
    """The query with what stands around its run: queue, job, organization and connection."""
    here = Run.organization_id
    return (
        query.outerjoin(QueueSwitch, QueueSwitch.name == Run.queue)
        .outerjoin(Queue, Queue.name == Run.queue)
        .outerjoin(_JOB, (_JOB.id == Run.job_id) & (_JOB.organization_id == here))
        .outerjoin(Organization, Organization.id == here)
        .outerjoin(
            ConnectionLimit,
            (ConnectionLimit.organization_id == here) & (ConnectionLimit.connection_key == Run.connection_key),
        )
    )


def facts_of_run(found: Row[Any]) -> RunFacts:
    """A row with those columns."""
    return RunFacts(
        id=found.run_id,
        organization_id=found.run_organization_id,
        job_id=found.run_job_id,
        queue=found.run_queue,
        connection_key=found.run_connection_key,
        state=RunState(found.run_state),
        reason=Reason(found.run_reason) if found.run_reason else None,
        error=found.run_error,
        due_at=found.run_due_at,
        ready_at=found.run_ready_at,
        started_at=found.run_started_at,
        is_hinted=found.run_hinted_at is not None,
        place=found.place + 1,
        limits=Limits(found.queue_limit, found.job_limit, found.connection_limit, found.organization_limit),
        rate=_rate(found),
        pause=QueueSwitchRow(found.run_queue, found.paused_at, found.paused_by) if found.paused_at else None,
        rate_limited=RateLimited(found.limited_until, found.limit_explanation) if found.limited_until else None,
        obstacle=_obstacle(found),
        children=found.children,
        children_left=found.children_left,
        job_source=found.job_source,
    )


def _rate(found: Row[Any]) -> Rate | None:
    if not found.rate_starts or not found.rate_seconds:
        return None
    return Rate(found.rate_starts, found.rate_seconds, found.tokens, found.tokens_at)


def _obstacle(found: Row[Any]) -> Obstacle | None:
    if found.in_the_way_id is None:
        return None
    return Obstacle(found.in_the_way_id, found.in_the_way_created_at, found.in_the_way_started_at)


def _first_in_the_way(column: str) -> ScalarSelect[Any]:
    # One column at a time: joined by what a part of the statement finds for each row, under row-level security
    # PostgreSQL would read all runs for it.
    other, goes_first = those_before()
    query = select(getattr(other, column)).where(goes_first).order_by(other.created_at, other.id).limit(1)
    return query.correlate(Run).scalar_subquery()


def _place(now: datetime) -> ColumnElement[int]:
    """How many runs of the organization go before it in the queue.

    Those that a limit keeps stand aside, and let all pass but the runs of their own job.
    """
    in_line = _count_before(now, lambda ahead: ahead.aside_at.is_(None))
    # Apart, so that an index leads to either.
    return in_line + _count_before(now, lambda ahead: ahead.aside_at.is_not(None) & (ahead.job_id == Run.job_id))


def _count_before(now: datetime, which: Callable[[type[Run]], ColumnElement[bool]]) -> ScalarSelect[Any]:
    ahead = aliased(Run)
    waits = in_state(RunState.READY, ahead), ahead.hinted_at.is_(None), which(ahead)
    is_due = ahead.ready_at <= literal(now, UTCDateTime())
    same_line = ahead.queue == Run.queue, ahead.organization_id == Run.organization_id
    is_first = tuple_(ahead.priority, ahead.ready_at, ahead.id) < tuple_(Run.priority, Run.ready_at, Run.id)
    query = select(func.count()).select_from(ahead).where(*waits, is_due, *same_line, is_first)
    return query.correlate(Run).scalar_subquery()


def _count_children(*, is_over: bool | None = None) -> ScalarSelect[Any]:
    child = aliased(Run)
    query = select(func.count()).select_from(child).where(child.parent_run_id == Run.id)
    if is_over is not None:
        query = query.where(child.finished_at.is_not(None) if is_over else child.finished_at.is_(None))
    return query.correlate(Run).scalar_subquery()
