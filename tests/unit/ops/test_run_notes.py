"""How long a run took, told against what is usual."""

from datetime import timedelta

import pytest

from app.ops.run_notes import against_usual


@pytest.mark.parametrize(
    ("took", "usual", "words"),
    [
        (41.0, 19.5, "2.1×"),
        (20.0, 19.5, ""),
        (5.0, 20.0, "0.2×"),
        (0.9, 0.2, ""),
        (3600.0, 10.0, "360×"),
        (41.0, None, ""),
        (None, 19.5, ""),
        (41.0, 0.0, ""),
    ],
)
def test_only_what_stands_out_is_told(took: float | None, usual: float | None, words: str) -> None:
    lengths = [None if each is None else timedelta(seconds=each) for each in (took, usual)]

    assert against_usual(*lengths) == words
