"""What a change of a schedule will do, in sentences and lists of next runs. The facts are ops/schedule_effects.py."""

from dataclasses import dataclass
from datetime import datetime

from app.edge.runtime import request_session
from app.ops.schedule_effects import EditEffect, Standing, edit_effect, next_runs_of, standing_of
from app.schedules.fire_times import Rhythm
from app.schedules.queries import ScheduleRow
from app.schedules.slot_accounts import MissedSlots
from app.web.formatting import absolute_time
from app.web.pages.schedule_preview import NextRun, next_runs


@dataclass(frozen=True)
class Effect:
    """What saving changes: the next runs before and after where they differ, and what becomes of the rest."""

    before: tuple[NextRun, ...] = ()
    after: tuple[NextRun, ...] = ()
    has_new_times: bool = False
    lines: tuple[str, ...] = ()


def effect_of_saving(
    schedule: ScheduleRow, *, when: Rhythm, is_on: bool, viewer_zone: str, now: datetime, count: int
) -> Effect:
    """What saving the form would do to a schedule, with so many of its next runs."""
    found = edit_effect(request_session(), schedule, when=when, is_on=is_on, now=now, count=count)
    return Effect(
        before=next_runs(found.before, zone=schedule.timezone, viewer_zone=viewer_zone, now=now),
        after=next_runs(found.after, zone=when.zone.name, viewer_zone=viewer_zone, now=now),
        has_new_times=found.changes_times,
        lines=tuple(_edit_lines(found, zone=schedule.timezone, now=now)),
    )


def effect_of_deletion(schedule: ScheduleRow, *, now: datetime) -> tuple[str, ...]:
    """What deleting a schedule does, one sentence each."""
    standing = standing_of(request_session(), schedule, now=now)
    lines = []
    if schedule.enabled and (coming := next_runs_of(schedule, now=now, count=1)):
        at = absolute_time(coming[0], zone=schedule.timezone, now=now)
        lines.append(f"Its next run, {at}, and all that follow do not happen.")
    if standing.due is not None:
        lines.append(f"{_slots_words(standing.due, schedule.timezone, now)} due just now and not started any more.")
    if standing.waiting:
        is_one = standing.waiting == 1
        lines.append(f"{standing.waiting:,} waiting {'run is' if is_one else 'runs are'} cancelled with it.")
    if standing.running:
        words = "1 run goes on and ends by itself." if standing.running == 1 else _many_running(standing.running)
        lines.append(words)
    return tuple(lines)


def effect_of_resuming(schedule: ScheduleRow, *, now: datetime) -> tuple[str, ...]:
    """What switching a schedule on does besides what is asked about the slots it missed."""
    lines = []
    coming = next_runs_of(schedule, now=now, count=1)
    if coming:
        lines.append(f"Its next run is {absolute_time(coming[0], zone=schedule.timezone, now=now)}.")
    lines.extend(_waiting_lines(standing_of(request_session(), schedule, now=now)))
    return tuple(lines)


def _edit_lines(found: EditEffect, *, zone: str, now: datetime) -> list[str]:
    lines = []
    if found.standing.due is not None:
        lines.append(f"{_slots_words(found.standing.due, zone, now)} due already and go by what it said until now.")
    lines.extend(_waiting_lines(found.standing))
    if found.is_on_before and not found.is_on_after:
        lines.append("It is switched off: nothing new starts until somebody enables it.")
    if found.unreadable is not None:
        count = found.unreadable.count
        slots = "1 slot" if count == 1 else f"{count:,} slots"
        lines.append(f"{slots} passed while nobody could read it: recorded as missed.")
    return lines


def _waiting_lines(standing: Standing) -> list[str]:
    if not standing.waiting:
        return []
    is_one = standing.waiting == 1
    return [f"{standing.waiting:,} {'run waits and starts' if is_one else 'runs wait and start'} all the same."]


def _many_running(count: int) -> str:
    return f"{count:,} runs go on and end by themselves."


def _slots_words(slots: MissedSlots, zone: str, now: datetime) -> str:
    if slots.count == 1:
        return f"The slot at {absolute_time(slots.first, zone=zone, now=now)} is"
    return f"{slots.count:,} slots up to {absolute_time(slots.last, zone=zone, now=now)} are"
