"""How far a run has come, in words, and made to fit the database whatever a job says."""

import pytest

from app.runs.progress import LONGEST_TEXT, Progress


@pytest.mark.parametrize(
    ("progress", "words"),
    [
        (Progress(40, 100, "Orders"), "40 of 100 (40 %): Orders"),
        (Progress(1_200), "1,200"),
        (Progress(0, 0, "Nothing to do"), "0 of 0: Nothing to do"),
        (Progress(12, 10), "12 of 10 (100 %)"),
    ],
)
def test_is_said_in_figures_and_words(progress: Progress, words: str) -> None:
    assert str(progress) == words


def test_is_made_to_fit() -> None:
    said = Progress.said(-3, 10**30, "two\nlines \x00" + "x" * 500)

    assert (said.done, said.total) == (0, 2**63 - 1)
    assert said.text.startswith("two lines x")
    assert len(said.text) == LONGEST_TEXT


@pytest.mark.parametrize(("given", "kept"), [("nan", 0), ("inf", 2**63 - 1), ("-inf", 0), ("2.9", 2)])
def test_of_no_whole_number_is_made_one(given: str, kept: int) -> None:
    said = Progress.said(float(given), float(given), "")  # type: ignore[arg-type]

    assert (said.done, said.total) == (kept, kept)
