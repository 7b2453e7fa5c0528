"""From when to when somebody wants to read a list: days on their own clock, or instants. Pure."""

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.core.errors import Invalid
from app.core.instants import YEARS, write_instant


class BoundInvalid(Invalid):
    """This is neither a day nor an instant."""


def read_bound(text: str, *, zone: str, name: str, is_end: bool = False) -> datetime | None:
    """The instant that a text names; None without one. A day is meant whole, so as an end it is its last instant.

    Raises BoundInvalid, which calls it by its name.
    """
    text = text.strip()
    if not text:
        return None
    found = _parse(text, name)
    # Before any clock is asked: at either end of the calendar its offset leads out of it.
    if found.year in YEARS:
        is_whole = is_end and _is_day(text)
        wall = found + timedelta(days=is_whole)
        at = wall.astimezone(UTC) if wall.tzinfo else _on_clock(wall, ZoneInfo(zone), is_end=is_end and not is_whole)
        if at.year in YEARS:
            return at
    raise BoundInvalid(f"{name}: {text[:40]!r} is out of reach. Use the years {YEARS[0]} to {YEARS[-1]}.")


def is_on_some_clock(text: str) -> bool:
    """Whether it is a day or a time that says nothing of its offset, so that it depends on who reads it."""
    try:
        return _parse(text.strip(), "").tzinfo is None
    except BoundInvalid:
        return False


def pinned_bound(text: str, *, zone: str, name: str, is_end: bool = False) -> str:
    """The same as an instant, which means one thing to everybody. What has an offset stays what it is.

    Raises BoundInvalid.
    """
    found = read_bound(text, zone=zone, name=name, is_end=is_end)
    return "" if found is None else write_instant(found)


def shown_bound(at: datetime, *, zone: str, is_end: bool = False, as_day: bool = False) -> str:
    """What somebody would type on their clock to mean this instant: a day, a time, or the instant where neither can."""
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    day = wall.date() - timedelta(days=is_end)
    typed = [day.isoformat()] if as_day else []
    with suppress(BoundInvalid):
        for text in (*typed, wall.isoformat(timespec="minutes")):
            if read_bound(text, zone=zone, name="", is_end=is_end) == at:
                return text
    return write_instant(at)


def _parse(text: str, name: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time()) if _is_day(text) else datetime.fromisoformat(text)
    except ValueError as error:
        raise BoundInvalid(
            f"{name}: {text[:40]!r} is neither a day nor an instant. Write 2027-03-13 or 2027-03-13T08:00:00Z."
        ) from error


def _is_day(text: str) -> bool:
    return len(text) == len("2027-03-13")


def _on_clock(wall: datetime, zone: ZoneInfo, *, is_end: bool) -> datetime:
    """The instant at which a clock shows this; of a time that comes twice the first as a beginning, the last as an end.

    A time that is left out stands for the moment in which the clock jumps over it.
    """
    first, last = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    shown = [at for at in (first, last) if at.astimezone(zone).replace(tzinfo=None) == wall]
    if shown:
        return max(shown) if is_end else min(shown)
    before = first.astimezone(zone).utcoffset()
    while last - first > timedelta(seconds=1):
        middle = first + (last - first) / 2
        if middle.astimezone(zone).utcoffset() == before:
            first = middle
        else:
            last = middle
    return last.replace(microsecond=0)
