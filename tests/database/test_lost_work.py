"""What follows when a worker dies or loses touch in the middle of a run, and the words for it."""

import pytest

from app.jobs.kinds.base import KindName
from app.jobs.policies import Backoff, RetryPolicy, WhenLost
from tests.database.workshop import Workshop
from tests.factories.work import load_run

MANY_TRIES = 20


def lose(workshop: Workshop, *, tries: int = 3, when_lost: WhenLost = WhenLost.KIND, times: int = 1, **job: object):
    """A run that lost so many workers; its id."""
    retry = RetryPolicy(tries, 0, Backoff.FIXED, when_lost)
    run_id = workshop.ready_run(retry=retry, **job)
    for _ in range(times):
        workshop.claim(run_id)
        workshop.clock.advance(seconds=31)
        workshop.reap()
    return run_id


def words_of(workshop: Workshop, run_id) -> str:
    with workshop.database.reading() as session:
        return load_run(session, run_id).error or ""


class TestWhenAWorkerIsLost:
    @pytest.mark.parametrize(
        ("when_lost", "may_repeat", "state"),
        [
            (WhenLost.KIND, True, "ready"),
            (WhenLost.KIND, False, "failed"),
            (WhenLost.RETRY, False, "ready"),
            (WhenLost.FAIL, True, "failed"),
        ],
    )
    def test_goes_by_what_the_job_said_when_the_run_was_made(
        self, workshop: Workshop, when_lost: WhenLost, may_repeat: bool, state: str
    ):
        run_id = lose(workshop, when_lost=when_lost, may_repeat=may_repeat)

        assert workshop.state_of(run_id) == (state, "lost")

    @pytest.mark.parametrize(
        ("when_lost", "words"),
        [
            (WhenLost.KIND, "not declared safe to repeat"),
            (WhenLost.FAIL, "Its job says that it then waits for a person"),
            (WhenLost.RETRY, "It is tried again."),
        ],
    )
    def test_says_what_follows_and_why(self, workshop: Workshop, when_lost: WhenLost, words: str):
        run_id = lose(workshop, when_lost=when_lost, may_repeat=False)

        assert words in words_of(workshop, run_id)

    def test_a_stopping_worker_goes_by_it_too(self, workshop: Workshop):
        retry = RetryPolicy(3, 0, Backoff.FIXED, WhenLost.FAIL)
        run_id = workshop.ready_run(retry=retry, ends="stopped", kind=KindName.WORKFLOW)

        workshop.executor.execute(run_id)

        assert workshop.state_of(run_id) == ("failed", "lost")


class TestAJobThatEndsItsWorkers:
    def test_is_started_no_more_after_the_third(self, workshop: Workshop):
        run_id = lose(workshop, tries=MANY_TRIES, times=3)

        assert workshop.state_of(run_id) == ("failed", "lost_too_often")
        assert workshop.attempts_of(run_id) == ["lost"] * 3

    def test_says_so_and_what_to_do(self, workshop: Workshop):
        words = words_of(workshop, lose(workshop, tries=MANY_TRIES, times=3))

        assert "the third worker lost with this run, so it is not started again by itself" in words
        assert "Look at its log and at the memory of the machine, then retry it." in words

    def test_is_not_one_whose_tries_failed_in_between(self, workshop: Workshop):
        run_id = lose(workshop, tries=MANY_TRIES, times=2, ends="failed")
        workshop.executor.execute(run_id)

        assert workshop.attempts_of(run_id) == ["lost", "lost", "failed"]
        assert workshop.state_of(run_id)[0] == "waiting_retry"

    def test_that_used_up_its_tries_before_says_that_instead(self, workshop: Workshop):
        run_id = lose(workshop, tries=1)

        assert workshop.state_of(run_id) == ("failed", "lost")
        assert "Its one try is used up." in words_of(workshop, run_id)
