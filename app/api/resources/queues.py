"""`/admin/queues`: what waits, runs and failed, and what admins do about it.

An organization's admins see and steer their own runs. Platform admins see everybody's and pause whole queues.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from app.api.models import Answer, Body, Moment, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Page, resource
from app.core.db import on_commit
from app.core.errors import Invalid
from app.core.scopes import PLATFORM
from app.edge.identity import current_actor, request_now, tenant_scope
from app.edge.runtime import request_session, runtime, working_as
from app.ops.heartbeats import ProcessRow, slots_for, workers_at_work
from app.runs import queues
from app.runs.queries import RunRow
from app.runs.queues import Outcome, QueueRow
from app.runs.states import Reason, RunState
from app.runs.switches import check_queue, pause_queue, resume_queue
from app.tenants.access import Permission, require
from app.tenants.platform import require_platform_admin

MOST_RUNS = 1000
_LISTED = [RunState.READY, RunState.RUNNING, RunState.WAITING, RunState.WAITING_RETRY, RunState.FAILED]


class RunsUnwanted(Invalid):
    """Runs were named for something that is done to a whole queue."""


class QueueAction(StrEnum):
    """What can be done to a queue or to runs in it."""

    RETRY = "retry"  # give failed runs another go
    REMOVE = "remove"  # cancel runs that wait, and take failed ones off the list
    PAUSE = "pause"  # start nothing of the queue
    RESUME = "resume"  # start its runs again


class QueueActionIn(Body):
    """What is to be done. `retry` and `remove` concern the runs named, `pause` and `resume` the whole queue."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"action": "retry", "jobIds": ["0190b6a2-5c1e-7cc0-98a4-1f0e6d3b2a10"]}]}
    )

    action: QueueAction
    jobIds: Annotated[  # noqa: N815 - the name is fixed from outside
        list[UUID], Field(max_length=MOST_RUNS, description="Ids of runs.")
    ] = Field(default_factory=list)


class SkippedRun(Answer):
    """Something that was left as it is."""

    id: str
    reason: str


class QueueActionOut(Answer):
    """What became of each run; of `pause` and `resume`: of the queue, by its name."""

    done: list[str]
    skipped: list[SkippedRun]


class QueueOut(Answer):
    """A queue. For an organization's admins the figures are their own.

    Runs are counted up to ten thousand of each state, over all queues; `is_cut` says that there are more.
    """

    name: str
    waiting: int
    running: int
    retrying: Annotated[int, Field(description="Runs that failed and will be tried again by themselves.")]
    failed: Annotated[int, Field(description="Runs that failed for good and that nobody retried or removed.")]
    is_paused: bool
    paused_at: Moment | None
    paused_by: str | None
    concurrency: Annotated[int | None, Field(description="How many of its runs go on at once. null: any number.")]
    rate_starts: Annotated[int | None, Field(description="How many start in `rate_seconds`. null: any number.")]
    rate_seconds: int | None
    is_cut: bool
    slots: Annotated[int, Field(description="Of the workers that serve it, as far as `concurrency` lets it use them.")]
    runs_per_minute: Annotated[float, Field(description="How many ended, in the mean of the last five minutes.")]
    wait_p50_seconds: Annotated[
        float | None, Field(description="How long half of the runs waited for a slot that ended within an hour.")
    ]
    wait_p95_seconds: float | None
    depth: Annotated[list[int], Field(description="How many waited, in each of the last 60 minutes, the oldest first.")]


class QueuedRun(Answer):
    """A run that waits, runs or failed for good. What it printed is not part of this."""

    id: UUID
    organization_id: UUID
    job_id: UUID
    job_name: str
    schedule_id: UUID | None
    state: RunState
    reason: Reason | None
    error: str | None
    attempt: int
    tries: int
    worker: str | None
    ready_at: Moment
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None


class QueueQuery(Paging):
    """Which of its runs to list."""

    state: Annotated[RunState | None, Field(description="ready, running, waiting, waiting_retry or failed.")] = None


class QueueDetail(QueueOut):
    """A queue and its runs, the oldest first."""

    runs: list[QueuedRun]
    next: Annotated[str | None, Field(description="The cursor of the runs behind these.")]


@resource("GET", "/admin/queues", signed_in=True, answer=QueueOut, is_list=True)
def list_queues() -> Page[QueueOut]:
    """Every queue with its figures. For admins of the organization, and for platform admins."""
    with overseeing() as (session, organization_id):
        rows = queues.list_queues(session, organization_id=organization_id, now=request_now())
        workers = workers_at_work(session, now=request_now())
    return Page([QueueOut(**_figures(row, workers)) for row in rows])


