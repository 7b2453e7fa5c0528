"""Guards that wait for a run, born ahead of it: a run then starts without waiting for any process to be made."""

import os
import threading
from collections import deque
from dataclasses import dataclass

from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.lifeline import WorkerEnd, line

# Each costs a little memory. With two, also the second of two runs that start together finds one.
WAITING = 2


@dataclass(frozen=True)
class NewGuard:
    """A guard that has had no orders yet, and the pipes that its function will write to."""

    lifeline: WorkerEnd
    output: int
    results: int

    def close(self) -> None:
        """Let go of it. A guard that nobody holds ends, with everything below it."""
        self.lifeline.close()
        os.close(self.output)
        os.close(self.results)


class GuardSupply:
    """One per worker; safe to use from many threads."""

    def __init__(self, fork_server: ForkServer) -> None:
        self.fork_server = fork_server
        self._waiting: deque[NewGuard] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def start(self) -> None:
        """Have the first ones born ahead of the first run."""
        self.fork_server.start()

    def close(self) -> None:
        """End those that wait, and what they come from. Runs that are going are not its business and go on."""
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for guard in waiting:
            guard.close()
        self.fork_server.close()

    def take(self) -> NewGuard:
        """A guard, which is the caller's from now on. Raises ForkServerAway when there is none to be had."""
        while self._waiting:
            with self._lock:
                guard = self._waiting.popleft() if self._waiting else None
            if guard is not None and guard.lifeline.receive():
                return guard
            # Something has killed it while it waited.
            if guard is not None:
                guard.close()
        return self._ask()

    def refill(self) -> None:
        """Have others born for those that were taken. Where that is not possible now, the next run asks for its own."""
        while not self._is_closed and len(self._waiting) < WAITING:
            try:
                guard = self._ask(patience=0)
            except OSError:
                return
            with self._lock:
                if not self._is_closed and len(self._waiting) < WAITING:
                    self._waiting.append(guard)
                    continue
            guard.close()

    def _ask(self, **patience: float) -> NewGuard:
        output, output_end = os.pipe()
        results, results_end = os.pipe()
        ours, theirs = line()
        guard = NewGuard(WorkerEnd(ours), output, results)
        try:
            self.fork_server.hand_over([theirs.fileno(), output_end, results_end], **patience)
        except OSError:
            guard.close()
            raise
        finally:
            theirs.close()
            os.close(output_end)
            os.close(results_end)
        return guard
