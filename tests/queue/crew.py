"""A worker in threads of the test, of the parts that the worker process is made of."""

import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.core.config import Settings
from app.jobs.kinds.base import KindName, Outcome, RunContext
from app.queue.broker import make_huey
from app.queue.consumer import make_consumer
from app.queue.slots import Slots
from app.queue.tasks import make_tasks
from app.worker.parts import Parts
from app.worker.work import Work
from tests.fakes.kind import ScriptedKind

PATIENCE_SECONDS = 20


class GatedKind(ScriptedKind):
    """Its runs end when the gate is open. Shared by several workers, it sees whether one runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.gate.set()

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        outcome = super().run(definition, context)
        self.gate.wait(PATIENCE_SECONDS)
        return outcome


class Crew:
    """One worker, whose consumer and finder start when they are told to."""

    def __init__(
        self, settings: Settings, kind: GatedKind, *, name: str, slots: int, queues: Collection[str] | None = None
    ) -> None:
        settings = replace(settings, workers=slots)
        self.slots = Slots(slots)
        self.parts = replace(
            Parts.from_settings(settings, queues=queues), kinds={KindName.CODE: kind, KindName.WORKFLOW: kind}
        )
        self.keeper = self.parts.keeper()
        self.work = Work(self.parts, self.parts.executor(self.keeper, worker=name), self.slots)
        self.carrier = make_huey(settings, self.parts.served)
        self.hints = make_tasks(self.carrier, execute=self.work.follow_hint, tick=None)
        self.work.dispatcher = self.parts.dispatcher(self.hints)
        self.consumer = make_consumer(
            self.carrier, threads=slots, slots=self.slots, periodic=False, stop_seconds=5, on_stop=lambda: None
        )
        # Those of a process; this is a thread's worker.
        self.consumer._set_signal_handlers = lambda: None

    def start_consumer(self) -> None:
        self.consumer.start()

    def start_finder(self, *, is_broker_away: Callable[[], bool]) -> None:
        self.finder = self.parts.finder(
            self.slots, self.work.dispatcher, is_broker_away=is_broker_away, execute=self.work.execute
        )
        self.finder.start()

    def dispatch(self, *, is_brief: bool = False) -> int:
        return self.work.dispatcher.dispatch()

    def follow_hint(self, run_id: UUID) -> threading.Thread:
        """What a consumer's thread does with a hint."""
        thread = threading.Thread(target=self.work.follow_hint, args=(run_id,), daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        if self.consumer.worker_threads[0][1].is_alive():
            self.consumer.stop(graceful=True)
        if hasattr(self, "finder"):
            self.finder.close()
        # What the finder found goes on by itself, with connections that nobody would close any more.
        self.slots.wait_until_idle(PATIENCE_SECONDS)
        self.work.dispatcher.close()
        self.parts.pools.dispose()


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it comes true within the patience of a test."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True
