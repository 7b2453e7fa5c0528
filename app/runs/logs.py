"""Log lines of attempts: appended in batches by whoever holds the run, read by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session

from app.core.text import storable
from app.jobs.kinds.base import Level
from app.runs.holding import holds_run
from app.runs.models import LogLine

LONGEST_LINE = 8_192


@dataclass(frozen=True)
class NewLine:
    """A line on its way into the log."""

    text: str
    level: Level
    at: datetime


@dataclass(frozen=True)
class Line:
    """A line as it is read. `token` tells the attempt that wrote it."""

    number: int
    token: int
    level: Level
    text: str
    at: datetime


@dataclass(frozen=True)
class LogFilter:
    """Which lines are wanted: as loud as this or louder, and with this text in them, letter by letter like grep."""

    level: Level = Level.INFO
    text: str = ""
    ignores_case: bool = False

    @property
    def is_empty(self) -> bool:
        return self.level is Level.INFO and not self.text

    def conditions(self) -> list[ColumnElement[bool]]:
        """What it demands of a row of the lines. SQLite ignores the case of A to Z alone."""
        found: list[ColumnElement[bool]] = []
        if self.level is not Level.INFO:
            # They are declared from the least to the loudest.
            levels = [level.value for level in Level]
            found.append(LogLine.level.in_(levels[levels.index(self.level.value) :]))
        if self.text and self.ignores_case:
            found.append(LogLine.text.icontains(self.text, autoescape=True))
        elif self.text:
            # LIKE ignores the case in one engine and heeds it in the other; taking the text out heeds it in both.
            found.append(func.replace(LogLine.text, self.text, "") != LogLine.text)
        return found


EVERY_LINE = LogFilter()


def append_lines(
    session: Session,
    *,
    organization_id: UUID,
    run_id: UUID,
    token: int,
    lines: Sequence[NewLine],
    may_wait: bool = True,
) -> bool:
    """Add lines behind the last one. False, and nothing written, when the run is no longer this attempt's.

    The same when somebody keeps it locked, for whoever may not wait for that.
    """
    if not holds_run(session, run_id=run_id, token=token, may_wait=may_wait):
        return False
    last = session.scalar(select(func.max(LogLine.number)).where(LogLine.run_id == run_id)) or 0
    rows = [
        {
            "run_id": run_id,
            "number": last + offset,
            "organization_id": organization_id,
            "token": token,
            "level": line.level.value,
            # A log line must never be what makes a run fail.
            "text": storable(line.text)[:LONGEST_LINE],
            "at": line.at,
        }
        for offset, line in enumerate(lines, start=1)
    ]
    if rows:
        session.execute(insert(LogLine), rows)
    return True


def read_lines(
    session: Session,
    *,
    organization_id: UUID,
    run_id: UUID,
    after: int = 0,
    before: int | None = None,
    wanted: LogFilter = EVERY_LINE,
    limit: int = 1000,
    from_end: bool = False,
) -> list[Line]:
    """The first lines behind a number and before another one, or the last of them; oldest first."""
    which = _which(organization_id, run_id, after, before, wanted)
    order = LogLine.number.desc() if from_end else LogLine.number
    rows = session.scalars(select(LogLine).where(*which).order_by(order).limit(limit)).all()
    return [_line(row) for row in (reversed(rows) if from_end else rows)]


def count_lines(
    session: Session, *, organization_id: UUID, run_id: UUID, before: int | None = None, wanted: LogFilter = EVERY_LINE
) -> int:
    """How many lines there are, or so many before a number."""
    which = _which(organization_id, run_id, 0, before, wanted)
    return session.scalar(select(func.count()).select_from(LogLine).where(*which)) or 0


def last_line_number(session: Session, *, organization_id: UUID, run_id: UUID) -> int:
    """The highest line number of a run, 0 for an empty log. Lines are numbered from 1 without gaps."""
    query = select(func.max(LogLine.number)).where(LogLine.organization_id == organization_id, LogLine.run_id == run_id)
    return session.scalar(query) or 0


def newest_times(session: Session, *, organization_id: UUID, run_id: UUID, limit: int) -> list[datetime]:
    """When the last lines were written, the newest first."""
    which = _which(organization_id, run_id, 0, None, EVERY_LINE)
    return list(session.scalars(select(LogLine.at).where(*which).order_by(LogLine.number.desc()).limit(limit)))


def _which(
    organization_id: UUID, run_id: UUID, after: int, before: int | None, wanted: LogFilter
) -> list[ColumnElement[bool]]:
    found = [LogLine.organization_id == organization_id, LogLine.run_id == run_id, LogLine.number > after]
    if before is not None:
        found.append(LogLine.number < before)
    return [*found, *wanted.conditions()]


def _line(row: LogLine) -> Line:
    return Line(row.number, row.token, Level(row.level), row.text, row.at)
