"""How long what a connection depends on still lasts: its login, and what the service lets it ask. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# So many days before its end, and at its end, a login is warned of.
WARNING_DAYS = (14, 7, 3, 1, 0)
_ONE_DAY = timedelta(days=1)


def days_left(expires_at: datetime, *, now: datetime) -> int:
    """Whole days that are left, 0 on the last one; below that it is over."""
    return (expires_at - now) // _ONE_DAY


def warning_to_tell(expires_at: datetime, *, now: datetime, told: int | None) -> int | None:
    """Which of WARNING_DAYS has come and was not told yet. Of several that came together, the most urgent one.

    `told` is the last one that was told of this very end, None for none. 0 means that it has expired.
    """
    left = expires_at - now
    reached = [days for days in WARNING_DAYS if left <= days * _ONE_DAY]
    most_urgent = min(reached, default=None)
    if most_urgent is None or (told is not None and told <= most_urgent):
        return None
    return most_urgent


@dataclass(frozen=True)
class Quota:
    """So much of a limit is left until it is filled up again."""

    limit: int
    left: int
    filled_at: datetime

    @property
    def used(self) -> int:
        return self.limit - self.left


@dataclass(frozen=True)
class PlannedUse:
    """What will be asked of the quota, and when."""

    at: datetime
    cost: int


def runs_dry_at(quota: Quota, planned: Iterable[PlannedUse], *, now: datetime) -> datetime | None:
    """When the plan asks for more than is left, before it is filled up again; None when it lasts."""
    if quota.left <= 0 and now < quota.filled_at:
        return now
    left = quota.left
    for use in sorted(planned, key=lambda use: use.at):
        if now <= use.at < quota.filled_at:
            left -= use.cost
            if left < 0:
                return use.at
    return None
