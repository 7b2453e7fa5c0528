"""An example of what a schedule does about a time in which Belfry was off, by the function that plans it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.schedules.fire_times import MOMENT, Rhythm, count_fires, next_fire
from app.schedules.policies import LATE_AFTER, Missed, MissedPolicy
from app.schedules.slot_accounts import DOWNTIME, account_for

_HOURS_OFF = timedelta(hours=3)
# It begins on the hour before the run that comes next, or so many minutes before that.
_EARLIER = tuple(timedelta(minutes=minutes) for minutes in (0, 30, 15, 7))


@dataclass(frozen=True)
class OffExample:
    """Off from `since` to `until`, in which `missed` slots pass: `made_up` of them run at its end."""

    since: datetime
    until: datetime
    missed: int
    made_up: int


def off_example(when: Rhythm, *, policy: MissedPolicy, now: datetime) -> OffExample | None:
    """Three hours around the next run; None where there is none."""
    first = next_fire(when, after=now)
    if first is None:
        return None
    since = _since(when, first)
    until = since + _HOURS_OFF
    # The first slot of these hours may lie before now: what is said must not follow the minute of the clock.
    cursor = next_fire(when, after=since) or first
    if policy.missed is Missed.SKIP:
        # What is merely late then is not missed, and runs as if nothing had been.
        return OffExample(since, until, count_fires(when, after=since, until=until - LATE_AFTER - MOMENT), 0)
    account = account_for(when, cursor=cursor, policy=policy, stops=(), absence=DOWNTIME, now=until)
    return OffExample(since, until, count_fires(when, after=since, until=until), len(account.slots))


def _since(when: Rhythm, first: datetime) -> datetime:
    """A time well before the run, such that at the end of the hours no slot is merely late, where that can be."""
    wall = first.astimezone(when.zone.tzinfo)
    hour = first - timedelta(minutes=wall.minute, seconds=wall.second)
    times = [at for earlier in _EARLIER if (at := hour - earlier) < first]
    return next((at for at in times if _ends_in_quiet(when, at + _HOURS_OFF)), times[0])


def _ends_in_quiet(when: Rhythm, until: datetime) -> bool:
    return count_fires(when, after=until - LATE_AFTER - MOMENT, until=until) == 0
