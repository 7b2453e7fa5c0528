"""What happens when a run fails, in plain words: “It is tried 3 times: again after 10 s, then after 20 s.” Pure."""

from datetime import timedelta
from itertools import groupby

from app.jobs.policies import JITTER, RetryPolicy

_MOST_WAITS = 4
_UNITS = (("h", 3_600), ("min", 60), ("s", 1))


def retry_words(retry: RetryPolicy) -> str:
    """How often it is tried, with which waits, and what is never tried again."""
    if retry.tries == 1:
        return "It is tried once. When that fails, it counts as failed."
    waits = waits_of(retry)
    times = "twice" if retry.tries == 2 else f"{retry.tries} times"
    about = f", each wait up to {JITTER:.0%} shorter or longer" if retry.has_jitter else ""
    spared = ", ".join(["refused credentials", *sorted(each.value for each in retry.not_on)]).replace("_", " ")
    return (
        f"It is tried {times}: again {_wait_words(waits)}{about}. Then it counts as failed. Not again after {spared}."
    )


def waits_of(retry: RetryPolicy) -> tuple[timedelta, ...]:
    """The waits between its tries, where chance spreads them in the middle."""
    return tuple(retry.delay_after(attempt, chance=0.5) for attempt in range(1, retry.tries))


def short_length(length: timedelta) -> str:
    """“10 s”, “1 min 30 s”, “1 h”; “0 s” for nothing."""
    rest, found = round(length.total_seconds()), []
    for unit, size in _UNITS:
        amount, rest = divmod(rest, size)
        found += [f"{amount} {unit}"] if amount else []
    return " ".join(found) or "0 s"


def _wait_words(waits: tuple[timedelta, ...]) -> str:
    if not any(waits):
        return "at once"
    if len(waits) == 1:
        return f"after {short_length(waits[0])}"
    if len(set(waits)) == 1:
        return f"after {short_length(waits[0])} each time"
    # The longest wait stays from some try on, and need not be said for each of them.
    lengths = [short_length(wait) for wait, _ in groupby(waits)]
    shown = lengths[:_MOST_WAITS]
    more = len(lengths) > len(shown)
    end = f" and so on, up to {lengths[-1]}" if more else " each time" if len(lengths) < len(waits) else ""
    return f"after {', then '.join(shown)}{end}"
