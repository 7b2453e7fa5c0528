"""The first page: what to do next, what needs attention, what was and what comes, and the last runs."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from flask import Response, url_for

from app.edge.identity import current_actor, request_now
from app.edge.permissions import schema_note
from app.edge.runtime import request_session, runtime
from app.events.service import Topic
from app.ops.overview import Situation, read_situation
from app.runs.filters import RunFilter
from app.runs.run_lists import list_runs
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.daemon import news, scheduling_stop
from app.web.pages.attention import AttentionLine, MoreAttention, attention_lines, more_attention
from app.web.pages.first_steps import FirstStep, first_steps, read_beginnings
from app.web.pages.glances import own_glances
from app.web.pages.run_rows import RunLine, listed_zones, run_lines, zones_of_schedules
from app.web.pages.schedule_tiles import STOPPED_NOTE, rate_change, rate_note, rate_words
from app.web.permissions import route
from app.web.pictures.day_of_runs import HourRow, draw_day, hour_rows
from app.web.pictures.timeline import TimelinePicture
from app.web.responses import page, page_or_fragment

LAST_RUNS = 10


@dataclass(frozen=True)
class Figures:
    """The tiles, in words. `next_href` is where the schedule that comes next is."""

    enabled: int
    total: int
    rate: str
    rate_note: str
    failing: int
    failing_note: str
    running: int
    running_note: str
    next_run_at: datetime | None
    next_name: str
    next_href: str


@dataclass(frozen=True)
class Overview:
    """The whole page. `steps` is empty once they are all done; before there is a job, they are all there is."""

    steps: list[FirstStep]
    has_jobs: bool
    figures: Figures
    troubles: list[AttentionLine]
    more: MoreAttention | None
    failed: int
    zone: str
    timeline: TimelinePicture
    hours: tuple[HourRow, ...]
    lines: list[RunLine]


@route(web, "/", permission=Permission.VIEW, empty_without_schema=True)
def overview() -> Response:
    """What to do next. htmx gets the part that changes."""
    if schema_note():
        return page("overview/unready.html", subject="Overview")
    return page_or_fragment("overview/index.html", "overview/_overview.html", view=_overview())


def _overview() -> Overview:
    session, organization_id, now = request_session(), current_actor().organization_id, request_now()
    glances, zone = own_glances(), viewer_zone()
    situation = read_situation(
        session,
        glances,
        organization_id=organization_id,
        load=runtime().previews.load(
            session, organization_id=organization_id, now=now, newest=news().newest[Topic.SCHEDULES]
        ),
        is_stopped=scheduling_stop() is not None,
        today=_beginning_of_day(now, zone),
        now=now,
    )
    has_schedules = any(one.enabled or not one.is_default for one in glances)
    last = list_runs(session, organization_id=organization_id, run_filter=RunFilter(), limit=LAST_RUNS)
    beginnings = read_beginnings(
        # What came with the organization is nothing that somebody made yet.
        has_schedule=any(not one.is_default for one in glances),
        has_green=situation.ended.good > 0,
        last_runs=last.rows,
    )
    zones = listed_zones(last.rows) | zones_of_schedules({one.id: one.timezone for one in glances})
    return Overview(
        steps=first_steps(beginnings, has_schedules=has_schedules),
        has_jobs=bool(beginnings.has_own_job or has_schedules or last.rows),
        figures=_figures(situation),
        troubles=attention_lines(situation, zones),
        more=more_attention(situation),
        failed=situation.dead,
        zone=zone,
        timeline=draw_day(situation.hours, zone=zone),
        hours=hour_rows(situation.hours, zone=zone),
        lines=run_lines(last.rows, zones=zones),
    )


def _figures(found: Situation) -> Figures:
    following = found.next_run
    nothing = STOPPED_NOTE if scheduling_stop() is not None else "Nothing is due"
    return Figures(
        enabled=found.enabled,
        total=found.total,
        rate=rate_words(found.ended),
        rate_note=f"{rate_note(found.ended)}{rate_change(found.ended, found.ended_before)}",
        failing=found.failing,
        failing_note=f"{found.failing_new} new today" if found.failing else "schedules, by their last run",
        running=found.running,
        running_note=f"of {found.slots} slots" if found.slots else "no worker is running",
        next_run_at=None if following is None else following.next_run_at,
        next_name=nothing if following is None else following.name,
        next_href=url_for("web.schedules") if following is None else url_for("web.schedule", schedule_id=following.id),
    )


def _beginning_of_day(now: datetime, zone: str) -> datetime:
    clock = ZoneInfo(zone)
    return datetime.combine(now.astimezone(clock).date(), time(), clock)
