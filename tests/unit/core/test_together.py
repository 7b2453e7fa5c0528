"""Asking together: one goes at once, several that meet become one, and a refusal hits whom it is meant for."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from app.core.together import Together

PATIENCE_SECONDS = 10


class Refused(Exception):
    """The answer was no."""


class Oracle:
    """Doubles numbers; stands still at the first question until it is let go."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.is_asked = Event()
        self.go_on = Event()

    def ask_all(self, numbers: Sequence[int]) -> list[int]:
        self.asked.append(list(numbers))
        self.is_asked.set()
        assert self.go_on.wait(PATIENCE_SECONDS)
        if 13 in numbers:
            raise Refused
        return [number * 2 for number in numbers]


def ask_while_one_is_asked(oracle: Oracle, numbers: Sequence[int], *, may_ask_alone: bool = True) -> list[object]:
    """One question first, and while it is open all others. What each got: its answer, or its error."""
    together = Together(oracle.ask_all, may_ask_alone=lambda _: may_ask_alone)
    with ThreadPoolExecutor(len(numbers)) as threads:
        futures = [threads.submit(together.ask, numbers[0])]
        assert oracle.is_asked.wait(PATIENCE_SECONDS)
        futures += [threads.submit(together.ask, number) for number in numbers[1:]]
        while len(together._waiting) < len(numbers) - 1:
            pass
        oracle.go_on.set()
        return [future.exception(PATIENCE_SECONDS) or future.result() for future in futures]


def test_who_is_alone_asks_at_once() -> None:
    oracle = Oracle()
    oracle.go_on.set()

    answer = Together(oracle.ask_all, may_ask_alone=lambda _: True).ask(4)

    assert (answer, oracle.asked) == (8, [[4]])


def test_those_who_come_meanwhile_are_asked_for_together() -> None:
    oracle = Oracle()

    answers = ask_while_one_is_asked(oracle, [1, 2, 3, 4])

    assert answers == [2, 4, 6, 8]
    assert [len(numbers) for numbers in oracle.asked] == [1, 3]


def test_a_refusal_hits_only_the_one_it_is_meant_for() -> None:
    answers = ask_while_one_is_asked(Oracle(), [1, 2, 13, 4])

    assert [answers[0], answers[1], answers[3]] == [2, 4, 8]
    assert isinstance(answers[2], Refused)


def test_a_failure_that_leaves_all_open_is_told_to_all_and_repeated_for_none() -> None:
    oracle = Oracle()

    answers = ask_while_one_is_asked(oracle, [1, 2, 13], may_ask_alone=False)

    assert [type(answer) for answer in answers] == [int, Refused, Refused]
    assert len(oracle.asked) == 2


def test_after_a_failure_the_next_is_asked_as_ever() -> None:
    oracle = Oracle()
    oracle.go_on.set()
    together = Together(oracle.ask_all, may_ask_alone=lambda _: True)
    with pytest.raises(Refused):
        together.ask(13)

    answer = together.ask(5)

    assert answer == 10
