"""How a function says when it is to be tried again."""

from datetime import UTC, datetime, timedelta

import pytest

from app.jobs.code import RetryLater


def test_a_moment_is_as_good_as_a_number_of_seconds() -> None:
    later = RetryLater("Closed.", at=datetime.now(UTC) + timedelta(minutes=5))

    assert later.seconds == pytest.approx(300, abs=5)


@pytest.mark.parametrize("seconds", [-5, 0, float("nan")])
def test_what_is_over_is_now(seconds: float) -> None:
    assert RetryLater("Closed.", seconds=seconds).seconds == 0


def test_it_has_to_say_when() -> None:
    with pytest.raises(ValueError, match="Say when to try again"):
        RetryLater("Closed.")
