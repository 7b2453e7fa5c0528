"""`/admin/processes`: the processes of the installation, and whether it is well, for platform admins."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import Field

from app.api.models import Answer, Moment
from app.api.resource import resource
from app.core.scopes import PLATFORM
from app.edge.identity import request_now
from app.edge.runtime import request_session, working_as
from app.ops.health import judge
from app.ops.heartbeats import ProcessRow, list_page_processes, list_processes, with_runs_in_hand
from app.runs.in_hand import count_in_hand
from app.runs.switches import queue_names


class ProcessOut(Answer):
    """A worker, a scheduler, or both in one."""

    name: str
    host: str
    pid: int
    version: str
    schedules: Annotated[bool, Field(description="Whether it keeps time.")]
    slots: Annotated[int, Field(description="How many runs it takes at once. 0 for a scheduler apart.")]
    queues: Annotated[list[str] | None, Field(description="The queues it serves. null: all.")]
    running: Annotated[int, Field(description="How many runs it has in hand now.")]
    problem: Annotated[str | None, Field(description="Why it starts nothing at present, and what to do.")]
    is_stopping: bool
    started_at: Moment
    beat_at: Annotated[Moment, Field(description="When it last reported. It does every ten seconds.")]
    ticked_at: Moment | None
    tick_ms: Annotated[int | None, Field(description="How long its last tick took.")]
    memory_mib: Annotated[int | None, Field(description="What it holds in memory; null where nobody knows.")]


class PageProcessOut(Answer):
    """A process that serves pages and the API."""

    name: str
    host: str
    pid: int
    version: str
    is_silent: Annotated[bool, Field(description="Whether it has not reported for half a minute.")]
    problem: Annotated[str | None, Field(description="Why it serves nothing at present, and what to do.")]
    started_at: Moment
    beat_at: Annotated[Moment, Field(description="When it last reported. It does every ten seconds.")]
    memory_mib: Annotated[int | None, Field(description="What it holds in memory; null where nobody knows.")]


class ProcessesOut(Answer):
    """Whether the installation does its work, and who does it."""

    is_well: bool
    problems: Annotated[list[str], Field(description="Nothing runs, or nothing is on time. What belfry health says.")]
    remarks: Annotated[list[str], Field(description="Something is wrong, and work goes on.")]
    processes: Annotated[list[ProcessOut], Field(description="Those heard of within the last day.")]
    pages: Annotated[list[PageProcessOut], Field(description="The same of those that serve pages and the API.")]


@resource("GET", "/admin/processes", platform_admin=True, answer=ProcessesOut)
def show_processes() -> ProcessesOut:
    """Workers, schedulers and what serves pages, and whether all is well."""
    now = request_now()
    with working_as(PLATFORM) as session:
        rows = with_runs_in_hand(list_processes(session, now=now), count_in_hand(session))
        pages = list_page_processes(session, now=now)
    health = judge(rows, now=now, queues=queue_names(request_session()))
    return ProcessesOut(
        is_well=health.is_well,
        problems=list(health.problems),
        remarks=list(health.remarks),
        processes=[process_out(row) for row in rows],
        pages=[page_process_out(row, now) for row in pages],
    )


def process_out(row: ProcessRow) -> ProcessOut:
    """A process as data."""
    return ProcessOut(**asdict(row) | {"queues": None if row.queues is None else row.queues.split(",")})


def page_process_out(row: ProcessRow, now: datetime) -> PageProcessOut:
    """One that serves pages as data."""
    told = {name: getattr(row, name) for name in PageProcessOut.model_fields if name != "is_silent"}
    return PageProcessOut(**told, is_silent=row.is_silent(now))
