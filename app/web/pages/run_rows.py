"""A run as a line of a table: shared by the lists of runs, the queue and the overview."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.edge.identity import request_now
from app.runs.queries import RunRow
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


def run_lines(rows: Sequence[RunRow]) -> list[RunLine]:
    """Lines in the order of the rows."""
    return [
        RunLine(
            run=row,
            badge=badge_of(row),
            started=_started(row),
            lateness=lateness_words(row.lateness),
            tries=tries_words(row.attempt, row.tries),
            trigger=TRIGGER_WORDS[row.trigger],
            error=first_words(row.error) or (REASON_WORDS[row.reason] if row.reason else ""),
        )
        for row in rows
    ]


def _started(run: RunRow) -> str:
    if run.started_at is None:
        return ""
    zone = ZoneInfo(viewer_zone())
    started, due = run.started_at.astimezone(zone), run.due_at.astimezone(zone)
    # The time it was due stands beside it and has the date.
    if started.date() == due.date():
        return wall_clock(started, seconds=True)
    return absolute_time(run.started_at, zone=viewer_zone(), now=request_now(), seconds=True)
