"""What a search finds in what a run was to do."""

import json

import pytest

from app.runs.definition_search import SeenTexts, seen_text
from app.tenants.audit_masks import MASK

SAID = {
    "function": "shop.prices",
    "arguments": {
        "city": "Rīga",
        "path": "C:\\data\\in",
        "note": 'say "hi"',
        "rows": 4711,
        "password": "hunter2-xyz",
        "options": {"api_key": "sk-live-1", "Depth": [1, 2]},
        "url": "https://ada:sesame@example.com/x",
    },
    "chosen": {"password": "hunter2-xyz"},
}


def holds(stored: str | None, typed: str) -> bool:
    return typed.casefold() in seen_text(stored)


@pytest.mark.parametrize(
    "typed",
    ["Rīga", "RĪGA", "c:\\DATA", 'say "hi"', "4711", "shop.prices", "password", "depth", "ada:", "example.com/x"],
)
def test_values_and_names_of_parameters_are_found(typed: str) -> None:
    assert holds(json.dumps(SAID), typed)
    assert holds(json.dumps(SAID, ensure_ascii=False), typed)


@pytest.mark.parametrize("typed", ["hunter2-xyz", "hunter", "sk-live", "sesame", MASK, MASK[0]])
def test_what_is_masked_is_not(typed: str) -> None:
    assert not holds(json.dumps(SAID), typed)


@pytest.mark.parametrize("typed", ["arguments", "function", "chosen", "u012b", "},"])
def test_neither_are_the_keys_and_signs_of_the_definition(typed: str) -> None:
    assert not holds(json.dumps(SAID), typed)


def test_the_value_of_a_header_that_is_called_like_a_secret_is_not() -> None:
    steps = {"steps": [{"headers": [{"name": "X-Access-Token", "value": "abc-1"}, {"name": "Accept", "value": "xml"}]}]}

    assert [holds(json.dumps(steps), typed) for typed in ("abc-1", "xml", "X-Access")] == [False, True, True]


def test_nothing_is_found_across_two_values() -> None:
    steps = json.dumps({"steps": [{"name": "one"}, {"name": "two"}]})

    assert [holds(steps, typed) for typed in ("one", "two", "onetwo", "one two")] == [True, True, False, False]


@pytest.mark.parametrize("stored", [None, "", "{", "[1]", '"text"', "[" * 100_000, '{"a":' * 900 + "1" + "}" * 900])
def test_what_cannot_be_read_holds_nothing(stored: str | None) -> None:
    assert not holds(stored, "1")


class TestSeenTexts:
    def test_keeps_those_that_were_asked_for_last(self) -> None:
        texts = SeenTexts(most=30)
        for number in range(3):
            texts.keep(bytes([number]), "a" * 9)
        texts.get(b"\0")

        texts.keep(b"\3", "b" * 9)

        assert [texts.get(bytes([number])) is None for number in range(4)] == [False, True, False, False]

    def test_keeps_none_that_is_more_than_all_may_be(self) -> None:
        texts = SeenTexts(most=30)

        texts.keep(b"large", "a" * 30)

        assert texts.get(b"large") is None

    def test_counts_one_that_is_kept_again_once(self) -> None:
        texts = SeenTexts(most=30)
        texts.keep(b"first", "a" * 10)

        for _ in range(3):
            texts.keep(b"again", "b" * 10)

        assert texts.get(b"first") is not None
