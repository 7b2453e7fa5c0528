"""What a schedule's move to another time zone does to its runs: the wall times stay, the instants do not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Unpack

from app.core.clock_words import clock_time
from app.core.errors import Invalid
from app.core.lengths import duration
from app.schedules.fire_times import MOMENT, Rhythm, fire_times
from app.schedules.phrases import listing
from app.schedules.preview import Said, read_typed

_LOOKED_AT = 5
_MOST_NAMED = 3


def zone_move(cron: str, *, timezone_was: str, now: datetime, **said: Unpack[Said]) -> str:
    """“Still 02:30, now Berlin time: 6 h earlier.” Nothing where no run moves, or where a part cannot be read."""
    if not timezone_was or timezone_was == said["timezone"]:
        return ""
    was: Said = {**said, "timezone": timezone_was}
    try:
        before, after = read_typed(cron, now=now, **was), read_typed(cron, now=now, **said)
    except Invalid:
        return ""
    were, are = (fire_times(one, after=now, limit=_LOOKED_AT) for one in (before, after))
    walls = _wall_times(are, after)
    if were == are or not walls:
        return ""
    moved = walls[0].replace(tzinfo=before.zone.tzinfo) - walls[0]
    return f"Still {_times(walls)}, now {after.zone.city} time: {_distance(moved)}." if moved else ""


def _wall_times(fires: Sequence[datetime], when: Rhythm) -> list[datetime]:
    """On the zone's clock, without runs at the very end of a jump of the clocks: those were meant for another time."""
    zone = when.zone.tzinfo
    walls = [at.astimezone(zone) for at in fires]
    return [wall for wall, at in zip(walls, fires, strict=True) if wall.utcoffset() == _offset_before(at, when)]


def _offset_before(at: datetime, when: Rhythm) -> timedelta | None:
    return (at - MOMENT).astimezone(when.zone.tzinfo).utcoffset()


def _times(walls: Sequence[datetime]) -> str:
    named = [clock_time(*time) for time in sorted({(wall.hour, wall.minute) for wall in walls})]
    return listing(named) if len(named) <= _MOST_NAMED else "the same times of day"


def _distance(moved: timedelta) -> str:
    return f"{duration(abs(moved))} {'earlier' if moved > timedelta() else 'later'}"
