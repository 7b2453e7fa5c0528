"""What somebody looks for in the queue: read from an address, with words for what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.text import quoted
from app.runs.queue_filter import QueueFilter, unread_parts
from app.runs.queue_lists import Place
from app.web.pages.places import read_place


@dataclass(frozen=True)
class QueueSearch:
    """A filter, behind which run the page begins, and what of the address could not be read and was left out."""

    filter: QueueFilter
    after: Place | None
    problems: tuple[str, ...] = ()


def read_queue_search(args: Mapping[str, str]) -> QueueSearch:
    """What an address asks for. What cannot be read is left out and told of, so that an old link still works."""
    problems = [*unread_parts(args).values()]
    if args.get("of", "") not in ("", "all"):
        problems.append(f"{quoted(args['of'])} is not whose runs can be shown.")
    after = _place(args.get("after", ""))
    if args.get("after") and after is None:
        problems.append("The place in the list cannot be read, so this is its beginning.")
    return QueueSearch(QueueFilter.from_args(args), after, tuple(problems))


def _place(text: str) -> Place | None:
    """Behind which run the page begins, as the link to the next page says it."""
    # Links of an earlier version left out that it is UTC.
    found = read_place(text, between="_") or read_place(text.replace("_", "Z_", 1), between="_")
    return None if found is None else Place(*found)
