"""The strip of the last runs: a mark for each, and the same counts in words."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from app.runs.outcomes import Outcome
from app.runs.recent import RecentRun
from app.web.pictures.shapes import Form
from app.web.pictures.strip import Strip, draw_strip
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
MINUTE = timedelta(minutes=1)
Rectangle = tuple[float, float, float, float]


def runs(*outcomes: Outcome, took: timedelta | None = MINUTE) -> list[RecentRun]:
    """One an hour, the last one an hour ago."""
    hours = len(outcomes)
    return [
        RecentRun(UUID(int=number), outcome, NOW - timedelta(hours=hours - number), took)
        for number, outcome in enumerate(outcomes)
    ]


def drawn(made: Sequence[RecentRun], lengths: Sequence[timedelta] = (MINUTE,), **more: UUID) -> Strip:
    return draw_strip(made, lengths=lengths, now=NOW, looked_for=more.get("looked_for"))


def rectangles(strip: Strip, state: str, form: Form) -> list[Rectangle]:
    """x, y, width and height of what was drawn so."""
    path = "".join(shape.path for shape in strip.shapes if (shape.state, shape.form) == (state, form))
    return [*_free_standing(path), *_columns(path)]


def _free_standing(path: str) -> Iterator[Rectangle]:
    for found in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-\3z", path):
        x, y, width, height = map(float, found)
        yield x, y, width, height


def _columns(path: str) -> Iterator[Rectangle]:
    left = 0.0
    for kind, x, y, top, width, ground in re.findall(r"([Mm])([\d.]+) ([\d.]+)V([\d.]+)h([\d.]+)V([\d.]+)z", path):
        assert y == (ground if kind == "M" else "0")
        left = float(x) if kind == "M" else left + float(x)
        yield left, float(top), float(width), float(ground) - float(top)


class TestMarks:
    def test_of_a_failure_after_a_second_is_as_high_as_the_strip(self) -> None:
        strip = drawn(runs(Outcome.FAILED, took=timedelta(seconds=1)), [timedelta(hours=1)])

        assert rectangles(strip, "failed", Form.TINT) == [(145, 0, 4, 24)]
        assert (145, 0, 4, 4) in rectangles(strip, "failed", Form.SOLID)

    def test_stand_on_the_right_with_empty_places_before_them(self) -> None:
        strip = drawn(runs(Outcome.SUCCEEDED, Outcome.SUCCEEDED))

        assert [x for x, *_rest in rectangles(strip, "succeeded", Form.SOLID)] == [140, 145]
        assert len(rectangles(strip, "empty", Form.SOLID)) == 28

    @pytest.mark.parametrize(("seconds", "height"), [(0, 4), (33, 12), (66, 24), (600, 24)])
    def test_are_as_high_as_runs_are_long(self, seconds: int, height: float) -> None:
        strip = drawn(runs(Outcome.SUCCEEDED, took=timedelta(seconds=seconds)))

        assert rectangles(strip, "succeeded", Form.SOLID) == [(145, 24 - height, 4, height)]

    def test_that_are_cut_off_are_notched(self) -> None:
        usual, long = drawn(runs(Outcome.SUCCEEDED)), drawn(runs(Outcome.SUCCEEDED, took=2 * MINUTE))

        assert rectangles(usual, "", Form.NOTCH) == []
        assert rectangles(long, "", Form.NOTCH) == [(145, 3, 4, 1.5)]

    def test_differ_in_form_wherever_they_mean_something_else(self) -> None:
        forms = set()
        for outcome in Outcome:
            strip = drawn(runs(outcome))
            marks = [shape for shape in strip.shapes if shape.state != "empty"]
            forms.add(tuple((shape.form, shape.path) for shape in marks))

        # Those that go on, that somebody stopped and that went well are told apart by words and colour.
        assert len(forms) == len(Outcome) - 2

    def test_are_never_more_than_thirty(self) -> None:
        strip = drawn(runs(*[Outcome.SUCCEEDED] * 40))

        assert len(rectangles(strip, "succeeded", Form.SOLID)) == 30
        assert strip.label.startswith("Last 30 runs over ")

    def test_show_the_run_that_was_looked_for(self) -> None:
        strip = drawn(runs(Outcome.SUCCEEDED, Outcome.SUCCEEDED), looked_for=UUID(int=0))

        assert rectangles(strip, "", Form.RING) == [(139.5, 0.5, 5, 23)]


class TestWords:
    def test_count_what_is_drawn(self) -> None:
        made = runs(Outcome.SUCCEEDED, Outcome.FAILED, Outcome.SUCCEEDED_AFTER_RETRY, Outcome.SUCCEEDED)

        assert drawn(made).label == (
            "Last 4 runs over 4 h: 2 succeeded, 1 after retry, 1 failed (latest 3 h ago). Last took 1 min."
        )

    def test_say_what_is_typical_and_leave_out_how_long_the_one_that_goes_on_takes(self) -> None:
        made = [*runs(Outcome.SUCCEEDED), *runs(Outcome.RUNNING, took=5 * MINUTE)]

        assert drawn(made, [MINUTE, 2 * MINUTE, 3 * MINUTE]).label.endswith("Last took 1 min, typical 2 min.")

    def test_of_older_runs_say_how_much_time_they_span(self) -> None:
        old = draw_strip(runs(*[Outcome.SUCCEEDED] * 3), lengths=[], now=NOW + timedelta(days=9), are_last=False)

        assert old.label == "3 runs over 2 h: 3 succeeded. Last took 1 min."

    def test_of_nothing(self) -> None:
        assert drawn([]).label == "No runs yet."

    def test_of_one_that_never_started(self) -> None:
        assert drawn(runs(Outcome.SKIPPED, took=None)).label == "Last 1 run: 1 skipped."
