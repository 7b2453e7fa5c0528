"""What happens when a run fails, said before it does."""

from dataclasses import replace

import pytest

from app.jobs.policies import Backoff, ErrorClass, RetryPolicy
from app.jobs.retry_words import retry_words
from app.ops.retry_example import retry_example
from app.schedules.fire_times import rhythm
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
GROWING = RetryPolicy(4, 10, Backoff.EXPONENTIAL)
END = "Then it counts as failed. Not again after refused credentials."


@pytest.mark.parametrize(
    ("retry", "words"),
    [
        (RetryPolicy(1, 600, Backoff.FIXED), "It is tried once. When that fails, it counts as failed."),
        (RetryPolicy(2, 600, Backoff.FIXED), f"It is tried twice: again after 10 min. {END}"),
        (RetryPolicy(3, 600, Backoff.FIXED), f"It is tried 3 times: again after 10 min each time. {END}"),
        (RetryPolicy(3, 0, Backoff.FIXED), f"It is tried 3 times: again at once. {END}"),
        (GROWING, f"It is tried 4 times: again after 10 s, then 20 s, then 40 s. {END}"),
        (
            replace(GROWING, longest_delay_seconds=20),
            f"It is tried 4 times: again after 10 s, then 20 s each time. {END}",
        ),
        (
            RetryPolicy(20, 10, Backoff.EXPONENTIAL),
            "It is tried 20 times: again after 10 s, then 20 s, then 40 s, then 1 min 20 s and so on, up to 1 h. "
            + END,
        ),
        (
            replace(GROWING, has_jitter=True, tries=2),
            f"It is tried twice: again after 10 s, each wait up to 20% shorter or longer. {END}",
        ),
        (
            replace(GROWING, tries=2, not_on=frozenset({ErrorClass.TIMED_OUT})),
            f"It is tried twice: again after 10 s. {END.removesuffix('.')}, timed out.",
        ),
    ],
)
def test_every_try_and_wait_is_said(retry: RetryPolicy, words: str) -> None:
    assert retry_words(retry) == words


def test_the_next_run_is_the_example() -> None:
    found = retry_example(rhythm("30 2 * * *", timezone="America/New_York"), retry=GROWING, now=NOW)

    assert found is not None
    assert found.words == "02:30:00 → 02:30:10 → 02:30:30 → 02:31:10, then it counts as failed."
    assert found.warning == ""


def test_many_tries_are_shortened_and_those_into_the_next_run_warned_of() -> None:
    often = RetryPolicy(10, 60, Backoff.FIXED)

    found = retry_example(rhythm("*/5 * * * *", timezone="UTC"), retry=often, now=NOW)

    assert found is not None
    assert found.words == "12:05 → 12:06 → 12:07 → 12:08 → … → 12:14, then it counts as failed."
    assert found.warning == "Its tries may last until the next run is due."


@pytest.mark.parametrize(("cron", "tries"), [("@manually", 3), ("0 0 * * *", 1)])
def test_there_is_no_example_where_nothing_comes_again(cron: str, tries: int) -> None:
    retry = RetryPolicy(tries, 60, Backoff.FIXED)

    assert retry_example(rhythm(cron, timezone="UTC"), retry=retry, now=NOW) is None
