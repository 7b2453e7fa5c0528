"""All runs of an organization around now, as a bar for each hour: what ended how, and what comes. Pure geometry."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.clock_words import wall_clock
from app.ops.organization_hours import ONE_HOUR, HourOfRuns, OrganizationHours
from app.runs.outcomes import Outcome
from app.runs.run_hours import Counts
from app.web.formatting import absolute_time
from app.web.pictures.outcome_words import counted, outcome_counts
from app.web.pictures.shapes import WIDTH, Form, Shape, joined, percent, rectangle
from app.web.pictures.time_axis import TimeAxis
from app.web.pictures.timeline import HEIGHT, TimelinePicture

# One failure among thousands still shows.
_LEAST = 4.0
# From the bottom up. What somebody has to know of lies on top, under its cross.
_LAYERS: tuple[tuple[Outcome, Form], ...] = (
    (Outcome.SUCCEEDED, Form.SOLID),
    (Outcome.SUCCEEDED_AFTER_RETRY, Form.SOLID),
    (Outcome.CANCELLED, Form.SOLID),
    (Outcome.SKIPPED, Form.HOLLOW),
    (Outcome.MISSED, Form.DASHED),
    (Outcome.FAILED, Form.SOLID),
)


@dataclass(frozen=True)
class HourRow:
    """An hour in which something is, for the table. Windows of the list of runs go by `begin` and `end`."""

    label: str
    begin: datetime
    end: datetime
    succeeded: int
    failed: int
    others: str
    coming: int


def draw_day(day: OrganizationHours, *, zone: str) -> TimelinePicture:
    """The picture on the clocks of a zone."""
    axis = TimeAxis(day, ZoneInfo(zone))
    return TimelinePicture(
        label=day_words(day, zone=zone),
        shapes=(*_ended(axis, day), *_coming(axis, day)),
        crosses=tuple(percent(_middle(axis, hour)) for hour in day.hours if hour.ended.failed),
        now=percent(axis.share(day.now)),
        ticks=axis.ticks(),
        anchor="middle",
        clock_changes=axis.clock_changes(),
    )


def day_words(day: OrganizationHours, *, zone: str) -> str:
    """“Since Fri 20 Nov, 16:00: 412 runs: 400 succeeded, 12 failed. To come by 16:00: 96.”"""
    counts = by_outcome(day.ended)
    total = day.ended.all
    past = f"{counted(total, 'run')} ended: {outcome_counts(counts)}." if total else "no run ended."
    since = absolute_time(day.since, zone=zone, now=day.now)
    until = absolute_time(day.until, zone=zone, now=day.now)
    coming = f"Due by {until}: {day.coming:,}." if day.coming else f"Nothing is due by {until}."
    return f"Since {since}: {past} {coming}"


def hour_rows(day: OrganizationHours, *, zone: str) -> tuple[HourRow, ...]:
    """The same in rows; hours in which nothing is are left out."""
    clock = ZoneInfo(zone)
    return tuple(_row(hour, clock) for hour in day.hours if hour.all)


def by_outcome(ended: Counts) -> dict[Outcome, int]:
    """How many came to which end."""
    return {
        Outcome.SUCCEEDED: ended.succeeded,
        Outcome.SUCCEEDED_AFTER_RETRY: ended.retried,
        Outcome.FAILED: ended.failed,
        Outcome.MISSED: ended.missed,
        Outcome.SKIPPED: ended.skipped,
        Outcome.CANCELLED: ended.cancelled,
    }


def _row(hour: HourOfRuns, clock: ZoneInfo) -> HourRow:
    wall = hour.begin.astimezone(clock)
    others = {outcome: count for outcome, count in by_outcome(hour.ended).items() if outcome not in _TOLD}
    return HourRow(
        # An hour that the clocks show twice has two rows.
        label=f"{wall:%a} {wall.day} {wall:%b}, {wall_clock(wall)}{' again' if wall.fold else ''}",
        begin=hour.begin,
        end=hour.begin + ONE_HOUR,
        succeeded=hour.ended.good,
        failed=hour.ended.failed,
        others=outcome_counts(others),
        coming=hour.coming,
    )


# Those after a retry succeeded, too, and are said among the others once more, because something was wrong.
_TOLD = (Outcome.SUCCEEDED, Outcome.FAILED)


def _ended(axis: TimeAxis[OrganizationHours], day: OrganizationHours) -> Iterator[Shape]:
    most = max(hour.all for hour in day.hours) or 1
    pieces: dict[Outcome, list[str]] = {outcome: [] for outcome, _ in _LAYERS}
    for hour in day.hours:
        bottom = float(HEIGHT)
        for outcome, height in _heights(by_outcome(hour.ended), most).items():
            bottom -= height
            pieces[outcome].append(_bar(axis, hour.begin, min(hour.begin + ONE_HOUR, day.now), bottom, height))
    for outcome, form in _LAYERS:
        yield from joined(outcome.value, form, pieces[outcome])


def _heights(ended: Mapping[Outcome, int], most: int) -> dict[Outcome, float]:
    """How high each layer is, from the bottom up: what there is few of takes its room from what there is most of."""
    found = {outcome: max(ended[outcome] / most * HEIGHT, _LEAST) for outcome, _ in _LAYERS if ended[outcome]}
    too_much = sum(found.values()) - HEIGHT
    if too_much > 0:
        found[max(found, key=lambda outcome: found[outcome])] -= too_much
    return found


def _coming(axis: TimeAxis[OrganizationHours], day: OrganizationHours) -> Iterator[Shape]:
    most = max(hour.all for hour in day.hours) or 1
    bars = []
    for hour in day.hours:
        if hour.coming:
            height = max(hour.coming / most * HEIGHT, _LEAST)
            begin = max(hour.begin, day.now)
            bars.append(_bar(axis, begin, hour.begin + ONE_HOUR, HEIGHT - height, height))
    yield from joined("planned", Form.HOLLOW, bars)


def _bar(axis: TimeAxis[OrganizationHours], begin: datetime, end: datetime, top: float, height: float) -> str:
    left, right = axis.share(begin) * WIDTH, axis.share(end) * WIDTH
    # A little air between the hours, and something to see right after an hour began.
    return rectangle(left + 1, top, max(right - left - 2, 3), height)


def _middle(axis: TimeAxis[OrganizationHours], hour: HourOfRuns) -> float:
    """Of the part that is over, where its failures stand."""
    end = min(hour.begin + ONE_HOUR, axis.timeline.now)
    return axis.share(hour.begin + (end - hour.begin) / 2)
