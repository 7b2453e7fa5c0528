"""What is usual: the middle, a range around it, and what lies outside."""

from datetime import timedelta

from app.runs.usual import step_of, usual_of


def seconds(*lengths: float) -> list[timedelta]:
    return [timedelta(seconds=length) for length in lengths]


class TestUsual:
    def test_is_not_told_by_two(self) -> None:
        assert usual_of(seconds(1, 2)) is None

    def test_is_the_median_with_a_fifth_at_least_on_both_sides(self) -> None:
        usual = usual_of(seconds(100, 100, 100, 900))

        assert usual is not None
        assert [usual.low, usual.typical, usual.high] == seconds(80, 100, 120)

    def test_reaches_further_where_lengths_differ_more(self) -> None:
        usual = usual_of(seconds(80, 90, 100, 110, 120))

        assert usual is not None
        assert [usual.low, usual.high] == seconds(70, 130)

    def test_is_not_surprised_by_a_few_seconds(self) -> None:
        usual = usual_of(seconds(2, 2, 2))

        assert usual is not None
        assert not usual.is_surprise(timedelta(seconds=11))
        assert usual.is_surprise(timedelta(seconds=13))


class TestStep:
    def test_is_seen_in_the_last_five_together(self) -> None:
        step = step_of(seconds(*[60] * 10, *[120] * 5))

        assert step is not None
        assert (step.before, step.now) == (timedelta(minutes=1), timedelta(minutes=2))

    def test_is_not_one_slow_run(self) -> None:
        assert step_of(seconds(*[60] * 14, 600)) is None

    def test_needs_some_before(self) -> None:
        assert step_of(seconds(60, 60, 120, 120, 120, 120, 120)) is None
