"""Whether the clocks change soon under a schedule, for a list. Only fixed times are affected. Reads nothing."""

from dataclasses import replace
from datetime import datetime, timedelta

from app.core.errors import Invalid
from app.schedules.change_notes import fixed_time_notes
from app.schedules.queries import ScheduleRow
from app.schedules.stored_rhythms import rhythm_of
from app.schedules.zone_clocks import clock_of

SOON = timedelta(days=7)
# The week ends here for the rhythm, so that the other changes of the year ahead are not looked at.
_AFTER = timedelta(days=1)


def change_soon(schedule: ScheduleRow, *, now: datetime) -> str:
    """What a change of the clocks within seven days does to its times; empty where it does nothing.

    Nearly always the next change lies further away, which is known without looking at the rhythm's times.
    """
    if not schedule.enabled or schedule.problem is not None:
        return ""
    try:
        when = rhythm_of(schedule)
    except Invalid:
        return ""
    changes_at = clock_of(when.zone, now=now).changes_at
    if changes_at is None or changes_at > now + SOON:
        return ""
    week = replace(when, ends_at=min(when.ends_at or changes_at + _AFTER, changes_at + _AFTER))
    return " ".join(note.text for note in fixed_time_notes(week, now=now))
