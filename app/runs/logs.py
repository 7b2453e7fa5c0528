"""Log lines of attempts: appended in batches by whoever holds the run, read by number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from app.core.text import storable
from app.jobs.kinds.base import Level
from app.runs.models import LogLine, Run
from app.runs.states import RunState

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
    held = select(Run.id).where(Run.id == run_id, Run.token == token, Run.state == RunState.RUNNING.value)
    # The row lock keeps the run this attempt's until the lines are in; SQLite has one writer anyway.
    if session.scalar(held.with_for_update(skip_locked=not may_wait)) is None:
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
    session: Session, *, organization_id: UUID, run_id: UUID, after: int = 0, limit: int = 1000
) -> list[Line]:
    """Lines behind a number, oldest first."""
    query = (
        select(LogLine)
        .where(LogLine.organization_id == organization_id, LogLine.run_id == run_id, LogLine.number > after)
        .order_by(LogLine.number)
        .limit(limit)
    )
    return [Line(row.number, row.token, Level(row.level), row.text, row.at) for row in session.scalars(query)]


def last_line_number(session: Session, *, organization_id: UUID, run_id: UUID) -> int:
    """The highest line number of a run, 0 for an empty log."""
    query = select(func.max(LogLine.number)).where(LogLine.organization_id == organization_id, LogLine.run_id == run_id)
    return session.scalar(query) or 0
