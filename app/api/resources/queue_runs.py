"""`/admin/queue-runs` and `/admin/dead-letters`: the runs of the queues by tab, causes of failures, and stuck runs.

An organization's admins see and remove their own; platform admins everybody's.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment, Paging, Query
from app.api.paging import CursorInvalid, read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.api.resources.queues import QueuedRun, overseeing
from app.core.db import on_commit
from app.core.errors import Conflict
from app.edge.identity import current_actor, request_now, tenant_scope
from app.edge.runtime import request_session, runtime, working_as
from app.ops.stuck_runs import StuckEvidence, read_evidence, remove_stuck_runs
from app.runs.cause_groups import count_of_causes, list_causes
from app.runs.causes import CAUSE_LENGTH
from app.runs.filters import LONGEST_SEARCH
from app.runs.queries import RunNotFound, RunRow
from app.runs.queue_filter import LONGEST_NAME, QueueFilter, QueueTab, read_whole
from app.runs.queue_lists import LOOKED_AT_ONCE, Place, list_queue_tab
from app.runs.states import Reason

_MOST_CAUSES = 100


class NotRemoved(Conflict):
    """The run was not taken from its worker, and why."""


class QueueRunsQuery(Paging):
    """Which runs to list."""

    tab: Annotated[QueueTab, Field(description="removed: within seven days. all: whatever became of them.")] = (
        QueueTab.WAITING
    )
    queue: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    job: Annotated[UUID | None, Field(description="The job's id.")] = None
    schedule: Annotated[UUID | None, Field(description="The schedule's id.")] = None
    cause: Annotated[
        str, Field(pattern=rf"^([0-9a-f]{{{CAUSE_LENGTH}}})?$", description="Of dead letters: those of one cause.")
    ] = ""
    q: Annotated[
        str,
        Field(
            max_length=LONGEST_SEARCH,
            description=(
                "Part of the name of a job or schedule or of an error, or a run's whole id. Each narrowed page looks "
                f"through {LOOKED_AT_ONCE:,} runs: go on while there is a cursor, even without rows."
            ),
        ),
    ] = ""


class QueueRunOut(QueuedRun):
    """A run of a queue. What it printed is not part of this."""

    schedule_name: str | None
    queue: str
    cause: Annotated[str | None, Field(description="What its last error shares with others of the same cause.")]
    removed_at: Moment | None
    retried_by_run_id: UUID | None


class CausesQuery(Query):
    """Which dead letters to group."""

    queue: Annotated[str, Field(max_length=LONGEST_NAME)] = ""
    job: UUID | None = None
    schedule: UUID | None = None


class DeadLetterCauseOut(Answer):
    """Dead letters of one cause: their errors are the same but for numbers, ids, times and quoted parts."""

    cause: Annotated[str, Field(description="Its mark, for `cause` of the list.")]
    runs: Annotated[int, Field(description="Of all organizations for a platform admin, else of one's own.")]
    own_runs: Annotated[
        int, Field(description="Those of one's own organization: as many as a bulk action on the cause takes.")
    ]
    schedules: int
    first_at: Moment
    last_at: Moment
    job_name: Annotated[str, Field(description="The job that most of the newest hundred are of.")]
    other_jobs: Annotated[int, Field(description="How many other jobs these hundred have.")]
    reason: Reason | None
    error: Annotated[str | None, Field(description="Of the newest one, as is the reason.")]


class EvidenceOut(Answer):
    """What speaks for and against it that a run is stuck."""

    run_id: UUID
    is_stuck: Annotated[
        bool,
        Field(description="Its worker is silent for over 90 s, or it runs for over 10 min and 3 times its usual p95."),
    ]
    is_silent: bool
    is_long: bool
    worker: str
    began_at: Moment
    beat_at: Annotated[Moment | None, Field(description="The worker's last report, if one is known.")]
    ran_seconds: float
    typical_seconds: Annotated[float | None, Field(description="null: fewer than three runs of its job went well.")]
    p95_seconds: float | None
    words: str
    caution: Annotated[str, Field(description="What removing it does not do.")]


class StuckRemovalIn(Body):
    """What is to follow."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"retry": True}]})

    retry: Annotated[bool, Field(description="Whether another run follows, when the lease of this one is over.")] = (
        False
    )


class StuckRemovalOut(Answer):
    """What follows, if anything does."""

    retry_id: UUID | None
    starts_at: Moment | None


