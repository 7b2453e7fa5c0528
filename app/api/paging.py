"""Where a list goes on: a cursor that names the last row shown, signed so that nobody writes their own."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import current_app, request
from itsdangerous import BadData, URLSafeSerializer

from app.api.models import Paging
from app.core.errors import Invalid

Item = TypeVar("Item")
Key = tuple[str | int, ...]


class CursorInvalid(Invalid):
    """The cursor is none of ours, or it is another list's."""


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Some rows, and the cursor of the next ones when there are more."""

    items: Sequence[Item]
    next: str | None = None


def cut(items: Iterable[Item], query: Paging, *, key: Callable[[Item], Key]) -> Page[Item]:
    """The rows behind the cursor, in the order of their unique keys. For lists that are read as a whole."""
    after = _read(query)
    ordered = sorted(items, key=key)
    rest = ordered if after is None else [item for item in ordered if key(item) > tuple(after)]
    shown = rest[: query.limit]
    return Page(shown, _write(key(shown[-1])) if len(rest) > len(shown) else None)


def read_cursor(query: Paging) -> list[str] | None:
    """What `write_cursor` was given for the last row of the page before. Raises CursorInvalid."""
    found = _read(query)
    return None if found is None else [str(part) for part in found]


def write_cursor(*parts: str) -> str:
    """A cursor that this list, and no other one, reads again."""
    return _write(parts)


def _read(query: Paging) -> list[str | int] | None:
    if query.cursor is None:
        return None
    try:
        found: list[str | int] = _serializer().loads(query.cursor)
    except BadData as error:
        message = "This cursor is not one of this list. Use `next` of its last answer, or none to begin anew."
        raise CursorInvalid(message, field="cursor") from error
    return found


def _write(parts: Sequence[str | int]) -> str:
    text: Any = _serializer().dumps(list(parts))
    return str(text)


def _serializer() -> URLSafeSerializer:
    # The operation, whose list it is and its filters, but not the mount: both read each other's cursors.
    operation = (request.endpoint or "").rpartition(".")[2]
    filters = {name: text for name, text in request.args.items() if name not in {"cursor", "limit"}}
    which = sorted((request.view_args or {}).items()), sorted(filters.items())
    return URLSafeSerializer(str(current_app.secret_key), salt=f"api cursor of {operation} {which}")
