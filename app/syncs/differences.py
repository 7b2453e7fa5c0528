"""What a fetch says otherwise than the table does. Pure: nothing is read or written here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from app.syncs.figures import Figure, FigureInvalid, Metric, QualityFlag


class FigureKey(NamedTuple):
    """Which figure of a stream."""

    metric: Metric
    day: date
    entity_id: str


class KeptFigure(NamedTuple):
    """A figure as the table has it."""

    value: Decimal
    currency: str | None
    flags: str
    is_live: bool  # has not vanished


@dataclass(frozen=True, slots=True)
class Change:
    """From what to what a figure goes. None is for one that is not there."""

    key: FigureKey
    old_value: Decimal | None
    new_value: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Write:
    """A figure that has to be written, under its flags as they are kept."""

    figure: Figure
    flags: str


@dataclass(frozen=True)
class Differences:
    """`writes` makes the table say what the fetch does, but for `unseen`: the live figures that the fetch lacks.

    A write that changes no number, of flags alone, has no change.
    """

    writes: list[Write]
    changes: list[Change]
    unseen: list[Change]


def key_of(figure: Figure) -> FigureKey:
    return FigureKey(figure.metric, figure.day, figure.entity.id)


def flags_text(*flags: Iterable[QualityFlag]) -> str:
    """Quality flags as they are kept: the same text for the same flags."""
    return ",".join(sorted({flag.value for some in flags for flag in some}))


def find_differences(
    kept: Mapping[FigureKey, KeptFigure], fetched: Iterable[Figure], *, flags: frozenset[QualityFlag]
) -> Differences:
    """Compare the same days of a stream. Raises FigureInvalid for a figure that was fetched twice."""
    found = Differences([], [], [])
    seen: set[FigureKey] = set()
    for figure in fetched:
        key = key_of(figure)
        if key in seen:
            raise FigureInvalid(f"{key.metric} of {key.entity_id!r} on {key.day} came twice")
        seen.add(key)
        _compare(found, kept.get(key), figure, flags_text(flags, figure.flags))
    for key, figure_kept in kept.items():
        if figure_kept.is_live and key not in seen:
            found.unseen.append(Change(key, figure_kept.value, None, figure_kept.currency))
    return found


def _compare(found: Differences, kept: KeptFigure | None, figure: Figure, flags: str) -> None:
    now = KeptFigure(figure.value, figure.currency, flags, is_live=True)
    if kept == now:
        return
    found.writes.append(Write(figure, flags))
    old_value = kept.value if kept is not None and kept.is_live else None
    if old_value != figure.value:
        found.changes.append(Change(key_of(figure), old_value, figure.value, figure.currency))
