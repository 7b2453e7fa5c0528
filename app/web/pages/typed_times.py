"""Times from and to which a list is read: typed on the clock of whoever looks, and carried by links as instants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.core.instants import write_instant
from app.ops.time_bounds import BoundInvalid, is_on_some_clock, read_bound, shown_bound
from app.web.context import viewer_zone


@dataclass(frozen=True)
class TypedTime:
    """One of the two. `address` is what links carry, `shown` what the field has; `problem` says what cannot be read."""

    at: datetime | None = None
    address: str = ""
    shown: str = ""
    # Whether it came without its offset, as people type it.
    is_plain: bool = False
    problem: str = ""


NO_TIME = TypedTime()


def read_time(text: str, name: str, *, is_end: bool = False, as_day: bool = False) -> TypedTime:
    """The time that a text means, which `name` calls it by; `as_day` where the field takes days."""
    zone = viewer_zone()
    try:
        at = read_bound(text, zone=zone, name=name, is_end=is_end)
    except BoundInvalid as error:
        return TypedTime(address=text, shown=text, problem=error.message)
    if at is None:
        return NO_TIME
    is_plain = is_on_some_clock(text)
    shown = text if is_plain else shown_bound(at, zone=zone, is_end=is_end, as_day=as_day)
    return TypedTime(at, write_instant(at), shown, is_plain)


def pinned(parts: Mapping[str, str]) -> dict[str, str]:
    """Parts of an address with their times as instants; what cannot be read stays, for whoever refuses it."""
    times = {"since": False, "until": True}
    return {
        name: read_time(text, name, is_end=times[name]).address if name in times else text
        for name, text in parts.items()
    }
