"""In which order schedules are listed: by who needs somebody, or by one column of the list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.seconds import SecondsBetween
from app.jobs.models import Job
from app.ops.last_ends import newest_runs
from app.ops.schedule_glances import Glance, by_attention, read_glances
from app.runs.models import Run
from app.runs.run_hours import RATE_WINDOW, counts_of_all_schedules, counts_of_schedules
from app.runs.states import RunState
from app.schedules.models import Schedule
from app.schedules.queries import ScheduleFilter
from app.schedules.stops import current_stop

# To name more of them in a statement takes longer than to read all.
_MANY = 500

# What a schedule is placed by; None where it has nothing of that kind, which is then listed last.
_Place = Callable[[Glance], Any]


class SortKey(StrEnum):
    """A column of the list, with what comes first."""

    NEXT = "next"  # the next run, the soonest first
    NAME = "name"  # A to Z
    SUCCESS = "success"  # how many runs of 7 days went well, the fewest first
    DURATION = "duration"  # how long the last run took that ended, the longest first


@dataclass(frozen=True)
class ScheduleOrder:
    """By attention, where no column is named."""

    key: SortKey | None = None
    is_reversed: bool = False

    @classmethod
    def read(cls, text: str) -> "ScheduleOrder | None":
        """“name”, or “-name” for the other way round; nothing is by attention. None where it is no order."""
        word = text.removeprefix("-")
        if not text:
            return cls()
        return cls(SortKey(word), text != word) if word in set(SortKey) else None

    @property
    def text(self) -> str:
        """As it stands in an address; empty by attention."""
        return "" if self.key is None else f"{'-' if self.is_reversed else ''}{self.key.value}"


def in_order(
    session: Session, glances: Iterable[Glance], *, organization_id: UUID, order: ScheduleOrder, now: datetime
) -> list[Glance]:
    """These schedules of the organization in the order. One statement at most."""
    found = by_attention(glances)
    if order.key is None:
        return found
    place = _place(session, order.key, [one.id for one in found], organization_id, now)
    known = [one for one in found if place(one) is not None]
    # Equals stay by attention, whichever way round.
    known.sort(key=place, reverse=order.is_reversed)
    return known + [one for one in found if place(one) is None]


def ordered_ids(
    session: Session, *, organization_id: UUID, schedule_filter: ScheduleFilter, order: ScheduleOrder, now: datetime
) -> list[UUID]:
    """The ids of the schedules that a filter takes, in the order."""
    here = Schedule.organization_id == organization_id, Schedule.deleted_at.is_(None)
    query = select(Schedule.id).join(Job, Job.id == Schedule.job_id).where(*here, *schedule_filter.conditions())
    taken = set(session.scalars(query))
    is_stopped = current_stop(session) is not None
    glances = read_glances(session, organization_id=organization_id, now=now, is_stopped=is_stopped)
    found = [one for one in glances if one.id in taken]
    return [one.id for one in in_order(session, found, organization_id=organization_id, order=order, now=now)]


def _place(session: Session, key: SortKey, ids: list[UUID], organization_id: UUID, now: datetime) -> _Place:
    match key:
        case SortKey.NAME:
            return lambda one: one.name.casefold()
        case SortKey.NEXT:
            return lambda one: one.next_run_at and one.next_run_at.timestamp()
        case SortKey.SUCCESS:
            rates = _success(session, ids, organization_id, now)
            return lambda one: rates.get(one.id)
        case SortKey.DURATION:
            lengths = _lengths(session, ids, organization_id)
            return lambda one: lengths.get(one.id)


def _success(session: Session, ids: list[UUID], organization_id: UUID, now: datetime) -> dict[UUID, float]:
    here: dict[str, Any] = {"organization_id": organization_id, "since": now - RATE_WINDOW}
    if len(ids) > _MANY:
        counts = counts_of_all_schedules(session, **here)
    else:
        counts = counts_of_schedules(session, schedule_ids=ids, **here)
    return {each: ended.good / ended.finished for each, ended in counts.items() if ended.finished}


def _lengths(session: Session, ids: list[UUID], organization_id: UUID) -> dict[UUID, float]:
    """Below zero, so that the longest comes first."""
    newest = newest_runs(Run.state, SecondsBetween(Run.finished_at, Run.started_at).label("took"))
    counts = newest.c.state != RunState.SKIPPED.value, newest.c.took.is_not(None)
    last = select(newest.c.took).where(*counts).limit(1).scalar_subquery()
    query = select(Schedule.id, last.label("took")).where(Schedule.organization_id == organization_id)
    which = Schedule.deleted_at.is_(None) if len(ids) > _MANY else Schedule.id.in_(ids)
    return {row.id: -float(row.took) for row in session.execute(query.where(which)) if row.took is not None}
