"""Schedules whose next time cannot be right: found in passing, worked out again from the books, and told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.events.service import Topic, append_event
from app.runs.models import Run
from app.schedules.cron import MANUALLY
from app.schedules.fire_times import Rhythm, next_fire, rhythm
from app.schedules.models import Gap, Schedule, is_planned

# So many schedules are looked at in one sweep; the next one goes on from there.
LOOK = 500
# Slots older than this are not looked for: their runs may have been deleted since, and would be started once more.
LOOK_BACK = timedelta(days=1)

MISSING = "was missing"
UNREADABLE = "could not be read"
IMPOSSIBLE = "could not be right"


class NeverAgain(Invalid):
    """The line has no next time."""


@dataclass(frozen=True)
class Look:
    """What one look found. `last` is where the next one goes on; None begins anew."""

    wrong: Sequence[UUID]
    last: UUID | None


def find_missing(session: Session) -> list[UUID]:
    """Schedules that are on and have no next time, though their line names times. Needs no look at the others."""
    is_manual = func.lower(func.trim(Schedule.cron)) == MANUALLY
    query = select(Schedule.id).where(*is_planned(), Schedule.next_run_at.is_(None), ~is_manual)
    return list(session.scalars(query.limit(LOOK)))


def look_for_wrong(session: Session, *, after: UUID | None, now: datetime) -> Look:
    """Schedules among the next ones, by id, whose next time is another than their line and the books say."""
    query = select(Schedule.id).where(*is_planned())
    if after is not None:
        query = query.where(Schedule.id > after)
    ids = session.scalars(query.order_by(Schedule.id).limit(LOOK)).all()
    columns = (Schedule.id, Schedule.cron, Schedule.timezone, Schedule.spread_key, Schedule.next_run_at)
    rows = session.execute(select(*columns).where(Schedule.id.in_(ids), Schedule.next_run_at > now))
    wrong = []
    for schedule_id, cron, timezone, spread_key, cursor in rows:
        if next_fire(rhythm(cron, timezone=timezone, spread_key=spread_key), after=now) != cursor:
            wrong.append(schedule_id)
    return Look(wrong, ids[-1] if len(ids) == LOOK else None)


def repair(session: Session, schedule_id: UUID, *, problem: str, now: datetime) -> bool:
    """Set the next time of a schedule to the first slot after all that the books account for. False when it is that.

    What is due by then is planned as any missed slot is. Raises NeverAgain, CronInvalid or UnknownZone.
    """
    columns = (Schedule.organization_id, Schedule.cron, Schedule.timezone, Schedule.spread_key, Schedule.updated_at)
    # The time itself is not read: it may be what no driver can read.
    row = session.execute(select(*columns).where(Schedule.id == schedule_id, *is_planned()).with_for_update()).first()
    if row is None:
        return False
    organization_id, cron, timezone, spread_key, updated_at = row
    when = rhythm(cron, timezone=timezone, spread_key=spread_key)
    cursor = _first_open_slot(session, schedule_id, when, updated_at, now)
    unchanged = Schedule.next_run_at.is_not_distinct_from(cursor)
    query = update(Schedule).where(Schedule.id == schedule_id, ~unchanged).values(next_run_at=cursor)
    if session.scalar(query.returning(Schedule.id)) is None:
        return False
    append_event(
        session,
        organization_id=organization_id,
        topic=Topic.SCHEDULES,
        kind="schedule.repaired",
        subject_id=schedule_id,
        now=now,
        data={"text": _words(problem, cursor)},
    )
    return True


def _first_open_slot(
    session: Session, schedule_id: UUID, when: Rhythm, updated_at: datetime, now: datetime
) -> datetime | None:
    last_run = select(func.max(Run.slot_at)).where(Run.schedule_id == schedule_id)
    last_gap = select(Gap.last_slot_at).where(Gap.schedule_id == schedule_id).order_by(Gap.first_slot_at.desc())
    # An edit and a switch set the time anew, so nothing before them is open.
    known = (updated_at, session.scalar(last_run), session.scalar(last_gap.limit(1)))
    believable = [moment for moment in known if moment is not None and moment < now + LOOK_BACK]
    cursor = next_fire(when, after=max([now - LOOK_BACK, *believable]))
    if cursor is None and not when.cron.is_manual:
        raise NeverAgain("This never happens in this time zone. Choose another time.", field="cron")
    return cursor


def _words(problem: str, cursor: datetime | None) -> str:
    then = "It runs when somebody starts it" if cursor is None else f"It goes on at {cursor:%Y-%m-%d %H:%M} UTC"
    return f"The time of the next run {problem} and was worked out again. {then}."
