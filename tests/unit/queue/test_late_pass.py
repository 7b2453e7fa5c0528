"""The pass that the last of many short runs is owed."""

from threading import Event

from app.queue.late_pass import LatePass

A_MOMENT = 0.02


class Passes:
    """Counts the passes, and tells whoever waits for one."""

    def __init__(self) -> None:
        self.made = 0
        self.was_made = Event()

    def __call__(self) -> None:
        self.made += 1
        self.was_made.set()


def test_what_is_owed_is_made_a_moment_later() -> None:
    passes = Passes()
    late = LatePass(passes, after_seconds=A_MOMENT)

    late.owe()
    late.owe()

    assert passes.was_made.wait(5)
    assert passes.made == 1


def test_a_pass_of_somebody_else_settles_it() -> None:
    passes = Passes()
    late = LatePass(passes, after_seconds=A_MOMENT)

    late.owe()
    late.settle()

    assert not passes.was_made.wait(5 * A_MOMENT)


def test_after_one_was_made_another_can_be_owed() -> None:
    passes = Passes()
    late = LatePass(passes, after_seconds=A_MOMENT)
    late.owe()
    passes.was_made.wait(5)
    passes.was_made.clear()

    late.owe()

    assert passes.was_made.wait(5)
