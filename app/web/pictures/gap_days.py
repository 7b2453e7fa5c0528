"""The last thirty days of the canary: a bar for each, and how much of it was lost in gaps. Pure geometry."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from app.core.lengths import duration
from app.ops.canary.gaps import GapRow
from app.web.formatting import relative_time
from app.web.pictures.outcome_words import counted
from app.web.pictures.shapes import Form, Shape, columns, joined, rectangle
from app.web.pictures.strip import HEIGHT, Strip

DAYS = 30
_DAY = timedelta(days=1)
_SLOT = 5
_BAR = 4
_LEAST_HEIGHT = 4


def draw_days(gaps: Sequence[GapRow], *, since: datetime | None, now: datetime) -> Strip:
    """The oldest day on the left; the last one ends now. Before `since` nobody looked; None: nobody ever has."""
    days = [(index * _SLOT, now - _DAY * (DAYS - index)) for index in range(DAYS)]
    known = [(x, begin) for x, begin in days if since is not None and begin + _DAY > since]
    lost = {x: sum((_within(gap, begin, now) for gap in gaps), timedelta()) for x, begin in known}
    good = ((x, 0.0) for x, _begin in known if not lost[x])
    bad = [(x, max(round(lost[x] / _DAY * HEIGHT), _LEAST_HEIGHT)) for x, _begin in known if lost[x]]
    nothing = ((x, HEIGHT - 2.0) for x, begin in days if (x, begin) not in known)
    return Strip(
        label=_words(gaps, now),
        shapes=(
            *joined("empty", Form.SOLID, columns(nothing, width=_BAR, ground=HEIGHT)),
            *joined("succeeded", Form.SOLID, columns(good, width=_BAR, ground=HEIGHT)),
            *_bad(bad),
        ),
    )


def _bad(bad: Sequence[tuple[int, int]]) -> Iterator[Shape]:
    yield from joined("failed", Form.TINT, (rectangle(x, 0, _BAR, HEIGHT) for x, _height in bad))
    tops = ((x, float(HEIGHT - height)) for x, height in bad)
    # The cap tells it from a good day without its colour.
    caps = (rectangle(x, 0, _BAR, 3) for x, _height in bad)
    yield from joined("failed", Form.SOLID, (*columns(tops, width=_BAR, ground=HEIGHT), *caps))


def _within(gap: GapRow, begin: datetime, now: datetime) -> timedelta:
    end = min(gap.ended_at or now, begin + _DAY)
    return max(end - max(gap.began_at, begin), timedelta())


def _words(gaps: Sequence[GapRow], now: datetime) -> str:
    """“2 gaps, 1 h 12 min in all, the latest 3 d ago.”"""
    if not gaps:
        return "No gap."
    lost = sum(((gap.ended_at or now) - gap.began_at for gap in gaps), timedelta())
    ends = [gap.ended_at for gap in gaps]
    last = max((at for at in ends if at is not None), default=now)
    latest = "one goes on" if None in ends else f"the latest ended {relative_time(last, now=now)}"
    return f"{counted(len(gaps), 'gap')}, {duration(lost)} in all, {latest}."
