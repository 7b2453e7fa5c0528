"""What becomes of every slot from a cursor up to now: a few runs, gaps for the rest. Pure; lists only what runs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.errors import Invalid
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, fire_times, last_fire, next_fire
from app.schedules.policies import GapReason, MissedPolicy
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
    """Where the slots of a schedule end up: `slots` are to run, the oldest first. `following` is the new cursor."""

    following: datetime | None
    slots: tuple[datetime, ...]
    gaps: tuple[SlotGap, ...]


@dataclass(frozen=True)
class MissedSlots:
    """The slots of a range in figures."""

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class MadeUp:
    """What became of missed slots that somebody wants to run: so many do, or `why_skipped` says why they cannot.

    `missed` are all of them, where that is known; the rest is left in a gap.
    """

    slots: int = 0
    why_skipped: str | None = None
    missed: MissedSlots | None = field(default=None, compare=False)

    @property
    def left(self) -> int:
        """How many of them stay missed."""
        return 0 if self.missed is None else self.missed.count - self.slots


NOTHING_MADE_UP = MadeUp()


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
        return _alone(following, cursor, policy, absence, now)
    pieces = cut_by_stops(stops, since=cursor, until=now)
    # As after a pause: whoever stopped everything did not want it done later, all at once.
    stopped = [
        gap_between(when, since=piece.since, until=piece.until, why=_stop_words(piece.stop))
        for piece in pieces
        if piece.stop is not None
    ]
    due = [piece for piece in pieces if piece.stop is None]
    if following is not None and following <= now:
        following = next_fire(when, after=now)
    # Somebody changes the schedule while nothing is planned: what was missed before that stays missed.
    is_stopped = any(stop.is_open for stop in stops)
    slots = () if is_stopped else _newest(when, due, oldest=now - policy.reach, most=policy.most)
    missed = _before(when, due, slots, absence)
    recorded = tuple(gap for gap in stopped if gap is not None)
    if not (is_stopped or slots or missed) and due and due[0].since == cursor:
        account = _alone(following, cursor, policy, absence, now)
        return SlotAccount(following, account.slots, (*recorded, *account.gaps))
    return SlotAccount(following, slots, (*recorded, *missed))


def account_for_pause(when: Rhythm, *, cursor: datetime, most: int, absence: Absence, now: datetime) -> SlotAccount:
    """Account for the slots that passed while somebody wanted none: the newest ones run now, because they say so."""
    piece = [Stretch(cursor, now)]
    slots = _newest(when, piece, oldest=cursor, most=most)
    return SlotAccount(next_fire(when, after=now), slots, _before(when, piece, slots, absence))


def count_missed(when: Rhythm, *, cursor: datetime | None, now: datetime) -> MissedSlots | None:
    """The slots from a cursor up to now in figures; None where there are none."""
    gap = gap_between(when, since=cursor, until=now, why=DOWNTIME)
    return None if gap is None else MissedSlots(gap.slots, gap.first_slot_at, gap.last_slot_at)


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


def _alone(
    following: datetime | None, cursor: datetime, policy: MissedPolicy, absence: Absence, now: datetime
) -> SlotAccount:
    if now - cursor <= policy.reach:
        return SlotAccount(following, (cursor,), ())
    return SlotAccount(following, (), (SlotGap(cursor, cursor, 1, absence),))


def _newest(when: Rhythm, due: Sequence[Stretch], *, oldest: datetime, most: int) -> tuple[datetime, ...]:
    """The newest slots of these pieces, the oldest first. Found one by one from the end, however many there are."""
    found: list[datetime] = []
    for piece in reversed(due):
        until = piece.until
        while len(found) < most and until >= piece.since:
            slot = last_fire(when, after=piece.since - MOMENT, until=until)
            if slot is None or slot < oldest:
                break
            found.append(slot)
            until = slot - MOMENT
    return tuple(reversed(found))


def _before(when: Rhythm, due: Sequence[Stretch], slots: Sequence[datetime], absence: Absence) -> tuple[SlotGap, ...]:
    """What lies in these pieces before the first slot that runs, or all of it where none does."""
    gaps = (
        gap_between(
            when, since=piece.since, until=min(piece.until, slots[0] - MOMENT) if slots else piece.until, why=absence
        )
        for piece in due
    )
    return tuple(gap for gap in gaps if gap is not None)


def _stop_words(stop: SchedulingStopRow) -> Absence:
    return Absence(GapReason.SCHEDULING_STOPPED, stop.explanation)
