"""When a run of a rhythm would be tried again, had it failed each time: the next one as an example. Pure."""

from dataclasses import dataclass
from datetime import datetime

from app.core.clock_words import wall_clock
from app.jobs.policies import RetryPolicy
from app.jobs.retry_words import retry_words, waits_of
from app.schedules.fire_times import Rhythm, fire_times

_MOST_SHOWN = 5


@dataclass(frozen=True)
class RetryExample:
    """The tries of the next run, on the schedule's clock, and whether the last of them come after the run behind it."""

    words: str
    warning: str


def if_it_fails(when: Rhythm, *, retry: RetryPolicy, now: datetime) -> str:
    """The same in one text, for programs and terminals."""
    found = retry_example(when, retry=retry, now=now)
    return " ".join(filter(None, [retry_words(retry), *((found.words, found.warning) if found else ())]))


def retry_example(when: Rhythm, *, retry: RetryPolicy, now: datetime) -> RetryExample | None:
    """The example; None where nothing is tried again, or nothing comes."""
    coming = fire_times(when, after=now, limit=2)
    if retry.tries == 1 or not coming:
        return None
    tries = [coming[0]]
    for wait in waits_of(retry):
        tries.append(tries[-1] + wait)
    has_seconds = any(at.second for at in tries)
    walls = [wall_clock(at.astimezone(when.zone.tzinfo), seconds=has_seconds) for at in tries]
    shown = walls if len(walls) <= _MOST_SHOWN else [*walls[: _MOST_SHOWN - 1], "…", walls[-1]]
    is_crossed = len(coming) == 2 and tries[-1] >= coming[1]
    return RetryExample(
        words=f"{' → '.join(shown)}, then it counts as failed.",
        warning="Its tries may last until the next run is due." if is_crossed else "",
    )
