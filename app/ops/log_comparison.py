"""Where the logs of two runs part. Numbers, times and ids differ in every run, so they are not looked at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.jobs.kinds.base import Level
from app.runs.logs import Line, LogFilter, last_line_number, read_lines
from app.runs.queries import RunRow

MOST_COMPARED = 2_000
MOST_LOUD = 3
# Lines in which both agree, before the ones in which they do not.
_LINES_BEFORE, _LINES_SHOWN = 2, 5
_CHANGING = re.compile(
    r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{12,}\b|\d+(?:[.,:]\d+)*", re.IGNORECASE
)


@dataclass(frozen=True)
class LogEnd:
    """One of two logs: how long it is, its first warnings and errors, and its lines around where they part."""

    lines: int
    loud: tuple[Line, ...]
    around: tuple[Line, ...]


@dataclass(frozen=True)
class LogComparison:
    """Both logs. `parts_at` is the number of the first line of this run that reads otherwise; None where none does.

    A log that merely goes on where the other one ends parts from it behind its last line.
    """

    this: LogEnd
    other: LogEnd
    parts_at: int | None
    # Whether only the beginnings were looked at.
    is_cut: bool


def compare_logs(session: Session, this: RunRow, other: RunRow) -> LogComparison:
    """Their first lines side by side. Six statements."""
    first, second = _Log(session, this), _Log(session, other)
    place = parting_place([line.text for line in first.lines], [line.text for line in second.lines])
    return LogComparison(
        this=first.end(place),
        other=second.end(place),
        parts_at=None if place is None else place + 1,
        is_cut=max(first.length, second.length) > MOST_COMPARED,
    )


def parting_place(these: Sequence[str], others: Sequence[str]) -> int | None:
    """The place of the first line that reads otherwise, counted from 0; None where all are alike. Pure."""
    for place, (this, other) in enumerate(zip(these, others, strict=False)):
        if this != other and _CHANGING.sub("#", this) != _CHANGING.sub("#", other):
            return place
    return None if len(these) == len(others) else min(len(these), len(others))


class _Log:
    """One of them, read as far as it is compared."""

    def __init__(self, session: Session, run: RunRow) -> None:
        here, run_id = run.organization_id, run.id
        loud = LogFilter(Level.WARNING)
        self.length = last_line_number(session, organization_id=here, run_id=run_id)
        self.lines = read_lines(session, organization_id=here, run_id=run_id, limit=MOST_COMPARED)
        self.loud = tuple(read_lines(session, organization_id=here, run_id=run_id, wanted=loud, limit=MOST_LOUD))

    def end(self, place: int | None) -> LogEnd:
        begin = 0 if place is None else max(0, place - _LINES_BEFORE)
        around = () if place is None else tuple(self.lines[begin : begin + _LINES_SHOWN])
        return LogEnd(self.length, self.loud, around)
