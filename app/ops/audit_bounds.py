"""From when to when somebody wants to read the audit: days on their own clock, or instants. Pure."""

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
            return datetime.combine(day, time(), zone)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise BoundInvalid(
            f"{name}: {text[:40]!r} is neither a day nor an instant. Write 2027-03-13 or 2027-03-13T08:00:00Z."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=zone)
