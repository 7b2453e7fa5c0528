"""Schedules of one job that mean the same. Saving them is not refused: it may be wanted for a while."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlalchemy import RowMapping, case, or_, select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.schedules.fire_times import Rhythm, next_fire
from app.schedules.models import Schedule
from app.schedules.phrases import listing
from app.schedules.rhythm_rows import stored_rhythm
from app.schedules.same_times import Coming, are_alike, are_same
from app.schedules.stored_rhythms import RHYTHM_COLUMNS

_MOST_NAMED = 3
_MOST_TOLD = 20
# Somebody who gave one job thousands of schedules does not wait for all of them: of so many that are none it is told
# after a first look, and of so many only after a close one. Those that are written alike are looked at first.
_MOST_OTHERS, _MOST_ALIKE = 100, 10


@dataclass(frozen=True)
class Twin:
    """Another schedule of the job that fires at the same times."""

    id: UUID
    name: str
    enabled: bool


def find_twins(
    session: Session, *, organization_id: UUID, job_id: UUID, when: Rhythm, now: datetime, besides: UUID | None = None
) -> tuple[Twin, ...]:
    """The job's other schedules that fire at the same times from now on, by name; none for what never fires again.

    Where very many come up at its next time, those that are written in other words may be left out.
    """
    upcoming = None if when.cron.is_manual else next_fire(when, after=now)
    if upcoming is None:
        return ()
    columns = Schedule.id, Schedule.name, Schedule.enabled, *RHYTHM_COLUMNS
    here = Schedule.organization_id == organization_id, Schedule.job_id == job_id, Schedule.deleted_at.is_(None)
    # What is on and comes at another time need not be read. Of others nobody keeps when they would come.
    unknown = Schedule.enabled.is_(False), Schedule.next_run_at.is_(None), Schedule.next_run_at <= now
    alike = or_(Schedule.next_run_at == upcoming, *unknown)
    likely_first = case((Schedule.cron == when.cron.text, 0), else_=1), Schedule.enabled.desc(), Schedule.name
    query = select(*columns).where(*here, alike).order_by(*likely_first).limit(_MOST_TOLD + _MOST_OTHERS + 1)
    others = (row for row in session.execute(query).mappings().all() if row["id"] != besides)
    found = islice(_twins(others, Coming(when, now)), _MOST_TOLD)
    return tuple(sorted(found, key=lambda twin: twin.name))


def twin_note(twins: tuple[Twin, ...]) -> str | None:
    """The warning that names them."""
    if not twins:
        return None
    names = [f"“{twin.name}”{'' if twin.enabled else ' (switched off)'}" for twin in twins[:_MOST_NAMED]]
    if len(twins) > _MOST_NAMED:
        more = "many" if len(twins) == _MOST_TOLD else f"{len(twins) - _MOST_NAMED}"
        names.append(f"{more} more")
    who = "Both" if len(twins) == 1 else "All of them"
    return f"This job has the same times already: {listing(names)}. {who} would start it."


def _twins(others: Iterable[RowMapping], mine: Coming) -> Iterator[Twin]:
    different = looked_at_closely = 0
    for row in others:
        other = _coming(row, mine.now)
        is_alike = other is not None and are_alike(mine, other)
        if other is not None and is_alike and are_same(mine, other):
            yield Twin(row["id"], row["name"], row["enabled"])
            continue
        different += 1
        looked_at_closely += is_alike
        if different == _MOST_OTHERS or looked_at_closely == _MOST_ALIKE:
            return


def _coming(row: RowMapping, now: datetime) -> Coming | None:
    try:
        return Coming(stored_rhythm(row), now)
    except Invalid:
        return None
