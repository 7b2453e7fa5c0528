"""`/runs`: what has run, runs and is to run."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment, Paging
from app.api.paging import CursorInvalid, cut, read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.runs import queries, service
from app.runs.filters import RunFilter
from app.runs.queries import AttemptRow, RunRow
from app.runs.relatives import list_children, list_followers
from app.runs.states import AttemptState, Reason, RunState, Trigger
from app.tenants.access import Permission


class RunQuery(Paging):
    state: RunState | None = None
    job: Annotated[UUID | None, Field(description="The job's id.")] = None
    schedule: Annotated[UUID | None, Field(description="The schedule's id.")] = None


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
    retry_of_run_id: UUID | None
    retried_by_run_id: UUID | None
    parent_run_id: Annotated[UUID | None, Field(description="The run that started it and waits for it.")]
    cause_run_id: Annotated[UUID | None, Field(description="The run whose end started it.")]
    can_retry: bool
    can_remove: bool


class AttemptOut(Answer):
    number: int
    state: AttemptState
    worker: str
    error: str | None
    result: dict[str, Any]
    started_at: Moment
    finished_at: Moment | None


class RunDetailOut(RunOut):
    attempts: list[AttemptOut]
    started_run_ids: Annotated[list[UUID], Field(description="The runs that its end started.")]


class RunStartedOut(Answer):
    run_id: UUID


@resource("GET", "/runs", permission=Permission.VIEW, query=RunQuery, answer=RunOut, is_list=True)
def list_runs(query: RunQuery) -> Page[RunOut]:
    """Runs, newest first."""
    page = queries.list_runs(
        request_session(),
        organization_id=current_actor().organization_id,
        run_filter=RunFilter(state=query.state, schedule_id=query.schedule, job_id=query.job),
        limit=query.limit,
        older_than=_older_than(query),
    )
    next_cursor = None if page.older_than is None else write_cursor(str(page.older_than))
    return Page([RunOut(**_facts(row)) for row in page.rows], next_cursor)


@resource("GET", "/runs/<uuid:run_id>", permission=Permission.VIEW, answer=RunDetailOut)
def show_run(run_id: UUID) -> RunDetailOut:
    """A run with its attempts."""
    session, organization_id = request_session(), current_actor().organization_id
    row = queries.get_run(session, organization_id=organization_id, run_id=run_id)
    attempts = queries.list_attempts(session, organization_id=organization_id, run_id=run_id)
    followers = list_followers(session, organization_id=organization_id, run_id=run_id)
    return RunDetailOut(
        **_facts(row),
        attempts=[_attempt(one) for one in attempts],
        started_run_ids=[one.id for one in followers],
    )


@resource("GET", "/runs/<uuid:run_id>/children", permission=Permission.VIEW, query=Paging, answer=RunOut, is_list=True)
def list_run_children(run_id: UUID, query: Paging) -> Page[RunOut]:
    """The runs that a run started and waits for, by the names of their jobs."""
    session, organization_id = request_session(), current_actor().organization_id
    queries.get_run(session, organization_id=organization_id, run_id=run_id)
    rows = list_children(session, organization_id=organization_id, run_id=run_id)
    return cut([RunOut(**_facts(row)) for row in rows], query, key=lambda one: (one.job_name, str(one.id)))


@resource("POST", "/runs/<uuid:run_id>/retry", permission=Permission.MANAGE_QUEUE, answer=RunStartedOut, status=201)
def retry_run(run_id: UUID) -> Message:
    """Give a failed run another go, as its job is defined now."""
    session = request_session()
    retry_id = service.retry_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=retry_id), "The run is queued again.")


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


def _facts(row: RunRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in RunOut.model_fields}


def _attempt(row: AttemptRow) -> AttemptOut:
    return AttemptOut(**{name: getattr(row, name) for name in AttemptOut.model_fields})
