"""What is worth knowing about where a rhythm begins and where it is over."""

from datetime import datetime

from app.schedules.clock_changes import ORIGIN
from app.schedules.fire_times import Rhythm, last_fire, next_fire
from app.schedules.phrases import moment_text


def bound_notes(rhythm: Rhythm, *, now: datetime) -> list[str]:
    """Its start while that lies ahead, its end, and its last time once that is past."""
    found = []
    zone = rhythm.zone.tzinfo
    if rhythm.starts_at is not None and rhythm.starts_at > now:
        found.append(f"Starts on {moment_text(rhythm.starts_at, zone)}.")
    if rhythm.ends_at is not None:
        found.append(f"{'Ends' if rhythm.ends_at > now else 'Ended'} on {moment_text(rhythm.ends_at, zone)}.")
    past = last_time(rhythm, now=now)
    if past is not None:
        found.append(f"Its last time was {moment_text(past, zone)}.")
    return found


def last_time(rhythm: Rhythm, *, now: datetime) -> datetime | None:
    """The last of its times, when none lies ahead any more."""
    if not rhythm.may_end or next_fire(rhythm, after=now) is not None:
        return None
    return last_fire(rhythm, after=ORIGIN, until=now)
