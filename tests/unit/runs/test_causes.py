"""What is left of an error when chance is taken out of it."""

import pytest

from app.runs.causes import CAUSE_LENGTH, cause_of, cause_words, is_cause

SAME = [
    ("Order 4711 has 3 lines too many.", "Order 12 has 1,204 lines too many."),
    ("Row 0190b6a2-5c1e-7cc0-98a4-1f0e6d3b2a10 is gone.", "Row 0190b6a2-ffff-7cc0-98a4-1f0e6d3b2a11 is gone."),
    ("KeyError: 'order-771'", "KeyError: 'order-772'"),
    ("No sheet called “January”.", "No sheet called “February 2027”."),
    ("At 2027-01-05 12:00:01 UTC nobody was there.", "At 2027-02-06T09:30:00Z nobody was there."),
    (
        "GET https://shop.example.com/orders?page=17 timed out.",
        "GET https://shop.example.com/orders?page=18 timed out.",
    ),
    (
        "Worker shop-1:4711:9f3a2b stopped reporting while this ran.",
        "Worker shop-2:31:00aa11 stopped reporting while this ran.",
    ),
    ("ana@example.com gave it up after 1 of 3 tries. The shop did not answer.", "The shop did not answer."),
    ("The token abc123def456 is over.", "The token 99zz88yy77xx is over."),
    ("The shop did not answer.\nTrace 1", "The shop did not answer.\nTrace 2"),
]
OTHER = [
    ("RateLimitError: Meta (#17)", "RateLimitError: Meta (#190)"),
    ("The call answered 404.", "The call answered 503."),
    ("It ended with exit status 1.", "It ended with exit status 137."),
    ("GET https://shop.example.com/a failed.", "GET https://bank.example.com/a failed."),
    ("The shop did not answer.", "The shop did not understand."),
    ("The shop doesn't answer and that isn't new.", "The shop doesn't ask and that isn't new."),
]
HOSTILE = [
    "a-" * 5_000,
    "a@" * 5_000,
    "'a " * 5_000,
    "“" * 9_000,
    "1:" * 9_000,
    "\x00\ud800",
    "http://" * 2_000,
    "𝟙" * 99,
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_of_chance_nothing_is_left(one: str, other: str) -> None:
    assert cause_words(one) == cause_words(other)
    assert cause_of(one) == cause_of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_what_tells_errors_apart_stays(one: str, other: str) -> None:
    assert cause_of(one) != cause_of(other)


@pytest.mark.parametrize("error", [*HOSTILE, "", None])
def test_every_text_has_a_cause_of_one_length(error: str | None) -> None:
    found = cause_of(error)

    assert is_cause(found)
    assert len(found) == CAUSE_LENGTH


@pytest.mark.parametrize("text", ["", "0f0497af5c9745f", "0F0497AF5C9745F2", "0f0497af5c9745f2 ", "' OR 1=1 --------"])
def test_only_a_mark_is_one(text: str) -> None:
    assert not is_cause(text)
