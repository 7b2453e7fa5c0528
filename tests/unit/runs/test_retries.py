"""When a run that failed is tried again: by its policy, by the kind of trouble, and by what the other side said."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.policies import Backoff, ErrorClass, RetryPolicy, read_not_on
from app.runs.retries import LONGEST_BREAK, Next, Trouble, after_failure
from app.runs.states import Reason, RunState
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
THREE = RetryPolicy(3, 5, Backoff.EXPONENTIAL)
SPREAD = replace(THREE, has_jitter=True)
ERROR = Trouble(Reason.ERROR)


def after(policy: RetryPolicy, trouble: Trouble = ERROR, *, attempt: int = 1, chance: float = 0.5) -> Next:
    return after_failure(policy, trouble, attempt=attempt, chance=chance, now=NOW)


class TestAfterAFailure:
    def test_tries_again_while_tries_are_left(self) -> None:
        then = after(THREE, attempt=2)

        assert then == Next(RunState.WAITING_RETRY, Reason.ERROR, NOW + timedelta(seconds=10))

    def test_ends_after_the_last_try(self) -> None:
        assert after(THREE, Trouble(Reason.TIMED_OUT), attempt=3) == Next(RunState.FAILED, Reason.TIMED_OUT)

    def test_ends_at_once_where_trying_again_cannot_help(self) -> None:
        assert after(THREE, Trouble(Reason.ERROR, may_retry=False)).state is RunState.FAILED

    @pytest.mark.parametrize("error_class", ErrorClass)
    def test_tries_again_after_any_trouble_but_a_refused_credential(self, error_class: ErrorClass) -> None:
        then = after(THREE, Trouble(Reason.ERROR, error_class=error_class))

        assert (then.state is RunState.FAILED) is (error_class is ErrorClass.REFUSED)

    def test_ends_at_once_after_trouble_that_the_job_names(self) -> None:
        policy = replace(THREE, not_on=read_not_on("server,rejected"))

        ends = [after(policy, Trouble(Reason.ERROR, error_class=one)).state for one in (*policy.not_on, None)]

        assert ends == [RunState.FAILED, RunState.FAILED, RunState.WAITING_RETRY]

    def test_passes_over_trouble_that_only_a_newer_version_knows(self) -> None:
        assert read_not_on("server,gremlins") == {ErrorClass.SERVER}


class TestChance:
    @given(st.integers(1, 3_600), st.integers(0, 3_600), st.integers(1, 10_000), st.floats(0, 1))
    def test_never_makes_a_wait_longer_than_the_longest_nor_moves_it_far(
        self, longest: int, first: int, attempt: int, chance: float
    ) -> None:
        plain = RetryPolicy(20, first, Backoff.EXPONENTIAL, longest_delay_seconds=longest)

        wait = replace(plain, has_jitter=True).delay_after(attempt, chance=chance)

        assert wait <= timedelta(seconds=longest)
        assert 0.79 * plain.delay_after(attempt) <= wait <= 1.21 * plain.delay_after(attempt)

    def test_spreads_a_wait_by_a_fifth_either_way(self) -> None:
        waits = [SPREAD.delay_after(1, chance=chance).total_seconds() for chance in (0, 0.5, 1)]

        assert waits == [4, 5, 6]

    def test_moves_nothing_unless_the_job_says_so(self) -> None:
        assert {THREE.delay_after(1, chance=chance) for chance in (0, 0.3, 1)} == {timedelta(seconds=5)}


class TestComingBack:
    @pytest.mark.parametrize(("asked", "waits"), [(3_600, 3_600), (1, 1), (0, 0), (-5, 0)])
    def test_when_the_other_side_said_wins_over_the_policy(self, asked: int, waits: int) -> None:
        then = after(THREE, Trouble(Reason.ERROR, come_back_after=timedelta(seconds=asked)))

        assert then.ready_at == NOW + timedelta(seconds=waits)

    @given(st.floats(0, 1))
    def test_is_never_before_that_however_it_is_spread(self, chance: float) -> None:
        then = after(SPREAD, Trouble(Reason.ERROR, come_back_after=timedelta(seconds=60)), chance=chance)

        assert then.ready_at is not None
        assert timedelta(seconds=60) <= then.ready_at - NOW <= timedelta(seconds=66)

    def test_after_a_week_is_asked_for_in_a_day(self) -> None:
        then = after(THREE, Trouble(Reason.ERROR, come_back_after=timedelta(days=7)))

        assert then.ready_at == NOW + LONGEST_BREAK

    def test_gives_no_more_tries(self) -> None:
        trouble = Trouble(Reason.ERROR, come_back_after=timedelta(seconds=60))

        assert after(THREE, trouble, attempt=3).state is RunState.FAILED
