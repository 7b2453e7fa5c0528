"""Percentiles by the nearest rank."""

from datetime import timedelta

import pytest

from app.core.ranks import middle_of, nearest_rank


class TestNearestRank:
    @pytest.mark.parametrize(
        ("values", "percent", "found"),
        [
            ([1.0], 50, 1.0),
            ([60.0, 1.0], 50, 1.0),
            ([3.0, 1.0, 2.0], 50, 2.0),
            ([1.0, 2.0, 3.0, 4.0], 50, 2.0),
            ([float(number) for number in range(1, 21)], 95, 19.0),
            ([float(number) for number in range(1, 22)], 95, 20.0),
            ([float(number) for number in range(1, 201)], 95, 190.0),
            ([1.0, 2.0], 95, 2.0),
            ([1.0, 2.0], 100, 2.0),
            ([1.0, 2.0], 0, 1.0),
        ],
    )
    def test_is_the_smallest_that_so_many_do_not_exceed(self, values: list[float], percent: int, found: float) -> None:
        assert nearest_rank(values, percent) == found

    def test_takes_lengths(self) -> None:
        assert middle_of([timedelta(seconds=60), timedelta(seconds=1)]) == timedelta(seconds=1)
