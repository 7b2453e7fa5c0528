"""What an organization did in the hours just past and will do in those to come: counted, never run by run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.ops.schedule_timeline import Span
from app.runs.run_hours import HOUR, NOTHING, Counts, full_hour
from app.schedules.fire_times import MOMENT, count_fires
from app.schedules.load import LoadMap
from app.schedules.zone_load import starts_in_hour

ONE_HOUR = timedelta(hours=1)
_PAST_HOURS = 16


@dataclass(frozen=True)
class HourOfRuns:
    """One hour of UTC. `coming` counts the slots after now."""

    begin: datetime
    ended: Counts
    coming: int

    @property
    def all(self) -> int:
        return self.ended.all + self.coming


@dataclass(frozen=True)
class OrganizationHours:
    """A day around now, two thirds of it past."""

    now: datetime
    hours: tuple[HourOfRuns, ...]

    @property
    def span(self) -> Span:
        return Span.DAY

    @property
    def since(self) -> datetime:
        return self.hours[0].begin

    @property
    def until(self) -> datetime:
        return self.hours[-1].begin + ONE_HOUR

    @property
    def ended(self) -> Counts:
        return sum((hour.ended for hour in self.hours), NOTHING)

    @property
    def coming(self) -> int:
        return sum(hour.coming for hour in self.hours)


def hours_around(ended: Mapping[int, Counts], load: LoadMap, *, is_stopped: bool, now: datetime) -> OrganizationHours:
    """The hours around now. `ended` is by hours since 1970; while all scheduling is stopped, nothing comes."""
    first = full_hour(now) - _PAST_HOURS * ONE_HOUR
    begins = [first + number * ONE_HOUR for number in range(Span.DAY)]
    return OrganizationHours(
        now,
        tuple(
            HourOfRuns(
                begin,
                ended.get(int(begin.timestamp()) // HOUR, NOTHING),
                0 if is_stopped or begin + ONE_HOUR <= now else _coming(load, begin, now),
            )
            for begin in begins
        ),
    )


def _coming(load: LoadMap, begin: datetime, now: datetime) -> int:
    passed = max((now - begin) // timedelta(minutes=1) + 1, 0) if begin <= now else 0
    return sum(load.hour(begin)[passed:]) + _between_minutes(load, begin, passed, now)


def _between_minutes(load: LoadMap, begin: datetime, passed: int, now: datetime) -> int:
    """What fires more often than the minutes that are counted: only what says seconds does."""
    after, until = max(begin - MOMENT, now), begin + ONE_HOUR - MOMENT
    found = 0
    for zone in load.zones:
        for group in zone.groups:
            if group.says["has_seconds"]:
                rhythm = group.rhythm()
                minutes = sum(minute >= passed for minute in starts_in_hour(rhythm, begin))
                found += group.count * (count_fires(rhythm, after=after, until=until) - minutes)
    return found
