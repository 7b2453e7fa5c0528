"""Debian cron 3.0pl1, transcribed to be compared with: the field matching of entry.c and the main loop of cron.c.

Written from cron's rules alone; it shares nothing with the application but the expressions. Many jobs walk one window
together, minute by minute.
"""

import calendar
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(calendar.month_abbr) if name},
    {name: (number + 1) % 7 for number, name in enumerate(calendar.day_abbr)},
)
THREE_HOURS = 3 * 60
MINUTE = timedelta(minutes=1)


def expand_field(text: str, place: int) -> frozenset[int]:
    """The numbers a field stands for: lists of numbers, ranges and steps."""
    low, high = BOUNDS[place]
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _number(first, place)
            end = _number(last, place) if last else begin
        found.update(range(begin, end + 1, int(step or 1)))
    return frozenset(value % 7 for value in found) if place == 4 else frozenset(found)


def _number(text: str, place: int) -> int:
    return NAMES[place][text] if text in NAMES[place] else int(text)


@dataclass
class CronJob:
    """One line of a crontab and the minutes at which cron started it."""

    text: str
    is_wild: bool = field(init=False)
    started: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        texts = self.text.split()
        self.minute, self.hour, self.day, self.month, self.weekday = (
            expand_field(text, place) for place, text in enumerate(texts)
        )
        self.is_wild = texts[0].startswith("*") or texts[1].startswith("*")
        self.has_star_day = texts[2].startswith("*") or texts[4].startswith("*")

    def is_on(self, wall: datetime) -> bool:
        """Whether the day matches: a starred day field narrows the other, two plain ones add up."""
        by_day, by_weekday = wall.day in self.day, wall.isoweekday() % 7 in self.weekday
        joined = (by_day and by_weekday) if self.has_star_day else (by_day or by_weekday)
        return joined and wall.month in self.month

    def matches(self, wall: datetime) -> bool:
        return wall.minute in self.minute and wall.hour in self.hour and self.is_on(wall)


def walk(jobs: Sequence[CronJob], zone: ZoneInfo, start: datetime, stop: datetime) -> None:
    """Run cron over [start, stop]: its main loop, one wake-up a minute."""
    clock_times = [at.astimezone(zone).replace(tzinfo=None) for at in _minutes(start, stop)]
    crontab = _Crontab(jobs)
    virtual = clock_times[0] - MINUTE
    for at, running in zip(_minutes(start, stop), clock_times, strict=True):
        difference = (running - virtual) // MINUTE
        if difference == 1:
            virtual = running
            crontab.find_jobs(virtual, at, wild=True, fixed=True)
        elif -THREE_HOURS < difference <= 0:
            # The clock went back: virtual time waits until it is caught up with.
            crontab.find_jobs(running, at, wild=True, fixed=False)
        elif 0 < difference <= THREE_HOURS:
            crontab.find_jobs(running, at, wild=True, fixed=False)
            while virtual < running:
                virtual += MINUTE
                crontab.find_jobs(virtual, at, wild=False, fixed=True)
        else:
            virtual = running
            crontab.find_jobs(virtual, at, wild=True, fixed=True)


class _Crontab:
    """All jobs, with the ones of a (day, hour, minute) found by set arithmetic instead of one by one."""

    def __init__(self, jobs: Sequence[CronJob]) -> None:
        self._jobs = jobs
        everything = range(len(jobs))
        self._minute = [{i for i in everything if value in jobs[i].minute} for value in range(60)]
        self._hour = [{i for i in everything if value in jobs[i].hour} for value in range(24)]
        self._wild = {i for i in everything if jobs[i].is_wild}
        self._fixed = set(everything) - self._wild
        self._hours_of_days: dict[tuple[datetime, bool], set[int]] = {}

    def find_jobs(self, wall: datetime, at: datetime, *, wild: bool, fixed: bool) -> None:
        for is_wild, wanted in ((True, wild), (False, fixed)):
            if wanted:
                for number in self._of_hour(wall, is_wild) & self._minute[wall.minute]:
                    self._start(self._jobs[number], at)

    def _of_hour(self, wall: datetime, is_wild: bool) -> set[int]:
        key = (wall.replace(minute=0), is_wild)
        if key not in self._hours_of_days:
            kind = self._wild if is_wild else self._fixed
            candidates = self._hour[wall.hour] & kind
            self._hours_of_days[key] = {i for i in candidates if self._jobs[i].is_on(wall)}
        return self._hours_of_days[key]

    @staticmethod
    def _start(job: CronJob, at: datetime) -> None:
        # Two starts in one minute count as one here, which docs/cron.md says of Belfry.
        if not job.started or job.started[-1] != at:
            job.started.append(at)


def _minutes(start: datetime, stop: datetime) -> Iterator[datetime]:
    at = start.astimezone(UTC)
    while at <= stop:
        yield at
        at += MINUTE
