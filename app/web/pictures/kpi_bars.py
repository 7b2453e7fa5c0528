"""A metric over time: a bar for each point, and the period before as a line. Pure geometry.

What is in doubt about a point is told by the form of its bar: colour alone would not do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.ops.kpi_report import INCOMPLETE, KpiPoint, KpiSeries, Mark
from app.syncs.amounts import amount
from app.web.pictures.shapes import WIDTH, Form, Shape, joined, number, percent, rectangle

HEIGHT = 150
_BAR_SHARE = 0.72
_WIDEST = 40
# Shorter than it would be, were all of it there.
_HOLLOW = INCOMPLETE | {Mark.CUT}
# Something that is there shows, however small it is beside others.
_LOWEST = 1.5


@dataclass(frozen=True)
class KpiBars:
    """The picture. `ground` is where zero lies; `crosses` stand at missing points, `signs` at doubtful ones."""

    shapes: tuple[Shape, ...]
    before: str
    ground: float
    most: str
    least: str
    crosses: tuple[str, ...]
    signs: tuple[str, ...]
    has_hollow: bool


@dataclass(frozen=True)
class _Scale:
    """From values to heights: zero is always part of it."""

    most: Decimal
    least: Decimal

    def y(self, value: Decimal) -> float:
        span = self.most - self.least
        return float((self.most - value) / span) * HEIGHT if span else float(HEIGHT)


def draw_bars(series: KpiSeries) -> KpiBars:
    """The picture of one series, at most some hundred points."""
    points = series.points
    known = [value for point in points for value in (point.value, point.before) if value is not None]
    scale = _Scale(max([Decimal(0), *known]), min([Decimal(0), *known]))
    solid = [(place, point) for place, point in enumerate(points) if not _HOLLOW.intersection(point.marks)]
    hollow = [(place, point) for place, point in enumerate(points) if _HOLLOW.intersection(point.marks)]
    shapes = (
        *joined("running", Form.SOLID, _bars(solid, len(points), scale)),
        *joined("running", Form.DASHED, _bars(hollow, len(points), scale)),
    )
    return KpiBars(
        shapes=shapes,
        before=_line(points, scale),
        ground=round(scale.y(Decimal(0)), 1),
        most=amount(scale.most, series.currency) if scale.most else "",
        least=amount(scale.least, series.currency) if scale.least else "",
        crosses=tuple(_places(points, Mark.MISSING)),
        signs=tuple(_places(points, Mark.DOUBTFUL, Mark.FLAGGED)),
        has_hollow=any(point.value is not None for _, point in hollow),
    )


def _bars(points: Sequence[tuple[int, KpiPoint]], total: int, scale: _Scale) -> Iterator[str]:
    step = WIDTH / total
    width = min(step * _BAR_SHARE, _WIDEST)
    ground = scale.y(Decimal(0))
    for place, point in points:
        if not point.value:
            continue
        top = scale.y(point.value)
        height = max(abs(ground - top), _LOWEST)
        y = ground - height if point.value > 0 else ground
        yield rectangle((place + 0.5) * step - width / 2, y, width, height)


def _line(points: Sequence[KpiPoint], scale: _Scale) -> str:
    """The period before, broken where nothing is known of it. A point between two breaks is a dash of a bar's width."""
    step, pieces = WIDTH / len(points) if points else 0, []
    known = [point.before is not None for point in points]
    for place, point in enumerate(points):
        if point.before is None:
            continue
        x, y = (place + 0.5) * step, number(scale.y(point.before))
        follows = place > 0 and known[place - 1]
        if follows or any(known[place + 1 : place + 2]):
            pieces.append(f"{'L' if follows else 'M'}{number(x)} {y}")
        else:
            half = min(step * _BAR_SHARE, _WIDEST) / 2
            pieces.append(f"M{number(x - half)} {y}L{number(x + half)} {y}")
    return "".join(pieces)


def _places(points: Sequence[KpiPoint], *marks: Mark) -> Iterator[str]:
    for place, point in enumerate(points):
        if set(marks).intersection(point.marks):
            yield percent((place + 0.5) / len(points))
