"""What is said about the end of a function, from all that is known of it."""

import signal

import pytest

from app.jobs.kinds.base import Outcome, OutcomeStatus, StopReason
from app.jobs.kinds.code.endings import outcome_of
from app.jobs.kinds.code.lifeline import Report
from app.jobs.kinds.code.limits import Breach, Limit, Limits
from app.jobs.kinds.code.protocol import EndMessage
from app.jobs.policies import ErrorClass

LIMITS = Limits(memory_mib=1_024, processes=256)


def ended(*, end: EndMessage | None = None, reason: StopReason | None = None, report: Report | None = None) -> Outcome:
    return outcome_of(end, reason=reason, report=report, limits=LIMITS)


class TestOutcomeOf:
    @pytest.mark.parametrize(
        ("breach", "message"),
        [
            (
                Breach(Limit.MEMORY, 1_500),
                "The function took 1,500 MiB of memory and was ended: 1,024 MiB are allowed, with all that it starts. "
                "Have it hold less at once, or allow more with BELFRY_FUNCTION_MEMORY_MIB or the function's own limit.",
            ),
            (
                Breach(Limit.PROCESSES, 257),
                "The function had 257 processes and threads at once and was ended: 256 are allowed. "
                "Have it start fewer, or allow more with BELFRY_FUNCTION_PROCESSES or the function's own limit.",
            ),
        ],
    )
    def test_a_limit_is_named_with_what_to_do(self, breach: Breach, message: str) -> None:
        outcome = ended(report=Report(-signal.SIGKILL, breach))

        assert outcome == Outcome(OutcomeStatus.FAILED, message, error_class=ErrorClass.JOB)

    def test_what_the_function_reported_stays_true_whatever_came_after(self) -> None:
        told = EndMessage(result={"rows": 7})

        outcome = ended(end=told, reason=StopReason.TIME_LIMIT, report=Report(-9, Breach(Limit.MEMORY, 2_000)))

        assert outcome == Outcome(OutcomeStatus.SUCCEEDED, result={"rows": 7})

    def test_a_lease_that_nobody_renewed_is_no_fault_of_the_function(self) -> None:
        outcome = ended(report=Report(-signal.SIGKILL, Breach(Limit.LEASE)))

        assert outcome.status is OutcomeStatus.STOPPED

    def test_a_kill_that_nobody_here_sent_may_be_for_memory(self) -> None:
        outcome = ended(report=Report(-signal.SIGKILL))

        assert outcome.message.endswith("ended by SIGKILL before it returned. The machine may have run out of memory.")
