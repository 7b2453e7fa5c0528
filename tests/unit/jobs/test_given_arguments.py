"""Arguments that somebody sees masked and sends back."""

from typing import Any

import pytest

from app.jobs.given_arguments import unmasked
from app.jobs.kinds.base import DefinitionInvalid
from app.tenants.audit_masks import MASK, masked

STORED = {
    "password": "hunter2",
    "pin": 4711,
    "url": "https://ada:pw@example.com/",
    "options": {"token": "t-1", "rows": 5},
    "parts": [{"secret": "a"}, {"secret": "b"}],
    "rows": 5,
}


def test_stay_what_is_stored_where_they_were_left_alone() -> None:
    assert unmasked(masked("", STORED), STORED) == STORED


def test_stay_within_an_object_of_which_something_else_was_changed() -> None:
    given = {"options": {"token": MASK, "rows": 6}, "parts": [{"secret": MASK}, {"secret": "new"}]}

    assert unmasked(given, STORED) == {
        "options": {"token": "t-1", "rows": 6},
        "parts": [{"secret": "a"}, {"secret": "new"}],
    }


def test_are_replaced_by_what_was_typed() -> None:
    given = {"password": "new", "pin": "1", "url": "https://example.com/", "rows": 7}

    assert unmasked(given, STORED) == given


@pytest.mark.parametrize(
    "given", [{"password": f"{MASK}x"}, {"other": MASK}, {"rows": MASK}, {"options": {"key": [MASK]}}]
)
def test_are_refused_where_the_mask_stands_for_nothing(given: dict[str, Any]) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        unmasked(given, STORED)

    assert list(refused.value.problems) == [f"arguments.{next(iter(given))}"]
