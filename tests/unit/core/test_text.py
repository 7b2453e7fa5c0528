"""Texts from outside, shortened to be shown."""

import pytest

from app.core.text import first_words


class TestFirstWords:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            (None, ""),
            ("  \n The shop\nTraceback", "The shop"),
            ("The shop did not answer", "The shop did…"),
            ("https://shop.example.com", "https://shop.ex…"),
            ("a\x1b[31mb", r"a\x1b[31mb"),
        ],
    )
    def test_are_of_the_first_line_cut_at_a_word(self, text: str | None, shown: str) -> None:
        assert first_words(text, longest=15) == shown
