"""Where an instant lies in a picture of time, which hours and days are marked, and where the clocks change. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from app.core.clock_words import axis_hour, wall_clock
from app.core.lengths import duration
from app.ops.schedule_timeline import Span
from app.web.pictures.shapes import percent

# Every offset of our time is a multiple of it, so clocks change and days begin at one of these.
_STEP = timedelta(minutes=15)
_HOURS_MARKED = 3
# A phone has room for every second one.
_HOURS_ON_PHONES = 6
# Closer to an edge, half of a label would be cut off.
_EDGE, _EDGE_OF_PHONES = 0.04, 0.07
_ROOM_FOR_A_DAY = 0.92
_ROOM_FOR_NOW = 0.12


@dataclass(frozen=True)
class Tick:
    """A marked hour or day. A label that has no room is empty; a minor one has none on a phone."""

    at: str
    label: str
    is_day: bool
    is_minor: bool


@dataclass(frozen=True)
class ClockChange:
    """An instant at which the clocks of the zone are set: `width` is the time that happens twice, or nothing.

    A sign that has no room is empty.
    """

    at: str
    width: str
    sign: str
    sentence: str


class Stretch(Protocol):
    """A stretch of time around now, of one schedule or of all."""

    @property
    def span(self) -> Span: ...
    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...
    @property
    def now(self) -> datetime: ...


S = TypeVar("S", bound=Stretch)


@dataclass(frozen=True)
class TimeAxis(Generic[S]):
    """A stretch of time on the clocks of a zone."""

    timeline: S
    zone: ZoneInfo

    def share(self, at: datetime) -> float:
        """Where an instant lies, from 0 to 1; what lies outside is at the edge."""
        found = (at - self.timeline.since) / timedelta(hours=self.timeline.span)
        return min(max(found, 0.0), 1.0)

    def wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def ticks(self) -> tuple[Tick, ...]:
        """The beginnings of days, and of every third hour where a day is all there is to see."""
        found = []
        for before, at in self._steps():
            wall, is_day = self.wall(at), self.wall(at).date() != self.wall(before).date()
            is_marked_hour = wall.minute == 0 and wall.hour % _HOURS_MARKED == 0 and not wall.fold
            if is_day or (is_marked_hour and self.timeline.span is Span.DAY):
                found.append(self._tick(at, wall, is_day))
        return tuple(found)

    def clock_changes(self) -> tuple[ClockChange, ...]:
        """What the clocks do meanwhile, in pictures and words."""
        return tuple(
            self._clock_change(at, before)
            for before, at in self._steps()
            if self.wall(at).utcoffset() != self.wall(before).utcoffset()
        )

    def _steps(self) -> Iterator[tuple[datetime, datetime]]:
        at = self.timeline.since
        while at < self.timeline.until:
            yield at - _STEP, at
            at += _STEP

    def _tick(self, at: datetime, wall: datetime, is_day: bool) -> Tick:
        share = self.share(at)
        has_room = share < _ROOM_FOR_A_DAY if self.timeline.span is Span.WEEK else _EDGE < share < 1 - _EDGE
        is_near_edge = not _EDGE_OF_PHONES < share < 1 - _EDGE_OF_PHONES
        is_minor = self.timeline.span is Span.DAY and (is_near_edge or wall.hour % _HOURS_ON_PHONES != 0)
        return Tick(percent(share), self._label(wall, is_day) if has_room else "", is_day, is_minor)

    def _label(self, wall: datetime, is_day: bool) -> str:
        if not is_day:
            return axis_hour(wall)
        # Seven days have to stand side by side on a phone.
        weekday = f"{wall:%a}"
        return f"{weekday[:2] if self.timeline.span is Span.WEEK else weekday} {wall.day}"

    def _clock_change(self, at: datetime, before: datetime) -> ClockChange:
        old, new = self.wall(before).utcoffset(), self.wall(at).utcoffset()
        assert old is not None
        assert new is not None
        by, is_back = abs(new - old), new < old
        wall = (at + old).replace(tzinfo=None)
        day = f"{wall:%a} {wall.day} {wall:%b}, {wall_clock(wall)}"
        hours = (timedelta(hours=24) - (new - old)) / timedelta(hours=1)
        share, now = self.share(at), self.share(self.timeline.now)
        has_room = share < _ROOM_FOR_A_DAY and abs(share - now) > _ROOM_FOR_NOW
        return ClockChange(
            at=percent(share),
            width=percent(self.share(at + by) - self.share(at)) if is_back else "",
            sign=f"{'−' if is_back else '+'}{duration(by)}" if has_room else "",
            sentence=f"{day}: the clocks go {'back' if is_back else 'forward'} {duration(by)}. "
            f"That day has {hours:g} hours.",
        )
