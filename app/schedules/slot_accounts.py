"""What becomes of every slot from a cursor up to now: one run at most, gaps for the rest. Pure; counts, never lists."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.errors import Invalid
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, fire_times, last_fire, next_fire
from app.schedules.policies import GapReason, Missed, plan_due_slots
from app.schedules.stops import SchedulingStopRow, Stretch, cut_by_stops

# By so much governments move the clocks of a zone when they change its rules.
ZONE_SHIFTS = (timedelta(minutes=30), timedelta(hours=1), timedelta(hours=2), timedelta(hours=3))


class CursorBetweenSlots(Invalid):
    """A schedule is due at a time at which it never fires: somebody or something else set it."""


@dataclass(frozen=True)
class Absence:
    """Why slots were not planned when they came."""

    reason: GapReason
    explanation: str | None = None


DOWNTIME = Absence(GapReason.SCHEDULER_DOWN)


@dataclass(frozen=True)
class SlotGap:
    """A range of slots that nobody executes."""

    first_slot_at: datetime
    last_slot_at: datetime
    slots: int
    why: Absence


@dataclass(frozen=True)
class SlotAccount:
    """Where the slots of a schedule end up: `slot_at` is to run, unless it is None. `following` is the new cursor."""

    following: datetime | None
    slot_at: datetime | None
    is_catch_up: bool
    gaps: tuple[SlotGap, ...]


@dataclass(frozen=True)
class MissedPolicy:
    """What to do about slots that came while nobody planned."""

    missed: Missed
    max_age: timedelta


def account_for(
    when: Rhythm, *, cursor: datetime, policy: MissedPolicy, stops: Sequence[SchedulingStopRow], absence: Absence,
    now: datetime,
) -> SlotAccount:  # fmt: skip
    """Account for every slot from the cursor, which is due, up to now; a year of them costs no more than a day.

    Raises CursorBetweenSlots.
    """
    following = _after_slot(when, cursor)
    if not stops and (following is None or following > now):
        # Mostly one slot is due, and it is the cursor: also where the rules of its zone have changed since.
        return _decide(policy, following, cursor, 1, [Stretch(cursor, now)], when, absence, now)
    pieces = cut_by_stops(stops, since=cursor, until=now)
    # As after a pause: whoever stopped everything did not want it done later, all at once.
    stopped = [
        gap_between(when, since=piece.since, until=piece.until, why=_stop_words(piece.stop))
        for piece in pieces
        if piece.stop is not None
    ]
    due = [piece for piece in pieces if piece.stop is None]
    found = [last_fire(when, after=piece.since - MOMENT, until=piece.until) for piece in due]
    otherwise = cursor if due and due[0].since == cursor else None
    latest = max((slot for slot in found if slot is not None), default=otherwise)
    if following is not None and following <= now:
        following = next_fire(when, after=now)
    recorded = tuple(gap for gap in stopped if gap is not None)
    if any(stop.is_open for stop in stops):
        # Somebody changes the schedule while nothing is planned: what was missed before that stays missed.
        missed = [gap_between(when, since=piece.since, until=piece.until, why=absence) for piece in due]
        return SlotAccount(following, None, False, (*(gap for gap in missed if gap is not None), *recorded))
    if latest is None:
        return SlotAccount(following, None, False, recorded)
    count = sum(count_fires(when, after=piece.since - MOMENT, until=piece.until) for piece in due)
    account = _decide(policy, following, latest, count, due, when, absence, now)
    return SlotAccount(following, account.slot_at, account.is_catch_up, (*recorded, *account.gaps))


def _after_slot(when: Rhythm, cursor: datetime) -> datetime | None:
    """The slot after the cursor, which has to be one itself."""
    coming = fire_times(when, after=cursor - MOMENT, limit=2)
    if coming and coming[0] == cursor:
        return coming[1] if len(coming) == 2 else None
    if not may_have_been_slot(when, cursor):
        raise CursorBetweenSlots("The time of the next run is none of its times.")
    return coming[0] if coming else None


def may_have_been_slot(when: Rhythm, cursor: datetime) -> bool:
    """Whether it may have been worked out by other rules of the zone, before somebody changed them."""
    # Nobody sets the clocks of UTC.
    if when.zone.name == "UTC":
        return False
    moved = (cursor + direction * shift for shift in ZONE_SHIFTS for direction in (1, -1))
    return any(next_fire(when, after=at - MOMENT) == at for at in moved)


def gap_between(when: Rhythm, *, since: datetime | None, until: datetime, why: Absence) -> SlotGap | None:
    """The slots from `since` up to `until`, both included; None where there are none."""
    if since is None or since > until:
        return None
    first, last = next_fire(when, after=since - MOMENT), last_fire(when, after=since - MOMENT, until=until)
    if first is None or last is None:
        return None
    return SlotGap(first, last, count_fires(when, after=since - MOMENT, until=until), why)


def _decide(
    policy: MissedPolicy, following: datetime | None, latest: datetime, count: int, due: Sequence[Stretch],
    when: Rhythm, absence: Absence, now: datetime,
) -> SlotAccount:  # fmt: skip
    plan = plan_due_slots(policy.missed, latest=latest, count=count, max_age=policy.max_age, now=now)
    slot_at = latest if plan.runs_latest else None
    if plan.slots_in_gap <= 0:
        return SlotAccount(following, slot_at, plan.is_catch_up, ())
    if count == 1:
        return SlotAccount(following, slot_at, plan.is_catch_up, (SlotGap(latest, latest, 1, absence),))
    end = latest - MOMENT if plan.runs_latest else now
    gaps = (gap_between(when, since=piece.since, until=min(piece.until, end), why=absence) for piece in due)
    return SlotAccount(following, slot_at, plan.is_catch_up, tuple(gap for gap in gaps if gap is not None))


def _stop_words(stop: SchedulingStopRow) -> Absence:
    return Absence(GapReason.SCHEDULING_STOPPED, stop.explanation)
