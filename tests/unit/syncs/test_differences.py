"""What a fetch says otherwise than the table does."""

from datetime import date
from decimal import Decimal

import pytest

from app.syncs.differences import Change, FigureKey, KeptFigure, find_differences, flags_text
from app.syncs.figures import FigureInvalid, Metric, QualityFlag
from tests.factories.figures import campaign, figure

DAY = date(2026, 11, 19)
AUTUMN = campaign("1")
SPEND = figure(DAY, AUTUMN, Metric.SPEND, "11.97")
KEY = FigureKey(Metric.SPEND, DAY, "1")
NONE: frozenset[QualityFlag] = frozenset()


def kept(value: str = "11.97", *, flags: str = "", is_live: bool = True) -> dict[FigureKey, KeptFigure]:
    return {KEY: KeptFigure(Decimal(value), "EUR", flags, is_live)}


class TestDifferences:
    def test_there_are_none_where_both_say_the_same(self):
        found = find_differences(kept("11.970"), [SPEND], flags=NONE)

        assert (found.writes, found.changes, found.unseen) == ([], [], [])

    def test_a_figure_that_is_new_appeared(self):
        found = find_differences({}, [SPEND], flags=NONE)

        assert [write.figure for write in found.writes] == [SPEND]
        assert found.changes == [Change(KEY, None, Decimal("11.97"), "EUR")]

    def test_another_number_is_a_change_from_the_old_one(self):
        found = find_differences(kept("10"), [SPEND], flags=NONE)

        assert found.changes == [Change(KEY, Decimal(10), Decimal("11.97"), "EUR")]

    def test_what_had_vanished_appears_again_from_nothing(self):
        found = find_differences(kept(is_live=False), [SPEND], flags=NONE)

        assert found.changes == [Change(KEY, None, Decimal("11.97"), "EUR")]

    def test_other_flags_are_written_and_change_no_number(self):
        found = find_differences(kept(), [SPEND], flags=frozenset({QualityFlag.SAMPLED}))

        assert [write.flags for write in found.writes] == ["sampled"]
        assert found.changes == []

    def test_what_was_not_fetched_is_unseen_unless_it_had_vanished(self):
        found, gone = (find_differences(kept(is_live=is_live), [], flags=NONE) for is_live in (True, False))

        assert found.unseen == [Change(KEY, Decimal("11.97"), None, "EUR")]
        assert gone.unseen == []

    def test_the_same_figure_twice_is_refused(self):
        with pytest.raises(FigureInvalid, match="twice"):
            find_differences({}, [SPEND, SPEND], flags=NONE)


def test_flags_are_the_same_text_in_any_order() -> None:
    both = {QualityFlag.TRUNCATED, QualityFlag.SAMPLED}

    assert flags_text(both, [QualityFlag.SAMPLED]) == "sampled,truncated"
