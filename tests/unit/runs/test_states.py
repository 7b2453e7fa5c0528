"""The states of a run and what follows a bad end."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.jobs.policies import DEFAULT_LONGEST_DELAY_SECONDS, Backoff, RetryPolicy, WhenLost
from app.runs.retries import after_loss, after_stop
from app.runs.states import ACTIVE, TERMINAL, Reason, RunState, may_move, sources_of
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
THREE = RetryPolicy(3, 5, Backoff.EXPONENTIAL)


class TestStates:
    @pytest.mark.parametrize("terminal", sorted(TERMINAL))
    def test_nothing_follows_a_terminal_one(self, terminal: RunState) -> None:
        assert not any(may_move(terminal, state) for state in RunState)

    def test_every_active_one_can_reach_an_end(self) -> None:
        for state in ACTIVE:
            assert any(may_move(state, end) for end in TERMINAL)

    def test_only_a_running_run_can_succeed(self) -> None:
        assert sources_of(RunState.SUCCEEDED) == (RunState.RUNNING,)


class TestTheWait:
    def test_waits_longer_from_try_to_try(self) -> None:
        waits = [THREE.delay_after(attempt) for attempt in (1, 2, 3)]

        assert waits == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]

    @given(st.integers(1, 10_000), st.integers(0, 3600))
    def test_never_waits_longer_than_an_hour(self, attempt: int, seconds: int) -> None:
        policy = RetryPolicy(20, seconds, Backoff.EXPONENTIAL)

        assert timedelta(0) <= policy.delay_after(attempt) <= timedelta(seconds=DEFAULT_LONGEST_DELAY_SECONDS)


class TestAfterALoss:
    def test_starts_again_only_what_may_be_repeated(self) -> None:
        ends = [after_loss(THREE, attempt=1, losses=1, may_repeat=may, now=NOW).state for may in (True, False)]

        assert ends == [RunState.READY, RunState.FAILED]

    def test_counts_as_a_try(self) -> None:
        then = after_loss(THREE, attempt=3, losses=1, may_repeat=True, now=NOW)

        assert (then.state, then.reason) == (RunState.FAILED, Reason.LOST)

    def test_ends_after_the_third_however_many_tries_are_left(self) -> None:
        patient = RetryPolicy(20, 5, Backoff.FIXED)
        ends = [after_loss(patient, attempt=3, losses=losses, may_repeat=True, now=NOW) for losses in (2, 3)]

        assert [(then.state, then.reason) for then in ends] == [
            (RunState.READY, Reason.LOST),
            (RunState.FAILED, Reason.LOST_TOO_OFTEN),
        ]

    @pytest.mark.parametrize(
        ("chosen", "kind_says", "may_repeat"),
        [
            (WhenLost.KIND, True, True),
            (WhenLost.KIND, False, False),
            (WhenLost.RETRY, False, True),
            (WhenLost.FAIL, True, False),
        ],
    )
    def test_goes_by_what_the_job_says_and_else_by_its_kind(
        self, chosen: WhenLost, kind_says: bool, may_repeat: bool
    ) -> None:
        policy = RetryPolicy(3, 5, Backoff.FIXED, chosen)

        assert policy.may_repeat(kind_says=kind_says) is may_repeat

    def test_is_not_what_a_stopping_worker_hands_back(self) -> None:
        then = after_stop(may_repeat=True, now=NOW)

        assert (then.state, then.reason) == (RunState.READY, None)
