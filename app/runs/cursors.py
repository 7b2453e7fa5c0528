"""Schedules whose next time cannot be right: found in passing, worked out again from the books, and told."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select, update
from sqlalchemy.orm import Session

from app.core.db import OUTAGES
from app.core.errors import Invalid
from app.events.models import SCHEDULE_REPAIRED
from app.events.service import Topic, append_event
from app.runs.models import Run
from app.schedules.cron import MANUALLY
from app.schedules.fire_times import MOMENT, Rhythm, last_fire, next_fire
from app.schedules.models import Gap, Schedule, is_planned
from app.schedules.policies import LOOK_BACK, GapReason
from app.schedules.slot_accounts import Absence, SlotGap, gap_between
from app.schedules.stored_rhythms import RHYTHM_COLUMNS, StoredRhythm, rhythm_of

_Query = Select[Any]
_Found = Row[Any]
_Judgement = Callable[[_Found, datetime], bool]

log = logging.getLogger(__name__)

# So many schedules are looked at in one sweep; the next one goes on from there.
LOOK = 500

# No rhythm waits that long for its next time, so whatever lies behind this is wrong, also what is no time at all.
OUT_OF_REACH = timedelta(days=61 * 366)

MISSING = "was missing"
UNREADABLE = "could not be read"
IMPOSSIBLE = "could not be right"

NOT_IN_THE_BOOKS = Absence(
    GapReason.UNREADABLE,
    "The time of the next run was lost, and no run of these slots is kept. Whether they ran, nobody can say; "
    "they are not made up for.",
)


class NeverAgain(Invalid):
    """The line has no next time."""


@dataclass(frozen=True)
class WrongCursor:
    """A schedule to be mended, and what is wrong with its next time."""

    schedule_id: UUID
    problem: str


class Rounds:
    """Goes round all schedules, some in each sweep. Every one is looked at in time, however many there are."""

    def __init__(self) -> None:
        self._last: UUID | None = None

    def look(self, session: Session, *, now: datetime) -> list[WrongCursor]:
        """Those whose next time is missing or out of reach, and those among the next ones for which it is another."""
        ids = _next_ids(session, self._last)
        self._last = ids[-1] if len(ids) == LOOK else None
        return [*_find_lost(session, now), *_find_wrong_ones(session, ids, now)]


def look_at(session: Session, *, organization_id: UUID, schedule_id: UUID, now: datetime) -> list[WrongCursor]:
    """The next time of one schedule, unless it is due, when it is wrong."""
    wanted = Schedule.id == schedule_id, Schedule.organization_id == organization_id
    ids = session.scalars(select(Schedule.id).where(*wanted, *_is_mended())).all()
    return [*_find_lost(session, now, *wanted), *_find_wrong_ones(session, ids, now)]


def _find_wrong_ones(session: Session, ids: Sequence[UUID], now: datetime) -> Iterator[WrongCursor]:
    for find in (_find_wrong, _find_ended, _find_wrong_at_rest):
        yield from find(session, ids, now)


def _is_mended() -> tuple[ColumnElement[bool], ...]:
    # Also those that are switched off: pages show them, and their time says which slots a pause took.
    return Schedule.deleted_at.is_(None), Schedule.problem.is_(None)


def _find_lost(session: Session, now: datetime, *which: ColumnElement[bool]) -> Iterator[WrongCursor]:
    # Found by the index of what is due, so that none waits for its turn. The time itself is not read.
    is_manual = func.lower(func.trim(Schedule.cron)) == MANUALLY
    is_missing = Schedule.next_run_at.is_(None)
    is_lost = or_(is_missing & ~is_manual & ~_may_end(), Schedule.next_run_at > now + OUT_OF_REACH)
    query = select(Schedule.id, is_missing).where(*is_planned(), is_lost, *which)
    for schedule_id, has_none in session.execute(query.limit(LOOK)):
        yield WrongCursor(schedule_id, MISSING if has_none else IMPOSSIBLE)


def _may_end() -> ColumnElement[bool]:
    # What may have no next time, and be right about it, waits for its turn to be asked. As `Rhythm.may_end`.
    return or_(Schedule.ends_at.is_not(None), func.lower(func.trim(Schedule.cron)).startswith("at"))


def _next_ids(session: Session, last: UUID | None) -> Sequence[UUID]:
    query = select(Schedule.id).where(*_is_mended())
    if last is not None:
        query = query.where(Schedule.id > last)
    return session.scalars(query.order_by(Schedule.id).limit(LOOK)).all()


def _find_wrong(session: Session, ids: Sequence[UUID], now: datetime) -> Iterator[WrongCursor]:
    query = _columns().where(Schedule.next_run_at > now, Schedule.next_run_at <= now + OUT_OF_REACH)
    return _look_through(session, ids, query.where(*is_planned()), now, _agrees)


def _find_ended(session: Session, ids: Sequence[UUID], now: datetime) -> Iterator[WrongCursor]:
    query = _columns().where(Schedule.next_run_at.is_(None), _may_end(), *is_planned())
    return (WrongCursor(found.schedule_id, MISSING) for found in _look_through(session, ids, query, now, _is_over))


def _find_wrong_at_rest(session: Session, ids: Sequence[UUID], now: datetime) -> Iterator[WrongCursor]:
    """Of those that are switched off: their time is that of the switch, and no guide to what comes next."""
    query = _columns().where(Schedule.enabled.is_(False), Schedule.next_run_at.is_not(None))
    return _look_through(session, ids, query, now, _may_be_right)


def _columns() -> _Query:
    times = Schedule.next_run_at, Schedule.created_at, Schedule.updated_at
    columns: tuple[Any, ...] = Schedule.id, *times, *RHYTHM_COLUMNS
    return select(*columns)


def _look_through(
    session: Session, ids: Sequence[UUID], query: _Query, now: datetime, is_right: _Judgement
) -> Iterator[WrongCursor]:
    try:
        rows = session.execute(query.where(Schedule.id.in_(ids))).all()
    except OUTAGES:
        raise
    except Exception:
        log.exception("a schedule's next time cannot be read")
        yield from _look_through_singly(session, ids, query, now, is_right)
        return
    for row in rows:
        if not is_right(row, now):
            yield WrongCursor(row.id, IMPOSSIBLE)


def _look_through_singly(
    session: Session, ids: Sequence[UUID], query: _Query, now: datetime, is_right: _Judgement
) -> Iterator[WrongCursor]:
    for schedule_id in ids:
        try:
            row = session.execute(query.where(Schedule.id == schedule_id)).first()
        except OUTAGES:
            raise
        except Exception:
            log.exception("schedule unreadable", extra={"schedule_id": str(schedule_id)})
            yield WrongCursor(schedule_id, UNREADABLE)
        else:
            if row is not None and not is_right(row, now):
                yield WrongCursor(schedule_id, IMPOSSIBLE)


def _agrees(row: _Found, now: datetime) -> bool:
    when = _rhythm_of(row)
    # When it cannot be read, its turn comes at its next time: then it is set aside.
    return when is None or bool(next_fire(when, after=now) == row.next_run_at)


def _is_over(row: _Found, now: datetime) -> bool:
    """Whether it is right that none of its times lies ahead: the last one was long ago, or is in the books by now."""
    when = _rhythm_of(row)
    if when is None:
        return True
    since = max(row.updated_at, now - LOOK_BACK)
    return next_fire(when, after=now) is None and last_fire(when, after=since, until=now) is None


def _rhythm_of(row: _Found) -> Rhythm | None:
    try:
        return rhythm_of(StoredRhythm._make(row[-len(StoredRhythm._fields) :]))
    except (Invalid, LookupError):
        return None


def _may_be_right(row: _Found, now: datetime) -> bool:
    # Made under a clock that was ahead and has been set back since, a schedule fires before it was made.
    earliest = min(row.created_at, now - LOOK_BACK)
    return row.next_run_at is None or earliest <= row.next_run_at <= now + OUT_OF_REACH


def repair(session: Session, schedule_id: UUID, *, problem: str, now: datetime) -> bool:
    """Set the next time of a schedule to the first slot after all that the books account for. False when it is that.

    What is due by then is planned as any missed slot is; of one that is switched off it lies in the gap of its pause.
    Raises NeverAgain, CronInvalid or UnknownZone.
    """
    # The time itself is not read: it may be what no driver can read.
    facts: tuple[Any, ...] = Schedule.organization_id, _last_set(), Schedule.enabled, *RHYTHM_COLUMNS
    row = session.execute(select(*facts).where(Schedule.id == schedule_id, *_is_mended()).with_for_update()).first()
    if row is None:
        return False
    organization_id, last_set, is_enabled, *stored = row
    when = rhythm_of(StoredRhythm._make(stored))
    known, has_books = _accounted_until(session, schedule_id, last_set, now)
    # Without books nobody knows what ran: the runs of one that fires rarely may have been deleted since.
    believed = known if has_books or not is_enabled else max(known, now - LOOK_BACK)
    cursor = _first_slot(when, after=believed)
    if not _set_time(session, schedule_id, cursor):
        return False
    doubtful = gap_between(when, since=known + MOMENT, until=believed, why=NOT_IN_THE_BOOKS)
    if doubtful is not None:
        session.add(_row_of(doubtful, organization_id, schedule_id, now))
    append_event(
        session,
        organization_id=organization_id,
        topic=Topic.SCHEDULES,
        kind=SCHEDULE_REPAIRED,
        subject_id=schedule_id,
        now=now,
        data={"text": _words(problem, cursor, is_over=when.may_end, is_enabled=is_enabled)},
    )
    return True


def _row_of(gap: SlotGap, organization_id: UUID, schedule_id: UUID, now: datetime) -> Gap:
    return Gap(
        organization_id=organization_id,
        schedule_id=schedule_id,
        first_slot_at=gap.first_slot_at,
        last_slot_at=gap.last_slot_at,
        slots=gap.slots,
        reason=gap.why.reason.value,
        explanation=gap.why.explanation,
        at=now,
    )


def _last_set() -> ColumnElement[datetime]:
    """Since when something may be open: a switch sets the time anew, and of what is on also an edit."""
    # What somebody edits while it is off keeps what it has missed since.
    at_rest = func.coalesce(Schedule.switched_at, Schedule.created_at)
    return case((Schedule.enabled.is_(True), Schedule.updated_at), else_=at_rest)


def _accounted_until(session: Session, schedule_id: UUID, last_set: datetime, now: datetime) -> tuple[datetime, bool]:
    """Up to when nothing is open, and whether the books say so."""
    # Behind a clock that was set back by more than this, what it saw before is no guide to what is open now.
    believable = now + LOOK_BACK
    runs = select(func.max(Run.slot_at)).where(Run.schedule_id == schedule_id, Run.slot_at < believable)
    gaps = select(func.max(Gap.last_slot_at)).where(Gap.schedule_id == schedule_id, Gap.first_slot_at < believable)
    booked = [moment for moment in (session.scalar(runs), session.scalar(gaps)) if moment is not None]
    known = [moment if moment < believable else now for moment in (last_set, *booked)]
    return max(known), bool(booked)


def _first_slot(when: Rhythm, *, after: datetime) -> datetime | None:
    cursor = next_fire(when, after=after)
    if cursor is None and not when.cron.is_manual and not when.may_end:
        raise NeverAgain("This never happens in this time zone. Choose another time.", field="cron")
    return cursor


def _set_time(session: Session, schedule_id: UUID, cursor: datetime | None) -> bool:
    """False when it was that already."""
    unchanged = Schedule.next_run_at.is_not_distinct_from(cursor)
    query = update(Schedule).where(Schedule.id == schedule_id, ~unchanged).values(next_run_at=cursor)
    # What a session holds of it may be unreadable, so it is not asked to bring that up to date, but to forget it.
    query = query.execution_options(synchronize_session=False)
    if session.scalar(query.returning(Schedule.id)) is None:
        return False
    loaded = session.identity_map.get(session.identity_key(Schedule, schedule_id))
    if loaded is not None:
        session.expire(loaded, ["next_run_at"])
    return True


def _words(problem: str, cursor: datetime | None, *, is_over: bool, is_enabled: bool) -> str:
    none_ahead = "None of its times lies ahead" if is_over else "It runs when somebody starts it"
    then = f"It goes on at {cursor:%Y-%m-%d %H:%M} UTC" if cursor else none_ahead
    if not is_enabled:
        then = "The schedule stays switched off"
    return f"The time of the next run {problem} and was worked out again. {then}."