@resource("GET", "/admin/queue-runs", signed_in=True, query=QueueRunsQuery, answer=QueueRunOut, is_list=True)
def list_queue_runs(query: QueueRunsQuery) -> Page[QueueRunOut]:
    """Runs of a tab of the queues. What waits, runs and is retried comes the oldest first, the others the newest."""
    ids = {"job": str(query.job or ""), "schedule": str(query.schedule or "")}
    wanted = read_whole({"tab": query.tab, "queue": query.queue, "q": query.q, "cause": query.cause, **ids})
    with overseeing() as (session, organization_id):
        found = list_queue_tab(
            session,
            organization_id=organization_id,
            wanted=wanted,
            now=request_now(),
            limit=query.limit,
            after=_place(query),
        )
    goes_on = None if found.next is None else write_cursor(found.next.at.isoformat(), str(found.next.run_id))
    return Page([_run(row) for row in found.rows], goes_on)


@resource(
    "GET", "/admin/dead-letters/causes", signed_in=True, query=CausesQuery, answer=DeadLetterCauseOut, is_list=True
)
def list_dead_letter_causes(query: CausesQuery) -> Page[DeadLetterCauseOut]:
    """Dead letters grouped by what caused them, the largest hundred groups."""
    wanted = QueueFilter(QueueTab.DEAD, query.queue, query.job, query.schedule)
    with overseeing() as (session, organization_id):
        groups = list_causes(session, organization_id=organization_id, wanted=wanted, limit=_MOST_CAUSES).groups
        own = {group.cause: group.runs for group in groups}
        if organization_id is None:
            here = current_actor().organization_id
            own = count_of_causes(session, organization_id=here, wanted=wanted, causes=list(own))
    names = DeadLetterCauseOut.model_fields.keys() - {"own_runs"}
    return Page(
        [
            DeadLetterCauseOut(**{name: getattr(group, name) for name in names}, own_runs=own.get(group.cause, 0))
            for group in groups
        ]
    )


@resource("GET", "/admin/queue-runs/<uuid:run_id>/stuck", signed_in=True, answer=EvidenceOut)
def show_evidence(run_id: UUID) -> EvidenceOut:
    """What is known of a run that a worker holds. 404 for one that is not running."""
    with overseeing() as (session, organization_id):
        found = read_evidence(session, organization_id=organization_id, now=request_now(), run_ids=[run_id])
    if run_id not in found:
        raise RunNotFound("There is no such run here that is running.")
    return _evidence(found[run_id])


@resource(
    "POST",
    "/admin/queue-runs/<uuid:run_id>/removal",
    signed_in=True,
    body=StuckRemovalIn,
    is_body_optional=True,
    answer=StuckRemovalOut,
)
def remove_stuck_run(run_id: UUID, body: StuckRemovalIn) -> Message:
    """Take a stuck run from its worker, which frees its slot. 409 for one that does not look stuck.

    Code that may still run on the worker is not stopped by it; what it still reports is refused.
    """
    with working_as(tenant_scope()) as session:
        outcome, taken = remove_stuck_runs(
            session, actor=current_actor(), run_ids=[run_id], is_retried=body.retry, now=request_now()
        )
    for _run_id, reason in outcome.skipped:
        raise NotRemoved(reason)
    on_commit(request_session(), runtime().dispatch)
    found = taken[run_id]
    return Message(StuckRemovalOut(retry_id=found.retry_id, starts_at=found.starts_at), "Removed. Its slot is free.")


def _place(query: QueueRunsQuery) -> Place | None:
    parts = read_cursor(query)
    if parts is None:
        return None
    try:
        return Place(datetime.fromisoformat(parts[0]), UUID(parts[1]))
    except (IndexError, ValueError) as error:
        raise CursorInvalid("This cursor is not one of this list.", field="cursor") from error


def _run(row: RunRow) -> QueueRunOut:
    return QueueRunOut(**{name: getattr(row, name) for name in QueueRunOut.model_fields})


def _evidence(found: StuckEvidence) -> EvidenceOut:
    length = found.length
    return EvidenceOut(
        run_id=found.held.run_id,
        is_stuck=found.is_stuck,
        is_silent=found.is_silent,
        is_long=found.is_long,
        worker=found.held.worker,
        began_at=found.held.began_at,
        beat_at=found.beat_at,
        ran_seconds=found.ran.total_seconds(),
        typical_seconds=None if length is None else length.typical.total_seconds(),
        p95_seconds=None if length is None else length.p95.total_seconds(),
        words=found.words,
        caution=found.caution,
    )
