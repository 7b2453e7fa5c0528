"""Where a list goes on that is ordered by an instant and an id, as its links carry it."""

from datetime import datetime
from uuid import UUID

Place = tuple[datetime, UUID]


def write_place(place: Place) -> str:
    """The place of the last row of a page."""
    return f"{place[0].isoformat()}~{place[1]}"


def read_place(text: str) -> Place | None:
    """The same read back; None for what somebody has written by hand."""
    at, _, row_id = text.partition("~")
    try:
        place = datetime.fromisoformat(at), UUID(row_id)
    except ValueError:
        return None
    # Without its zone it is no instant.
    return place if place[0].tzinfo is not None else None
