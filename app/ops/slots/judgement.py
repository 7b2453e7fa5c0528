"""What became of one slot, judged by all that is recorded around it. Pure."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.ops.slots.outcomes import SlotOutcome, SlotRow, SlotRun, gap_words, outcome_of_gap, row_of_run
from app.schedules.connection_pauses import switched_off
from app.schedules.fire_times import MOMENT, Rhythm, count_fires, fire_times, next_fire
from app.schedules.gaps import GapRow
from app.schedules.policies import GapReason
from app.schedules.queries import ScheduleRow
from app.schedules.said import Era
from app.schedules.stops import SchedulingStopRow
from app.schedules.versions import VersionRow

# A day has at most as many seconds, with an hour that occurs twice.
MOST_SLOTS = 25 * 3_600


@dataclass(frozen=True)
class Books:
    """All that is recorded of a schedule around a day. `gaps` begin one after the other."""

    schedule: ScheduleRow
    versions: Sequence[VersionRow]
    eras: Sequence[Era]
    runs: Mapping[datetime, SlotRun]
    gaps: Sequence[GapRow]
    stop: SchedulingStopRow | None
    kept_since: datetime | None
    now: datetime

    def gap_over(self, slot_at: datetime) -> GapRow | None:
        """The gap in which a slot lies; the one that begins last, should there be two."""
        begun = self.gaps[: bisect_right(self.gaps, slot_at, key=lambda gap: gap.first_slot_at)]
        return next((gap for gap in reversed(begun) if slot_at <= gap.last_slot_at), None)


def rows_of_era(books: Books, era: Era, *, after: datetime, until: datetime) -> Iterator[SlotRow]:
    """A row for each slot after an instant and not after another, while one version was in force."""
    if era.rhythm is None:
        yield from _recorded(books, era, after, until)
        return
    for slot_at in fire_times(era.rhythm, after=after, until=until, limit=MOST_SLOTS):
        yield judge(books, era, slot_at)


def judge(books: Books, era: Era, slot_at: datetime) -> SlotRow:
    """The one outcome of a slot. What is recorded counts first, whatever else may be said of that time."""
    run, gap = books.runs.get(slot_at), books.gap_over(slot_at)
    if run is not None:
        return row_of_run(run)
    if gap is not None:
        return _row_of_gap(books, era, gap, slot_at)
    if slot_at <= books.schedule.created_at:
        return SlotRow(slot_at, SlotOutcome.BEFORE, "the schedule was made later")
    if _is_open(books, era, slot_at):
        return _open_row(books, slot_at)
    if books.kept_since is not None and slot_at < books.kept_since:
        return SlotRow(slot_at, SlotOutcome.NOT_KEPT, "runs of that time are deleted")
    return SlotRow(slot_at, SlotOutcome.UNACCOUNTED, "no run and no gap is recorded for it")


def _recorded(books: Books, era: Era, after: datetime, until: datetime) -> Iterator[SlotRow]:
    """What is recorded of a time of which nobody knows any more which slots it had."""
    found = {slot_at: row_of_run(run) for slot_at, run in books.runs.items() if after < slot_at <= until}
    for gap in books.gaps:
        for row in _slots_of_gap(books, era, gap, after, until):
            found.setdefault(row.slot_at, row)
    yield from (found[slot_at] for slot_at in sorted(found))


def _slots_of_gap(books: Books, era: Era, gap: GapRow, after: datetime, until: datetime) -> Iterator[SlotRow]:
    first, last = max(gap.first_slot_at, after + MOMENT), min(gap.last_slot_at, until)
    if first > last:
        return
    rhythm = _rhythm_of_gap(books, gap)
    if rhythm is not None:
        for slot_at in fire_times(rhythm, after=first - MOMENT, until=last, limit=MOST_SLOTS):
            yield _row_of_gap(books, era, gap, slot_at)
        return
    row = _row_of_gap(books, era, gap, first)
    yield replace(row, reason=f"{row.reason} (one of {gap.slots:,} slots; the others are not known one by one)")


def _rhythm_of_gap(books: Books, gap: GapRow) -> Rhythm | None:
    """A rhythm of the schedule that has as many slots in a gap as were counted there."""
    rhythms = (era.rhythm for era in reversed(books.eras) if era.rhythm is not None)
    bounds = {"after": gap.first_slot_at - MOMENT, "until": gap.last_slot_at}
    return next((rhythm for rhythm in rhythms if count_fires(rhythm, **bounds) == gap.slots), None)


def _row_of_gap(books: Books, era: Era, gap: GapRow, slot_at: datetime) -> SlotRow:
    words = gap_words(gap)
    if gap.reason is GapReason.PAUSED and gap.explanation is None:
        words = _who_paused(books.versions, era) or words
    return SlotRow(slot_at, outcome_of_gap(gap), words)


def _who_paused(versions: Sequence[VersionRow], era: Era) -> str:
    """Who had switched it off, where that is known."""
    switched: VersionRow | None = None
    for version in sorted(versions, key=lambda each: each.number, reverse=True):
        if version.number > era.version.number:
            continue
        if version.says.get("enabled"):
            break
        switched = version
    else:
        # Nothing says that it was on before that.
        switched = switched if switched is not None and switched.number == 1 else None
    return switched_off(switched.by, _utc(switched.at), has="had") if switched is not None and switched.by else ""


def _is_open(books: Books, era: Era, slot_at: datetime) -> bool:
    """Whether nobody has planned so far yet."""
    cursor = books.schedule.cursor
    if cursor is not None:
        return slot_at >= cursor
    # One that has times to come has lost its next one, and a scheduler works it out again. Others are at their end.
    goes_on = era.rhythm is not None and next_fire(era.rhythm, after=books.now) is not None
    return era is books.eras[-1] and goes_on


def _open_row(books: Books, slot_at: datetime) -> SlotRow:
    schedule = books.schedule
    if not schedule.enabled:
        return SlotRow(slot_at, SlotOutcome.PAUSED, _off_words(schedule))
    if schedule.problem is not None:
        return SlotRow(slot_at, SlotOutcome.MISSED, f"the schedule is set aside: {schedule.problem}")
    if books.stop is not None:
        return SlotRow(slot_at, SlotOutcome.STOPPED, books.stop.explanation)
    return SlotRow(slot_at, SlotOutcome.DUE, "no scheduler has planned it yet")


def _off_words(schedule: ScheduleRow) -> str:
    if schedule.switched_at is None:
        return "nobody has switched it on yet" if schedule.is_fresh else "the schedule is switched off"
    return switched_off(schedule.switched_by or "Somebody", _utc(schedule.switched_at), has="has")


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
