"""The timeline of a schedule as a table: by hours of a day or days of a week, on the clocks of a zone. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.clock_words import clock_time
from app.ops.schedule_timeline import ScheduleTimeline, Span
from app.runs.outcomes import Outcome
from app.web.pictures.outcome_words import outcome_counts

_GOOD = (Outcome.SUCCEEDED, Outcome.SUCCEEDED_AFTER_RETRY)


@dataclass(frozen=True)
class TimelineRow:
    """An hour or a day in which there is something. `failed_run_id` names the run where one alone failed."""

    label: str
    succeeded: int
    failed: int
    failed_run_id: UUID | None
    others: str
    has_gap: bool
    coming: int


def timeline_rows(timeline: ScheduleTimeline, *, zone: str) -> tuple[TimelineRow, ...]:
    """What a timeline shows, in rows; hours and days in which nothing is are left out."""
    clock = ZoneInfo(zone)
    columns: dict[str, list[int]] = {}
    for number in range(timeline.span.columns):
        columns.setdefault(_label(timeline.column_begin(number).astimezone(clock), timeline.span), []).append(number)
    rows = [_row(timeline, label, numbers[0], numbers[-1]) for label, numbers in columns.items()]
    return tuple(row for row in rows if row.succeeded or row.failed or row.others or row.has_gap or row.coming)


def _label(wall: datetime, span: Span) -> str:
    day = f"{wall:%a} {wall.day} {wall:%b}"
    if span is Span.WEEK:
        return day
    # An hour that the clocks show twice has two rows.
    return f"{day}, {clock_time(wall.hour, 0)}{' again' if wall.fold else ''}"


def _row(timeline: ScheduleTimeline, label: str, first: int, last: int) -> TimelineRow:
    counts: Counter[Outcome] = Counter()
    failed = []
    for bunch in timeline.runs:
        if first <= bunch.column <= last:
            counts[bunch.outcome] += bunch.runs
            failed += [bunch] if bunch.outcome is Outcome.FAILED else []
    begin, end = timeline.column_begin(first), timeline.column_begin(last + 1)
    return TimelineRow(
        label=label,
        succeeded=sum(counts[outcome] for outcome in _GOOD),
        failed=counts[Outcome.FAILED],
        failed_run_id=failed[0].run_id if len(failed) == 1 else None,
        others=outcome_counts(_without(counts)),
        has_gap=any(gap.first_slot_at < end and gap.last_slot_at >= begin for gap in timeline.gaps),
        coming=sum(each.slots for each in timeline.coming if first <= each.column <= last),
    )


def _without(counts: Mapping[Outcome, int]) -> dict[Outcome, int]:
    # Those after a retry succeeded, too, and are said among the others once more, because something was wrong.
    told = {Outcome.SUCCEEDED, Outcome.FAILED}
    return {outcome: number for outcome, number in counts.items() if outcome not in told}
