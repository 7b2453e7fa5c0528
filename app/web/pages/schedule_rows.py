"""What the pages of schedules show: figures and rows, made of what several packages know. Reads, never writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.jobs.kinds.sync.connection import needs_connection
from app.runs.queries import RunRow
from app.runs.run_hours import Counts, counts_of_organization
from app.runs.statistics import ScheduleStats, count_failing_schedules, schedule_stats
from app.schedules.preview import sentence_of
from app.schedules.queries import ScheduleRow, list_schedules
from app.web.formatting import absolute_time, count, percent, zoned_time
from app.web.pages.badges import Badge, badge_of

RATE_WINDOW = timedelta(days=7)
ROWS_PER_PAGE = 100
# Why a schedule cannot be deleted.
DEFAULT_STAYS = "The default schedule of a service stays. Disable it instead."
STOPPED_NOTE = "Nothing is planned: all scheduling is stopped"


@dataclass(frozen=True)
class Tiles:
    """The figures on top of the list."""

    enabled: int
    total: int
    rate: str
    rate_note: str
    failing: int
    next_name: str
    next_run_at: datetime | None


@dataclass(frozen=True)
class ScheduleListRow:
    """One line of the list. `request_key` makes a double click one run; `no_deletion` says why it stays."""

    id: UUID
    name: str
    sentence: str
    job_id: UUID
    job_name: str
    enabled: bool
    problem: str | None
    badge: Badge | None
    rate: str
    last_run_id: UUID | None
    last_at: datetime | None
    took: timedelta | None
    next_run_at: datetime | None
    next_note: str
    request_key: str
    no_deletion: str


@dataclass(frozen=True)
class ScheduleList:
    """One page of the list, what it was searched for, and its neighbours."""

    rows: tuple[ScheduleListRow, ...]
    query: str
    total: int
    found: int
    page: int

    @property
    def first(self) -> int:
        return (self.page - 1) * ROWS_PER_PAGE + 1

    @property
    def previous(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def following(self) -> int | None:
        return self.page + 1 if self.page * ROWS_PER_PAGE < self.found else None


def read_tiles(
    session: Session, schedules: Sequence[ScheduleRow], *, organization_id: UUID, is_stopped: bool, now: datetime
) -> Tiles:
    """The figures, over all schedules of the organization, which the caller has read."""
    coming = [(row.next_run_at, row.name) for row in schedules if row.next_run_at is not None]
    next_run_at, next_name = min(coming, default=(None, "Nothing is due"))
    if is_stopped:
        next_run_at, next_name = None, STOPPED_NOTE
    ended = counts_of_organization(session, organization_id=organization_id, since=now - RATE_WINDOW)
    return Tiles(
        enabled=sum(row.enabled for row in schedules),
        total=len(schedules),
        rate=percent(ended.good, ended.finished),
        rate_note=_rate_note(ended.finished),
        failing=count_failing_schedules(session, organization_id=organization_id),
        next_name=next_name,
        next_run_at=next_run_at,
    )


def read_list(
    session: Session,
    *,
    organization_id: UUID,
    query: str,
    page: int,
    viewer_zone: str,
    is_stopped: bool,
    now: datetime,
) -> ScheduleList:
    """The schedules whose name contains the query, a page of them."""
    everything = list_schedules(session, organization_id=organization_id)
    wanted = query.strip().casefold()
    found = [row for row in everything if wanted in row.name.casefold()]
    shown = found[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
    stats = schedule_stats(
        session,
        organization_id=organization_id,
        schedule_ids=[row.id for row in shown],
        since=now - RATE_WINDOW,
    )
    rows = tuple(
        _list_row(row, stats[row.id], viewer_zone=viewer_zone, is_stopped=is_stopped, now=now) for row in shown
    )
    return ScheduleList(rows=rows, query=query, total=len(everything), found=len(found), page=page)


def success_words(ended: Counts) -> str:
    """“98.6% of 4,212”, “3 of 4”, or that nothing ran yet."""
    if ended.finished == 0:
        return "No runs yet"
    rate = percent(ended.good, ended.finished)
    return rate if ended.finished < 5 else f"{rate} of {count(ended.finished)}"


def next_run_note(schedule: ScheduleRow, *, viewer_zone: str, is_stopped: bool, now: datetime) -> str:
    """The absolute time of the next run on the schedule's clock, or why there is none."""
    if not schedule.enabled:
        return "— (disabled)"
    if schedule.next_run_at is None:
        return "" if schedule.problem else "Only by hand"
    if is_stopped:
        return STOPPED_NOTE
    if schedule.timezone == viewer_zone:
        return absolute_time(schedule.next_run_at, zone=viewer_zone, now=now)
    return zoned_time(schedule.next_run_at, zone=schedule.timezone, now=now)


def why_it_stays(schedule: ScheduleRow) -> str:
    """Why a schedule cannot be deleted; empty when it can."""
    if schedule.code is not None:
        return f"It is defined in code, in {schedule.code.source}. Disable it instead."
    return DEFAULT_STAYS if schedule.default_for else ""


def _rate_note(finished: int) -> str:
    if finished == 0:
        return "No runs yet"
    return "runs" if finished < 5 else f"of {count(finished)} runs"


def _list_row(
    schedule: ScheduleRow, stats: ScheduleStats, *, viewer_zone: str, is_stopped: bool, now: datetime
) -> ScheduleListRow:
    last = stats.last
    return ScheduleListRow(
        id=schedule.id,
        name=schedule.name,
        sentence=sentence_of(schedule),
        job_id=schedule.job_id,
        job_name=schedule.job_name,
        enabled=schedule.enabled,
        problem=schedule.problem,
        badge=_badge(schedule, last),
        rate=success_words(stats.counts),
        last_run_id=None if last is None else last.id,
        last_at=None if last is None else last.started_at or last.due_at,
        took=None if last is None else last.duration,
        next_run_at=None if is_stopped else schedule.next_run_at,
        next_note=next_run_note(schedule, viewer_zone=viewer_zone, is_stopped=is_stopped, now=now),
        request_key=new_id().hex,
        no_deletion=why_it_stays(schedule),
    )


def _badge(schedule: ScheduleRow, last: RunRow | None) -> Badge | None:
    if needs_connection(schedule.job_kind):
        return Badge("needs_connection")
    return None if last is None else badge_of(last)
