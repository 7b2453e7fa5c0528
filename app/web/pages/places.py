"""Where a list goes on that is ordered by an instant and an id, as its links carry it."""

from datetime import datetime
from uuid import UUID

from app.core.instants import read_instant

Place = tuple[datetime, UUID]


def write_place(place: Place) -> str:
    """The place of the last row of a page."""
    return f"{place[0].isoformat()}~{place[1]}"


def read_place(text: str, *, between: str = "~") -> Place | None:
    """The same read back; None for what somebody has written by hand."""
    at, _, row_id = text.partition(between)
    # Without its zone it is no instant.
    moment = read_instant(at)
    try:
        return None if moment is None else (moment, UUID(row_id))
    except ValueError:
        return None
