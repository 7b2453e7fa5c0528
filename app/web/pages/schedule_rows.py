"""The list of schedules: a page of those that a filter takes, made of what several packages know."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy.orm import Session

from app.core.questions import ask_together, is_postgres
from app.jobs.kinds.sync.connection import needs_connection
from app.ops.clock_badges import change_soon
from app.ops.schedule_glances import Glance, GlanceFilter
from app.ops.schedule_health import ScheduleHealth, ScheduleStatus
from app.ops.schedule_order import ScheduleOrder, SortKey, in_order
from app.runs.outcomes import Outcome
from app.runs.recent import ListedRun, recent_runs, with_missed
from app.runs.run_hours import NOTHING, RATE_WINDOW, Counts, counts_by_schedule
from app.runs.states import RunState
from app.schedules.cron import MANUALLY
from app.schedules.gaps import GapRow, missed_ranges
from app.schedules.owners import NOBODY
from app.schedules.preview import sentence_of
from app.schedules.queries import ScheduleRow, list_these_schedules
from app.web.clock_choice import Clock, list_clock
from app.web.formatting import absolute_time, count, zoned_time
from app.web.pages.badges import Badge, badge_of
from app.web.pages.schedule_search import ScheduleSearch
from app.web.pages.schedule_tiles import STOPPED_NOTE, success_words
from app.web.pictures.strip import SLOTS, Strip, draw_strip

# Why a schedule cannot be deleted.
DEFAULT_STAYS = "The default schedule of a service stays. Disable it instead."
# What each order lists first, and what the other way round.
_ORDERS = {
    SortKey.NEXT: ("Next run first", "Next run last"),
    SortKey.NAME: ("Name, A to Z", "Name, Z to A"),
    SortKey.SUCCESS: ("Least successful first", "Most successful first"),
    SortKey.DURATION: ("Longest last run first", "Shortest last run first"),
}
_GOOD = {Outcome.SUCCEEDED, Outcome.SUCCEEDED_AFTER_RETRY}


@dataclass(frozen=True)
class ScheduleListRow:
    """One line of the list. `request_key` makes a double click one run; `no_deletion` says why it stays.

    `clock_change` is what the clocks do to its times within a week.
    """

    id: UUID
    name: str
    sentence: str
    job_id: UUID
    job_name: str
    enabled: bool
    problem: str | None
    is_late: bool
    badge: Badge | None
    strip: Strip
    rate: str
    counters: str
    last_run_id: UUID | None
    last_at: datetime | None
    took: timedelta | None
    next_run_at: datetime | None
    next_note: str
    clock_change: str
    request_key: str
    no_deletion: str
    # By which zone its times are told; empty for the viewer's.
    zone: str
    # The connection whose login was refused, so that it was switched off.
    connection_href: str


@dataclass(frozen=True)
class ScheduleList:
    """One page of the list, what it is narrowed to and may be, and its neighbours."""

    rows: tuple[ScheduleListRow, ...]
    wanted: GlanceFilter
    order: ScheduleOrder
    statuses: tuple[tuple[str, str], ...]
    tags: tuple[str, ...]
    services: tuple[str, ...]
    owners: tuple[str, ...]
    total: int
    found: int
    page: int
    size: int
    # What of the address could not be read: it shows more than was asked for.
    problems: tuple[str, ...]

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1

    @property
    def previous(self) -> int | None:
        return self.page - 1 if self.page > 1 else None

    @property
    def following(self) -> int | None:
        return self.page + 1 if self.page * self.size < self.found else None

    @staticmethod
    def choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
        """For a field in which one of them is chosen."""
        return [(value, value) for value in values]

    @property
    def orders(self) -> list[tuple[str, str]]:
        """The orders to choose from. The other way round of one is offered while it is chosen, or by its heading."""
        offered = [("", "Attention first"), *((key.value, words) for key, (words, _) in _ORDERS.items())]
        if self.order.key is None or not self.order.is_reversed:
            return offered
        return [*offered, (self.order.text, _ORDERS[self.order.key][1])]

    def heading(self, key: str) -> dict[str, str]:
        """A column's link that sorts by it, or the other way round where that is so already."""
        is_chosen = self.order.key == key
        wanted = ScheduleOrder(SortKey(key), is_chosen and not self.order.is_reversed)
        words = _ORDERS[SortKey(key)][1 if wanted.is_reversed else 0]
        # The success rate grows down the column, the duration shrinks.
        falls = self.order.is_reversed != (self.order.key is SortKey.DURATION)
        sort = ("descending" if falls else "ascending") if is_chosen else ""
        return {"href": url_for("web.schedules", **self.link() | {"sort": wanted.text}), "sort": sort, "by": words}

    def link(self, page: int | None = None) -> dict[str, Any]:
        """The query string's parts of a page of it, to build a link from."""
        parts = {
            "q": self.wanted.query, "status": self.wanted.status, "tag": self.wanted.tag,
            "service": self.wanted.service, "owner": self.wanted.owner, "sort": self.order.text,
            "page": page if page != 1 else None,
        }  # fmt: skip
        return {name: value for name, value in parts.items() if value}


