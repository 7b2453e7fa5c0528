"""What @job says about how runs go on: taken as it is, or named with what is possible."""

from typing import Any

import pytest

from app.jobs.kinds.code.declared_policies import USUAL_POLICIES, PoliciesSaid, read_policies
from app.jobs.policies import Backoff, Priority
from app.jobs.service import DEFAULT_RETRY, DEFAULT_TIME_LIMIT_SECONDS


def test_a_job_that_says_nothing_is_tried_as_others_are():
    policies, problems = read_policies(PoliciesSaid())

    assert (policies, problems) == (USUAL_POLICIES, [])
    assert (policies.retry, PoliciesSaid().timeout) == (DEFAULT_RETRY, DEFAULT_TIME_LIMIT_SECONDS)


def test_what_is_said_is_taken():
    policies, problems = read_policies(PoliciesSaid(backoff="fixed", retry_delay=0, priority="low", concurrency=1))

    assert problems == []
    assert (policies.retry.backoff, policies.retry.delay_seconds) == (Backoff.FIXED, 0)
    assert (policies.priority, policies.concurrency) == (Priority.LOW, 1)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"timeout": 0}, "timeout=0 is not possible. Use 1 to 86400 seconds."),
        ({"soft_timeout": 600}, "soft_timeout=600 is not possible. Use at least 1 second and less than the timeout,"),
        ({"soft_timeout": "5"}, "soft_timeout='5' is not possible."),
        ({"tries": True}, "tries=True is not possible. Use 1 to 20."),
        ({"retry_delay": 3_601}, "retry_delay=3601 is not possible. Use 0 to 3600 seconds."),
        ({"retry_delay": 60, "longest_delay": 30}, "longest_delay=30 is not possible. Use 60 to 86400 seconds"),
        ({"longest_delay": 0}, "longest_delay=0 is not possible. Use 5 to 86400 seconds"),
        ({"backoff": "linear"}, "backoff='linear' is not possible. Use 'fixed' or 'exponential'."),
        ({"jitter": 1}, "jitter=1 is not possible. Use True or False."),
        ({"not_on": ["servers"]}, "not_on='servers' is not possible. Use 'network', 'rate_limited', 'server',"),
        ({"not_on": 5}, "not_on=5 is not possible. Use a list, such as ['rejected', 'job']."),
        ({"not_on": "job"}, "not_on='job' is not possible. Use a list"),
        ({"timeout": float("inf")}, "timeout=inf is not possible. Use 1 to 86400 seconds."),
        ({"tries": 2.0}, "tries=2.0 is not possible. Use 1 to 20."),
        ({"when_lost": []}, "when_lost=[] is not possible. Use 'kind', 'retry' or 'fail'."),
        ({"priority": "urgent"}, "priority='urgent' is not possible. Use 'high', 'normal' or 'low'."),
        ({"concurrency": 0}, "concurrency=0 is not possible. Use 1 to 1000, or leave it out."),
    ],
)
def test_what_cannot_be_is_named_with_what_can(said: dict[str, Any], problem: str):
    policies, problems = read_policies(PoliciesSaid(**said))

    assert policies is USUAL_POLICIES
    assert len(problems) == 1
    assert problems[0].startswith(problem)
