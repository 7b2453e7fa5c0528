"""A run as a line of a table: shared by the lists of runs, the queue and the overview."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.text import first_words
from app.edge.identity import request_now
from app.ops.run_notes import NO_NOTES, RunNotes, against_usual, length_of
from app.ops.source_words import source_words
from app.runs.queries import RunRow
from app.runs.states import LOSSES, RunState
from app.web.clock_choice import Clock, list_clock
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, duration, wall_clock
from app.web.pages.badges import Badge, badge_of
from app.web.run_words import REASON_WORDS, lateness_words, tries_words


@dataclass(frozen=True)
class RunLine:
    """What a table prints of a run beside its own fields."""

    run: RunRow
    badge: Badge
    started: str
    lateness: str
    # How long it took, or takes, and how that compares with what is usual.
    took: str
    usual: str
    tries: str
    # Where it runs, or was lost.
    worker: str
    trigger: str
    error: str
    # By which zone its times are told; empty for the viewer's.
    zone: str = ""


def run_lines(
    rows: Sequence[RunRow], notes: RunNotes = NO_NOTES, *, zones: Mapping[UUID, str] | None = None
) -> list[RunLine]:
    """Lines in the order of the rows. `zones` are those of listed_zones, of whoever has read them already."""
    known = listed_zones(rows) if zones is None else zones
    return [_line(row, notes, known.get(row.schedule_id, "") if row.schedule_id else "") for row in rows]


def listed_zones(rows: Iterable[RunRow]) -> dict[UUID, str]:
    """By which zones a list tells the times of these runs: none unless each is to be told by its schedule's clock."""
    return zones_of_schedules({row.schedule_id: row.timezone for row in rows if row.schedule_id and row.timezone})


def zones_of_schedules(zones: dict[UUID, str]) -> dict[UUID, str]:
    """The same of schedules whose zones are known."""
    return zones if list_clock() is Clock.SCHEDULE else {}


def _line(row: RunRow, notes: RunNotes, zone: str) -> RunLine:
    took = length_of(row, now=request_now())
    return RunLine(
        run=row,
        badge=badge_of(row),
        started=_started(row, zone),
        zone=zone,
        lateness=lateness_words(row.lateness),
        took="" if took is None else duration(took),
        usual=against_usual(took, notes.usual_of(row)),
        tries=tries_words(row.attempt, row.tries),
        worker=_worker(row),
        trigger=source_words(row, asked_by=notes.asked_by(row)),
        error=first_words(row.error, longest=200) or (REASON_WORDS[row.reason] if row.reason else ""),
    )


def _worker(run: RunRow) -> str:
    helps = run.state is RunState.RUNNING or run.reason in LOSSES
    return run.worker or "" if helps else ""


def _started(run: RunRow, zone_name: str) -> str:
    if run.started_at is None:
        return ""
    name = zone_name or viewer_zone()
    zone = ZoneInfo(name)
    started, due = run.started_at.astimezone(zone), run.due_at.astimezone(zone)
    # The time it was due stands beside it and has the date.
    if started.date() == due.date():
        return wall_clock(started, seconds=True)
    return absolute_time(run.started_at, zone=name, now=request_now(), seconds=True)
