"""Places for work, of which nobody takes all."""

from contextlib import ExitStack

from app.core.fair_turns import FairTurns
from app.core.ids import new_id

ADA, BO = new_id(), new_id()


def taken(turns: FairTurns, *owners) -> list[bool]:
    """Who got a place, while all who came before still have theirs."""
    with ExitStack() as places:
        return [places.enter_context(turns.taken(owner)) for owner in owners]


class TestFairTurns:
    def test_leave_one_for_others(self):
        turns = FairTurns(3, most_of_each=2)

        assert taken(turns, ADA, ADA, ADA, BO, BO) == [True, True, False, True, False]

    def test_are_given_back_and_nobody_is_kept_in_mind(self):
        turns = FairTurns(3, most_of_each=2)
        taken(turns, ADA, ADA, ADA, BO)

        assert taken(turns, BO, BO, ADA, ADA) == [True, True, True, False]
        assert not turns._taken

    def test_are_given_back_when_the_work_fails(self):
        turns = FairTurns(1, most_of_each=1)
        try:
            with turns.taken(ADA):
                raise RuntimeError
        except RuntimeError:
            pass

        assert taken(turns, BO) == [True]
