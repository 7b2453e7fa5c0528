"""What a schedule did and will do around now, by columns of time: its runs, the slots that come, the gaps between."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.runs.outcomes import Outcome
from app.runs.timeline import RunBunch, bunch_runs
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, fire_times
from app.schedules.gaps import GapRow, list_gaps
from app.schedules.queries import ScheduleRow
from app.schedules.service import rhythm_of

# More slots than this are counted by columns and not listed.
MOST_SINGLE_SLOTS = 200
_PAST_SHARE = 2 / 3
# Of more gaps than this, the newest are shown.
_MOST_GAPS = 100


class Span(IntEnum):
    """How many hours there are to see, two thirds of them past."""

    DAY = 24
    WEEK = 168

    @property
    def column(self) -> timedelta:
        """How much time one column is. It divides an hour, so that hours and days begin with one."""
        return timedelta(minutes=15) if self is Span.DAY else timedelta(hours=1)

    @property
    def columns(self) -> int:
        return timedelta(hours=self) // self.column


@dataclass(frozen=True)
class ComingSlots:
    """The slots of one column. `at` is the first, where they were few enough to look each of them up."""

    column: int
    slots: int
    at: datetime | None


@dataclass(frozen=True)
class ScheduleTimeline:
    """A stretch of time around now. Columns are counted from `since` on."""

    span: Span
    since: datetime
    now: datetime
    runs: tuple[RunBunch, ...]
    coming: tuple[ComingSlots, ...]
    gaps: tuple[GapRow, ...]

    @property
    def until(self) -> datetime:
        return self.since + timedelta(hours=self.span)

    def column_begin(self, number: int) -> datetime:
        """When a column begins."""
        return self.since + number * self.span.column

    def count(self) -> Counter[Outcome]:
        """How many runs there are of each outcome."""
        found: Counter[Outcome] = Counter()
        for bunch in self.runs:
            found[bunch.outcome] += bunch.runs
        return found

    @property
    def slots_to_come(self) -> int:
        return sum(each.slots for each in self.coming)


def read_timeline(
    session: Session,
    schedule: ScheduleRow,
    *,
    span: Span,
    zone: str,
    is_stopped: bool,
    now: datetime,
) -> ScheduleTimeline:
    """The timeline of a schedule, in two statements. Columns begin with the hours of `zone`.

    Of a schedule that plans nothing, nothing comes.
    """
    since = _begin(span, ZoneInfo(zone), now)
    until = since + timedelta(hours=span)
    mine = {"organization_id": schedule.organization_id, "schedule_id": schedule.id}
    runs = bunch_runs(session, **mine, since=since, width=span.column, now=now)
    gaps = list_gaps(session, **mine, limit=_MOST_GAPS)
    is_planned = schedule.enabled and schedule.problem is None and not is_stopped
    return ScheduleTimeline(
        span=span,
        since=since,
        now=now,
        runs=tuple(runs),
        coming=_coming(schedule, span, since, now) if is_planned else (),
        gaps=tuple(gap for gap in gaps if gap.last_slot_at >= since and gap.first_slot_at < until),
    )


def _begin(span: Span, zone: ZoneInfo, now: datetime) -> datetime:
    """The full hour by that clock from which on two thirds of the span are past."""
    early = now - timedelta(hours=span * _PAST_SHARE)
    wall = early.astimezone(zone)
    return early - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)


def _coming(schedule: ScheduleRow, span: Span, since: datetime, now: datetime) -> tuple[ComingSlots, ...]:
    try:
        when = rhythm_of(schedule)
    except Invalid:
        return ()
    # An end of a column belongs to the next one.
    until = since + timedelta(hours=span) - MOMENT
    found = fire_times(when, after=now, until=until, limit=MOST_SINGLE_SLOTS + 1)
    if len(found) > MOST_SINGLE_SLOTS:
        return _counted(when, span, since, now)
    return _listed(found, span, since)


def _listed(found: Sequence[datetime], span: Span, since: datetime) -> tuple[ComingSlots, ...]:
    columns: dict[int, list[datetime]] = {}
    for at in found:
        columns.setdefault((at - since) // span.column, []).append(at)
    return tuple(ComingSlots(number, len(slots), slots[0]) for number, slots in columns.items())


def _counted(when: Rhythm, span: Span, since: datetime, now: datetime) -> tuple[ComingSlots, ...]:
    counted = []
    for number in range((now - since) // span.column, span.columns):
        begin = since + number * span.column
        slots = count_fires(when, after=max(begin - MOMENT, now), until=begin + span.column - MOMENT)
        # Before the schedule begins there is less than nothing to count.
        if slots > 0:
            counted.append(ComingSlots(number, slots, None))
    return tuple(counted)
