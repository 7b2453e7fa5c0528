"""An example of what a schedule does about a time in which Belfry was off, by the function that plans it. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.schedules.fire_times import Rhythm, count_fires, next_fire
from app.schedules.policies import MissedPolicy
from app.schedules.slot_accounts import DOWNTIME, account_for

_HOURS_OFF = timedelta(hours=3)


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
    wall = first.astimezone(when.zone.tzinfo)
    # A slot that is merely late always runs, so the example begins well before the one it is about.
    since = first - timedelta(minutes=wall.minute, seconds=wall.second) - timedelta(minutes=0 if wall.minute else 30)
    until = since + _HOURS_OFF
    account = account_for(when, cursor=first, policy=policy, stops=(), absence=DOWNTIME, now=until)
    return OffExample(since, until, count_fires(when, after=since, until=until), len(account.slots))
