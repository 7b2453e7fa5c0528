"""The queues as lines of a table: how deep each is, how it drains, how long it makes runs wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.ops.heartbeats import ProcessRow, slots_for
from app.runs.filters import MOST_COUNTED
from app.runs.queue_figures import NO_WAITS, QueueFigures, Waits
from app.runs.queue_limits import QueueLimitsRow
from app.runs.queue_minutes import NO_HOUR, QueueHour
from app.runs.states import RunState
from app.runs.switches import QueueSwitchRow
from app.web.formatting import count, duration
from app.web.pictures.depth import DepthLine, depth_line

WAITING = (RunState.READY, RunState.WAITING)
# More squares than that are told as a number.
_MOST_SQUARES = 16


@dataclass(frozen=True)
class QueueLine:
    """One queue. `slots` are those of the workers that serve it, as far as its own limit lets it use them."""

    name: str
    depth: DepthLine
    waiting: str
    retrying: int
    running: int
    slots: int
    dead: str
    rate: str
    wait: str
    wait_note: str
    limits: str
    switch: QueueSwitchRow | None

    @property
    def gauge(self) -> list[bool]:
        """A square for each slot, and whether it is taken. Empty where there are too many to draw."""
        squares = max(self.slots, self.running)
        return [place < self.running for place in range(squares)] if squares <= _MOST_SQUARES else []

    @property
    def gauge_words(self) -> str:
        return f"{self.running:,} of {self.slots:,} slots" if self.slots else f"{self.running:,}, no worker serves it"


def queue_lines(
    queues: Sequence[tuple[QueueLimitsRow, QueueSwitchRow | None]],
    figures: QueueFigures,
    hours: Mapping[str, QueueHour],
    workers: Sequence[ProcessRow],
) -> list[QueueLine]:
    """A line for each queue, in the order given."""
    return [_line(row, figures, hours.get(row.name, NO_HOUR), switch, workers) for row, switch in queues]


def counted(figures: QueueFigures, states: Sequence[RunState], queue: str | None = None) -> str:
    """How many runs stand so; “10,000+” where nobody counted further."""
    found = figures.sum_of(states, queue)
    return f"{count(min(found, MOST_COUNTED))}+" if found and figures.is_cut(states) else count(found)


def rate_words(per_minute: float) -> str:
    """“41/min”, “0.4/min”."""
    return f"{count(round(per_minute))}/min" if per_minute >= 10 or not per_minute else f"{per_minute:.1f}/min"


def wait_words(waits: Waits) -> tuple[str, str]:
    """The longest of nearly all waits, and the middle one as a note."""
    if waits.half is None or waits.most is None:
        return "–", "nothing ended within the hour"
    return duration(waits.most), f"half within {duration(waits.half)}"


def _line(
    row: QueueLimitsRow,
    figures: QueueFigures,
    hour: QueueHour,
    switch: QueueSwitchRow | None,
    workers: Sequence[ProcessRow],
) -> QueueLine:
    waits = figures.waits.get(row.name, NO_WAITS)
    # What is counted now ends the line, unless it was not counted to the end.
    waiting = figures.sum_of((*WAITING, RunState.WAITING_RETRY), row.name)
    depths = hour.waiting if figures.is_cut(WAITING) else (*hour.waiting[:-1], waiting)
    wait, wait_note = wait_words(waits)
    return QueueLine(
        name=row.name,
        depth=depth_line(depths),
        waiting=counted(figures, WAITING, row.name),
        retrying=figures.sum_of((RunState.WAITING_RETRY,), row.name),
        running=figures.sum_of((RunState.RUNNING,), row.name),
        slots=slots_for(workers, row.name, row.concurrency),
        dead=counted(figures, (RunState.FAILED,), row.name),
        rate=rate_words(hour.per_minute),
        wait=wait,
        wait_note=wait_note,
        limits=row.words,
        switch=switch,
    )
