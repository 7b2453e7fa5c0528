"""The pictures on the page of a schedule, made of what several packages know. Geometry is in web/pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from app.ops.schedule_lengths import ScheduleLengths, read_lengths
from app.ops.schedule_timeline import Span, read_timeline
from app.runs.filters import RunFilter
from app.runs.outcomes import outcome_of
from app.runs.queries import RunNotFound, RunRow, get_run
from app.runs.recent import RecentRun, among_missed
from app.runs.run_lists import list_runs
from app.runs.states import RunState
from app.schedules.gaps import missed_until
from app.schedules.queries import ScheduleRow
from app.web.clock_choice import Clock
from app.web.formatting import zone_label
from app.web.pages.schedule_view import ScheduleView
from app.web.pages.tabs import Tab
from app.web.pictures.strip import SLOTS, Strip, draw_strip
from app.web.pictures.timeline import TimelinePicture, draw_timeline
from app.web.pictures.timeline_table import TimelineRow, timeline_rows
from app.web.pictures.trend import Trend, draw_trend

_SPAN_WORDS = {Span.DAY: "24 h", Span.WEEK: "7 days"}


@dataclass(frozen=True)
class SchedulePictures:
    """What is drawn, each with its words and its table. `zone` is the clock that was chosen."""

    zone: str
    spans: tuple[Tab, ...]
    clocks: tuple[Tab, ...]
    timeline: TimelinePicture
    timeline_rows: tuple[TimelineRow, ...]
    strip: Strip
    is_old_strip: bool
    trend: Trend | None
    lengths: ScheduleLengths


def read_pictures(
    session: Session,
    schedule: ScheduleRow,
    *,
    view: ScheduleView,
    runs: Sequence[RunRow],
    viewer_zone: str,
    is_stopped: bool,
    now: datetime,
) -> SchedulePictures:
    """The pictures of one schedule. `runs` are its newest ones, which the caller has read."""
    zone = view.zone(viewer_zone=viewer_zone, schedule_zone=schedule.timezone)
    timeline = read_timeline(session, schedule, span=view.span, zone=zone, is_stopped=is_stopped, now=now)
    lengths = read_lengths(session, organization_id=schedule.organization_id, schedule_id=schedule.id, now=now)
    shown = _strip_runs(session, schedule, runs, view.run_id)
    is_old = shown[:1] != list(runs[:1])
    return SchedulePictures(
        zone=zone,
        spans=tuple(_tab(schedule, view.of_span(span), _SPAN_WORDS[span], view) for span in Span),
        clocks=_clocks(schedule, view, viewer_zone),
        timeline=draw_timeline(timeline, zone=zone),
        timeline_rows=timeline_rows(timeline, zone=zone),
        strip=draw_strip(
            _strip_marks(session, schedule, shown, is_old=is_old, now=now),
            lengths=[run.took for run in lengths.good],
            now=now,
            looked_for=view.run_id,
            are_last=not is_old,
        ),
        is_old_strip=is_old,
        trend=draw_trend(lengths, zone=zone, now=now),
        lengths=lengths,
    )


def _strip_runs(
    session: Session, schedule: ScheduleRow, newest: Sequence[RunRow], looked_for: UUID | None
) -> list[RunRow]:
    """The newest runs; where an older one is looked for, that one and those before it. The newest comes first."""
    newest = newest[:SLOTS]
    if looked_for is None or any(run.id == looked_for for run in newest):
        return list(newest)
    try:
        found = get_run(session, organization_id=schedule.organization_id, run_id=looked_for)
    except RunNotFound:
        return list(newest)
    if found.schedule_id != schedule.id:
        return list(newest)
    mine = RunFilter(schedule_id=schedule.id)
    before = list_runs(
        session, organization_id=schedule.organization_id, run_filter=mine, limit=SLOTS - 1,
        older_than=(found.created_at, found.id),
    )  # fmt: skip
    return [found, *before.rows]


def _strip_marks(
    session: Session, schedule: ScheduleRow, shown: Sequence[RunRow], *, is_old: bool, now: datetime
) -> list[RecentRun]:
    """The runs, the oldest first, and the slots that nobody executed: of an old one those before it."""
    runs = [_strip_run(run, now) for run in reversed(shown)]
    until = runs[-1].at if is_old else now
    gaps = missed_until(
        session, organization_id=schedule.organization_id, schedule_id=schedule.id, until=until, limit=SLOTS
    )
    return among_missed(runs, gaps, of_each=SLOTS, until=until)[-SLOTS:]


def _strip_run(run: RunRow, now: datetime) -> RecentRun:
    is_going = run.state is RunState.RUNNING and run.started_at is not None
    took: timedelta | None = now - run.started_at if is_going and run.started_at else run.duration
    return RecentRun(run.id, outcome_of(run.state, is_retried=run.attempt > 1), run.started_at or run.due_at, took)


def _clocks(schedule: ScheduleRow, view: ScheduleView, viewer_zone: str) -> tuple[Tab, ...]:
    """The clocks to choose from; none where they all show the same."""
    names = {
        Clock.MINE: f"{zone_label(viewer_zone)} (yours)",
        Clock.SCHEDULE: zone_label(schedule.timezone),
        Clock.UTC: "UTC",
    }
    zones = {clock: view.by(clock).zone(viewer_zone=viewer_zone, schedule_zone=schedule.timezone) for clock in Clock}
    first_of = {zone: clock for clock, zone in reversed(zones.items())}
    if len(first_of) == 1:
        return ()
    chosen = zones[view.clock]
    return tuple(
        _tab(schedule, view.by(clock), names[clock], view.by(first_of[chosen]))
        for clock in Clock
        if first_of[zones[clock]] is clock
    )


def _tab(schedule: ScheduleRow, view: ScheduleView, label: str, current: ScheduleView) -> Tab:
    address: dict[str, Any] = {"schedule_id": schedule.id, **view.args}
    return Tab(label, url_for("web.schedule", **address), view == current)
