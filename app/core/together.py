"""Questions that several threads ask at the same moment become one. Nobody waits for company."""

from collections.abc import Callable, Sequence
from copy import copy
from threading import Lock
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class _Place(Generic[Question, Answer]):
    """A thread that waits for its answer, or for its turn to ask."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answers: list[Answer] = []
        self.error: BaseException | None = None
        self.was_alone = False
        self.is_served = False
        self._called = Lock()
        self._called.acquire()

    def call(self) -> None:
        self._called.release()

    def wait(self) -> None:
        self._called.acquire()


class Together(Generic[Question, Answer]):
    """Whoever finds nobody asking asks at once. Who comes meanwhile is asked for together, by the first of them."""

    def __init__(
        self, ask_all: Callable[[Sequence[Question]], Sequence[Answer]], *, may_ask_alone: Callable[[Exception], bool]
    ) -> None:
        """`ask_all` has an answer for each. `may_ask_alone` says of a failure that asking again does no harm."""
        self._ask_all = ask_all
        self._may_ask_alone = may_ask_alone
        self._lock = Lock()
        self._waiting: list[_Place[Question, Answer]] = []
        self._is_asking = False

    def ask(self, question: Question) -> Answer:
        """The answer to this question. Raises what `ask_all` raises."""
        place: _Place[Question, Answer] = _Place(question)
        with self._lock:
            self._waiting.append(place)
            asks, self._is_asking = not self._is_asking, True
        if not asks:
            place.wait()
        if not place.is_served:
            self._serve_all()
        if place.error is None:
            return place.answers[0]
        if isinstance(place.error, Exception) and not place.was_alone and self._may_ask_alone(place.error):
            # One of them was refused, and that one alone is to bear it.
            return self._ask_all([question])[0]
        raise copy(place.error) from place.error

    def _serve_all(self) -> None:
        with self._lock:
            places, self._waiting = self._waiting, []
        try:
            for place, answer in zip(places, self._ask_all([place.question for place in places]), strict=True):
                place.answers.append(answer)
        except BaseException as error:  # noqa: BLE001 - each of them raises it
            for place in places:
                place.error, place.was_alone = error, len(places) == 1
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._is_asking = following is not None
        if following is not None:
            following.call()
        for place in places:
            place.is_served = True
            place.call()