def read_list(
    session: Session,
    glances: Sequence[Glance],
    *,
    organization_id: UUID,
    wanted: ScheduleSearch,
    page: int,
    size: int,
    viewer_zone: str,
    is_stopped: bool,
    now: datetime,
) -> ScheduleList:
    """A page of the schedules that the filter takes, out of all, which the caller has read; the last one at most."""
    narrowed = wanted.filter
    found = in_order(
        session, [one for one in glances if narrowed.takes(one)], organization_id=organization_id, order=wanted.order,
        now=now,
    )  # fmt: skip
    page = min(page, max(1, ceil(len(found) / size)))
    shown = {one.id: one for one in found[(page - 1) * size : page * size]}
    here: dict[str, Any] = {"organization_id": organization_id, "schedule_ids": list(shown)}
    counts, missed = ask_together(
        session,
        counts_by_schedule(**here, since=now - RATE_WINDOW) if shown else None,
        missed_ranges(**here, each=SLOTS, asks_postgres=is_postgres(session)) if shown else None,
    )
    counts, missed = counts or {}, missed or {}
    recent = recent_runs(session, **here, each=SLOTS, now=now)
    clock: dict[str, Any] = {"viewer_zone": viewer_zone, "is_stopped": is_stopped, "now": now}
    # Fifty keys that begin alike travel as one.
    keys = token_urlsafe(9)
    rows = tuple(
        _list_row(
            row,
            shown[row.id],
            counts.get(row.id, NOTHING),
            recent.get(row.id, []),
            missed.get(row.id, []),
            f"{keys}{number}",
            **clock,
        )
        for number, row in enumerate(list_these_schedules(session, **here))
    )
    return ScheduleList(
        rows=rows,
        wanted=narrowed,
        order=wanted.order,
        statuses=_statuses(glances, narrowed),
        tags=tuple(sorted({tag for one in glances for tag in one.tags} | ({narrowed.tag} - {""}))),
        services=tuple(sorted({one.service for one in glances if one.service} | ({narrowed.service} - {""}))),
        owners=tuple(sorted({one.owner or NOBODY for one in glances} | ({narrowed.owner} - {""}))),
        total=len(glances),
        found=len(found),
        page=page,
        size=size,
        problems=wanted.problems,
    )


def next_run_note(
    schedule: ScheduleRow, *, viewer_zone: str, is_stopped: bool, now: datetime, is_by_viewer: bool = False
) -> str:
    """The absolute time of the next run on the schedule's clock, or the viewer's, or why there is none."""
    if not schedule.enabled:
        return "— (disabled)"
    if schedule.next_run_at is None:
        return "" if schedule.problem else _why_no_next_run(schedule)
    if is_stopped:
        return STOPPED_NOTE
    if is_by_viewer or schedule.timezone == viewer_zone:
        return absolute_time(schedule.next_run_at, zone=viewer_zone, now=now)
    return zoned_time(schedule.next_run_at, zone=schedule.timezone, now=now)


