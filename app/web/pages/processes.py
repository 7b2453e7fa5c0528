"""The processes of the installation, as lines of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.ops.heartbeats import ProcessRow
from app.web.formatting import duration


@dataclass(frozen=True)
class ProcessLine:
    """One process."""

    process: ProcessRow
    state: str
    label: str
    role: str
    in_hand: str
    tick: str


def process_lines(processes: Sequence[ProcessRow], *, now: datetime) -> list[ProcessLine]:
    """Lines in the order of the rows."""
    return [_line(process, now) for process in processes]


def _line(process: ProcessRow, now: datetime) -> ProcessLine:
    state, label = _health(process, now)
    return ProcessLine(
        process=process,
        state=state,
        label=label,
        role=_role(process),
        in_hand=f"{process.running} of {process.slots}" if process.slots else "–",
        tick=_tick(process),
    )


def _health(process: ProcessRow, now: datetime) -> tuple[str, str]:
    if process.is_gone(now):
        return "failed", "Gone"
    if process.is_silent(now):
        return "warning", "Silent"
    if process.problem is not None:
        return "warning", "Serves nothing" if process.serves_pages else "Starts nothing"
    return ("paused", "Stopping") if process.is_stopping else ("ok", "OK")


def _role(process: ProcessRow) -> str:
    if process.serves_pages:
        return "Pages"
    if not process.slots:
        return "Scheduler"
    role = "Worker and scheduler" if process.schedules else "Worker"
    return role if process.queues is None else f"{role}, for {process.queues.replace(',', ', ')}"


def _tick(process: ProcessRow) -> str:
    return "–" if process.tick_ms is None else duration(process.tick_ms / 1000)
