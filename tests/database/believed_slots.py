"""What the simulation believes of a schedule: its slots, and what becomes of each. Shares no code with the planner."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.runs.states import RunState
from app.schedules.policies import LATE_AFTER, Missed, Overlap
from tests.unit.schedules.cron_oracle import CronJob, walk

# Lines, and the shortest time between two slots of each.
CRONS = {
    "* * * * *": timedelta(minutes=1),
    "*/7 * * * *": timedelta(minutes=7),
    "5 * * * *": timedelta(hours=1),
    "30 2 * * *": timedelta(hours=24),
    "15 1,2,3 * * *": timedelta(hours=1),
    "0 */6 * * *": timedelta(hours=6),
    "0 9-17/2 * * 1-5": timedelta(hours=2),
}
ZONES = ("UTC", "Europe/Riga", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
# The clocks of New York and of Riga change in the two weeks after it.
BEGIN = datetime(2027, 3, 13, 22, 30, tzinfo=UTC)
DAY = timedelta(days=1)
# Cron remembers a change of the clocks for that long, so a walk begins by so much before what it is asked for.
MEMORY = timedelta(hours=4)


class Calendar:
    """When cron would have started each line in a zone, walked minute by minute as far as anybody has asked."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._until = BEGIN - DAY
        self._slots: dict[str, list[datetime]] = {cron: [] for cron in CRONS}

    def slots(self, cron: str, *, after: datetime, until: datetime) -> list[datetime]:
        """Those after one instant and up to another."""
        while self._until < until:
            self._walk_a_day()
        known = self._slots[cron]
        return known[bisect_right(known, after) : bisect_right(known, until)]

    def first(self, cron: str, *, after: datetime) -> datetime:
        """The next one."""
        days = 1
        while not (found := self.slots(cron, after=after, until=after + days * DAY)):
            days += 1
        return found[0]

    def _walk_a_day(self) -> None:
        jobs, end = [CronJob(cron) for cron in CRONS], self._until + DAY
        walk(jobs, self._zone, self._until - MEMORY, end)
        for job in jobs:
            self._slots[job.text] += [at for at in job.started if self._until < at <= end]
        self._until = end


CALENDARS = {zone: Calendar(zone) for zone in ZONES}


class Rule(NamedTuple):
    """What a schedule says when it runs, and since when it says that."""

    cron: str
    zone: str
    since: datetime


class Figures(NamedTuple):
    """Slots of a range in numbers."""

    count: int
    first: datetime
    last: datetime


@dataclass
class Believed:
    """What the model knows of a schedule: what it said since when, and up to when its slots are accounted for."""

    rules: list[Rule]
    missed: Missed
    max_age: timedelta
    limit: int
    overlap: Overlap
    accounted: datetime
    is_on: bool = True
    # All policies about overlap that it ever had.
    overlaps: set[Overlap] = field(default_factory=set)
    # All slots up to there.
    past: list[datetime] = field(default_factory=list)
    # Slots that came while it was off, and those of them that somebody wanted to run after all.
    off: set[datetime] = field(default_factory=set)
    wanted: set[datetime] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.overlaps |= {self.overlap}

    def slots(self, until: datetime) -> list[datetime]:
        """Those that nobody has accounted for yet."""
        cron, zone, since = self.rules[-1]
        return CALENDARS[zone].slots(cron, after=max(since, self.accounted), until=until)

    def next_slot(self, *, after: datetime = BEGIN) -> datetime:
        """The first one that is not accounted for, or the first such one after some time."""
        cron, zone, since = self.rules[-1]
        return CALENDARS[zone].first(cron, after=max(since, self.accounted, after))

    def between(self, first: datetime, last: datetime) -> list[datetime]:
        """Those that are accounted for from one to another."""
        return self.past[bisect_left(self.past, first) : bisect_right(self.past, last)]

    def account(self, until: datetime) -> None:
        """Everything up to here is planned, or lies in a gap."""
        passed = self.slots(until)
        self.past += passed
        if not self.is_on:
            self.off |= set(passed)
        self.accounted = until

    def keeps(self, cron: str, zone: str, *, until: datetime) -> bool:
        """Whether what it has missed by now are slots of these times, too, so that nothing of it is lost."""
        missed = self.slots(until)
        if not missed or (cron, zone) == self.rules[-1][:2]:
            return bool(missed)
        slots = CALENDARS[zone].slots(cron, after=missed[0] - timedelta(seconds=1), until=until)
        return missed == slots

    def to_open(self, due: Sequence[datetime], *, now: datetime) -> list[datetime]:
        """Which slots run that nobody planned in time: what the policy about missed ones says."""
        reach = LATE_AFTER if self.missed is Missed.SKIP else max(self.max_age, LATE_AFTER)
        young = [slot for slot in due if now - slot <= reach]
        return newest(young, self.limit if self.missed is Missed.ALL else 1)

    def most_wanted(self, choice: Missed) -> int:
        """How many slots of a pause run at most when somebody switches the schedule on and says this."""
        return {Missed.SKIP: 0, Missed.LATEST: 1, Missed.ALL: self.limit}[choice]

    def is_stale(self, choice: Missed, *, seen: int, now: datetime) -> bool:
        """Whether that answer would run another number of slots than somebody was asked about."""
        count, most = len(self.slots(now)), self.most_wanted(choice)
        return choice is Missed.ALL and count > 0 and min(seen, most) != min(count, most)

    def states(self, opened: Sequence[datetime], *, goes_on: bool, waits: bool, is_wanted: bool) -> list[RunState]:
        """What the runs of slots begin as that arrive together, beside runs that have no end yet.

        `waits` says whether one of those waits for its like, and `is_wanted` that somebody wants these to run.
        """
        if self.overlap is Overlap.ALLOW:
            return [RunState.READY] * len(opened)
        if not goes_on:
            return [RunState.READY, *[RunState.WAITING] * len(opened)][: len(opened)]
        is_full = self.overlap is Overlap.SKIP or (self.overlap is Overlap.QUEUE_ONE and waits)
        return [RunState.SKIPPED if is_full and not is_wanted else RunState.WAITING] * len(opened)


def newest(slots: Sequence[datetime], most: int) -> list[datetime]:
    """The last of them."""
    return list(slots[len(slots) - min(most, len(slots)) :])


def figures(slots: Sequence[datetime]) -> Figures | None:
    """Them in numbers; None where there are none."""
    return Figures(len(slots), slots[0], slots[-1]) if slots else None
