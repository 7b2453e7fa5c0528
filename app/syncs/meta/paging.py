"""Pages of the Graph API, up to the last one.

The end is where `next` is missing: `after` is always there, and a page without rows may come in the middle. `next`
itself is never followed, for it holds the token and Meta's own host.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed

MOST_PAGES = 1_000
# Longer ones would not fit into an address.
LONGEST_CURSOR = 4_000

Row = Mapping[str, Any]


def read_pages(client: ServiceClient, path: str, parameters: Mapping[str, str]) -> Iterator[list[Row]]:
    """The rows of one page after the other. Raises SyncFailed, also when the pages lead nowhere."""
    seen: set[str] = set()
    place: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        page = client.get(path, {**parameters, **place})
        yield _rows(page)
        after = _after(page)
        if after is None:
            return
        if after in seen:
            raise _lost("Meta's pages lead back to one that was read before.")
        seen.add(after)
        place = {"after": after}
    raise _lost(f"Meta's answer has more than {MOST_PAGES:,} pages.")


def _rows(page: Any) -> list[Row]:
    rows = page.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _lost("Meta's answer has no rows where they belong.")
    return rows


def _after(page: Any) -> str | None:
    """Where the next page begins, None after the last one."""
    paging = page.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    after = cursors.get("after") if isinstance(cursors, dict) else None
    if not isinstance(after, str) or not after or not after.isascii() or len(after) > LONGEST_CURSOR:
        raise _lost("Meta says that there is another page, and not where.")
    return after


def _lost(message: str) -> SyncFailed:
    return failed(TroubleClass.TRANSIENT, f"{message} Nothing of it was kept.")
