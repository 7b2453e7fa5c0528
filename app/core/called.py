"""Rows by what somebody calls them: those that a name, or a part of one, may mean, and the one that it means."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func
from sqlalchemy.orm import InstrumentedAttribute, Session

LONGEST_PART = 200


@dataclass(frozen=True)
class Named:
    """A row and what it is called."""

    id: UUID
    name: str


def list_called(
    session: Session, query: Select[UUID, str], column: InstrumentedAttribute[str], text: str, *, limit: int
) -> list[Named]:
    """The rows with this text in their name, among those that the query takes; the likeliest first."""
    text = text.strip()[:LONGEST_PART]
    found = query.where(column.icontains(text, autoescape=True)) if text else query
    rows = session.execute(found.order_by(_distance(column, text), column).limit(limit))
    return [Named(row_id, name) for row_id, name in rows]


def meant_by(text: str, found: Sequence[Named]) -> Named | None:
    """The one that the text means: called exactly so, or so in other letters, or the only one with it in its name."""
    text = text.strip()
    exact = [one for one in found if one.name == text]
    alike = [one for one in found if one.name.casefold() == text.casefold()]
    for fitting in (exact, alike, found):
        if len(fitting) == 1:
            return fitting[0]
    return None


def _distance(column: InstrumentedAttribute[str], text: str) -> ColumnElement[int]:
    begins = column.istartswith(text, autoescape=True)
    return case((column == text, 0), (func.lower(column) == func.lower(text), 1), (begins, 2), else_=3)
