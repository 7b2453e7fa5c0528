"""Figures in words: never rounded, with their currency, and no percentage of nothing."""

from decimal import Decimal

import pytest

from app.syncs.amounts import amount, change_words, flag_words, percent_words, share_of


class TestAmount:
    @pytest.mark.parametrize(
        ("value", "currency", "expected"),
        [
            ("1234.5", "EUR", "1,234.50 EUR"), ("1500", "JPY", "1,500 JPY"), ("1.5", "KWD", "1.500 KWD"),
            ("4212", None, "4,212"), ("-3", "EUR", "−3.00 EUR"), ("0", "EUR", "0.00 EUR"),
            ("0.000001", "EUR", "0.000001 EUR"), ("12.5", "JPY", "12.5 JPY"),
            ("180000000000000000000", "EUR", "180,000,000,000,000,000,000.00 EUR"),
        ],
    )  # fmt: skip
    def test_has_the_places_of_its_currency_and_all_that_it_needs(
        self, value: str, currency: str | None, expected: str
    ):
        assert amount(Decimal(value), currency) == expected

    def test_has_a_sign_where_it_is_a_change(self):
        assert amount(Decimal("46.5"), "EUR", sign=True) == "+46.50 EUR"


class TestChange:
    @pytest.mark.parametrize(
        ("before", "now", "expected"),
        [
            ("100", "146.5", "up 46.50 EUR (+46.5%)"), ("100", "50", "down 50.00 EUR (−50.0%)"),
            ("7", "7", "the same"), ("0", "0", "the same"), ("0", "5", "up 5.00 EUR (no percentage: it was 0 before)"),
            ("-10", "10", "up 20.00 EUR (+200.0%)"), ("1", "100", "up 99.00 EUR (over +1,000%)"),
        ],
    )  # fmt: skip
    def test_is_told_in_words(self, before: str, now: str, expected: str):
        assert change_words(Decimal(before), Decimal(now), "EUR") == expected

    def test_of_percent_has_a_true_minus(self):
        assert percent_words(Decimal("-0.5")) == "−0.5%"


class TestShare:
    @pytest.mark.parametrize(
        ("value", "total", "expected"),
        [("1", "3", "33.3"), ("0", "3", "0.0"), ("1", "0", None), ("-1", "3", None), ("4", "3", None)],
    )
    def test_says_nothing_where_a_part_is_more_than_the_whole(self, value: str, total: str, expected: str | None):
        share = share_of(Decimal(value), Decimal(total))

        assert share == (None if expected is None else Decimal(expected))


def test_a_flag_that_is_new_here_is_shown_as_it_is():
    assert flag_words("brand_new") == "brand new"
