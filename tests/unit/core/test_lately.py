import contextlib
from datetime import UTC, datetime, timedelta

from app.core.lately import Lately

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TEN = timedelta(seconds=10)


class TestAnAnswer:
    def test_is_read_once_and_believed_for_its_time(self) -> None:
        lately: Lately[str, int] = Lately(believed=TEN, most=5)
        answers = iter(range(10))
        said = [
            lately.look_up("a", now=NOW + timedelta(seconds=after), read=lambda: next(answers)) for after in (0, 9, 10)
        ]
        assert said == [0, 0, 1]

    def test_is_not_kept_alive_by_a_clock_that_was_set_back(self) -> None:
        lately: Lately[str, int] = Lately(believed=TEN, most=5)
        lately.look_up("a", now=NOW, read=lambda: 1)
        assert lately.look_up("a", now=NOW - timedelta(hours=1), read=lambda: 2) == 2

    def test_of_one_key_is_no_answer_for_another(self) -> None:
        lately: Lately[str, int] = Lately(believed=TEN, most=5)
        lately.look_up("a", now=NOW, read=lambda: 1)
        assert lately.look_up("b", now=NOW, read=lambda: 2) == 2

    def test_makes_room_for_newer_ones(self) -> None:
        lately: Lately[int, str] = Lately(believed=TEN, most=2)
        for key in range(3):
            lately.look_up(key, now=NOW, read=lambda: "old")
        assert [lately.look_up(key, now=NOW, read=lambda: "new") for key in (2, 1, 0)] == ["old", "old", "new"]

    def test_that_failed_is_asked_for_again(self) -> None:
        lately: Lately[str, float] = Lately(believed=TEN, most=5)
        with contextlib.suppress(ZeroDivisionError):
            lately.look_up("a", now=NOW, read=lambda: 1 / 0)
        assert lately.look_up("a", now=NOW, read=lambda: 2) == 2
