"""What takes hints off the queue and works on them: huey's consumer, in our manners."""

import logging
import signal
from collections.abc import Callable
from datetime import datetime
from typing import Any

from huey import Huey
from huey.consumer import Consumer, Worker

from app.core.troubles import Trouble
from app.queue.slots import Slots

log = logging.getLogger(__name__)

# How long a thread waits for a free slot before it looks whether it has to stop.
LOOK_SECONDS = 0.5


class SlotWorker(Worker):  # type: ignore[misc]
    """A thread that takes no hint while every slot is busy: another worker may have a free one."""

    def __init__(self, *args: Any, slots: Slots, trouble: Trouble, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slots = slots
        self._trouble = trouble

    def loop(self, now: datetime | None = None) -> None:
        has_looked = False
        # The broker's failures and the tasks' own are dealt with where they arise. Nothing may end this thread.
        with self._trouble.absorbing():
            with self._slots.watched(LOOK_SECONDS) as may_look:
                task = self.huey.dequeue() if may_look else None
            if task is not None:
                self.huey.execute(task, now)
            has_looked = True
        if not has_looked:
            self.stop_flag.wait(LOOK_SECONDS)


class GracefulConsumer(Consumer):  # type: ignore[misc]
    """huey's consumer, for which Ctrl-C is as gentle as a service manager's stop."""

    def __init__(self, *args: Any, slots: Slots, on_stop: Callable[[], None], **kwargs: Any) -> None:
        # Needed before huey's own: its constructor makes the threads.
        self._slots = slots
        self._trouble = Trouble(log, "following hints")
        super().__init__(*args, graceful_signal="TERM", **kwargs)
        self._on_stop = on_stop
        self._signal_actions[self._interrupt_sig] = (False, True)

    def stop(self, graceful: bool = False) -> None:
        """Take no further hints, and let what runs know that it has to come to an end."""
        self._slots.close()
        self._on_stop()
        super().stop(graceful)

    def _handle_signal(self, signum: int, frame: object) -> None:
        super()._handle_signal(signum, frame)
        # huey lets the second Ctrl-C break off whatever the main thread does by then. The stop has its time already.
        signal.signal(signum, self._handle_signal)

    def _create_worker(self) -> SlotWorker:
        return SlotWorker(
            huey=self.huey,
            stop_flag=self.stop_flag,
            default_delay=self.default_delay,
            max_delay=self.max_delay,
            backoff=self.backoff,
            slots=self._slots,
            trouble=self._trouble,
        )


def make_consumer(
    huey: Huey, *, threads: int, slots: Slots, periodic: bool, stop_seconds: int, on_stop: Callable[[], None]
) -> GracefulConsumer:
    """What takes hints and works on them, in so many threads."""
    return GracefulConsumer(
        huey,
        workers=threads,
        slots=slots,
        periodic=periodic,
        health_check_interval=1,
        shutdown_timeout=stop_seconds,
        on_stop=on_stop,
    )
