"""`/admin/system`: how the whole installation stands, pausing all of it, and what to send to somebody who helps."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.api.resource import Message, resource
from app.api.resources.processes import PageProcessOut, ProcessOut, page_process_out, process_out
from app.api.resources.scheduler import SchedulerOut, scheduler_out
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.canary.report import CanaryReport
from app.ops.diagnostics import read_diagnostics
from app.ops.installation import read_installation
from app.ops.pause import Paused, pause_everything, resume_everything
from app.schedules.stops import LONGEST_REASON, UNSAID_REASON


class PauseIn(Body):
    """Why everything is to pause. Everybody reads it on every page."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Moving to the new database server"}]})

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)] = UNSAID_REASON
    queues: Annotated[bool, Field(description="Whether every queue pauses, too, so that nothing at all starts.")] = True


class PausedOut(Answer):
    """What was changed."""

    scheduling: Annotated[bool, Field(description="Whether scheduling was switched by this call.")]
    queues: Annotated[list[str], Field(description="The queues that were.")]


class RunInHandOut(Answer):
    """A run that goes on."""

    id: UUID
    job_name: str
    queue: str
    worker: str | None
    started_at: Moment | None


class DatabaseOut(Answer):
    engine: str
    version: str
    migration: str
    size: Annotated[int | None, Field(description="In bytes.")]


class CanaryHopOut(Answer):
    """One hop of Belfry's own run, or what waits behind it."""

    name: Annotated[str, Field(examples=["planned"])]
    ok: bool
    age: Annotated[float | None, Field(description="In seconds; of `told` and `delivered`, how long the oldest waits.")]
    bound: Annotated[float, Field(description="In seconds: what is older is too late.")]


class CanaryGapOut(Answer):
    """A time in which Belfry's own run did not come through."""

    began_at: Moment
    ended_at: Annotated[Moment | None, Field(description="null while it goes on.")]
    cause: Annotated[str, Field(examples=["off", "not_started"])]


class CanaryOut(Answer):
    """Belfry's own run each minute, from its slot to what is told of it."""

    on: bool
    well: bool
    last_passed_at: Moment | None
    hops: list[CanaryHopOut]
    heartbeat_error: str | None
    gaps: Annotated[list[CanaryGapOut], Field(description="Of the last 30 days, the newest first, at most 200.")]


class SystemOut(Answer):
    """How the installation stands."""

    is_demo: Annotated[bool, Field(description="Whether all data come from a fake provider, for show.")]
    is_well: bool
    problems: list[str]
    remarks: list[str]
    versions: Annotated[list[str], Field(description="Of the pages and of all processes that are alive.")]
    scheduler: SchedulerOut
    processes: list[ProcessOut]
    pages: Annotated[list[PageProcessOut], Field(description="Processes that serve pages and the API.")]
    running: Annotated[list[RunInHandOut], Field(description="At most 500, of all organizations.")]
    paused_queues: list[str]
    canary: CanaryOut
    database: DatabaseOut
    broker: str
    runs_kept_days: Annotated[int | None, Field(description="Their logs are kept as long. null: for ever.")]
    events_kept_days: int
    next_clean_up_at: Annotated[Moment | None, Field(description="About when old rows are deleted next.")]


class DiagnosticsOut(Answer):
    """Figures and states for somebody who helps. No secret and no name of a person, organization or job is in it."""

    diagnostics: dict[str, Any]


@resource("GET", "/admin/system", platform_admin=True, answer=SystemOut)
def show_system() -> SystemOut:
    """Scheduler, processes, versions, database, and what is kept for how long."""
    now = request_now()
    found = read_installation(request_session(), runtime().settings, now=now)
    kept = found.retention.runs
    return SystemOut(
        is_demo=runtime().settings.is_demo,
        is_well=found.health.is_well,
        problems=list(found.health.problems),
        remarks=list(found.health.remarks),
        versions=list(found.versions),
        scheduler=scheduler_out(),
        processes=[process_out(row) for row in found.processes],
        pages=[page_process_out(row, now) for row in found.pages],
        running=[
            RunInHandOut(
                id=run.id, job_name=run.job_name, queue=run.queue, worker=run.worker, started_at=run.started_at
            )
            for run in found.in_hand
        ],
        paused_queues=[row.name for row in found.paused_queues],
        canary=_canary_out(found.canary),
        database=DatabaseOut(
            engine=found.database.engine,
            version=found.database.version,
            migration=found.database.migration,
            size=found.database.size,
        ),
        broker=found.broker,
        runs_kept_days=None if kept is None else kept.days,
        events_kept_days=found.retention.events.days,
        next_clean_up_at=found.retention.next_tidying_at,
    )


def _canary_out(found: CanaryReport) -> CanaryOut:
    return CanaryOut(
        on=found.is_on,
        well=found.is_well,
        last_passed_at=found.last_passed_at,
        hops=[
            CanaryHopOut(
                name=hop.name, ok=hop.is_ok, age=None if hop.age is None else round(hop.age.total_seconds(), 1),
                bound=hop.bound.total_seconds(),
            )
            for hop in found.hops
        ],
        heartbeat_error=None if found.state is None else found.state.ping_error,
        gaps=[CanaryGapOut(began_at=gap.began_at, ended_at=gap.ended_at, cause=gap.cause.value) for gap in found.gaps],
    )  # fmt: skip


@resource("GET", "/admin/system/diagnostics", platform_admin=True, answer=DiagnosticsOut)
def show_diagnostics() -> DiagnosticsOut:
    """The file that the page offers."""
    return DiagnosticsOut(diagnostics=read_diagnostics(request_session(), runtime().settings, now=request_now()))


@resource("POST", "/admin/system/pause", platform_admin=True, body=PauseIn, is_body_optional=True, answer=PausedOut)
def pause_system(body: PauseIn) -> Message:
    """Start nothing on schedule, and with the queues nothing at all. What runs goes on.

    It survives restarts. Slots that come meanwhile are gaps that name who paused, and are not caught up with.
    """
    done = pause_everything(
        request_session(), actor=current_actor(), reason=body.reason, with_queues=body.queues, now=request_now()
    )
    return Message(_shown(done), done.words)


@resource("POST", "/admin/system/resume", platform_admin=True, answer=PausedOut)
def resume_system() -> Message:
    """Plan again, and open the queues that were paused with it. Queues that were paused by themselves stay so."""
    session = request_session()
    done = resume_everything(session, actor=current_actor(), now=request_now())
    on_commit(session, runtime().dispatch)
    return Message(_shown(done), "Nothing was paused." if done.is_nothing else "Everything goes on.")


def _shown(done: Paused) -> PausedOut:
    return PausedOut(scheduling=done.scheduling, queues=list(done.queues))
