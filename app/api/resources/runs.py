"""`/runs`: what has run, runs and is to run."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from pydantic import ConfigDict, Field
from sqlalchemy.orm import Session

from app.api.models import Answer, Body, Bound, Paging
from app.api.paging import CursorInvalid, cut, read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.api.run_shapes import RunDetailOut, RunOut, shown_run, shown_runs
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.cancel_words import cancel_words
from app.runs import repeats, run_lists, service, steering
from app.runs.filters import LONGEST_SEARCH, RunFilter, search_text
from app.runs.queries import RunNotFound, RunRow, get_run
from app.runs.relatives import list_children
from app.runs.run_search import SEARCHED_AT_ONCE, Place
from app.runs.states import RunState, Source
from app.tenants.access import Permission

_ELSEWHERE = (
    "Runs of jobs in code belong to the installation: platform admins read them at /admin/code-runs/{id}, "
    "with a token that has the scope platform_admin."
)
# Of a version that named the run alone, which may be gone.
_OLD_CURSOR = "This cursor is of an earlier version. Begin anew without one."


class RunQuery(Paging):
    state: RunState | None = None
    trigger: Annotated[
        Source | None,
        Field(
            description="Why they exist: that of a run, or `api`, `terminal` or `again` for how somebody asked. "
            f"Looks through {SEARCHED_AT_ONCE:,} runs at most for each page, as `q` does."
        ),
    ] = None
    since: Annotated[Bound | None, Field(description="Those that went on or were made then or later.")] = None
    until: Annotated[Bound | None, Field(description="Those that were made before.")] = None
    job: Annotated[UUID | None, Field(description="The job's id.")] = None
    schedule: Annotated[UUID | None, Field(description="The schedule's id.")] = None
    q: Annotated[
        str,
        Field(
            max_length=LONGEST_SEARCH,
            description=(
                "Part of the name of a job or schedule, of an error or of what the job was to do, or a run's whole id. "
                f"Each page looks through {SEARCHED_AT_ONCE:,} runs at most: go on while there is a cursor, also "
                "without rows."
            ),
        ),
    ] = ""


class CancelledOut(Answer):
    is_over: Annotated[bool, Field(description="false: it is running, and stops as soon as its worker has noticed.")]


class RunStartedOut(Answer):
    run_id: UUID


@resource("GET", "/runs", permission=Permission.VIEW, query=RunQuery, answer=RunOut, is_list=True)
def list_runs(query: RunQuery) -> Page[RunOut]:
    """Runs, newest first."""
    page = run_lists.list_runs(
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
    place = page.older_than
    next_cursor = None if place is None else write_cursor(place[0].isoformat(), str(place[1]))
    return Page(shown_runs(request_session(), page.rows), next_cursor)


@resource("GET", "/runs/<uuid:run_id>", permission=Permission.VIEW, answer=RunDetailOut)
def show_run(run_id: UUID) -> RunDetailOut:
    """A run with its attempts."""
    session, organization_id = request_session(), current_actor().organization_id
    return shown_run(session, own_run(session, organization_id, run_id))


def own_run(session: Session, organization_id: UUID, run_id: UUID) -> RunRow:
    """The run of this organization. Raises RunNotFound, in the same words whatever run of somebody else that may be."""
    try:
        return get_run(session, organization_id=organization_id, run_id=run_id)
    except RunNotFound as error:
        raise RunNotFound(f"{error.message} {_ELSEWHERE}") from error


@resource("GET", "/runs/<uuid:run_id>/children", permission=Permission.VIEW, query=Paging, answer=RunOut, is_list=True)
def list_run_children(run_id: UUID, query: Paging) -> Page[RunOut]:
    """The runs that a run started and waits for, by the names of their jobs."""
    session, organization_id = request_session(), current_actor().organization_id
    own_run(session, organization_id, run_id)
    rows = list_children(session, organization_id=organization_id, run_id=run_id)
    return cut(shown_runs(session, rows), query, key=lambda one: (one.job_name, str(one.id)))


@resource("POST", "/runs/<uuid:run_id>/retry", permission=Permission.MANAGE_QUEUE, answer=RunStartedOut, status=201)
def retry_run(run_id: UUID) -> Message:
    """Give a failed run another go, as its job is defined now."""
    session = request_session()
    retry_id = service.retry_run(session, actor=current_actor(), run_id=run_id, now=request_now())
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=retry_id), "The run is queued again.")


class RunAgainIn(Body):
    """With which parameters, where not with the same."""

    model_config = ConfigDict(json_schema_extra={"examples": [{}]})

    parameters: Annotated[
        dict[str, Any] | None,
        Field(
            description="Take the place of the job's own in the new run. Without them it gets those that were chosen "
            "for the old one. One that is sent as it was shown, masked, stays what it was in the old run."
        ),
    ] = None


@resource(
    "POST", "/runs/<uuid:run_id>/again", permission=Permission.RUN, body=RunAgainIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_again(run_id: UUID, body: RunAgainIn) -> Message:
    """Run what has ended once more, as its job is defined now.

    Both runs name each other. Send an Idempotency-Key, so that a request that is sent again starts nothing more.
    """
    session, actor = request_session(), current_actor()
    own_run(session, actor.organization_id, run_id)
    new_id = repeats.run_again(
        session, actor=actor, kinds=runtime().kinds, run_id=run_id, request_key=f"api-{uuid4()}",
        parameters=body.parameters, now=request_now(),
    )  # fmt: skip
    on_commit(session, runtime().dispatch)
    return Message(RunStartedOut(run_id=new_id), "The run is queued.")


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


def _older_than(query: RunQuery) -> Place | None:
    parts = read_cursor(query)
    if parts is None:
        return None
    try:
        return datetime.fromisoformat(parts[0]), UUID(parts[1])
    except (IndexError, ValueError) as error:
        raise CursorInvalid(_OLD_CURSOR, field="cursor") from error
