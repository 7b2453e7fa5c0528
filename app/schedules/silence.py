"""What an edit makes of the slots that passed while a schedule was off: kept for who switches it on, or lost. Pure."""

from datetime import datetime, timedelta

from app.core.errors import Invalid
from app.schedules.fire_times import MOMENT, Rhythm
from app.schedules.minute_sets import minute_sets
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import MissedSlots, count_missed
from app.schedules.stored_rhythms import rhythm_of

# Of what has been off for longer, the slots are not compared.
_LONGEST_COMPARED = timedelta(days=400)


def keeps_missed(before: ScheduleRow, when: Rhythm, *, now: datetime) -> bool:
    """Whether the slots missed while it is off are slots of this rhythm, too, so that they wait for a decision.

    Their first one stays the cursor then. False where none were missed.
    """
    if before.enabled or before.problem is not None or before.cursor is None or before.cursor > now:
        return False
    try:
        was = rhythm_of(before)
    except Invalid:
        return False
    return was == when or _has_same_slots(was, when, since=before.cursor, until=now)


def lost_by_edit(before: ScheduleRow, when: Rhythm, *, now: datetime) -> MissedSlots | None:
    """The slots missed while it was off about which nobody can decide any more once it has this rhythm and stays off.

    None where there are none, or where nobody would have been asked.
    """
    is_asked = not (before.enabled or before.is_fresh or before.problem is not None)
    if not is_asked or keeps_missed(before, when, now=now):
        return None
    try:
        return count_missed(rhythm_of(before), cursor=before.cursor, now=now)
    except Invalid:
        # They are counted by the new times, because nobody can read the old ones.
        return count_missed(when, cursor=before.cursor, now=now)


def _has_same_slots(one: Rhythm, other: Rhythm, *, since: datetime, until: datetime) -> bool:
    if until - since > _LONGEST_COMPARED:
        return False
    slots = minute_sets(one, after=since - MOMENT, until=until)
    return bool(slots) and slots == minute_sets(other, after=since - MOMENT, until=until)
