"""What a rhythm will do, as pages and API both say it: its sentence, its next runs and its notes, or what is wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NotRequired, TypedDict, Unpack

from app.core.errors import Invalid
from app.schedules.acceptance import clean_bound, refuse_never
from app.schedules.describe import consequence, describe, notes
from app.schedules.fire_times import ClockChange, Rhythm, fire_times, rhythm
from app.schedules.intervals import complete_interval
from app.schedules.queries import ScheduleRow
from app.schedules.rhythm_text import clean_text, refuse_long
from app.schedules.stored_rhythms import SaysWhen, rhythm_of
from app.schedules.zones import find_zone


class Said(TypedDict):
    """What decides beside the text when a schedule fires."""

    timezone: str
    spread_key: str
    clock_change: NotRequired[ClockChange]
    has_seconds: NotRequired[bool]
    starts_at: NotRequired[datetime | None]
    ends_at: NotRequired[datetime | None]


@dataclass(frozen=True)
class RhythmPreview:
    """What will happen on the clocks of `zone`."""

    sentence: str
    zone: str
    is_manual: bool
    next_runs: tuple[datetime, ...]
    notes: tuple[str, ...]
    # “About 365 runs a year, ~21 s each”; nothing for what never fires by itself.
    consequence: str | None


def preview_text(cron: str, *, now: datetime, count: int, **said: Unpack[Said]) -> RhythmPreview:
    """The preview of what somebody types. Raises CronInvalid, UnknownZone or TimesInvalid, as saving it would."""
    return preview_rhythm(read_typed(cron, now=now, **said), now=now, count=count)


def read_typed(cron: str, *, now: datetime, **said: Unpack[Said]) -> Rhythm:
    """The rhythm of what somebody types. Raises CronInvalid, UnknownZone or TimesInvalid, as saving it would."""
    # Said first, whatever is wrong with the zone: nothing longer is looked at.
    refuse_long(cron)
    today = now.astimezone(find_zone(said["timezone"]).tzinfo).date()
    when = rhythm(
        complete_interval(clean_text(cron), today),
        timezone=said["timezone"],
        spread_key=said["spread_key"],
        clock_change=said.get("clock_change", ClockChange.ONCE),
        has_seconds=said.get("has_seconds", False),
        starts_at=clean_bound(said.get("starts_at"), field="starts_at"),
        ends_at=clean_bound(said.get("ends_at"), field="ends_at"),
    )
    refuse_never(when, now=now)
    return when


def preview_rhythm(when: Rhythm, *, now: datetime, count: int, typical: timedelta | None = None) -> RhythmPreview:
    """The preview of a rhythm that was understood. `typical` is how long a run takes, where that is known."""
    runs = tuple(fire_times(when, after=now, limit=count))
    return RhythmPreview(
        sentence=describe(when),
        zone=when.zone.name,
        is_manual=when.cron.is_manual,
        next_runs=runs,
        notes=notes(when, now=now, typical=typical, shown_until=runs[-1] if runs else None),
        consequence=consequence(when, now=now, typical=typical),
    )


def preview_of(schedule: SaysWhen, *, now: datetime, count: int) -> RhythmPreview:
    """The preview of what is stored, also where none of its times lies ahead. Raises CronInvalid or UnknownZone."""
    return preview_rhythm(rhythm_of(schedule), now=now, count=count)


def sentence_of(schedule: ScheduleRow) -> str:
    """When a schedule runs, in words; its text as it is stored when it cannot be read any more."""
    try:
        return describe(rhythm_of(schedule))
    except Invalid:
        return f"{schedule.cron} in {schedule.timezone}"
