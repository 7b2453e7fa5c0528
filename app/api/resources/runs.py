"""`/runs`: what has run, runs and is to run."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from sqlalchemy.orm import Session

from app.api.models import Answer, Moment, Paging
from app.api.paging import CursorInvalid, cut, read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.policies import ErrorClass
from app.ops.cancel_words import cancel_words
from app.ops.run_notes import RunNotes, length_of, read_notes
from app.runs import queries, service, steering
from app.runs.attempt_queries import AttemptRow, list_attempts
from app.runs.filters import LONGEST_SEARCH, RunFilter, search_text
from app.runs.queries import SEARCHED_AT_ONCE, RunNotFound, RunRow, get_run
from app.runs.relatives import list_children, list_followers
from app.runs.states import AttemptState, Reason, RunState, Source, Trigger, Via
from app.tenants.access import Permission

_ELSEWHERE = (
    "Runs of jobs in code belong to the installation: platform admins read them at /admin/code-runs/{id}, "
    "with a token that has the scope platform_admin."
)


class RunQuery(Paging):
    state: RunState | None = None
    trigger: Annotated[
        Source | None,
        Field(
            description="Why they exist: that of a run, or `api`, `terminal` or `again` for how somebody asked. "
            f"Looks through {SEARCHED_AT_ONCE:,} runs for each page, as `q` does."
        ),
    ] = None
    since: Annotated[Moment | None, Field(description="Those that went on or were made then or later.")] = None
    until: Annotated[Moment | None, Field(description="Those that were made before.")] = None
    job: Annotated[UUID | None, Field(description="The job's id.")] = None
    schedule: Annotated[UUID | None, Field(description="The schedule's id.")] = None
    q: Annotated[
        str,
        Field(
            max_length=LONGEST_SEARCH,
            description=(
                "Part of the name of a job or schedule, of an error or of what the job was to do, or a run's whole id. "
                f"Each page looks through {SEARCHED_AT_ONCE:,} runs: go on while there is a cursor, even without rows."
            ),
        ),
    ] = ""


class RunOut(Answer):
    id: UUID
    job_id: UUID
    job_name: str
    schedule_id: UUID | None
    schedule_name: str | None
    trigger: Trigger
    state: RunState
    reason: Reason | None
    error: str | None
    attempt: int
    tries: int
    due_at: Moment
    ready_at: Moment
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    lateness_seconds: Annotated[float | None, Field(description="How long after its time it started.")]
    duration_seconds: Annotated[
        float | None, Field(description="From its first start to its end, or up to now; waits between tries included.")
    ]
    usual_seconds: Annotated[
        float | None,
        Field(
            description="What runs of its job usually take: the middle of its last good ones, where there are three."
        ),
    ]
    worker: str | None
    requested_by: Annotated[
        str | None, Field(description="The name of who asked for it; null where nobody did who is still a member.")
    ]
    requested_via: Annotated[Via | None, Field(description="Through what, where it was no page.")]
    retry_of_run_id: UUID | None
    retried_by_run_id: UUID | None
    parent_run_id: Annotated[UUID | None, Field(description="The run that started it and waits for it.")]
    cause_run_id: Annotated[UUID | None, Field(description="The run whose end started it.")]
    queue: str
    slow_at: Annotated[Moment | None, Field(description="Since when it takes longer than its soft limit.")]
    cancel_requested_at: Annotated[
        Moment | None,
        Field(
            description="When somebody cancelled it while it was running. It stops within seconds; a "
            "function in the worker itself where it looks whether it has to."
        ),
    ]
    can_retry: bool
    why_not_retry: Annotated[str | None, Field(description="Why it cannot be retried; null where it can.")]
    can_remove: bool
    can_cancel: bool
    can_retry_now: Annotated[bool, Field(description="Whether its wait can be cut short, or given up.")]


class ProgressOut(Answer):
    done: int
    total: int | None
    percent: int | None
    text: str


class AttemptOut(Answer):
    number: int
    state: AttemptState
    worker: str
    error: str | None
    error_class: Annotated[ErrorClass | None, Field(description="What kind of trouble ended it.")]
    come_back_at: Annotated[
        Moment | None, Field(description="When the other side said that it may be asked again. The next try waits.")
    ]
    progress: Annotated[ProgressOut | None, Field(description="How far it has come, as it said itself.")]
    result: dict[str, Any]
    started_at: Moment
    finished_at: Moment | None


class RunDetailOut(RunOut):
    attempts: list[AttemptOut]
    started_run_ids: Annotated[list[UUID], Field(description="The runs that its end started.")]


class CancelledOut(Answer):
    is_over: Annotated[bool, Field(description="false: it is running, and stops as soon as its worker has noticed.")]


class RunStartedOut(Answer):
    run_id: UUID


@resource("GET", "/runs", permission=Permission.VIEW, query=RunQuery, answer=RunOut, is_list=True)
def list_runs(query: RunQuery) -> Page[RunOut]:
    """Runs, newest first."""
    page = queries.list_runs(
        request_session(),
        organization_id=current_actor().organization_id,
        run_filter=RunFilter(
            state=query.state,
            schedule_id=query.schedule,
            job_id=query.job,
            query=search_text(query.q),
            source=query.trigger,
            since=query.since,
            until=query.until,
        ),
        limit=query.limit,
        older_than=_older_than(query),
    )
    next_cursor = None if page.older_than is None else write_cursor(str(page.older_than))
    return Page(shown_runs(request_session(), page.rows), next_cursor)


@resource("GET", "/runs/<uuid:run_id>", permission=Permission.VIEW, answer=RunDetailOut)
def show_run(run_id: UUID) -> RunDetailOut:
    """A run with its attempts."""
    session, organization_id = request_session(), current_actor().organization_id
    return shown_run(session, own_run(session, organization_id, run_id))


def shown_run(session: Session, row: RunRow) -> RunDetailOut:
    """A run in an answer, with its attempts."""
    attempts = list_attempts(session, organization_id=row.organization_id, run_id=row.id)
    followers = list_followers(session, organization_id=row.organization_id, run_id=row.id)
    return RunDetailOut(
        **dict(shown_runs(session, [row])[0]),
        attempts=[_attempt(one) for one in attempts],
        started_run_ids=[one.id for one in followers],
    )


def own_run(session: Session, organization_id: UUID, run_id: UUID) -> RunRow:
    """The run of this organization. Raises RunNotFound, in the same words whatever run of somebody else that may be."""
    try:
        return queries.get_run(session, organization_id=organization_id, run_id=run_id)
    except RunNotFound as error:
        raise RunNotFound(f"{error.message} {_ELSEWHERE}") from error


@resource("GET", "/runs/<uuid:run_id>/children", permission=Permission.VIEW, query=Paging, answer=RunOut, is_list=True)
def list_run_children(run_id: UUID, query: Paging) -> Page[RunOut]:
    """The runs that a run started and waits for, by the names of their jobs."""
    session, organization_id = request_session(), current_actor().organization_id
    own_run(session, organization_id, run_id)
    rows = list_children(session, organization_id=organization_id, run_id=run_id)
    return cut(shown_runs(session, rows), query, key=lambda one: (one.job_name, str(one.id)))


def shown_runs(session: Session, rows: Sequence[RunRow]) -> list[RunOut]:
    """Runs of one organization in an answer."""
    if not rows:
        return []
    notes, now = read_notes(session, rows, organization_id=rows[0].organization_id), request_now()
    return [RunOut(**_facts(row, notes, now)) for row in rows]


@resource("POST", "/runs/<uuid:run_id>/retry", permission=Permission.MANAGE_QUEUE, answer=RunStartedOut, status=201)
def retry_run(run_id: UUID) -> Message:
    """Give a failed run another go, as its job is defined now."""
    session = request_session()
    retry_id = service.retry_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=retry_id), "The run is queued again.")


@resource("POST", "/runs/<uuid:run_id>/cancel", permission=Permission.RUN, answer=CancelledOut)
def cancel_run(run_id: UUID) -> Message:
    """Cancel a run.

    One that waits is over at once. One that is running is stopped: a function by force within seconds, a workflow or a
    sync before its next call. A function with `isolation="thread"` stops when it looks whether it has to, and not
    before; the message says so. Should a run succeed before it stops, it has succeeded. A cancelled run is not tried
    again.
    """
    session, actor = request_session(), current_actor()
    is_over = steering.cancel_run(session, actor=actor, run_id=run_id, now=request_now())
    run = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    stops = f"The run is being stopped. {cancel_words(session, kinds=runtime().kinds, run=run)}".strip()
    # A run may have waited for just this one.
    on_commit(session, runtime().dispatch)
    return Message(CancelledOut(is_over=is_over), "Cancelled." if is_over else stops)


@resource("POST", "/runs/<uuid:run_id>/retry-now", permission=Permission.MANAGE_QUEUE)
def retry_run_now(run_id: UUID) -> Message:
    """Let a run that waits for its next try start at once."""
    session = request_session()
    steering.retry_run_now(session, actor=current_actor(), run_id=run_id, now=request_now())
    on_commit(session, runtime().dispatch)
    return Message(None, "The next try starts now.")


@resource("POST", "/runs/<uuid:run_id>/give-up", permission=Permission.MANAGE_QUEUE)
def give_run_up(run_id: UUID) -> Message:
    """Let a run that waits for its next try end as failed, whatever tries are left."""
    session = request_session()
    steering.give_run_up(session, actor=current_actor(), run_id=run_id, now=request_now())
    # What its job starts then is ready, and a run may have waited for just this one.
    on_commit(session, runtime().dispatch)
    return Message(None, "Given up. It is not tried again.")


@resource("DELETE", "/runs/<uuid:run_id>", permission=Permission.MANAGE_QUEUE)
def remove_run(run_id: UUID) -> Message:
    """Take a run off the queue. It stays in the history.

    One that waits is cancelled; one that failed is no longer listed among the dead letters.
    """
    session = request_session()
    service.remove_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    # A run may have waited for just this one.
    on_commit(session, runtime().dispatch)
    return Message(None, "Removed from the queue.")


def _older_than(query: RunQuery) -> UUID | None:
    parts = read_cursor(query)
    if parts is None:
        return None
    try:
        return UUID(parts[0])
    except (IndexError, ValueError) as error:
        raise CursorInvalid("This cursor is not one of this list.", field="cursor") from error


def _facts(row: RunRow, notes: RunNotes, now: datetime) -> dict[str, Any]:
    known = {
        "lateness_seconds": _seconds(row.lateness),
        "duration_seconds": _seconds(length_of(row, now=now)),
        "usual_seconds": _seconds(notes.usual_of(row)),
        "requested_by": notes.asked_by(row),
    }
    return known | {name: getattr(row, name) for name in RunOut.model_fields if name not in known}


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else round(length.total_seconds(), 3)


def _attempt(row: AttemptRow) -> AttemptOut:
    facts = {name: getattr(row, name) for name in AttemptOut.model_fields}
    said = row.progress
    shown = said and ProgressOut(done=said.done, total=said.total, percent=said.percent, text=said.text)
    return AttemptOut(**facts | {"progress": shown})
