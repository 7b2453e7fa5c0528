"""How the slots of a schedule run, seen what goes on of it: policy by policy, without a database."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.runs.slot_decisions import Decision, Held, runs_of
from app.runs.slot_writes import InTheWay
from app.runs.states import Reason, RunState, Trigger
from app.schedules.policies import Overlap
from app.schedules.slot_accounts import SlotAccount
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
FIRST, WAITING = str(UUID(int=1)), str(UUID(int=2))

situations = st.sampled_from([None, InTheWay(FIRST, None), InTheWay(FIRST, WAITING), InTheWay(WAITING, WAITING)])
slots = st.lists(st.integers(0, 500), max_size=6, unique=True).map(
    lambda ages: tuple(sorted(NOW - timedelta(minutes=age) for age in ages))
)
LEFT = Held(Reason.LEFT_CODE, "Its job is no longer in the code.")
decisions = st.builds(
    lambda found, overlap, held, is_wanted: Decision("key", account(*found), overlap, held, is_wanted),
    slots, st.sampled_from(Overlap), st.sampled_from([None, None, LEFT]), st.booleans(),
)  # fmt: skip


def account(*found: datetime) -> SlotAccount:
    return SlotAccount(NOW + timedelta(hours=1), found, ())


def states(decision: Decision, ahead: InTheWay | None) -> list[RunState]:
    return [run.state for run in runs_of(decision, ahead, now=NOW)]


@given(decision=decisions, ahead=situations)
def test_each_slot_becomes_exactly_one_run_in_its_order(decision: Decision, ahead: InTheWay | None) -> None:
    runs = runs_of(decision, ahead, now=NOW)

    assert tuple(run.slot_at for run in runs) == decision.account.slots


@given(decision=decisions, ahead=situations)
def test_no_two_may_start_at_once_unless_that_is_allowed(decision: Decision, ahead: InTheWay | None) -> None:
    ready = states(decision, ahead).count(RunState.READY)

    assert ready <= 1 or decision.overlap is Overlap.ALLOW
    assert ready == 0 or ahead is None or decision.overlap is Overlap.ALLOW


@given(decision=decisions, ahead=situations)
def test_whatever_does_not_start_says_why(decision: Decision, ahead: InTheWay | None) -> None:
    for run in runs_of(decision, ahead, now=NOW):
        assert (run.state is RunState.READY) == (run.reason is None) == (run.explanation is None)


@given(decision=decisions, ahead=situations)
def test_what_somebody_wants_is_skipped_only_where_it_cannot_run(decision: Decision, ahead: InTheWay | None) -> None:
    wanted = decision._replace(is_wanted=True, held=None)

    assert RunState.SKIPPED not in states(wanted, ahead)
    assert {run.trigger for run in runs_of(wanted, ahead, now=NOW)} <= {Trigger.CATCH_UP}


def test_a_slot_that_is_merely_late_is_no_catch_up() -> None:
    decision = Decision("key", account(NOW - timedelta(minutes=5), NOW), Overlap.ALLOW, None)

    runs = runs_of(decision, None, now=NOW)

    assert [run.trigger for run in runs] == [Trigger.CATCH_UP, Trigger.SCHEDULE]


def test_only_one_policy_makes_others_end() -> None:
    ahead = InTheWay(FIRST, None)

    replacing = [overlap for overlap in Overlap if Decision("key", account(NOW), overlap, None).replaces(ahead)]

    assert replacing == [Overlap.CANCEL_PREVIOUS]


def test_nothing_makes_room_for_slots_that_do_not_run() -> None:
    without_account = Decision("key", account(NOW), Overlap.CANCEL_PREVIOUS, "Connect Meta first.")
    without_slots = Decision("key", account(), Overlap.CANCEL_PREVIOUS, None)

    assert not any(each.asks_for_others for each in (without_account, without_slots))
