"""Steps of the database's clock, for those who wonder why nothing is planned for a moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Subquery, delete, select
from sqlalchemy.orm import Session

from app.core.clock_watch import ClockStep
from app.core.questions import Question, ask
from app.events.service import Topic, append_event
from app.schedules.models import ClockStepSeen
from app.schedules.policies import GapReason
from app.schedules.slot_accounts import DOWNTIME, Absence
from app.tenants.models import SYSTEM_ORGANIZATION_ID

# A clock that is set again and again must not fill the table.
MOST_KEPT = 100


@dataclass(frozen=True)
class HeldByClock:
    """Nothing is planned until then, because the clock was set. `text` says it to a person."""

    held_until: datetime
    text: str


def record_step(session: Session, *, step: ClockStep, hold_seconds: float) -> None:
    """Note that the clock was set, by its new time. Works as ENGINE."""
    held_until = step.seen_at + timedelta(seconds=hold_seconds)
    seen = ClockStepSeen(seconds=round(step.seconds), seen_at=step.seen_at, held_until=held_until)
    session.add(seen)
    session.flush()
    session.execute(delete(ClockStepSeen).where(ClockStepSeen.id <= seen.id - MOST_KEPT))
    append_event(
        session,
        organization_id=SYSTEM_ORGANIZATION_ID,
        topic=Topic.SCHEDULES,
        kind="clock.stepped",
        subject_id=SYSTEM_ORGANIZATION_ID,
        now=step.seen_at,
        data={"text": words_for(step.seconds, step.seen_at), "seconds": round(step.seconds)},
    )


def current_hold(session: Session, *, now: datetime) -> HeldByClock | None:
    """Until when nothing is planned because of the last step; None most of the time."""
    return ask(session, hold_now(now=now))


def hold_now(*, now: datetime) -> Question[HeldByClock | None]:
    """The same as a question."""
    return Question(select(last_step()), lambda rows: hold_of(*rows[0], now=now) if rows else None)


def last_step() -> Subquery:
    """The last step as part of a statement: by how many seconds, seen when, and until when planning waits."""
    # The last by number and not by time: their times are what was wrong.
    last = select(ClockStepSeen.seconds, ClockStepSeen.seen_at, ClockStepSeen.held_until)
    return last.order_by(ClockStepSeen.id.desc()).limit(1).subquery("last_step")


def hold_of(seconds: int, seen_at: datetime, held_until: datetime, *, now: datetime) -> HeldByClock | None:
    """What a step means now; None when it is over."""
    return HeldByClock(held_until, words_for(seconds, seen_at)) if seen_at <= now < held_until else None


def absence_after(step: ClockStep | None) -> Absence:
    """Why slots are late: the clock was set past them or planning waited for it; without a step nobody was there."""
    if step is None:
        return DOWNTIME
    return Absence(GapReason.CLOCK_STEP, words_for(step.seconds, step.seen_at))


def absence_now(session: Session, *, now: datetime) -> Absence:
    """The same for whoever was not there to see a step: while planning waits because of one, that is why."""
    hold = current_hold(session, now=now)
    return DOWNTIME if hold is None else Absence(GapReason.CLOCK_STEP, hold.text)


def words_for(seconds: float, seen_at: datetime) -> str:
    """What happened, for a person: “The database's clock was set forward by 1:00:00, to 2027-01-05 13:00:00 UTC.”"""
    direction = "back" if seconds < 0 else "forward"
    amount = timedelta(seconds=abs(round(seconds)))
    return f"The database's clock was set {direction} by {amount}, to {seen_at:%Y-%m-%d %H:%M:%S} UTC."
