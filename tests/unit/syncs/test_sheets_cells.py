"""Numbers and texts come back from a spreadsheet as they were sent, and addresses are read as they are pasted."""

import json
import random
from decimal import Decimal

import pytest

from app.syncs.calls.fractions import Fraction
from app.syncs.sheets.a1 import Box, cell_name
from app.syncs.sheets.cells import NotExact, encode_row, number_cell, read_cell, text_cell
from app.syncs.sheets.marks import TabMark, refuse_title
from app.syncs.sheets.plan import read_plan
from app.syncs.signs.sheets import clean_spreadsheet_id
from app.syncs.signs.sign import AccountIdInvalid
from tests.fakes.providers.sheets.scenarios import BOOK

SEED = 20261122


class TestNumbers:
    @pytest.mark.parametrize(
        ("value", "cell"),
        [
            ("0", 0), ("-0.00", 0), ("12.50", 12.5), ("1000000", 1_000_000), ("0.000001", 0.000001),
            ("8999999999999.99", 8_999_999_999_999.99), ("-3.005", -3.005), ("1234567890.123456", 1234567890.12346),
        ],
    )  # fmt: skip
    def test_are_exact_or_exact_to_the_cent(self, value: str, cell: float) -> None:
        assert number_cell(Decimal(value)) == cell

    def test_come_back_to_the_last_digit(self) -> None:
        chance = random.Random(SEED)
        for _ in range(2_000):
            value = Decimal(chance.randrange(-(10**15) + 1, 10**15)).scaleb(-chance.randrange(0, 7))
            written = json.dumps(number_cell(value))
            assert Decimal(written) == value

    def test_that_would_be_wrong_to_the_cent_are_refused(self) -> None:
        with pytest.raises(NotExact):
            number_cell(Decimal("12345678901234.56"))

    def test_and_texts_that_look_like_them_are_told_apart(self) -> None:
        assert encode_row([read_cell(Fraction("12.5"))]) != encode_row([read_cell("12.5")])
        assert encode_row([read_cell(Fraction("12.0"))]) == encode_row([read_cell(12)])


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "cell"), [("=A1", "=A1"), ("a\nb\tc", "a b c"), ("  x ", "x"), ("\x00\u2028", ""), ("Été 🏖", "Été 🏖")]
    )
    def test_stand_in_one_line(self, text: str, cell: str) -> None:
        assert text_cell(text) == cell


class TestNames:
    @pytest.mark.parametrize(("column", "name"), [(0, "A1"), (25, "Z1"), (26, "AA1"), (701, "ZZ1"), (702, "AAA1")])
    def test_of_cells(self, column: int, name: str) -> None:
        assert cell_name(0, column) == name

    def test_of_ranges_hold_any_title(self) -> None:
        assert Box(1, 0, 6, 4).range_of("Spend '26! 🏖") == "'Spend ''26! 🏖'!A2:D6"

    @pytest.mark.parametrize("title", ["", " ", " x", "x\n", "x" * 101])
    def test_that_no_tab_can_have(self, title: str) -> None:
        assert refuse_title(title)


class TestMarks:
    def test_come_back(self) -> None:
        mark = TabMark("job", 7, "Spend", ("Day", "Spend €"), 12, "ab")

        assert TabMark.read(mark.text) == mark

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"job": 1, "headings": [], "rows": 1, "sheet": 1}', "[" * 9_999])
    def test_that_cannot_be_read_are_nobodys(self, text: str) -> None:
        assert TabMark.read(text) is None


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            BOOK,
            f" {BOOK} ",
            f"https://docs.google.com/spreadsheets/d/{BOOK}/edit#gid=0",
            f"https://docs.google.com/spreadsheets/d/{BOOK}/edit?usp=sharing",
            f"https://docs.google.com/spreadsheets/u/1/d/{BOOK}",
            f"docs.google.com/spreadsheets/d/{BOOK}/",
        ],
    )
    def test_name_a_spreadsheet(self, text: str) -> None:
        assert clean_spreadsheet_id(text) == BOOK

    @pytest.mark.parametrize(
        "text",
        [
            "", "Marketing KPIs", "https://evil.example/spreadsheets/d/" + BOOK, BOOK + "/../x", "x" * 200,
            "https://docs.google.com/document/d/" + BOOK, "https://docs.google.com/spreadsheets/d/e/2PACX-1v/pub",
        ],
    )  # fmt: skip
    def test_that_name_none_are_refused(self, text: str) -> None:
        with pytest.raises(AccountIdInvalid):
            clean_spreadsheet_id(text)


class TestPlans:
    @pytest.mark.parametrize(
        ("changed", "field"),
        [
            ({"source": "x"}, "push.source"), ({"metrics": []}, "push.metrics"), ({"metrics": "spend"}, "push.metrics"),
            ({"metrics": [["spend"]]}, "push.metrics"), ({"level": "ad"}, "push.level"), ({"level": []}, "push.level"),
            ({"grain": "hour"}, "push.grain"), ({"days": 0}, "push.days"), ({"days": True}, "push.days"),
            ({"days": "9"}, "push.days"), ({"tab": None}, "push.tab"), ({"other": 1}, "push.other"),
            ({"metrics": ["reach"], "grain": "month"}, "push.grain"),
        ],
    )  # fmt: skip
    def test_name_the_field_that_is_wrong(self, changed: dict[str, object], field: str) -> None:
        good = {"source": "01a20475-2ac8-7157-bfc2-08ddef239707", "metrics": ["spend"], "tab": "Spend"}
        problems: dict[str, str] = {}

        assert read_plan(good, {}) is not None
        assert read_plan(good | changed, problems) is None
        assert list(problems) == [field]
