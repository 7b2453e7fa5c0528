"""What tells workers which runs to look at. Knows nothing of what carries hints until there is one to send."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any

from app.queue.called import Called
from app.queue.link import BrokerAway, Errand


@dataclass(frozen=True)
class Line:
    """A carrier (see broker.py) and the one task that it carries."""

    carrier: Any
    task: Any


class Hints:
    """Tells workers which runs to look at. Losing a hint costs time and nothing else."""

    def __init__(self, make: Callable[[], Line]) -> None:
        self._make = make
        self._making = Lock()

    @cached_property
    def _line(self) -> Line:
        with self._making:
            # Whoever waited finds it made.
            line: Line = self.__dict__.get("_line") or self.__dict__.setdefault("_line", self._make())
            return line

    def send(self, called: list[Called]) -> None:
        """Each in its queue. Raises BrokerAway; then it is open whether any were taken."""
        if not called:
            return
        carrier, task = self._line.carrier, self._line.task
        messages = [(one.queue, carrier.serialize_task(task.s(run_id=str(one.run_id)))) for one in called]
        with carrier.link.asking_unless_away(Errand.GIVE):
            carrier.storage.send_hints(messages)

    @property
    def is_away(self) -> bool:
        """Whether the broker failed or refused the last that was asked of it."""
        return "_line" in self.__dict__ and bool(self._line.carrier.link.is_away)

    def lying(self, names: Collection[str]) -> dict[str, int]:
        """How many hints lie in each of these queues. Raises BrokerAway."""
        with self._line.carrier.link.asking_unless_away(Errand.COUNT):
            return dict(self._line.carrier.storage.count_hints(names))

    def waiting(self) -> int:
        """How many hints no worker has taken yet. Raises BrokerAway."""
        with self._line.carrier.link.asking_unless_away(Errand.COUNT):
            return int(self._line.carrier.pending_count())

    def problem(self) -> str | None:
        """What is wrong with the broker, for people; None when it answers. Never takes longer than a moment."""
        try:
            self.waiting()
        except BrokerAway as error:
            return error.message
        refusal: str | None = self._line.carrier.link.refusal
        return refusal