def refused_connection_href(schedule: ScheduleRow) -> str:
    """The page of the connection whose refusal switched it off; empty where none did."""
    if not schedule.is_paused_for_refusal or not schedule.connection_id:
        return ""
    return url_for("web.connection", connection_id=schedule.connection_id)


def _why_no_next_run(schedule: ScheduleRow) -> str:
    """Of one that is on and can be read."""
    return "Only by hand" if schedule.cron.strip().lower() == MANUALLY else "No future run: its times are over"


def why_it_stays(schedule: ScheduleRow) -> str:
    """Why a schedule cannot be deleted; empty when it can."""
    if schedule.code is not None:
        return f"It is defined in code, in {schedule.code.source}. Disable it instead."
    return DEFAULT_STAYS if schedule.default_for else ""


def _statuses(glances: Sequence[Glance], wanted: GlanceFilter) -> tuple[tuple[str, str], ...]:
    """The choices of those that are on and of how they fare, with how many there are; and the chosen one."""
    numbers = Counter[str](one.health.value for one in glances)
    numbers[ScheduleStatus.ENABLED.value] = sum(one.enabled for one in glances)
    return tuple(
        (status.value, f"{status.value.capitalize()} ({count(numbers[status.value])})")
        for status in ScheduleStatus
        if numbers[status.value] or status is wanted.status
    )


def _list_row(
    schedule: ScheduleRow,
    glance: Glance,
    counts: Counts,
    recent: Sequence[ListedRun],
    missed: Sequence[GapRow],
    request_key: str,
    *,
    viewer_zone: str,
    is_stopped: bool,
    now: datetime,
) -> ScheduleListRow:
    # What was skipped says little; it is the last result only where nothing else happened lately.
    told = [run for run in recent if run.state is not RunState.SKIPPED] or recent
    last = told[-1] if told else None
    is_by_viewer = list_clock() is not Clock.SCHEDULE
    good = [run.took for run in recent if run.outcome in _GOOD and run.took is not None]
    return ScheduleListRow(
        id=schedule.id,
        name=schedule.name,
        sentence=sentence_of(schedule),
        job_id=schedule.job_id,
        job_name=schedule.job_name,
        enabled=schedule.enabled,
        problem=schedule.problem,
        is_late=glance.health is ScheduleHealth.LATE,
        badge=_badge(schedule, last, missed),
        strip=draw_strip(with_missed(recent, missed, most=SLOTS), lengths=good, now=now),
        rate=success_words(counts),
        counters=_counters(counts),
        last_run_id=None if last is None else last.id,
        last_at=None if last is None else last.at,
        took=None if last is None or last.state is RunState.RUNNING else last.took,
        next_run_at=None if is_stopped else schedule.next_run_at,
        next_note=next_run_note(
            schedule, viewer_zone=viewer_zone, is_stopped=is_stopped, now=now, is_by_viewer=is_by_viewer
        ),
        clock_change=change_soon(schedule, now=now),
        # As short as is safe: it is the part of a row that no compression makes smaller.
        request_key=request_key,
        no_deletion=why_it_stays(schedule),
        zone="" if is_by_viewer else schedule.timezone,
        connection_href=refused_connection_href(schedule),
    )


def _counters(counts: Counts) -> str:
    """“412 runs · 3 failed · 2 skipped” of the window of the rate; what there was none of is left out."""
    if not counts.all:
        return ""
    told = {"failed": counts.failed, "missed": counts.missed, "skipped": counts.skipped}
    runs = f"{count(counts.all)} run{'' if counts.all == 1 else 's'}"
    return " · ".join([runs, *(f"{count(number)} {word}" for word, number in told.items() if number)])


def _badge(schedule: ScheduleRow, last: ListedRun | None, missed: Sequence[GapRow]) -> Badge | None:
    if schedule.is_paused_for_refusal:
        return Badge("connection_refused")
    if needs_connection(schedule.job_kind, schedule.connection_id) or schedule.is_paused_for_connection:
        return Badge("needs_connection")
    if missed and (last is None or last.at < missed[0].last_slot_at):
        return Badge(RunState.MISSED.value)
    return None if last is None else badge_of(last)
