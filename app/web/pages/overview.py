"""The first page: what to do next, what needs attention, and the last runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, url_for
from sqlalchemy.orm import Session

from app.edge.identity import current_actor, request_now
from app.edge.permissions import schema_note
from app.edge.runtime import request_session
from app.jobs.queries import has_own_job
from app.ops.heartbeats import list_processes
from app.ops.schedule_glances import Glance
from app.ops.schedule_health import ScheduleHealth
from app.runs.filters import RunFilter
from app.runs.queries import RunRow, list_dead_letters, list_runs
from app.runs.states import RunState
from app.runs.statistics import count_queue
from app.schedules.queries import ScheduleRow, list_these_schedules
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.daemon import scheduling_stop
from app.web.pages.first_steps import FirstStep, first_steps
from app.web.pages.glances import own_glances
from app.web.pages.processes import live_slots
from app.web.pages.run_rows import RunLine, run_lines
from app.web.pages.schedule_tiles import Tiles, read_tiles
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
    is_stopped = scheduling_stop() is not None
    glances = own_glances()
    # What came with the organization is nothing that somebody made yet.
    has_jobs = has_own_job(session, organization_id=organization_id)
    has_schedules = any(one.enabled or not one.is_default for one in glances)
    counts = count_queue(session, organization_id=organization_id)
    failed = list_dead_letters(session, organization_id=organization_id, limit=MOST_FAILED)
    last = list_runs(session, organization_id=organization_id, run_filter=RunFilter(), limit=LAST_RUNS)
    return Overview(
        steps=first_steps(has_jobs=has_jobs, has_schedules=has_schedules, last_runs=last.rows),
        has_jobs=bool(has_jobs or has_schedules or last.rows),
        tiles=read_tiles(session, glances, organization_id=organization_id, is_stopped=is_stopped, now=now),
        running=counts[RunState.RUNNING],
        slots=live_slots(list_processes(session, now=now), now=now),
        troubles=_troubles(_unreadable(session, organization_id, glances), failed)[:MOST_TROUBLES],
        failed=counts[RunState.FAILED],
        lines=run_lines(last.rows),
    )


def _unreadable(session: Session, organization_id: UUID, glances: Sequence[Glance]) -> list[ScheduleRow]:
    ids = [one.id for one in glances if one.health is ScheduleHealth.UNREADABLE][:MOST_TROUBLES]
    return list_these_schedules(session, organization_id=organization_id, schedule_ids=ids)


def _troubles(schedules: list[ScheduleRow], failed: list[RunRow]) -> list[Trouble]:
    groups: dict[UUID, list[RunRow]] = {}
    for run in failed:
        groups.setdefault(run.schedule_id or run.job_id, []).append(run)
    return [_of_schedule(row) for row in schedules] + [_of_runs(runs) for runs in groups.values()]


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
