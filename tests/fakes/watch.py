"""The attempt around a read: its waits move the clock of the fakes instead of taking time."""

from datetime import datetime

from app.syncs.calls.client import ReadStopped
from tests.fakes.providers.world import World

LONGEST_PAUSE = 60


class FakeWatch:
    """Keeps lines and waits. With `calls` it stops the read before the call after so many."""

    def __init__(self, world: World, *, calls: int | None = None) -> None:
        self.lines: list[str] = []
        self.pauses: list[float] = []
        self._world = world
        self._calls_left = calls

    def now(self) -> datetime:
        return self._world.now

    def go_on(self) -> None:
        if self._calls_left is not None:
            if self._calls_left == 0:
                raise ReadStopped
            self._calls_left -= 1

    def pause(self, seconds: float) -> None:
        assert seconds <= LONGEST_PAUSE, f"a worker would hold its slot for {seconds} s"
        self.pauses.append(seconds)
        self._world.advance(seconds=seconds)

    def log(self, text: str) -> None:
        self.lines.append(text)
