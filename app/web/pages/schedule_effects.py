"""What a change of a schedule will do, as pages show it. The facts and words are those of API and commands."""

from dataclasses import dataclass, replace
from datetime import datetime

from app.core.clock_words import Clocks
from app.edge.runtime import request_session
from app.ops.effect_words import effect_lines, replacement_line
from app.ops.schedule_effects import Effect, delete_effect, edit_effect, switch_effect
from app.runs.resuming import why_none_runs
from app.schedules.fire_times import Rhythm
from app.schedules.policies import Overlap
from app.schedules.queries import ScheduleRow
from app.web.context import viewer_zone
from app.web.formatting import zone_label
from app.web.pages.schedule_preview import NextRun, next_runs


@dataclass(frozen=True)
class ChangeEffect:
    """What a change does: the next runs before and after where they differ, and what becomes of the rest."""

    before: tuple[NextRun, ...] = ()
    after: tuple[NextRun, ...] = ()
    zone_before: str = ""
    zone_after: str = ""
    has_new_times: bool = False
    lines: tuple[str, ...] = ()


def effect_of_saving(schedule: ScheduleRow, *, when: Rhythm, is_on: bool, now: datetime, count: int) -> ChangeEffect:
    """What saving the form would do to a schedule, with so many of its next runs."""
    found = edit_effect(request_session(), schedule, when=when, is_on=is_on, now=now, count=count)
    return _shown(found, schedule, now)


def effect_of_deletion(schedule: ScheduleRow, *, now: datetime) -> ChangeEffect:
    """What deleting a schedule does."""
    return _shown(delete_effect(request_session(), schedule, now=now), schedule, now)


def effect_of_resuming(schedule: ScheduleRow, *, now: datetime) -> ChangeEffect:
    """What switching a schedule on does besides what is asked about the slots it missed."""
    return _shown(switch_effect(request_session(), schedule, is_on=True, now=now), schedule, now)


def _shown(found: Effect, schedule: ScheduleRow, now: datetime) -> ChangeEffect:
    mine = viewer_zone()
    return ChangeEffect(
        before=next_runs(found.before, zone=found.zone_before, viewer_zone=mine, now=now),
        after=next_runs(found.after, zone=found.zone_after, viewer_zone=mine, now=now),
        zone_before=zone_label(found.zone_before),
        zone_after=zone_label(found.zone_after),
        has_new_times=found.changes_times,
        # What was missed meanwhile, the form asks about itself where this switches it on.
        lines=(
            *effect_lines(replace(found, missed=None) if found.is_on_after else found, _clocks(schedule, now)),
            *_if_a_missed_one_runs(found, schedule),
        ),
    )


def _if_a_missed_one_runs(found: Effect, schedule: ScheduleRow) -> tuple[str, ...]:
    """What the answer to the question about missed slots does to the runs that are there."""
    asks = found.is_on_after and found.missed is not None and schedule.overlap is Overlap.CANCEL_PREVIOUS
    line = replacement_line(found.standing) if asks and why_none_runs(schedule) is None else None
    return () if line is None else (line,)


def _clocks(schedule: ScheduleRow, now: datetime) -> Clocks:
    return Clocks(schedule.timezone, viewer_zone(), now)
