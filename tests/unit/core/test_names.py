"""What a name may hold."""

import pytest

from app.core.names import NameInvalid, clean_name, visible, without_controls


def cleaned(text: str) -> str:
    return clean_name(text, noun="job", longest=10)


class TestCleanName:
    @pytest.mark.parametrize("text", ["Nightly", "Ночью", "夜間", "👩\u200d💻 run", "a - “b”", "x" * 10])
    def test_takes_what_can_be_shown(self, text: str) -> None:
        assert cleaned(f" {text}\n") == text

    @pytest.mark.parametrize(
        "letter",
        ["\x00", "\n", "\t", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\u2028", "\ud800", "\ue000",
         "\uffff", "\u200b", "\ufeff", "\u061c"],
    )  # fmt: skip
    def test_refuses_what_steers_a_terminal_or_a_page(self, letter: str) -> None:
        with pytest.raises(NameInvalid, match="contains characters that cannot be shown") as refused:
            cleaned(f"a{letter}b")

        assert refused.value.field == "name"

    @pytest.mark.parametrize(("text", "message"), [(" ", "Give the job a name."), ("x" * 11, "at most 10 characters")])
    def test_says_what_is_wrong_with_the_length(self, text: str, message: str) -> None:
        with pytest.raises(NameInvalid, match=message):
            cleaned(text)


def test_texts_keep_their_lines_without_control_characters() -> None:
    assert without_controls("a\x1b[31m\tb\r\nc\x00\x85") == "a[31m\tb\nc"


class TestVisible:
    @pytest.mark.parametrize("text", ["Plain", "two\nlines\tand a tab", "👩\u200d💻 – “naïve”\u00a0夜", ""])
    def test_leaves_what_steers_nothing(self, text: str) -> None:
        assert visible(text) == text

    def test_writes_out_orders_directions_and_what_nobody_sees(self) -> None:
        text = "\x1b[2J\x00 \u202e\u061c \u200b\ufeff \u2028 \ud800"

        assert visible(text) == r"\x1b[2J\x00 \u202e\u061c \u200b\ufeff \u2028 \ud800"

    def test_does_so_once(self) -> None:
        assert visible(visible("\x1b")) == r"\x1b"
