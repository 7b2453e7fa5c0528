"""How often a worker that works off a line asks for more."""

from app.queue.dispatch import PASS_SECONDS, Pace


class Ticks:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_first_run_asks_at_once() -> None:
    assert Pace(ticks=Ticks()).is_due(8)


def test_of_many_short_runs_one_asks_for_as_many_as_there_are_slots() -> None:
    pace = Pace(ticks=Ticks())
    pace.is_due(8)

    asked = [pace.is_due(8) for _ in range(16)]

    assert [number for number, asks in enumerate(asked, start=1) if asks] == [8, 16]


def test_each_of_long_runs_asks() -> None:
    ticks = Ticks()
    pace = Pace(ticks=ticks)
    pace.is_due(8)

    ticks.seconds += PASS_SECONDS

    assert pace.is_due(8)
