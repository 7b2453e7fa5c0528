"""The tasks that huey carries: keyword ids only, safe to run twice, a few lines each."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

from huey import crontab

from app.queue.broker import Carrier
from app.queue.hints import Hints, Line

log = logging.getLogger(__name__)


def make_hints(carrier: Carrier) -> Hints:
    """For a process that only sends."""
    line = sending_line(carrier)
    return Hints(lambda: line)


def sending_line(carrier: Carrier) -> Line:
    """The task's name, without its body."""
    return _register(carrier, lambda run_id: None)


def make_tasks(carrier: Carrier, *, execute: Callable[[UUID], object], tick: Callable[[], None] | None) -> Hints:
    """For a worker: what to do with a hint, and every minute, where the scheduler is enabled, the tick."""
    # A safety net below the scheduler's own thread, which is the clock. A worker without a scheduler may be handed
    # the tick of another one, and lets it pass.
    if tick is not None:
        beat = tick

        def tick_every_minute() -> None:
            beat()

        carrier.periodic_task(crontab(minute="*"), name="tick")(tick_every_minute)
    else:
        carrier.task(name="tick")(lambda: None)
    line = _register(carrier, execute)
    return Hints(lambda: line)


def _register(carrier: Carrier, execute: Callable[[UUID], object]) -> Line:
    def execute_run(run_id: object = None, **_unknown: Any) -> None:
        wanted = _id_of(run_id)
        if wanted is None:
            log.debug("message refused", extra={"problem": "no run's id"})
        else:
            execute(wanted)

    return Line(carrier, carrier.task(name="execute_run")(execute_run))


def _id_of(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
