"""Which slots there have to be, recomputed minute by minute from expression, zone and time, without the planner."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from tests.unit.schedules.cron_oracle import CronJob, walk

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Rule:
    """What a schedule said from some time on. It was asked for at one moment, and in force by a later one.

    In between, which is the time of one transaction, the rule before it may still have decided.
    """

    cron: str
    timezone: str
    asked_at: datetime
    known_at: datetime
    is_on: bool = True


@dataclass(frozen=True)
class Slots:
    """The slots of a schedule: those that must be there, those that may, and those that nobody may execute."""

    required: frozenset[datetime]
    allowed: frozenset[datetime]
    off: frozenset[datetime]


@dataclass
class Expectation:
    """A schedule with all it ever said, the oldest first."""

    schedule_id: UUID
    rules: list[Rule] = field(default_factory=list)

    def slots(self, until: datetime) -> Slots:
        """Every slot after the first rule was asked for, up to and including an instant."""
        found = [self._slots_of(number, until) for number in range(len(self.rules))]
        allowed = frozenset[datetime]().union(*found)
        required = {at for at in allowed if all(at in found[number] for number in self._deciding(at))}
        off = {at for at in allowed if not any(self.rules[number].is_on for number in self._deciding(at))}
        return Slots(frozenset(required), allowed, frozenset(off))

    def _deciding(self, at: datetime) -> list[int]:
        """The rules that may have been in force at an instant: one, or two around a change."""
        ends = [rule.known_at for rule in self.rules[1:]]
        return [
            number
            for number, rule in enumerate(self.rules)
            if rule.asked_at < at and (number >= len(ends) or at <= ends[number])
        ]

    def _slots_of(self, number: int, until: datetime) -> frozenset[datetime]:
        rule = self.rules[number]
        ends = [min(following.known_at, until) for following in self.rules[number + 1 : number + 2]]
        return frozenset(fires(rule.cron, rule.timezone, after=rule.asked_at, until=min([until, *ends])))


def fires(cron: str, timezone: str, *, after: datetime, until: datetime) -> Sequence[datetime]:
    """The whole minutes after one instant and up to another at which cron would have started the line."""
    first = after.replace(second=0, microsecond=0) + MINUTE
    if first > until:
        return []
    job = CronJob(cron)
    walk([job], ZoneInfo(timezone), first, until)
    return job.started
