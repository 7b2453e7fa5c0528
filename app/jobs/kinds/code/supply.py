"""Guards that wait for a run, born ahead of it: a run then starts without waiting for any process to be made."""

import os
import threading
import time
from collections import deque
from dataclasses import dataclass

from app.core.deadline import Deadline
from app.jobs.kinds.code.fork_server import ForkServer, can_run_functions
from app.jobs.kinds.code.lifeline import WorkerEnd, line

# Each is two processes, of 3.5 MiB together. Of many runs that start together the first ones find one.
MOST_WAITING = 6
# New ones are born once nothing has been started for a moment, so that their birth does not delay what starts; and
# under a load that leaves no such moment, after a longer one all the same.
CALM_SECONDS = 0.06
BUSY_SECONDS = 0.12


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
    """One per worker, which runs so many functions at once; safe to use from many threads."""

    def __init__(self, fork_server: ForkServer, *, slots: int) -> None:
        self.fork_server = fork_server
        self._wanted = min(slots, MOST_WAITING)
        self._waiting: deque[NewGuard] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def start(self) -> None:
        """Have the first ones born ahead of the first run."""
        with self._changed:
            if self._thread is None and not self._is_closed and can_run_functions():
                self.fork_server.start()
                self._thread = threading.Thread(target=self._refill, name="guard supply", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End those that wait, and what they come from. Runs that are going are not its business and go on."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self.fork_server.close()
        if self._thread is not None:
            self._thread.join()
        while self._waiting:
            self._waiting.pop().close()

    def take(self, *, is_again: bool = False) -> NewGuard:
        """A guard, which is the caller's from now on. Raises ForkServerAway when there is none to be had.

        Who asks again, because what it got was dead, gets a new one: of those that wait, all may be.
        """
        self.start()
        while not is_again and (guard := self._next_waiting()) is not None:
            # What comes first is the news of its birth, also from one that something has killed while it waited.
            if guard.lifeline.receive() and guard.lifeline.receive():
                return guard
            guard.close()
        return self._ask(is_ahead=False)

    def _next_waiting(self) -> NewGuard | None:
        with self._changed:
            self._changed.notify_all()
            return self._waiting.popleft() if self._waiting else None

    def _refill(self) -> None:
        while not self._is_closed:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or len(self._waiting) < self._wanted)
                busy = Deadline.after(BUSY_SECONDS)
                # Each that is taken begins the wait anew.
                while self._changed.wait(CALM_SECONDS) and not (self._is_closed or busy.has_passed):
                    pass
            self._bear()

    def _bear(self) -> None:
        while not self._is_closed and len(self._waiting) < self._wanted:
            try:
                guard = self._ask(is_ahead=True)
            except OSError:
                # Who needs one meanwhile asks too, and says why there is none.
                time.sleep(CALM_SECONDS)
            else:
                with self._changed:
                    self._waiting.append(guard)

    def _ask(self, *, is_ahead: bool) -> NewGuard:
        output, output_end = os.pipe()
        results, results_end = os.pipe()
        ours, theirs = line()
        guard = NewGuard(WorkerEnd(ours), output, results)
        try:
            self.fork_server.hand_over([theirs.fileno(), output_end, results_end], is_ahead=is_ahead)
        except OSError:
            guard.close()
            raise
        finally:
            theirs.close()
            os.close(output_end)
            os.close(results_end)
        return guard
