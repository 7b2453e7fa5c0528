"""What is remembered of days that can never be had."""

from datetime import date

import pytest

from app.syncs.days import DayRange
from app.syncs.freshness import freshness_words
from app.syncs.lost_days import lost_days, with_lost

LOST = DayRange(date(2022, 1, 11), date(2023, 10, 31))
ONE = DayRange(date(2019, 5, 1), date(2019, 5, 1))


def test_is_read_as_it_was_written_beside_what_the_reader_noted():
    mark = with_lost({"read_until": "then"}, [ONE, LOST])

    assert (lost_days(mark), mark["read_until"]) == ((ONE, LOST), "then")


@pytest.mark.parametrize("mark", [None, {}, {"lost_days": 5}, {"lost_days": [["2022-01-11"]]}, {"lost_days": ["x"]}])
def test_is_nothing_where_it_cannot_be_read(mark):
    assert lost_days(mark) == ()


def test_is_said_with_how_new_the_figures_are():
    words = freshness_words(None, data_through=date(2026, 11, 19), zone="Europe/Riga", lost=[ONE, LOST])

    assert words == (
        "data through 2026-11-19 · nothing is promised · 2019-05-01, 2022-01-11 to 2023-10-31 cannot be had any more"
    )