@resource("GET", "/admin/queues/<name>", signed_in=True, query=QueueQuery, answer=QueueDetail)
def show_queue(name: str, query: QueueQuery) -> QueueDetail:
    """One queue and its runs, the oldest first. For admins of the organization, and for platform admins."""
    after = read_cursor(query)
    with overseeing() as (session, organization_id):
        check_queue(session, name)
        rows = queues.list_queues(session, organization_id=organization_id, now=request_now())
        workers = workers_at_work(session, now=request_now())
        found = queues.list_queue_runs(
            session,
            organization_id=organization_id,
            name=name,
            limit=query.limit + 1,
            states=_LISTED if query.state is None else [query.state],
            after=(datetime.fromisoformat(after[0]), UUID(after[1])) if after else None,
        )
    shown = found[: query.limit]
    goes_on = write_cursor(shown[-1].created_at.isoformat(), str(shown[-1].id)) if len(found) > len(shown) else None
    queue = next(row for row in rows if row.name == name)
    return QueueDetail(**_figures(queue, workers), runs=[_run(row) for row in shown], next=goes_on)


@resource("POST", "/admin/queues/<name>", signed_in=True, body=QueueActionIn, answer=QueueActionOut, is_bare=True)
def steer_queue(name: str, body: QueueActionIn) -> QueueActionOut:
    """Retry or remove runs of a queue, or pause or resume it.

    Admins of the organization retry and remove its runs; only platform admins pause and resume, for everybody. An id
    that is unknown or somebody else's is answered with 404, and nothing is done. Runs that cannot be retried or
    removed are left as they are and come back with the reason.
    """
    with working_as(tenant_scope()) as session:
        check_queue(session, name)
    is_for_runs = body.action in {QueueAction.RETRY, QueueAction.REMOVE}
    answer = _steer_runs(name, body) if is_for_runs else _switch(name, body)
    on_commit(request_session(), runtime().dispatch)
    return answer


@contextmanager
def overseeing() -> Iterator[tuple[Session, UUID | None]]:
    """The session of somebody who may see the queues, and of which organization: none for platform admins, who see all.

    Raises PermissionMissing.
    """
    actor = current_actor()
    if actor.is_platform_admin:
        with working_as(PLATFORM) as session:
            yield session, None
        return
    require(actor, Permission.MANAGE_QUEUE)
    with working_as(tenant_scope()) as session:
        yield session, actor.organization_id


def _steer_runs(name: str, body: QueueActionIn) -> QueueActionOut:
    act = queues.retry_runs if body.action is QueueAction.RETRY else queues.remove_runs
    with working_as(tenant_scope()) as session:
        outcome = act(session, actor=current_actor(), run_ids=body.jobIds, queue=name, now=request_now())
        session.flush()
    return _outcome(outcome)


def _switch(name: str, body: QueueActionIn) -> QueueActionOut:
    actor = current_actor()
    require_platform_admin(actor)
    if body.jobIds:
        raise RunsUnwanted(f"To {body.action.value} concerns the whole queue: name no runs.", field="jobIds")
    is_pause = body.action is QueueAction.PAUSE
    with working_as(PLATFORM) as session:
        has_changed = (pause_queue if is_pause else resume_queue)(session, actor=actor, name=name, now=request_now())
    if has_changed:
        return QueueActionOut(done=[name], skipped=[])
    reason = "This queue is paused already." if is_pause else "This queue is not paused."
    return QueueActionOut(done=[], skipped=[SkippedRun(id=name, reason=reason)])


def _outcome(outcome: Outcome) -> QueueActionOut:
    return QueueActionOut(
        done=[str(run_id) for run_id in outcome.done],
        skipped=[SkippedRun(id=str(run_id), reason=reason) for run_id, reason in outcome.skipped],
    )


def _figures(row: QueueRow, workers: Sequence[ProcessRow]) -> dict[str, Any]:
    facts = asdict(row)
    del facts["hour"], facts["waits"]
    half, most = row.waits.half, row.waits.most
    return facts | {
        "slots": slots_for(workers, row.name, row.concurrency),
        "runs_per_minute": row.hour.per_minute,
        "wait_p50_seconds": None if half is None else half.total_seconds(),
        "wait_p95_seconds": None if most is None else most.total_seconds(),
        "depth": list(row.hour.waiting),
    }


def _run(row: RunRow) -> QueuedRun:
    return QueuedRun(**{name: getattr(row, name) for name in QueuedRun.model_fields})
