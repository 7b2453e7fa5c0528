"""What pictures are made of: paths in a field that is stretched to the width there is, and places in per cent of it.

Everything here is pure: data in, shapes out. The templates in macros/pictures.html only draw.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

# How wide a picture is in its own units. On a screen for a desk one unit is about a pixel.
WIDTH = 720


class Form(StrEnum):
    """How a path is drawn. Colour comes from its state, and is never all that tells two of them apart."""

    SOLID = "solid"
    HOLLOW = "hollow"
    DASHED = "dashed"
    TINT = "tint"
    NOTCH = "notch"  # cut out of what lies beneath
    RING = "ring"  # around something that was looked for


@dataclass(frozen=True)
class Shape:
    """All marks of one kind, as one path."""

    state: str
    form: Form
    path: str


def rectangle(x: float, y: float, width: float, height: float) -> str:
    """A piece of a path."""
    return f"M{number(x)} {number(y)}h{number(width)}v{number(height)}h{number(-width)}z"


def columns(tops: Iterable[tuple[float, float]], *, width: float, ground: float) -> Iterator[str]:
    """Pieces of one path: columns of one width on the ground, by their left side and their top, from left to right.

    Each begins where the one before it stands: many of them look alike, so a page of them is small once compressed.
    """
    before: float | None = None
    for x, top in tops:
        start = f"M{number(x)} {number(ground)}" if before is None else f"m{number(x - before)} 0"
        yield f"{start}V{number(top)}h{number(width)}V{number(ground)}z"
        before = x


def number(value: float) -> str:
    """A coordinate, no longer than it has to be."""
    return f"{value:.1f}".removesuffix(".0")


def percent(share: float) -> str:
    """A place from 0 to 1 as SVG reads it."""
    return f"{share * 100:.2f}%"


def joined(state: str, form: Form, pieces: Iterable[str]) -> Sequence[Shape]:
    """One shape of all pieces, or none without any."""
    path = "".join(pieces)
    return (Shape(state, form, path),) if path else ()
