"""The timeline of a schedule: one lane with past runs, coming slots, gaps and the present moment. Pure geometry."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.ops.schedule_timeline import ComingSlots, ScheduleTimeline, Span
from app.runs.outcomes import Outcome
from app.runs.timeline import RunBunch
from app.schedules.gaps import GapRow
from app.schedules.policies import GapReason
from app.web.formatting import absolute_time
from app.web.pictures.outcome_words import counted, outcome_counts
from app.web.pictures.shapes import WIDTH, Form, Shape, joined, number, percent, rectangle
from app.web.pictures.time_axis import ClockChange, Tick, TimeAxis

HEIGHT = 40
_SLOT_WIDTH = 2
_LEAST_WIDTH = 5
_POINT = 4
# Top and height of what each outcome is drawn as, those on top last: what failed is never covered.
_BLOCKS: dict[Outcome, tuple[Form, tuple[tuple[int, int], ...]]] = {
    Outcome.SKIPPED: (Form.HOLLOW, ((32, 8),)),
    Outcome.CANCELLED: (Form.SOLID, ((22, 18),)),
    Outcome.WAITING: (Form.HOLLOW, ((12, 28),)),
    Outcome.SUCCEEDED: (Form.SOLID, ((12, 28),)),
    Outcome.SUCCEEDED_AFTER_RETRY: (Form.SOLID, ((12, 12), (28, 12))),
    Outcome.MISSED: (Form.DASHED, ((0, 40),)),
    Outcome.FAILED: (Form.SOLID, ((0, 40),)),
}
# Somebody wanted these; the others are nobody's wish.
_WANTED = frozenset({GapReason.PAUSED, GapReason.SCHEDULING_STOPPED})


@dataclass(frozen=True)
class TimelinePicture:
    """One lane, the same in words, and what stands under it. `crosses` mark the failures above their bars."""

    label: str
    shapes: tuple[Shape, ...]
    crosses: tuple[str, ...]
    now: str
    ticks: tuple[Tick, ...]
    # A day is named from its beginning on, an hour right under its mark.
    anchor: str
    clock_changes: tuple[ClockChange, ...]


def draw_timeline(timeline: ScheduleTimeline, *, zone: str) -> TimelinePicture:
    """The picture of a timeline on the clocks of a zone."""
    axis = TimeAxis(timeline, ZoneInfo(zone))
    failed = [bunch for bunch in timeline.runs if bunch.outcome is Outcome.FAILED]
    return TimelinePicture(
        label=timeline_words(timeline, zone=zone),
        shapes=(*_gaps(axis), *_coming(axis), *_runs(axis)),
        crosses=tuple(percent(axis.share(bunch.begin)) for bunch in failed),
        now=percent(axis.share(timeline.now)),
        ticks=axis.ticks(),
        anchor="start" if timeline.span is Span.WEEK else "middle",
        clock_changes=axis.clock_changes(),
    )


def timeline_words(timeline: ScheduleTimeline, *, zone: str) -> str:
    """“16 runs: 15 succeeded, 1 failed (latest Sat 21 Nov, 17:37). To come: 8, the first Sat 21 Nov, 20:37.”"""
    counts = timeline.count()
    failures = [bunch.end for bunch in timeline.runs if bunch.outcome is Outcome.FAILED]
    notes = {Outcome.FAILED: f"latest {_said(max(failures), zone, timeline.now)}"} if failures else {}
    past = "No runs." if not timeline.runs else f"{counted(counts.total(), 'run')}: {outcome_counts(counts, notes)}."
    gaps = f" {counted(len(timeline.gaps), 'gap')} in which nobody ran it." if timeline.gaps else ""
    return f"{past}{gaps} {_coming_words(timeline, zone)}"


def _coming_words(timeline: ScheduleTimeline, zone: str) -> str:
    if not timeline.coming:
        return "Nothing to come."
    first = timeline.coming[0]
    at = timeline.now if first.at is None else first.at
    begin = "from now on" if first.at is None else f"the first {_said(at, zone, timeline.now)}"
    return f"To come: {timeline.slots_to_come:,}, {begin}."


def _said(at: datetime, zone: str, now: datetime) -> str:
    return absolute_time(at, zone=zone, now=now)


def _runs(axis: TimeAxis[ScheduleTimeline]) -> Iterator[Shape]:
    running = [bunch for bunch in axis.timeline.runs if bunch.outcome is Outcome.RUNNING]
    yield from joined(Outcome.RUNNING.value, Form.SOLID, (_arrow(*_across(axis, bunch)) for bunch in running))
    for outcome, (form, blocks) in _BLOCKS.items():
        places = [_across(axis, bunch) for bunch in axis.timeline.runs if bunch.outcome is outcome]
        pieces = (rectangle(x, top, width, height) for x, width in places for top, height in blocks)
        yield from joined(outcome.value, form, pieces)


def _across(axis: TimeAxis[ScheduleTimeline], bunch: RunBunch) -> tuple[float, float]:
    """Where runs begin and how wide they are: as long as they took, and never too narrow to be seen."""
    least = min(_LEAST_WIDTH, WIDTH / axis.timeline.span.columns)
    begin = axis.share(bunch.begin) * WIDTH
    return min(begin, WIDTH - least), max(axis.share(bunch.end) * WIDTH - begin, least)


def _arrow(x: float, width: float) -> str:
    """Goes on: a block that points to what comes next."""
    return f"M{number(x)} 12h{number(width)}l{_POINT} 14l-{_POINT} 14h{number(-width)}z"


def _coming(axis: TimeAxis[ScheduleTimeline]) -> Iterator[Shape]:
    coming = axis.timeline.coming
    ticks = (axis.share(each.at) * WIDTH for each in coming if each.slots == 1 and each.at is not None)
    yield from joined("planned", Form.SOLID, (rectangle(x, 24, _SLOT_WIDTH, 16) for x in ticks))
    most = max((each.slots for each in coming), default=1)
    # Where ticks would touch, the height of a column says how many there are.
    crowded = [each for each in coming if each.slots > 1 or each.at is None]
    yield from joined("planned", Form.HOLLOW, (_density(axis, each, most) for each in crowded))


def _density(axis: TimeAxis[ScheduleTimeline], each: ComingSlots, most: int) -> str:
    begin = axis.share(axis.timeline.column_begin(each.column)) * WIDTH
    height = 6 + 22 * each.slots / most
    return rectangle(begin, HEIGHT - height, WIDTH / axis.timeline.span.columns - 1, height)


def _gaps(axis: TimeAxis[ScheduleTimeline]) -> Iterator[Shape]:
    for state, is_wanted in (("disabled", True), ("missed", False)):
        gaps = [gap for gap in axis.timeline.gaps if (gap.reason in _WANTED) is is_wanted]
        yield from joined(state, Form.DASHED, (_range(axis, gap) for gap in gaps))


def _range(axis: TimeAxis[ScheduleTimeline], gap: GapRow) -> str:
    begin = axis.share(gap.first_slot_at) * WIDTH
    return rectangle(begin, 2, max(axis.share(gap.last_slot_at) * WIDTH - begin, _LEAST_WIDTH), HEIGHT - 4)
