"""What the clock of a zone shows, how far it is from UTC, and when that changes next."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from app.core.clock_words import wall_clock
from app.schedules.clock_changes import MINUTE, OffsetChange, offset_at, offset_changes, to_instant, to_minute
from app.schedules.phrases import MONTHS
from app.schedules.zones import Zone, all_zone_names, find_zone

_WEEK_MINUTES = 7 * 24 * 60
_WEEKS_AHEAD = 53
# Every zone has changed its clocks on a quarter of an hour for as long as there have been plans for it.
_QUARTER_MINUTES = 15


@dataclass(frozen=True, slots=True)
class ZoneClock:
    """The clock of a zone at one instant. Offsets are minutes ahead of UTC."""

    local: datetime
    offset: int
    changes_at: datetime | None
    offset_after: int | None

    @property
    def words(self) -> str:
        """“15:34 now · UTC−5 (UTC−4 from 14 Mar)”."""
        return f"{wall_clock(self.local)} now · {self.offset_words}"

    @property
    def offset_words(self) -> str:
        """“UTC−5 (UTC−4 from 14 Mar)”; without brackets where the year ahead holds no change."""
        if self.changes_at is None or self.offset_after is None:
            return offset_name(self.offset)
        wall = self.changes_at.astimezone(UTC) + self.offset_after * MINUTE
        # Spelled by us: strftime would follow the machine's locale.
        day = f"{wall.day} {MONTHS[wall.month - 1][:3]}"
        return f"{offset_name(self.offset)} ({offset_name(self.offset_after)} from {day})"


@dataclass(frozen=True, slots=True)
class YearOfClocks:
    """Offsets and abbreviations of a zone: now, and in the other part of the year."""

    offset: int
    abbreviation: str
    other_offsets: frozenset[int]
    other_abbreviations: frozenset[str]


def clock_of(zone: Zone, *, now: datetime) -> ZoneClock:
    """The clock of a zone at an instant."""
    minute = to_minute(now)
    change = _next_change(zone, minute - minute % _QUARTER_MINUTES)
    return ZoneClock(
        local=now.astimezone(zone.tzinfo),
        offset=offset_at(zone.tzinfo, minute),
        changes_at=None if change is None else to_instant(change.at),
        offset_after=None if change is None else change.after,
    )


def offset_name(minutes: int) -> str:
    """“UTC−5”, “UTC+5:30”, and “UTC” alone for none."""
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"


def iso_offset(minutes: int) -> str:
    """“-05:00”, as programs write it."""
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def year_of_clocks(now: datetime) -> dict[str, YearOfClocks]:
    """Every canonical zone's offsets and abbreviations."""
    minute = to_minute(now)
    return _year_of_clocks(minute - minute % _QUARTER_MINUTES)


@lru_cache(maxsize=4)
def _year_of_clocks(minute: int) -> dict[str, YearOfClocks]:
    now = to_instant(minute)
    # Where clocks change at all, these two days lie on either side of the changes, in both hemispheres.
    samples = [datetime(now.year, month, 1, tzinfo=UTC) for month in (1, 7)]
    return {name: _clocks_of_year(find_zone(name), now, samples) for name in all_zone_names()}


def _clocks_of_year(zone: Zone, now: datetime, samples: list[datetime]) -> YearOfClocks:
    offset, abbreviation = _shown(zone, now)
    others = [_shown(zone, at) for at in samples]
    return YearOfClocks(
        offset,
        abbreviation,
        frozenset(one for one, _ in others) - {offset},
        frozenset(one for _, one in others) - {abbreviation},
    )


def _shown(zone: Zone, at: datetime) -> tuple[int, str]:
    wall = at.astimezone(zone.tzinfo)
    return (wall.utcoffset() or timedelta()) // MINUTE, (wall.tzname() or "").lower()


@lru_cache(maxsize=4096)
def _next_change(zone: Zone, minute: int) -> OffsetChange | None:
    """The first change within a year. No plan of any country takes a change back within the week, so weeks will do."""
    before = offset_at(zone.tzinfo, minute)
    for week in range(_WEEKS_AHEAD):
        start = minute + week * _WEEK_MINUTES
        if offset_at(zone.tzinfo, start + _WEEK_MINUTES) != before:
            return offset_changes(zone.tzinfo, start, start + _WEEK_MINUTES)[0]
    return None
