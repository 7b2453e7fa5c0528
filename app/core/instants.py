"""Instants in addresses and saved filters: written so that they mean the same to everybody. Pure."""

from datetime import UTC, datetime

# A calendar ends in 9999 and begins in 1, and every zone's offset has to fit in between.
YEARS = range(1970, 9991)


def read_instant(text: str) -> datetime | None:
    """The instant that a text with an offset names, in UTC; None for anything else, and for years out of reach."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is None or found.year not in YEARS:
        return None
    return found.astimezone(UTC)


def write_instant(at: datetime) -> str:
    """The shortest text that names it: `2027-03-15T10:30Z`, with seconds and their parts where it has any."""
    at = at.astimezone(UTC).replace(tzinfo=None)
    return f"{at.isoformat(timespec='auto' if at.second or at.microsecond else 'minutes')}Z"
