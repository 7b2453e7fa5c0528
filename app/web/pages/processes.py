"""The workers and schedulers of the installation, as lines of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.ops.heartbeats import GONE_AFTER, ProcessRow
from app.web.formatting import duration


@dataclass(frozen=True)
class ProcessLine:
    """One process."""

    process: ProcessRow
    state: str
    label: str
    role: str
    slots: str
    tick: str


def process_lines(processes: Sequence[ProcessRow], *, now: datetime) -> list[ProcessLine]:
    """Lines in the order of the rows."""
    return [_line(process, now) for process in processes]


def live_slots(processes: Sequence[ProcessRow], *, now: datetime) -> int:
    """How many runs the workers that are alive can carry at once."""
    return sum(process.slots for process in processes if not _is_gone(process, now))


def _line(process: ProcessRow, now: datetime) -> ProcessLine:
    state, label = _health(process, now)
    return ProcessLine(
        process=process,
        state=state,
        label=label,
        role=_role(process),
        slots=str(process.slots) if process.slots else "–",
        tick=_tick(process),
    )


def _health(process: ProcessRow, now: datetime) -> tuple[str, str]:
    if _is_gone(process, now):
        return "failed", "Gone"
    return ("warning", "Silent") if process.is_silent(now) else ("ok", "OK")


def _is_gone(process: ProcessRow, now: datetime) -> bool:
    return now - process.beat_at > GONE_AFTER


def _role(process: ProcessRow) -> str:
    if process.schedules:
        return "Worker and scheduler" if process.slots else "Scheduler"
    return "Worker"


def _tick(process: ProcessRow) -> str:
    return "–" if process.tick_ms is None else duration(process.tick_ms / 1000)
