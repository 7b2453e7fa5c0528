"""How many others start in each minute of an hour, as bars. The minute that is spoken of has a frame."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.clock_words import clock_time
from app.web.pictures.shapes import WIDTH, Form, Shape, joined, rectangle

_MINUTES, _HEIGHT = 60, 40
_STEP = WIDTH / _MINUTES
_BAR = _STEP - 3
# A single start among hundreds still shows.
_LOWEST = 2


@dataclass(frozen=True)
class HourBars:
    """The picture, the same in words, and the minutes in which any start, each with how many."""

    label: str
    rows: Sequence[tuple[str, int]]
    first: str
    last: str
    shapes: Sequence[Shape]


def hour_bars(counts: Sequence[int], *, minute: int, hour: int) -> HourBars:
    """The sixty counts from the beginning of an hour of the clock on; `minute` is the crowded one."""
    most = max(*counts, 1)
    heights = [max(_LOWEST, count / most * _HEIGHT) if count else 0 for count in counts]
    bars = [
        rectangle(place * _STEP + 1.5, _HEIGHT - height, _BAR, height) for place, height in enumerate(heights) if height
    ]
    frame = rectangle(minute * _STEP, 0, _STEP, _HEIGHT)
    elsewhere = max(count for place, count in enumerate(counts) if place != minute)
    words = f"{counts[minute]:,} at {clock_time(hour, minute)}, at most {elsewhere:,} in any other minute"
    first, last = clock_time(hour, 0), clock_time(hour, 59)
    return HourBars(
        label=f"Other schedules that start from {first} to {last}: {words}",
        rows=[(clock_time(hour, place), count) for place, count in enumerate(counts) if count],
        first=first,
        last=last,
        shapes=(*joined("waiting", Form.SOLID, bars), *joined("waiting", Form.RING, [frame])),
    )
