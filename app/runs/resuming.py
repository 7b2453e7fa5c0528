"""What becomes of the slots that a schedule missed while it was switched off, when somebody switches it on again."""

from datetime import datetime

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from app.core.errors import Conflict, Invalid
from app.jobs.kinds.base import KindName
from app.runs.planner import with_overlap
from app.runs.slot_decisions import Decision, Held, why_held
from app.runs.slot_writes import write_slots
from app.schedules.models import Schedule
from app.schedules.policies import GapReason, Missed
from app.schedules.queries import ScheduleRow
from app.schedules.service import rhythm_of
from app.schedules.slot_accounts import (
    NOTHING_MADE_UP,
    Absence,
    MadeUp,
    MissedSlots,
    SlotAccount,
    account_for_pause,
    count_missed,
)


class MissedMoreMeanwhile(Conflict):
    """Since somebody was told how many slots a schedule missed, it has missed another number."""


def missed_meanwhile(schedule: ScheduleRow, *, now: datetime) -> MissedSlots | None:
    """The slots that passed while somebody had a schedule switched off; None where there are none to decide about."""
    if schedule.enabled or schedule.is_fresh:
        return None
    try:
        return count_missed(rhythm_of(schedule), cursor=schedule.cursor, now=now)
    except Invalid:
        # Nobody knows the times of what cannot be read.
        return None


def most_made_up(schedule: ScheduleRow, missed: Missed) -> int:
    """How many of the missed slots run by that choice, at most. Their age does not count: somebody wants them."""
    return {Missed.SKIP: 0, Missed.LATEST: 1, Missed.ALL: schedule.missed_limit}[missed]


def refuse_others(schedule: ScheduleRow, *, missed: Missed, seen: int | None, now: datetime) -> None:
    """Raises MissedMoreMeanwhile where others would run than somebody was told when they chose to run all.

    `seen` is how many had been missed then. The latest is the latest whenever it is asked for.
    """
    found = missed_meanwhile(schedule, now=now)
    if seen is None or found is None or missed is not Missed.ALL:
        return
    most = most_made_up(schedule, missed)
    if min(found.count, most) != min(seen, most):
        raise MissedMoreMeanwhile(
            f"Not {seen:,} but {found.count:,} slots have been missed by now, so nothing was done. "
            "Say again what is to become of them.",
            field="seen",
        )


def why_none_runs(schedule: ScheduleRow) -> str | None:
    """What has to be done before any of its slots can run; None where nothing has."""
    held = _held(schedule)
    return None if held is None else held.words


def _held(schedule: ScheduleRow) -> Held | None:
    definition = {"service": schedule.service, "connection_id": schedule.connection_id}
    return why_held(KindName(schedule.job_kind), definition, left_at=schedule.job_left_at)


def decide_missed(session: Session, schedule: ScheduleRow, *, missed: Missed, now: datetime) -> Decision | None:
    """What is to become of the slots missed meanwhile; None where none are to run, or none were missed."""
    if missed is Missed.SKIP or schedule.cursor is None or missed_meanwhile(schedule, now=now) is None:
        return None
    absence = Absence(GapReason.UNREADABLE if schedule.problem else GapReason.PAUSED)
    account = account_for_pause(
        rhythm_of(schedule),
        cursor=schedule.cursor,
        most=most_made_up(schedule, missed),
        absence=absence,
        now=now,
    )
    return decision_on(session, schedule, account, is_wanted=True)


def decision_on(session: Session, schedule: ScheduleRow, account: SlotAccount, *, is_wanted: bool) -> Decision:
    """The decision of one schedule. What its job lacks is looked up."""
    # As this database writes it, which is how the statements for many schedules know it.
    key = session.scalars(select(cast(Schedule.id, String)).where(Schedule.id == schedule.id)).one()
    return Decision(key, account, schedule.overlap, _held(schedule), is_wanted)


def make_up(session: Session, schedule: ScheduleRow, *, missed: Missed, now: datetime) -> MadeUp:
    """Open the runs that somebody wants of the slots missed meanwhile, and record the others. Says what it opened.

    The cursor goes on to the first slot after now. Nothing happens where none are wanted, or none were missed.
    """
    decision = decide_missed(session, schedule, missed=missed, now=now)
    if decision is None:
        return NOTHING_MADE_UP
    session.flush()
    write_slots(session, with_overlap(session, [decision], now=now), now=now)
    # Written past the session, which may hold the schedule from before.
    loaded = session.identity_map.get(session.identity_key(Schedule, schedule.id))
    if loaded is not None:
        session.expire(loaded)
    return MadeUp(len(decision.account.slots), None if decision.held is None else decision.held.words)
