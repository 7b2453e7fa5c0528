"""A run as a line of a table: shared by the lists of runs, the queue and the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.runs.queries import RunRow
from app.schedules.queries import schedule_zones
from app.web.clock_choice import Clock, list_clock
from app.web.context import viewer_zone
from app.web.formatting import absolute_time, wall_clock
from app.web.pages.badges import Badge, badge_of
from app.web.run_words import REASON_WORDS, TRIGGER_WORDS, first_words, lateness_words, tries_words


@dataclass(frozen=True)
class RunLine:
    """What a table prints of a run beside its own fields."""

    run: RunRow
    badge: Badge
    started: str
    lateness: str
    tries: str
    trigger: str
    error: str
    # By which zone its times are told; empty for the viewer's.
    zone: str = ""


def run_lines(rows: Sequence[RunRow]) -> list[RunLine]:
    """Lines in the order of the rows."""
    zones = _zones(rows)
    return [
        RunLine(
            run=row,
            badge=badge_of(row),
            started=_started(row, zones.get(row.schedule_id, "")),
            zone=zones.get(row.schedule_id, ""),
            lateness=lateness_words(row.lateness),
            tries=tries_words(row.attempt, row.tries),
            trigger=TRIGGER_WORDS[row.trigger],
            error=first_words(row.error) or (REASON_WORDS[row.reason] if row.reason else ""),
        )
        for row in rows
    ]


def _zones(rows: Sequence[RunRow]) -> dict[UUID | None, str]:
    """The zones of their schedules, where those are asked for."""
    ids = {row.schedule_id for row in rows if row.schedule_id is not None}
    if list_clock() is not Clock.SCHEDULE or not ids:
        return {}
    here = current_actor().organization_id
    return dict(schedule_zones(request_session(), organization_id=here, schedule_ids=ids).items())


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
