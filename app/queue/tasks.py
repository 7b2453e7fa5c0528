"""The tasks that huey carries: keyword ids only, safe to run twice, a few lines each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from huey import Huey, crontab

from app.queue.broker import Hints


def make_hints(huey: Huey) -> Hints:
    """For a process that only sends: the task's name, without its body."""
    return _register(huey, lambda run_id: None)


def make_tasks(huey: Huey, *, execute: Callable[[UUID], None], tick: Callable[[], None] | None) -> Hints:
    """For a worker: what to do with a hint, and every minute, where the scheduler is enabled, the tick."""
    if tick is not None:
        beat = tick

        @huey.periodic_task(crontab(minute="*"), name="tick")  # type: ignore[untyped-decorator]
        def tick_every_minute() -> None:
            # A safety net below the scheduler's own thread, which is the clock.
            beat()

    return _register(huey, execute)


def _register(huey: Huey, execute: Callable[[UUID], None]) -> Hints:
    @huey.task(name="execute_run")  # type: ignore[untyped-decorator]
    def execute_run(run_id: str, **_unknown: Any) -> None:
        execute(UUID(run_id))

    hints = Hints(huey)
    hints.bind(execute_run)
    return hints
