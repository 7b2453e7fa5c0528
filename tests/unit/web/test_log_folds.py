"""Which lines of a log are folded away."""

import traceback

import pytest

from app.web.pages.log_folds import FEWEST_FOLDED, find_folds

FRAME = ['  File "shop.py", line 4, in fetch', "    return call()", "           ^^^^^^"]
BEGIN = "Traceback (most recent call last):"
LONG = [BEGIN, *FRAME, *FRAME, "ShopError: no such shop"]


def really_raised(depth: int) -> list[str]:
    def fail(left: int) -> None:
        if left:
            fail_again(left)
        raise ValueError("no such shop")

    def fail_again(left: int) -> None:
        try:
            fail(left - 1)
        except ValueError as error:
            raise LookupError("nothing found") from error

    try:
        fail(depth)
    except LookupError:
        return traceback.format_exc().splitlines()
    raise AssertionError


def test_everything_between_the_first_and_the_last_line_of_a_traceback() -> None:
    assert find_folds(["before", *LONG, "after"]) == [range(2, 8)]


def test_a_short_one_is_left_as_it_is() -> None:
    frame = [f"  {number}" for number in range(FEWEST_FOLDED)]

    assert find_folds([BEGIN, *frame[1:], "Stop"]) == []
    assert find_folds([BEGIN, *frame, "Stop"]) == [range(1, FEWEST_FOLDED + 1)]


def test_errors_of_one_another_are_one() -> None:
    texts = really_raised(3)

    assert find_folds(texts) == [range(1, len(texts) - 1)]


def test_two_that_have_nothing_to_do_with_each_other_are_two() -> None:
    assert find_folds([*LONG, *LONG]) == [range(1, 7), range(9, 15)]


def test_indented_ones_are_folded_too() -> None:
    assert find_folds([f"    {text}" for text in LONG]) == [range(1, 7)]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        LONG[:-1],
        LONG[1:],
        [*LONG[:-1], "and then something else went on"],
        [*LONG[:-1], ""],
        ["It said: " + BEGIN, *LONG[1:]],
        [BEGIN] * 20,
        ["  indented"] * 20,
    ],
    ids=["nothing", "no-end", "no-beginning", "no-error", "blank", "quoted", "beginnings", "indented"],
)
def test_what_is_no_whole_traceback_is_left_as_it_is(texts: list[str]) -> None:
    assert find_folds(texts) == []


def test_a_hostile_log_is_read_in_one_go() -> None:
    texts = [BEGIN + " " * 8_000, " " * 8_000, "A." * 4_000] * 300

    assert find_folds(texts) == []
