"""How much waited in a queue during the last hour, minute by minute: a line from the ground up, and its words."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.web.formatting import count
from app.web.pictures.shapes import number

WIDTH, HEIGHT = 120, 24
# The line and the dot at its end keep within the picture.
_MARGIN = 3
# What the last minutes are compared with.
_BEFORE = 10


@dataclass(frozen=True)
class DepthLine:
    """The line, the place of its last point, and what it shows."""

    path: str
    x: str
    y: str
    label: str


def depth_line(waiting: Sequence[int]) -> DepthLine:
    """The picture of so many minutes, the oldest first. At least two."""
    most = max(*waiting, 1)
    step = (WIDTH - 2 * _MARGIN) / (len(waiting) - 1)
    places = [
        (_MARGIN + place * step, HEIGHT - _MARGIN - amount / most * (HEIGHT - 2 * _MARGIN))
        for place, amount in enumerate(waiting)
    ]
    x, y = places[-1]
    return DepthLine(_path_of(places), number(x), number(y), label=_words(waiting))


def _path_of(places: Sequence[tuple[float, float]]) -> str:
    """Without the points on a level stretch, which say nothing."""
    kept = [
        place
        for before, place, after in zip((None, *places[:-1]), places, (*places[1:], None), strict=True)
        if before is None or after is None or not before[1] == place[1] == after[1]
    ]
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in kept)


def _words(waiting: Sequence[int]) -> str:
    now, least, most = waiting[-1], min(waiting), max(waiting)
    if most == 0:
        return "Depth, last hour: nothing waited."
    return f"Depth, last hour: {count(least)} to {count(most)}, now {count(now)}, {_trend(waiting)}."


def _trend(waiting: Sequence[int]) -> str:
    before, now = waiting[-_BEFORE - 1], waiting[-1]
    if now == before:
        return "level"
    return "rising" if now > before else "falling"
