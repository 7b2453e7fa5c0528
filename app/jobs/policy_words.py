"""A job's policies in a few words, as far as they are not what any job begins with. Pure."""

from collections.abc import Iterator

from app.jobs.policies import DEFAULT_LONGEST_DELAY_SECONDS, Backoff, Priority, RetryPolicy, WhenLost
from app.jobs.queries import JobRow

_WHEN_LOST_WORDS = {
    WhenLost.RETRY: "tried again when its worker is lost",
    WhenLost.FAIL: "ends when its worker is lost",
}


def policy_words(job: JobRow) -> str:
    """“3 tries, 5 s apart and doubling · at most 2 at once”."""
    return " · ".join(_parts(job))


def _parts(job: JobRow) -> Iterator[str]:
    yield _tries(job.retry)
    if job.retry.not_on:
        yield f"no further try after {', '.join(sorted(job.retry.not_on)).replace('_', ' ')}"
    if job.retry.when_lost in _WHEN_LOST_WORDS:
        yield _WHEN_LOST_WORDS[job.retry.when_lost]
    yield f"ended after {job.time_limit_seconds:,} s"
    if job.soft_limit_seconds is not None:
        yield f"expected to take at most {job.soft_limit_seconds:,} s"
    if job.queue is not None:
        yield f"queue {job.queue}"
    if job.priority is not Priority.NORMAL:
        yield f"{job.priority.word} priority"
    if job.concurrency is not None:
        yield f"at most {job.concurrency:,} at once"


def _tries(retry: RetryPolicy) -> str:
    if retry.tries == 1:
        return "1 try"
    wait = f"{retry.tries} tries, {retry.delay_seconds:,} s apart"
    if retry.backoff is Backoff.EXPONENTIAL:
        wait += " and doubling"
        if retry.longest_delay_seconds != DEFAULT_LONGEST_DELAY_SECONDS:
            wait += f" up to {retry.longest_delay_seconds:,} s"
    return f"{wait}, spread" if retry.has_jitter else wait
