"""From when to when somebody wants to read a list: days on their own clock, or instants. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.core.errors import Invalid

# A calendar ends in 9999, and a zone's offset has to fit in before that.
YEARS = range(1970, 9991)


class BoundInvalid(Invalid):
    """This is neither a day nor an instant."""


def read_bound(text: str, *, zone: str, name: str, is_end: bool = False) -> datetime | None:
    """The instant that a text names; None without one. A day is meant whole, so as an end it is its last instant.

    Raises BoundInvalid, which calls it by its name.
    """
    text = text.strip()
    if not text:
        return None
    found = _parse(text, ZoneInfo(zone), name, is_end)
    if found.year not in YEARS:
        raise BoundInvalid(f"{name}: {text[:40]!r} is out of reach. Use the years {YEARS[0]} to {YEARS[-1]}.")
    return found.astimezone(UTC)


def _parse(text: str, zone: ZoneInfo, name: str, is_end: bool) -> datetime:
    try:
        if len(text) == len("2027-03-13"):
            day = date.fromisoformat(text) + timedelta(days=is_end)
            return _on_clock(datetime.combine(day, time()), zone, is_end=False)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BoundInvalid(
            f"{name}: {text[:40]!r} is neither a day nor an instant. Write 2027-03-13 or 2027-03-13T08:00:00Z."
        ) from error
    return found if found.tzinfo else _on_clock(found, zone, is_end=is_end)


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
