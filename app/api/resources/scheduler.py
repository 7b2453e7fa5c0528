"""`/scheduler`: whether anything is planned at all, for those who look after the whole installation."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.api.resource import Message, resource
from app.core.db import on_commit
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.heartbeats import HEALTHY_WITHIN, ProcessRow, list_processes
from app.schedules.clock_steps import current_hold
from app.schedules.queries import earliest_due_across_tenants
from app.schedules.stops import LONGEST_REASON, UNSAID_REASON, current_stop, start_scheduling, stop_scheduling


class SchedulerState(StrEnum):
    """Whether slots become runs."""

    RUNNING = "running"  # a scheduler keeps time
    STOPPED = "stopped"  # a platform admin stopped all scheduling
    AWAY = "away"  # nobody stopped it, and no scheduler was heard of lately


class StopIn(Body):
    """Why all scheduling is to stop. Everybody whose slots are missed reads it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "Moving to the new database server"}]})

    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)] = UNSAID_REASON


class StopOut(Answer):
    """Who stopped all scheduling, when and why."""

    stopped_at: Moment
    stopped_by: str
    reason: str


class HoldOut(Answer):
    """Until when nothing is planned because the database's clock was set. It goes on by itself."""

    held_until: Moment
    text: str


class SchedulerProcess(Answer):
    """A process that keeps time."""

    name: str
    version: str
    started_at: Moment
    beat_at: Moment
    ticked_at: Moment | None


class SchedulerOut(Answer):
    """How scheduling stands, for all organizations."""

    state: SchedulerState
    stop: Annotated[StopOut | None, Field(description="The stop that lasts now.")]
    hold: Annotated[HoldOut | None, Field(description="The wait after a step of the database's clock.")]
    next_due_at: Annotated[Moment | None, Field(description="The earliest slot of any schedule. None while stopped.")]
    schedulers: Annotated[list[SchedulerProcess], Field(description="Those heard of within the last day.")]


@resource("GET", "/scheduler/status", platform_admin=True, answer=SchedulerOut)
def show_schedulerscheduler_out() -> SchedulerOut:
    """Whether slots become runs, and who says so."""
    return scheduler_out()


@resource("POST", "/scheduler/start", platform_admin=True, answer=SchedulerOut)
def start_scheduler() -> Message:
    """Plan again. What was missed meanwhile is a gap that names who stopped it, and is not caught up with."""
    session = request_session()
    has_started = start_scheduling(session, actor=current_actor(), now=request_now())
    on_commit(session, runtime().dispatch)
    return Message(scheduler_out(), "Scheduling started." if has_started else "Scheduling was not stopped.")


@resource("POST", "/scheduler/stop", platform_admin=True, body=StopIn, is_body_optional=True, answer=SchedulerOut)
def stop_scheduler(body: StopIn) -> Message:
    """Plan nothing any more, for nobody, until it is started again. Runs that exist go on.

    It survives restarts. When it is stopped already, its first reason stays.
    """
    has_stopped = stop_scheduling(request_session(), actor=current_actor(), reason=body.reason, now=request_now())
    return Message(scheduler_out(), "Scheduling stopped." if has_stopped else "Scheduling was stopped already.")


def scheduler_out() -> SchedulerOut:
    """How scheduling stands, as this request sees it."""
    session, now = request_session(), request_now()
    session.flush()
    stop, hold = current_stop(session), current_hold(session, now=now)
    schedulers = [process for process in list_processes(session, now=now) if process.schedules]
    found = (
        None if stop is None else StopOut(stopped_at=stop.stopped_at, stopped_by=stop.stopped_by, reason=stop.reason)
    )
    return SchedulerOut(
        state=_state(is_stopped=stop is not None, schedulers=schedulers, now=now),
        stop=found,
        hold=None if hold is None else HoldOut(held_until=hold.held_until, text=hold.text),
        next_due_at=earliest_due_across_tenants(session),
        schedulers=[_process(process) for process in schedulers],
    )


def _state(*, is_stopped: bool, schedulers: list[ProcessRow], now: datetime) -> SchedulerState:
    if is_stopped:
        return SchedulerState.STOPPED
    keeps_time = any(now - (one.ticked_at or one.started_at) < HEALTHY_WITHIN for one in schedulers)
    return SchedulerState.RUNNING if keeps_time else SchedulerState.AWAY


def _process(row: ProcessRow) -> SchedulerProcess:
    return SchedulerProcess(
        name=row.name, version=row.version, started_at=row.started_at, beat_at=row.beat_at, ticked_at=row.ticked_at
    )
