"""When a landing is looked at twice: most of what was there is missing, or it has another size than usual."""

import pytest

from app.syncs.loss import is_suspicious
from app.syncs.volume import FEWEST, MOST, Band, usual_band


class TestLoss:
    @pytest.mark.parametrize(("had", "unseen"), [(11, 11), (11, 6), (1_000, 501)])
    def test_of_most_figures_is_not_believed(self, had: int, unseen: int):
        assert is_suspicious(had=had, unseen=unseen)

    @pytest.mark.parametrize(("had", "unseen"), [(0, 0), (10, 10), (11, 5), (1_000, 500)])
    def test_of_a_few_or_of_half_is_believed(self, had: int, unseen: int):
        assert not is_suspicious(had=had, unseen=unseen)


class TestUsualBand:
    def test_says_nothing_before_eight_comparable_runs(self):
        assert usual_band([100] * (FEWEST - 1)) is None
        assert usual_band([100] * FEWEST) == Band(80, 120)

    def test_is_wider_where_numbers_vary(self):
        band = usual_band([80, 100, 120, 90, 110, 100, 70, 130])

        assert band == Band(40, 160)

    def test_never_excludes_what_was_never_in_doubt(self):
        band = usual_band([100] * 10 + [500, 0])

        assert band == Band(0, 500)

    def test_forgets_what_was_long_ago(self):
        band = usual_band([100] * MOST + [5_000] * MOST)

        assert band == Band(80, 120)

    def test_lets_small_numbers_differ_by_a_few(self):
        band = usual_band([3] * FEWEST)

        assert band == Band(0, 8)

    def test_holds_its_ends_and_nothing_beyond(self):
        band = Band(980, 1_410)

        assert [band.holds(value) for value in (979, 980, 1_410, 1_411)] == [False, True, True, False]
        assert str(band) == "980–1,410"
