"""What becomes of a slot while the run before it goes on: each policy in each situation, with the words it records."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest

from app.runs.slot_decisions import Decision, replacing_words, runs_of
from app.runs.slot_writes import InTheWay, SlotRun
from app.runs.states import Reason, RunState, Trigger
from app.schedules.policies import Overlap
from app.schedules.slot_accounts import SlotAccount
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
GOING, LINED_UP = UUID(int=1), UUID(int=2)

# What there is of the schedule that has no end yet: nothing, a run that goes on, that and one that waits for it, and
# one that waits although the run that it waited for has just ended.
NOTHING = None
ONE_GOES_ON = InTheWay(str(GOING), None)
ONE_WAITS_BEHIND_IT = InTheWay(str(GOING), str(LINED_UP))
ONE_IS_TO_GO_ON = InTheWay(str(LINED_UP), str(LINED_UP))

SKIPPED = f"The previous run was still going ({GOING}), and this schedule does not run twice at once."
SKIPPED_FOR_THE_NEXT = f"The previous run was still going ({LINED_UP}), and this schedule does not run twice at once."
FULL = f"A run waited already ({LINED_UP}) for the previous one to end, and this schedule lets only one wait."
WAITS = f"It waits for the previous run to end ({GOING})."
WAITS_FOR_THE_NEXT = f"It waits for the previous run to end ({LINED_UP})."
TAKES_ITS_PLACE = f"It waits until the previous run has stopped ({GOING}), whose place it takes."
TAKES_THE_PLACE_OF_THE_NEXT = f"It waits until the previous run has stopped ({LINED_UP}), whose place it takes."
ONE_BY_ONE = "It waits for the run of the slot before: slots that are made up for go one after the other."


class Outcome(NamedTuple):
    """How a run begins, and what it says of that."""

    state: RunState
    words: str | None = None


STARTS = Outcome(RunState.READY)


def skipped(words: str) -> Outcome:
    return Outcome(RunState.SKIPPED, words)


def waits(words: str) -> Outcome:
    return Outcome(RunState.WAITING, words)


def decide(overlap: Overlap, ahead: InTheWay | None, *slots: datetime, is_wanted: bool = False) -> tuple[SlotRun, ...]:
    account = SlotAccount(NOW + timedelta(minutes=5), slots or (NOW,), ())
    return runs_of(Decision("key", account, overlap, None, is_wanted), ahead, now=NOW)


def outcomes(runs: tuple[SlotRun, ...]) -> list[Outcome]:
    return [Outcome(run.state, run.explanation) for run in runs]


@pytest.mark.parametrize(
    ("overlap", "ahead", "outcome"),
    [
        (Overlap.SKIP, NOTHING, STARTS),
        (Overlap.SKIP, ONE_GOES_ON, skipped(SKIPPED)),
        (Overlap.SKIP, ONE_WAITS_BEHIND_IT, skipped(SKIPPED)),
        (Overlap.SKIP, ONE_IS_TO_GO_ON, skipped(SKIPPED_FOR_THE_NEXT)),
        (Overlap.QUEUE_ONE, NOTHING, STARTS),
        (Overlap.QUEUE_ONE, ONE_GOES_ON, waits(WAITS)),
        (Overlap.QUEUE_ONE, ONE_WAITS_BEHIND_IT, skipped(FULL)),
        (Overlap.QUEUE_ONE, ONE_IS_TO_GO_ON, skipped(FULL)),
        (Overlap.ALLOW, NOTHING, STARTS),
        (Overlap.ALLOW, ONE_GOES_ON, STARTS),
        (Overlap.ALLOW, ONE_WAITS_BEHIND_IT, STARTS),
        (Overlap.ALLOW, ONE_IS_TO_GO_ON, STARTS),
        (Overlap.CANCEL_PREVIOUS, NOTHING, STARTS),
        (Overlap.CANCEL_PREVIOUS, ONE_GOES_ON, waits(TAKES_ITS_PLACE)),
        (Overlap.CANCEL_PREVIOUS, ONE_WAITS_BEHIND_IT, waits(TAKES_ITS_PLACE)),
        (Overlap.CANCEL_PREVIOUS, ONE_IS_TO_GO_ON, waits(TAKES_THE_PLACE_OF_THE_NEXT)),
    ],
)
def test_a_slot_that_comes_in_time(overlap: Overlap, ahead: InTheWay | None, outcome: Outcome) -> None:
    (run,) = decide(overlap, ahead)

    assert Outcome(run.state, run.explanation) == outcome
    assert (run.slot_at, run.trigger) == (NOW, Trigger.SCHEDULE)
    assert run.reason is (None if outcome == STARTS else Reason.OVERLAP)


@pytest.mark.parametrize(
    ("overlap", "ahead", "expected"),
    [
        (Overlap.SKIP, NOTHING, [STARTS, waits(ONE_BY_ONE), waits(ONE_BY_ONE)]),
        (Overlap.SKIP, ONE_GOES_ON, [skipped(SKIPPED)] * 3),
        (Overlap.QUEUE_ONE, NOTHING, [STARTS, waits(ONE_BY_ONE), waits(ONE_BY_ONE)]),
        (Overlap.QUEUE_ONE, ONE_GOES_ON, [waits(WAITS), waits(ONE_BY_ONE), waits(ONE_BY_ONE)]),
        (Overlap.QUEUE_ONE, ONE_WAITS_BEHIND_IT, [skipped(FULL)] * 3),
        (Overlap.ALLOW, NOTHING, [STARTS] * 3),
        (Overlap.ALLOW, ONE_GOES_ON, [STARTS] * 3),
        (Overlap.CANCEL_PREVIOUS, NOTHING, [STARTS, waits(ONE_BY_ONE), waits(ONE_BY_ONE)]),
        (Overlap.CANCEL_PREVIOUS, ONE_GOES_ON, [waits(TAKES_ITS_PLACE), waits(ONE_BY_ONE), waits(ONE_BY_ONE)]),
    ],
)
def test_slots_that_are_made_up_for_arrive_as_one(
    overlap: Overlap, ahead: InTheWay | None, expected: list[Outcome]
) -> None:
    late = [NOW - timedelta(minutes=age) for age in (20, 15, 10)]

    runs = decide(overlap, ahead, *late)

    assert outcomes(runs) == expected
    assert [(run.slot_at, run.trigger) for run in runs] == [(slot_at, Trigger.CATCH_UP) for slot_at in late]


@pytest.mark.parametrize(
    ("overlap", "ahead", "first"),
    [
        (Overlap.SKIP, ONE_GOES_ON, waits(WAITS)),
        (Overlap.SKIP, ONE_IS_TO_GO_ON, waits(WAITS_FOR_THE_NEXT)),
        (Overlap.QUEUE_ONE, ONE_WAITS_BEHIND_IT, waits(WAITS)),
        (Overlap.CANCEL_PREVIOUS, ONE_GOES_ON, waits(TAKES_ITS_PLACE)),
    ],
)
def test_slots_that_somebody_wants_wait_where_they_would_be_skipped(
    overlap: Overlap, ahead: InTheWay, first: Outcome
) -> None:
    runs = decide(overlap, ahead, NOW - timedelta(minutes=5), NOW, is_wanted=True)

    assert outcomes(runs) == [first, waits(ONE_BY_ONE)]


@pytest.mark.parametrize("ahead", [ONE_GOES_ON, ONE_WAITS_BEHIND_IT, ONE_IS_TO_GO_ON])
@pytest.mark.parametrize("overlap", Overlap)
def test_only_what_cancels_the_previous_run_makes_others_end(overlap: Overlap, ahead: InTheWay) -> None:
    decision = Decision("key", SlotAccount(None, (NOW - timedelta(minutes=5), NOW), ()), overlap, None)

    assert decision.replaces(ahead) is (overlap is Overlap.CANCEL_PREVIOUS)
    assert not decision.replaces(NOTHING)
    assert replacing_words(decision.account) == "The run of the slot at 2027-01-05 12:00 UTC took its place."


@pytest.mark.parametrize("overlap", Overlap)
def test_only_what_allows_two_at_once_need_not_know_what_goes_on(overlap: Overlap) -> None:
    decision = Decision("key", SlotAccount(None, (NOW,), ()), overlap, None)

    assert decision.asks_for_others is (overlap is not Overlap.ALLOW)
