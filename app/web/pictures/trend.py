"""How long the last runs of a schedule took: a bar each, the usual range behind, the slowest marked. Pure geometry."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log1p

from app.core.lengths import duration
from app.ops.schedule_lengths import GOOD, ScheduleLengths
from app.runs.outcomes import Outcome
from app.runs.run_lengths import RunLength
from app.web.formatting import calendar_day
from app.web.pictures.outcome_words import counted
from app.web.pictures.shapes import WIDTH, Form, Shape, joined, percent, rectangle

HEIGHT = 110
# Above the highest bar stands how long that one took.
_TOP = 22
_BAR_SHARE = 0.7
_LEAST_HEIGHT = 2
# Above this many times the usual, one run would press all others to the ground.
_MOST_LINEAR = 20
_EDGE = 0.1


@dataclass(frozen=True)
class TrendMark:
    """A run that stands out. The slowest one is labelled; `anchor` keeps its label inside."""

    x: str
    y: float
    label: str = ""
    anchor: str = "middle"


@dataclass(frozen=True)
class Band:
    """The usual range and its middle, in units of height."""

    top: float
    height: float
    middle: float


@dataclass(frozen=True)
class Trend:
    """The picture of the lengths, and the same in words. `crosses` stand where a run failed."""

    label: str
    note: str
    shapes: tuple[Shape, ...]
    marks: tuple[TrendMark, ...]
    crosses: tuple[str, ...]
    band: Band | None
    first: str
    last: str


def draw_trend(lengths: ScheduleLengths, *, zone: str, now: datetime) -> Trend | None:
    """The picture of at most fifty runs; None before any came to an end."""
    runs = lengths.runs
    if not runs:
        return None
    scale = _scale_of(lengths)
    return Trend(
        label=f"How long the last {counted(len(runs), 'run')} took. {lengths.sentence}".strip(),
        note=_notes(lengths, scale),
        shapes=tuple(_bars(runs, scale)),
        marks=tuple(_marks(lengths, scale)),
        crosses=tuple(percent(_share(index, runs)) for index, run in enumerate(runs) if run.outcome is Outcome.FAILED),
        band=_band(lengths, scale),
        first=calendar_day(runs[0].started_at, now=now, zone=zone),
        last=calendar_day(runs[-1].started_at, now=now, zone=zone) if len(runs) > 1 else "",
    )


@dataclass(frozen=True)
class _Scale:
    """How high a length stands. With `unit`, what is twice as long is not twice as high."""

    most: float
    unit: float | None = None

    def height(self, took: timedelta) -> float:
        seconds, most = took.total_seconds(), self.most
        if self.unit is not None:
            seconds, most = log1p(seconds / self.unit), log1p(most / self.unit)
        return max(seconds / most * (HEIGHT - _TOP), _LEAST_HEIGHT) if most else _LEAST_HEIGHT


def _scale_of(lengths: ScheduleLengths) -> _Scale:
    most = max(run.took for run in lengths.runs).total_seconds()
    typical = lengths.usual.typical.total_seconds() if lengths.usual else 0.0
    most = max(most, lengths.usual.high.total_seconds() if lengths.usual else 0.0)
    return _Scale(most, typical if typical and most / typical > _MOST_LINEAR else None)


def _share(index: int, runs: Sequence[RunLength]) -> float:
    return (index + 0.5) / len(runs)


def _bars(runs: Sequence[RunLength], scale: _Scale) -> Iterator[Shape]:
    step = WIDTH / len(runs)
    # A few runs do not become a wall.
    width = min(step * _BAR_SHARE, 24)
    for outcome in (Outcome.SUCCEEDED, Outcome.SUCCEEDED_AFTER_RETRY, Outcome.FAILED):
        form = Form.HOLLOW if outcome is Outcome.FAILED else Form.SOLID
        bars = (
            rectangle((index + 0.5) * step - width / 2, HEIGHT - scale.height(run.took), width, scale.height(run.took))
            for index, run in enumerate(runs)
            if run.outcome is outcome
        )
        yield from joined(outcome.value, form, bars)


def _marks(lengths: ScheduleLengths, scale: _Scale) -> Iterator[TrendMark]:
    good = [(index, run) for index, run in enumerate(lengths.runs) if run.outcome in GOOD]
    slowest = max(good, key=lambda each: each[1].took, default=None) if len(good) > 1 else None
    for index, run in good:
        is_slowest = slowest is not None and index == slowest[0]
        if not is_slowest and not (lengths.usual and lengths.usual.is_surprise(run.took)):
            continue
        share = _share(index, lengths.runs)
        anchor = "start" if share < _EDGE else "end" if share > 1 - _EDGE else "middle"
        label = duration(run.took) if is_slowest else ""
        yield TrendMark(percent(share), round(HEIGHT - scale.height(run.took), 1), label, anchor)


def _band(lengths: ScheduleLengths, scale: _Scale) -> Band | None:
    if lengths.usual is None:
        return None
    low, middle, high = (scale.height(each) for each in (lengths.usual.low, lengths.usual.typical, lengths.usual.high))
    return Band(round(HEIGHT - high, 1), round(high - low, 1), round(HEIGHT - middle, 1))


def _notes(lengths: ScheduleLengths, scale: _Scale) -> str:
    notes = []
    if lengths.step is not None:
        notes.append(f"The last five took {duration(lengths.step.now)}, those before {duration(lengths.step.before)}.")
    if scale.unit is not None:
        notes.append("Heights are logarithmic, because one took many times as long as usual.")
    return " ".join(notes)
