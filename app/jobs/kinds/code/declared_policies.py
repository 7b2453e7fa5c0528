"""How runs of a function go on, as its code says it: what stands in @job, checked. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from app.jobs.kinds.code.said import entries, is_a, plain, shown
from app.jobs.policies import (
    DEFAULT_LONGEST_DELAY_SECONDS,
    LONGEST_DELAY_SECONDS,
    LONGEST_LONGEST_DELAY_SECONDS,
    MOST_AT_ONCE,
    Backoff,
    ErrorClass,
    Priority,
    RetryPolicy,
    WhenLost,
)

DEFAULT_TIMEOUT_SECONDS = 600
DEFAULT_TRIES = 3
DEFAULT_RETRY_DELAY_SECONDS = 5
LONGEST_TIMEOUT_SECONDS = 86_400
MOST_TRIES = 20
_PRIORITIES = tuple(priority.word for priority in Priority)


@dataclass(frozen=True)
class PoliciesSaid:
    """The arguments of @job about how runs go on, whatever somebody wrote there."""

    timeout: int = DEFAULT_TIMEOUT_SECONDS
    soft_timeout: int | None = None
    tries: int = DEFAULT_TRIES
    retry_delay: int = DEFAULT_RETRY_DELAY_SECONDS
    backoff: str = Backoff.EXPONENTIAL
    longest_delay: int = DEFAULT_LONGEST_DELAY_SECONDS
    jitter: bool = True
    not_on: Iterable[str] = ()
    when_lost: str = WhenLost.KIND
    priority: str = Priority.NORMAL.word
    concurrency: int | None = None


_USUAL_RETRY = RetryPolicy(DEFAULT_TRIES, DEFAULT_RETRY_DELAY_SECONDS, Backoff.EXPONENTIAL, has_jitter=True)


@dataclass(frozen=True)
class DeclaredPolicies:
    """The same, to be used."""

    retry: RetryPolicy = _USUAL_RETRY
    soft_timeout_seconds: int | None = None
    priority: Priority = Priority.NORMAL
    concurrency: int | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """As they are stored in a job."""
        return {
            **self.retry.columns,
            "soft_limit_seconds": self.soft_timeout_seconds,
            "priority": self.priority.value,
            "concurrency": self.concurrency,
        }


# Those of a job that says nothing.
USUAL_POLICIES = DeclaredPolicies()


def read_policies(given: PoliciesSaid) -> tuple[DeclaredPolicies, list[str]]:
    """What somebody said, and what of it is not possible; then the policies are those of a job that says nothing."""
    said = PoliciesSaid(**{one.name: plain(getattr(given, one.name)) for one in fields(PoliciesSaid)})
    # Read once: what is iterated over may be gone after that.
    not_on = entries(said.not_on)
    problems = [*_problems_of_numbers(said), *_problems_of_words(said, not_on)]
    if problems or not_on is None:
        return USUAL_POLICIES, problems
    retry = RetryPolicy(
        said.tries, said.retry_delay, Backoff(said.backoff), WhenLost(said.when_lost), said.longest_delay, said.jitter,
        frozenset(ErrorClass(word) for word in not_on),
    )  # fmt: skip
    return DeclaredPolicies(retry, said.soft_timeout, Priority.of(said.priority), said.concurrency), []


def usable_timeout(given: object) -> int:
    """The timeout that somebody said; the usual one in the place of what is not possible, which is named elsewhere."""
    seconds = plain(given)
    return seconds if _is_within(seconds, 1, LONGEST_TIMEOUT_SECONDS) else DEFAULT_TIMEOUT_SECONDS


def _problems_of_numbers(said: PoliciesSaid) -> Iterator[str]:
    if not _is_within(said.timeout, 1, LONGEST_TIMEOUT_SECONDS):
        yield f"timeout={shown(said.timeout)} is not possible. Use 1 to {LONGEST_TIMEOUT_SECONDS} seconds."
    elif said.soft_timeout is not None and not _is_within(said.soft_timeout, 1, said.timeout - 1):
        yield (
            f"soft_timeout={shown(said.soft_timeout)} is not possible. "
            f"Use at least 1 second and less than the timeout, which is {said.timeout}."
        )
    if not _is_within(said.tries, 1, MOST_TRIES):
        yield f"tries={shown(said.tries)} is not possible. Use 1 to {MOST_TRIES}."
    if not _is_within(said.retry_delay, 0, LONGEST_DELAY_SECONDS):
        yield f"retry_delay={shown(said.retry_delay)} is not possible. Use 0 to {LONGEST_DELAY_SECONDS} seconds."
    elif not _is_within(said.longest_delay, max(1, said.retry_delay), LONGEST_LONGEST_DELAY_SECONDS):
        yield (
            f"longest_delay={shown(said.longest_delay)} is not possible. "
            f"Use {max(1, said.retry_delay)} to {LONGEST_LONGEST_DELAY_SECONDS} seconds: no less than retry_delay."
        )
    if said.concurrency is not None and not _is_within(said.concurrency, 1, MOST_AT_ONCE):
        yield f"concurrency={shown(said.concurrency)} is not possible. Use 1 to {MOST_AT_ONCE}, or leave it out."


def _problems_of_words(said: PoliciesSaid, not_on: tuple[object, ...] | None) -> Iterator[str]:
    if not is_a(said.jitter, bool):
        yield f"jitter={shown(said.jitter)} is not possible. Use True or False."
    if not_on is None:
        yield f"not_on={shown(said.not_on)} is not possible. Use a list, such as ['rejected', 'job']."
    for name, word, known in (
        ("backoff", said.backoff, _values(Backoff)),
        ("when_lost", said.when_lost, _values(WhenLost)),
        ("priority", said.priority, _PRIORITIES),
        *(("not_on", word, _values(ErrorClass)) for word in not_on or ()),
    ):
        if not is_a(word, str) or word not in known:
            yield f"{name}={shown(word)} is not possible. Use {_or(known)}."


def _values(words: type[StrEnum]) -> tuple[str, ...]:
    return tuple(word.value for word in words)


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(map(repr, words[:-1]))} or {words[-1]!r}"


def _is_within(number: Any, least: int, most: int) -> bool:
    return is_a(number, int) and not is_a(number, bool) and least <= number <= most
