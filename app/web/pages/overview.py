"""The first page: what to do next, what needs attention, and the last runs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, url_for

from app.edge.identity import current_actor, request_now
from app.edge.permissions import schema_note
from app.edge.runtime import request_session
from app.jobs.kinds.base import KindName
from app.jobs.queries import list_jobs
from app.ops.heartbeats import list_processes
from app.runs.filters import RunFilter
from app.runs.queries import RunRow, list_dead_letters, list_runs
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.schedules.queries import ScheduleRow, list_schedules
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.daemon import scheduling_stop
from app.web.pages.first_steps import FirstStep, first_steps
from app.web.pages.processes import live_slots
from app.web.pages.run_rows import RunLine, run_lines
from app.web.pages.schedule_rows import Tiles, read_tiles
from app.web.permissions import route
from app.web.responses import page, page_or_fragment
from app.web.run_words import REASON_WORDS, first_words

LAST_RUNS = 10
MOST_TROUBLES = 5
# Failures of one schedule are told once; this many are looked at to find out since when.
MOST_FAILED = 100


@dataclass(frozen=True)
class Trouble:
    """One thing that needs a person: its newest failure, and since when there are any."""

    title: str
    text: str
    href: str
    state: str
    since: datetime | None = None
    count: int = 1


@dataclass(frozen=True)
class Overview:
    """The whole page. `steps` is empty once they are all done; before there is a job, they are all there is."""

    steps: list[FirstStep]
    has_jobs: bool
    tiles: Tiles
    running: int
    slots: int
    troubles: list[Trouble]
    failed: int
    lines: list[RunLine]


@route(web, "/", permission=Permission.VIEW, empty_without_schema=True)
def overview() -> Response:
    """What to do next. htmx gets the part that changes."""
    if schema_note():
        return page("overview/unready.html", subject="Overview")
    return page_or_fragment("overview/index.html", "overview/_overview.html", view=_overview())


def _overview() -> Overview:
    session, organization_id, now = request_session(), current_actor().organization_id, request_now()
    schedules = list_schedules(session, organization_id=organization_id)
    # What came with the organization is nothing that somebody made yet.
    jobs = [row for row in list_jobs(session, organization_id=organization_id) if row.kind is not KindName.SYNC]
    own_schedules = [row for row in schedules if row.default_for is None or row.enabled]
    is_stopped = scheduling_stop() is not None
    counts = count_queue(session, organization_id=organization_id)
    failed = list_dead_letters(session, organization_id=organization_id, limit=MOST_FAILED)
    last = list_runs(session, organization_id=organization_id, run_filter=RunFilter(), limit=LAST_RUNS)
    return Overview(
        steps=first_steps(has_jobs=bool(jobs), has_schedules=bool(own_schedules), last_runs=last.rows),
        has_jobs=bool(jobs or own_schedules or last.rows),
        tiles=read_tiles(session, schedules, organization_id=organization_id, is_stopped=is_stopped, now=now),
        running=counts[RunState.RUNNING],
        slots=live_slots(list_processes(session, now=now), now=now),
        troubles=_troubles(schedules, failed)[:MOST_TROUBLES],
        failed=counts[RunState.FAILED],
        lines=run_lines(last.rows),
    )


def _troubles(schedules: list[ScheduleRow], failed: list[RunRow]) -> list[Trouble]:
    groups: dict[UUID, list[RunRow]] = {}
    for run in failed:
        groups.setdefault(run.schedule_id or run.job_id, []).append(run)
    return [_of_schedule(row) for row in schedules if row.problem] + [_of_runs(runs) for runs in groups.values()]


def _of_schedule(row: ScheduleRow) -> Trouble:
    return Trouble(row.name, row.problem or "", url_for("web.schedule", schedule_id=row.id), "broken")


def _of_runs(runs: list[RunRow]) -> Trouble:
    newest = runs[0]
    return Trouble(
        title=newest.schedule_name or newest.job_name,
        text=first_words(newest.error) or (REASON_WORDS[newest.reason] if newest.reason else "It failed."),
        href=url_for("web.run", run_id=newest.id),
        state="failed",
        since=runs[-1].finished_at,
        count=len(runs),
    )
