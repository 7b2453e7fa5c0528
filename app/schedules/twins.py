"""Schedules of one job that mean the same. Saving them is not refused: it may be wanted for a while."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import RowMapping, or_, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.schedules.cron import CronExpression
from app.schedules.day_minutes import minutes_of
from app.schedules.fire_times import ClockChange, Rhythm
from app.schedules.intervals import Interval
from app.schedules.models import Schedule
from app.schedules.phrases import listing
from app.schedules.rhythm_rows import stored_rhythm
from app.schedules.single_times import SingleTimes
from app.schedules.stored_rhythms import RHYTHM_COLUMNS

_MOST_NAMED = 3
# Somebody who gave one job thousands of schedules does not wait for all of them to be read.
_MOST_READ = 500


@dataclass(frozen=True)
class Twin:
    """Another schedule of the job that fires at the same times."""

    id: UUID
    name: str
    enabled: bool


def find_twins(
    session: Session, *, organization_id: UUID, job_id: UUID, when: Rhythm, besides: UUID | None = None
) -> tuple[Twin, ...]:
    """The job's other schedules that fire at the same times in the same zone, by name."""
    if when.cron.is_manual:
        return ()
    columns = Schedule.id, Schedule.name, Schedule.enabled, *RHYTHM_COLUMNS
    here = Schedule.organization_id == organization_id, Schedule.job_id == job_id, Schedule.deleted_at.is_(None)
    # Zones are stored by their canonical names, and what fires at other minutes of the day need not be read.
    alike = Schedule.timezone == when.zone.name, or_(Schedule.minutes == minutes_of(when), Schedule.minutes.is_(None))
    query = select(*columns).where(*here, *alike).order_by(Schedule.name).limit(_MOST_READ)
    meaning = _meaning(when)
    return tuple(
        Twin(row["id"], row["name"], row["enabled"])
        for row in session.execute(query).mappings()
        if row["id"] != besides and _means(row, meaning)
    )


def twin_note(twins: tuple[Twin, ...]) -> str | None:
    """The warning that names them."""
    if not twins:
        return None
    names = [f"“{twin.name}”{'' if twin.enabled else ' (switched off)'}" for twin in twins[:_MOST_NAMED]]
    if len(twins) > _MOST_NAMED:
        names.append(f"{len(twins) - _MOST_NAMED} more")
    who = "Both" if len(twins) == 1 else "All of them"
    return f"This job has the same times already: {listing(names)}. {who} would start it."


def _means(other: RowMapping, meaning: tuple[object, ...]) -> bool:
    try:
        return _meaning(stored_rhythm(other)) == meaning
    except Invalid:
        return False


def _meaning(when: Rhythm) -> tuple[object, ...]:
    """Equal for two rhythms that fire at the same instants, however they are written."""
    times = when.cron
    if isinstance(times, Interval | SingleTimes):
        return when.zone, when.clock_change, when.starts_at, when.ends_at, times.canonical
    lines = frozenset(_line_meaning(line, when.clock_change) for line in times.lines)
    return when.zone, when.starts_at, when.ends_at, lines


def _line_meaning(line: CronExpression, rule: ClockChange) -> tuple[object, ...]:
    return rule if line.is_fixed else None, line.seconds, line.minutes, line.hours, line.months, line.table.masks
