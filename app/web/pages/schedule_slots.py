"""The page of the slot ledger: what became of every slot of a day, by page and as CSV."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.slots.csv_text import csv_text
from app.ops.slots.days import Day, DayInvalid, read_day
from app.ops.slots.ledger import SlotLedger, read_ledger
from app.ops.slots.outcomes import SlotOutcome
from app.ops.slots.ranges import SlotRange, collapse
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.said import Era
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.formatting import absolute_time, duration, wall_clock
from app.web.pages.badges import Badge
from app.web.permissions import route
from app.web.responses import invalid

ROWS_PER_PAGE = 100
_WORDS = {
    SlotOutcome.DUE: "Due",
    SlotOutcome.BEFORE: "Before it was made",
    SlotOutcome.NOT_KEPT: "No longer kept",
    SlotOutcome.UNACCOUNTED: "Unaccounted",
    SlotOutcome.STOPPED: "Scheduling stopped",
}
_BADGES = {
    SlotOutcome.DUE: "late",
    SlotOutcome.BEFORE: "planned",
    SlotOutcome.NOT_KEPT: "planned",
    SlotOutcome.UNACCOUNTED: "broken",
    SlotOutcome.STOPPED: "paused",
}


@dataclass(frozen=True)
class SlotLine:
    """One line of the table: a slot, or several that fared alike."""

    when: str
    badge: Badge
    label: str
    reason: str
    run_id: UUID | None
    took: str


@dataclass(frozen=True)
class SlotPage:
    """What the page shows around its lines."""

    day: Day
    summary: str
    eras: tuple[str, ...]
    unknown: tuple[str, ...]
    unaccounted: int
    extras: tuple[str, ...]
    outcomes: list[tuple[str, str]]
    chosen: str
    shown: str
    links: dict[str, str]


@route(web, "/schedules/<uuid:schedule_id>/slots", permission=Permission.VIEW)
def schedule_slots(schedule_id: UUID) -> Response:
    """Every slot of one day with what became of it; today up to now, unless a day is named."""
    schedule, problem = _schedule(schedule_id), ""
    try:
        day = _named_day(schedule)
    except DayInvalid as error:
        day, problem = read_day(None, zone=schedule.timezone, now=request_now()), error.message
    ledger = _ledger(schedule, day)
    wanted = _outcome()
    ranges = collapse(ledger.chosen(wanted))
    number = min(max(request.args.get("page", 1, type=int), 1), max(1, -(-len(ranges) // ROWS_PER_PAGE)))
    shown = ranges[(number - 1) * ROWS_PER_PAGE : number * ROWS_PER_PAGE]
    return invalid(
        "schedules/slots.html",
        status=422 if problem else 200,
        schedule=schedule,
        problem=problem,
        view=_view(schedule, ledger, wanted, number, ranges),
        lines=[_line(each, ledger) for each in shown],
    )


@route(web, "/schedules/<uuid:schedule_id>/slots.csv", permission=Permission.VIEW)
def schedule_slots_csv(schedule_id: UUID) -> Response:
    """The same day as a file, every slot in a line of its own, or those with the outcome that the page shows."""
    schedule = _schedule(schedule_id)
    ledger = _ledger(schedule, _named_day(schedule))
    response = Response(csv_text(ledger, _outcome()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="slots-{schedule_id}-{ledger.day.on}.csv"'
    return response


def _schedule(schedule_id: UUID) -> ScheduleRow:
    return get_schedule(request_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)


def _named_day(schedule: ScheduleRow) -> Day:
    return read_day(request.args.get("day"), zone=schedule.timezone, now=request_now())


def _ledger(schedule: ScheduleRow, day: Day) -> SlotLedger:
    kept_days = runtime().settings.retention_days
    return read_ledger(request_session(), schedule=schedule, day=day, kept_days=kept_days, now=request_now())


def _outcome() -> SlotOutcome | None:
    wanted = request.args.get("outcome", "")
    return SlotOutcome(wanted) if wanted in set(SlotOutcome) else None


def _view(
    schedule: ScheduleRow, ledger: SlotLedger, wanted: SlotOutcome | None, number: int, ranges: list[SlotRange]
) -> SlotPage:
    counts = [(_label(outcome), count) for outcome, count in ledger.counts.items()]
    expected = len(ledger.rows)
    return SlotPage(
        day=ledger.day,
        summary=" · ".join([f"{expected:,} expected", *(f"{count:,} {word.lower()}" for word, count in counts)]),
        eras=_era_words(ledger),
        unknown=tuple(_until_words(era.until, ledger) for era in ledger.unknown),
        unaccounted=ledger.counts.get(SlotOutcome.UNACCOUNTED, 0),
        extras=tuple(f"{_clock(row.slot_at, ledger)} {_label(row.outcome).lower()}" for row in ledger.extras),
        outcomes=[("", "All outcomes"), *((outcome.value, _label(outcome)) for outcome in SlotOutcome)],
        chosen="" if wanted is None else wanted.value,
        shown=_shown_words(number, ranges),
        links=_links(schedule, ledger, wanted, number, ranges),
    )


def _shown_words(number: int, ranges: list[SlotRange]) -> str:
    if not ranges:
        return ""
    first = (number - 1) * ROWS_PER_PAGE
    return f"{first + 1}–{min(first + ROWS_PER_PAGE, len(ranges))} of {len(ranges):,} lines"


def _links(
    schedule: ScheduleRow, ledger: SlotLedger, wanted: SlotOutcome | None, number: int, ranges: list[SlotRange]
) -> dict[str, str]:
    day = ledger.day

    outcome = None if wanted is None else wanted.value

    def here(**more: Any) -> str:
        return url_for("web.schedule_slots", schedule_id=schedule.id, **{"day": day.on, "outcome": outcome} | more)

    return {
        "before": here(day=day.before),
        "after": here(day=day.after) if day.end <= request_now() else "",
        "csv": url_for("web.schedule_slots_csv", schedule_id=schedule.id, day=day.on, outcome=outcome),
        "earlier": here(page=number - 1) if number > 1 else "",
        "later": here(page=number + 1) if number * ROWS_PER_PAGE < len(ranges) else "",
    }


def _line(found: SlotRange, ledger: SlotLedger) -> SlotLine:
    row = found.row
    when = _clock(row.slot_at, ledger)
    if found.slots > 1:
        when = f"{when} to {_clock(found.last_slot_at, ledger)}, {found.slots:,} slots"
    run = row.run
    took = "" if run is None or run.duration is None else duration(run.duration)
    badge = Badge(_BADGES.get(row.outcome, row.outcome.value))
    return SlotLine(when, badge, _label(row.outcome), row.reason, None if run is None else run.id, took)


def _label(outcome: SlotOutcome) -> str:
    return _WORDS.get(outcome, outcome.value.capitalize())


def _clock(at: datetime, ledger: SlotLedger) -> str:
    """The time of day; with its offset on a day on which the clocks change, because one time may occur twice."""
    zone = ZoneInfo(ledger.day.zone)
    wall = at.astimezone(zone)
    shown = wall_clock(wall, seconds=wall.second > 0)
    has_change = ledger.day.start.astimezone(zone).utcoffset() != ledger.day.end.astimezone(zone).utcoffset()
    return f"{shown} (UTC{wall.isoformat()[-6:]})" if has_change else shown


def _era_words(ledger: SlotLedger) -> tuple[str, ...]:
    """What it said when; nothing where all of it is one rhythm, whatever else was changed."""
    stretches = [(words, list(eras)) for words, eras in groupby(ledger.eras, key=_said_in)]
    if len(stretches) < 2:
        return ()
    return tuple(
        f"{'Since' if eras[-1].until is None else 'Until'} "
        f"{absolute_time(eras[-1].until or eras[0].since, zone=ledger.day.zone, now=ledger.until)}: {words}"
        for words, eras in stretches
        if words
    )


def _said_in(era: Era) -> str:
    if era.rhythm is None:
        return ""
    says = era.version.says
    off = "" if says["enabled"] else ", switched off"
    return f"{'; '.join(str(says['cron']).splitlines())}, {says['timezone']}{off}"


def _until_words(until: datetime | None, ledger: SlotLedger) -> str:
    if until is None:
        return "What the schedule says now cannot be read"
    at = absolute_time(until, zone=ledger.day.zone, now=ledger.until)
    return f"What the schedule said before {at} is not kept or cannot be read"
