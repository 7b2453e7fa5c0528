"""What a worker does: follow hints, execute runs, let the next ones come, and leave them to others when it stops."""

import logging
from uuid import UUID

from app.core.troubles import Trouble
from app.ops.pulse import Pulse
from app.queue.dispatch import Dispatcher
from app.queue.scheduler import Scheduler
from app.queue.slots import Slots
from app.runs.executor import Executor
from app.worker.ending import Ending
from app.worker.parts import Parts

log = logging.getLogger(__name__)


class Work:
    """What the tasks of a worker lead to, and what becomes of it when the worker stops."""

    scheduler: Scheduler
    dispatcher: Dispatcher

    def __init__(self, parts: Parts, executor: Executor, slots: Slots) -> None:
        self._parts = parts
        self._executor = executor
        self._slots = slots
        self._trouble = Trouble(log, "following hints")

    def connect(self, dispatcher: Dispatcher, pulse: Pulse) -> None:
        """Tasks need the dispatcher, whose hints need the tasks: so it is handed in second."""
        self.dispatcher = dispatcher
        self.scheduler = self._parts.scheduler(dispatcher, pulse)

    def follow_hint(self, run_id: UUID) -> None:
        """Execute a run on one of the slots, which the finder uses too. A worker that stops leaves it to others."""
        # Mostly the database is what fails. It may be away for minutes, with a hint for every run that waits.
        with self._trouble.absorbing() as go, self._slots.taken() as has_slot:
            go.was_made = has_slot and (self.execute(run_id) or self._parts.schema.is_current())

    def execute(self, run_id: UUID) -> bool:
        """Execute a run, then let the next one come. A database that is not ready yet keeps its runs."""
        if not self._parts.schema.is_current():
            return False
        was_executed = self._executor.execute(run_id)
        self.dispatcher.dispatch_in_time()
        return was_executed

    def tick(self) -> None:
        """huey's tick, beside the scheduler's own."""
        with self._trouble.absorbing() as go:
            self.scheduler.tick()
            go.was_made = self._parts.schema.is_current()

    def end(self, ending: Ending) -> None:
        """Let what still runs end in its time, and give what did not to other workers, or to the next start."""
        # The consumer knows of the runs that hints led to; the finder's are waited for as well.
        self._slots.wait_until_idle(ending.seconds_left)
        # A call that nobody answers cannot be interrupted; its run is given to others all the same.
        self._executor.hand_back()
        self.dispatcher.close()
