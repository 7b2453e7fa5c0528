"""A job's policies in words: all of them as sentences, and in a line what is not as any job begins. Pure."""

from collections.abc import Iterator

from app.core.lengths import whole_seconds
from app.jobs.kinds.base import JobKind, KindName, StopWay
from app.jobs.policies import DEFAULT_LONGEST_DELAY_SECONDS, Backoff, Priority, RetryPolicy, WhenLost
from app.jobs.queries import JobRow
from app.jobs.stop_words import limit_sentence, limit_words

_WHEN_LOST_WORDS = {
    WhenLost.RETRY: "tried again when its worker is lost",
    WhenLost.FAIL: "ends when its worker is lost",
}


def policy_words(job: JobRow, kind: JobKind | None) -> str:
    """“3 tries, 5 s apart and doubling · at most 2 at once”."""
    return " · ".join(_parts(job, _stop_way(job, kind)))


def policy_sentences(job: JobRow, kind: JobKind | None) -> list[str]:
    """Every policy of the job, a sentence or two each. Without its kind, what any of that name does."""
    retry, way = job.retry, _stop_way(job, kind)
    found = [_tries_sentence(retry)]
    if retry.tries > 1:
        classes = ["refused credential", *(one.replace("_", " ") for one in sorted(retry.not_on))]
        found.append(f"It is not tried again after: {', '.join(dict.fromkeys(classes))}.")
    found.append(_lost_sentence(job, kind))
    found.append(limit_sentence(way, whole_seconds(job.time_limit_seconds)))
    if job.soft_limit_seconds is not None:
        found.append(f"One that takes longer than {whole_seconds(job.soft_limit_seconds)} is marked, and goes on.")
    at_once = "any number" if job.concurrency is None else f"at most {job.concurrency:,}"
    queue = job.queue or job.kind.value
    found.append(f"Its runs wait in the queue “{queue}” with {job.priority.word} priority; {at_once} go on at once.")
    return found


def _stop_way(job: JobRow, kind: JobKind | None) -> StopWay:
    if kind is not None:
        return kind.stop_way(job.definition)
    return StopWay.FORCE if job.kind is KindName.CODE else StopWay.NEXT_CALL


def _tries_sentence(retry: RetryPolicy) -> str:
    if retry.tries == 1:
        return "It is tried once."
    first = whole_seconds(retry.delay_seconds) if retry.delay_seconds else "no time"
    wait = f"with {first} in between"
    if retry.backoff is Backoff.EXPONENTIAL:
        longest = whole_seconds(retry.longest_delay_seconds)
        wait = f"the second time after {first}; each further wait doubles, up to {longest}"
    spread = " Chance moves each wait by up to 20 %." if retry.has_jitter else ""
    return f"It is tried up to {retry.tries} times, {wait}.{spread}"


def _lost_sentence(job: JobRow, kind: JobKind | None) -> str:
    is_repeated = kind.may_repeat(job.definition) if kind is not None else job.kind is not KindName.CODE
    if job.retry.may_repeat(kind_says=is_repeated):
        return "When its worker is lost in the middle, it is tried again while tries are left."
    return "When its worker is lost in the middle, it ends as lost, and a person decides."


def _parts(job: JobRow, way: StopWay) -> Iterator[str]:
    yield _tries(job.retry)
    if job.retry.not_on:
        yield f"no further try after {', '.join(sorted(job.retry.not_on)).replace('_', ' ')}"
    if job.retry.when_lost in _WHEN_LOST_WORDS:
        yield _WHEN_LOST_WORDS[job.retry.when_lost]
    yield limit_words(way, f"{job.time_limit_seconds:,} s")
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
