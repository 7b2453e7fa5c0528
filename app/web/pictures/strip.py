"""The strip of a schedule's last runs: how each ended and how long it took, the oldest on the left. Pure geometry."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.lengths import duration
from app.core.ranks import nearest_rank
from app.runs.outcomes import Outcome
from app.runs.recent import RecentRun
from app.runs.usual import usual_of
from app.web.formatting import relative_time
from app.web.pictures.outcome_words import counted, outcome_counts
from app.web.pictures.shapes import Form, Shape, columns, joined, rectangle

SLOTS = 30
HEIGHT = 24
_SLOT = 5
_BAR = 4
_LEAST_HEIGHT = 4
_ROOM_ABOVE = 1.1
# How high one stands whose length says nothing.
_HALF = 12


@dataclass(frozen=True)
class Strip:
    """The picture, and the same in a sentence."""

    label: str
    shapes: tuple[Shape, ...]


def draw_strip(
    runs: Sequence[RecentRun],
    *,
    lengths: Sequence[timedelta],
    now: datetime,
    looked_for: UUID | None = None,
    are_last: bool = True,
) -> Strip:
    """At most thirty runs, the oldest first, mostly the last ones.

    `lengths` are those of good runs, by which a height is measured. The run that is looked for gets a ring.
    """
    shown = runs[-SLOTS:]
    scale = _Scale(_most(lengths or [run.took for run in shown if run.took is not None]))
    placed = [((SLOTS - len(shown) + index) * _SLOT, run) for index, run in enumerate(shown)]
    empty = _columns((index * _SLOT, HEIGHT - 2) for index in range(SLOTS - len(shown)))
    rings = (rectangle(x - 0.5, 0.5, _SLOT, HEIGHT - 1) for x, run in placed if run.id == looked_for)
    return Strip(
        label=strip_words(shown, lengths=lengths, now=now, are_last=are_last),
        shapes=(*joined("empty", Form.SOLID, empty), *_marks(placed, scale), *joined("", Form.RING, rings)),
    )


def strip_words(
    runs: Sequence[RecentRun], *, lengths: Sequence[timedelta], now: datetime, are_last: bool = True
) -> str:
    """“Last 30 runs over 30 d: 28 succeeded, 2 failed (latest 3 d ago). Last took 21 s, typical 18 s.”"""
    if not runs:
        return "No runs yet."
    counts = Counter(run.outcome for run in runs)
    failed = [run.at for run in runs if run.outcome is Outcome.FAILED]
    notes = {Outcome.FAILED: f"latest {relative_time(max(failed), now=now)}"} if failed else {}
    until = now if are_last else runs[-1].at
    over = f" over {_rounded(until - runs[0].at)}" if len(runs) > 1 else ""
    begin = f"{'Last ' if are_last else ''}{counted(len(runs), 'run')}{over}"
    return f"{begin}: {outcome_counts(counts, notes)}.{_length_words(runs, lengths)}"


def _length_words(runs: Sequence[RecentRun], lengths: Sequence[timedelta]) -> str:
    over = [run.took for run in runs if run.took is not None and run.outcome is not Outcome.RUNNING]
    if not over:
        return ""
    usual = usual_of(lengths)
    typical = "" if usual is None else f", typical {duration(usual.typical)}"
    return f" Last took {duration(over[-1])}{typical}."


@dataclass(frozen=True)
class _Scale:
    """How high a length stands."""

    most: timedelta

    def height(self, took: timedelta | None) -> float:
        if took is None or not self.most:
            return _HALF
        # A pixel is as fine as anybody sees here, and fractions are what makes a page of strips large.
        return min(max(round(took / (self.most * _ROOM_ABOVE) * HEIGHT), _LEAST_HEIGHT), HEIGHT)

    def is_cut(self, took: timedelta | None) -> bool:
        return took is not None and took > self.most * _ROOM_ABOVE


def _most(lengths: Sequence[timedelta]) -> timedelta:
    """What nineteen of twenty stay below."""
    return nearest_rank(lengths, 95) if lengths else timedelta(0)


def _marks(placed: Sequence[tuple[int, RecentRun]], scale: _Scale) -> Iterator[Shape]:
    failed = [(x, run) for x, run in placed if run.outcome is Outcome.FAILED]
    # Its length would hide a run that failed at once: a column and a cap stand for the failure itself.
    yield from joined("failed", Form.TINT, (rectangle(x, 0, _BAR, HEIGHT) for x, _run in failed))
    caps = (rectangle(x, 0, _BAR, 4) for x, _run in failed)
    yield from joined("failed", Form.SOLID, (*_bars(failed, scale), *caps))
    for outcome in (Outcome.SUCCEEDED, Outcome.RUNNING, Outcome.CANCELLED):
        yield from joined(
            outcome.value, Form.SOLID, _bars(((x, run) for x, run in placed if run.outcome is outcome), scale)
        )
    retried = [(x, run) for x, run in placed if run.outcome is Outcome.SUCCEEDED_AFTER_RETRY]
    yield from joined("succeeded_after_retry", Form.SOLID, _bars(retried, scale))
    yield from _outlines(placed)
    cut = [x for x, run in placed if scale.is_cut(run.took) and run.outcome is not Outcome.FAILED]
    # A second try is cut in two low down, which no length is.
    split = [x for x, _run in retried]
    notches = [rectangle(x, 3, _BAR, 1.5) for x in cut] + [rectangle(x, HEIGHT - 3, _BAR, 1) for x in split]
    yield from joined("", Form.NOTCH, notches)


def _outlines(placed: Sequence[tuple[int, RecentRun]]) -> Iterator[Shape]:
    at = {outcome: [x + 0.5 for x, run in placed if run.outcome is outcome] for outcome in Outcome}
    yield from joined("missed", Form.DASHED, (rectangle(x, 0.5, 3, HEIGHT - 1) for x in at[Outcome.MISSED]))
    yield from joined("skipped", Form.HOLLOW, (rectangle(x, HEIGHT - 3.5, 3, 3) for x in at[Outcome.SKIPPED]))
    yield from joined("waiting", Form.SOLID, (rectangle(x + 1, HEIGHT - 8, 1, 8) for x in at[Outcome.WAITING]))


def _bars(placed: Iterable[tuple[int, RecentRun]], scale: _Scale) -> Iterator[str]:
    return _columns((x, HEIGHT - scale.height(run.took)) for x, run in placed)


def _columns(tops: Iterable[tuple[float, float]]) -> Iterator[str]:
    return columns(tops, width=_BAR, ground=HEIGHT)


def _rounded(length: timedelta) -> str:
    """The largest unit alone: how far back, not to the minute."""
    return " ".join(duration(length).split()[:2])
