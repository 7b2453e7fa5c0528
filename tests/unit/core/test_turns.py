"""Turns: one at a time, in the order of coming, and nobody waits for ever."""

from threading import Thread

import pytest

from app.core.turns import Turns

PATIENCE_SECONDS = 10


@pytest.fixture
def turns() -> Turns:
    return Turns()


def begin_to_wait(turns: Turns, order: list[int], number: int) -> Thread:
    """A thread that waits for its turn, writes its number down and leaves."""

    def wait() -> None:
        assert turns.take(seconds=PATIENCE_SECONDS)
        order.append(number)
        turns.leave()

    thread = Thread(target=wait)
    before = len(turns._waiting)
    thread.start()
    while len(turns._waiting) == before:
        pass
    return thread


class TestTurns:
    def test_come_in_the_order_of_coming(self, turns: Turns) -> None:
        order: list[int] = []
        turns.take(seconds=0)
        threads = [begin_to_wait(turns, order, number) for number in range(5)]

        turns.leave()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)

        assert order == [0, 1, 2, 3, 4]

    def test_go_to_whoever_waits_before_one_who_comes_again(self, turns: Turns) -> None:
        order: list[int] = []
        turns.take(seconds=0)
        waiting = begin_to_wait(turns, order, 1)

        turns.leave()
        came_again = turns.take(seconds=PATIENCE_SECONDS)
        waiting.join(PATIENCE_SECONDS)

        assert (came_again, order) == (True, [1])

    def test_that_do_not_come_in_time_are_given_up(self, turns: Turns) -> None:
        turns.take(seconds=0)

        has_come = turns.take(seconds=0.01)
        turns.leave()

        assert (has_come, turns.take(seconds=0)) == (False, True)
