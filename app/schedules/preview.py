"""What a rhythm will do, as pages and API both say it: its sentence, its next runs and its notes, or what is wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.errors import Invalid
from app.schedules.cron import LONGEST_TEXT, CronInvalid
from app.schedules.describe import consequence, describe, notes
from app.schedules.fire_times import Rhythm, fire_times, rhythm
from app.schedules.queries import ScheduleRow
from app.schedules.service import refuse_never, rhythm_of


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


def preview_text(cron: str, *, timezone: str, spread_key: str, now: datetime, count: int) -> RhythmPreview:
    """The preview of what somebody types. Raises CronInvalid, UnknownZone or ScheduleInvalid, as saving it would."""
    return preview_rhythm(read_typed(cron, timezone=timezone, spread_key=spread_key, now=now), now=now, count=count)


def read_typed(cron: str, *, timezone: str, spread_key: str, now: datetime) -> Rhythm:
    """What somebody types, understood. Raises CronInvalid, UnknownZone or ScheduleInvalid, as saving it would."""
    if not cron.strip():
        raise CronInvalid("Choose when it should run.")
    if len(cron) > LONGEST_TEXT:
        # Without a count: a script sends the beginning of such a text alone.
        raise CronInvalid(f"A cron line has at most {LONGEST_TEXT} characters. Shorten the text.")
    when = rhythm(cron, timezone=timezone, spread_key=spread_key)
    refuse_never(when, now=now)
    return when


def preview_rhythm(when: Rhythm, *, now: datetime, count: int, typical: timedelta | None = None) -> RhythmPreview:
    """The preview of a rhythm that was understood. `typical` is how long a run takes, where that is known."""
    return RhythmPreview(
        sentence=describe(when),
        zone=when.zone.name,
        is_manual=when.cron.is_manual,
        next_runs=tuple(fire_times(when, after=now, limit=count)),
        notes=notes(when, now=now, typical=typical),
        consequence=consequence(when, now=now, typical=typical),
    )


def sentence_of(schedule: ScheduleRow) -> str:
    """When a schedule runs, in words; its text as it is stored when it cannot be read any more."""
    try:
        return describe(rhythm_of(schedule))
    except Invalid:
        return f"{schedule.cron} in {schedule.timezone}"
