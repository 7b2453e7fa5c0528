"""The figures above the queue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.ops.heartbeats import ProcessRow, slots_alive
from app.runs.queue_figures import QueueFigures
from app.runs.queue_filter import QueueTab
from app.runs.queue_minutes import QueueHour
from app.runs.states import RunState
from app.web.formatting import count, duration, relative_time
from app.web.pages.queue_rows import WAITING, counted, rate_words, wait_words


@dataclass(frozen=True)
class Tile:
    """One figure, and the tab that shows what it counts."""

    label: str
    value: str
    note: str
    tab: QueueTab
    state: str = ""


@dataclass(frozen=True)
class Standstill:
    """No worker takes runs: since when, if one ever did, and how many runs wait for one."""

    title: str
    text: str


def queue_tiles(
    figures: QueueFigures, hours: Mapping[str, QueueHour], processes: Sequence[ProcessRow], *, now: datetime
) -> list[Tile]:
    """Waiting, running, retrying, dead, how many end, and how long they wait."""
    slots = slots_alive(processes, now=now)
    running, dead = figures.sum_of((RunState.RUNNING,)), counted(figures, (RunState.FAILED,))
    wait, wait_note = wait_words(figures.all_waits)
    waiting = counted(figures, WAITING)
    retrying = counted(figures, (RunState.WAITING_RETRY,))
    dead_state = "" if dead == "0" else "failed"
    running_note = f"of {slots} slots" if slots else "no worker is running"
    return [
        Tile("Waiting", waiting, _oldest(figures, waiting, now), QueueTab.WAITING),
        Tile("Running", count(running), running_note, QueueTab.RUNNING),
        Tile("Waiting for retry", retrying, _next_try(figures, now), QueueTab.RETRYING),
        Tile("Dead letter", dead, "not tried again or out of tries", QueueTab.DEAD, dead_state),
        Tile(
            "Throughput", rate_words(sum(hour.per_minute for hour in hours.values())), "ended, last 5 min", QueueTab.ALL
        ),
        Tile("Wait, 95% within", wait, wait_note, QueueTab.ALL),
    ]


def standstill(figures: QueueFigures, processes: Sequence[ProcessRow], *, now: datetime) -> Standstill | None:
    """What to say where nobody takes runs although some wait."""
    runs = _runs_that_wait(figures)
    if not runs or slots_alive(processes, now=now):
        return None
    beats = [row.beat_at for row in processes if row.slots]
    if not beats:
        return Standstill("No worker is running.", f"{runs}.")
    silent = max(timedelta(), now - max(beats))
    problem = next((row.problem for row in processes if row.slots and row.problem and not row.is_gone(now)), None)
    if problem:
        return Standstill("No worker starts runs.", f"{runs}. {problem}")
    return Standstill(f"No worker has reported for {duration(silent)}.", f"{runs}.")


def _runs_that_wait(figures: QueueFigures) -> str:
    """“1 run waits, and 3 wait for their next try”: counted as the two tiles do. Empty where none does."""
    waiting, retrying = counted(figures, WAITING), counted(figures, (RunState.WAITING_RETRY,))
    begin = "" if waiting == "0" else f"{waiting} run{' waits' if waiting == '1' else 's wait'}"
    if retrying == "0":
        return begin
    verb = "waits for its next try" if retrying == "1" else "wait for their next try"
    if begin:
        return f"{begin}, and {retrying} {verb}"
    return f"{retrying} run{'' if retrying == '1' else 's'} {verb}"


def _oldest(figures: QueueFigures, waiting: str, now: datetime) -> str:
    since = figures.oldest_at
    if since is None:
        return "none waits to start" if waiting == "0" else "for other runs"
    return f"oldest for {duration(max(timedelta(), now - since))}"


def _next_try(figures: QueueFigures, now: datetime) -> str:
    at = figures.next_try_at
    if at is None:
        return "no try is due"
    return f"next {relative_time(at, now=now)}" if at > now else "next is due now"
