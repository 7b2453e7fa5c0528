"""What somebody looks for among the schedules: read from an address, with words for what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.text import quoted
from app.ops.schedule_glances import GlanceFilter
from app.ops.schedule_health import ScheduleStatus
from app.ops.schedule_order import ScheduleOrder

_LONGEST_SEARCH = 200
# What people call it besides.
_FORMER = {"paused": ScheduleStatus.DISABLED}


@dataclass(frozen=True)
class ScheduleSearch:
    """A filter, and what of the address could not be read and was left out: then it shows more than was asked for."""

    filter: GlanceFilter
    order: ScheduleOrder
    problems: tuple[str, ...] = ()


def read_schedule_search(args: Mapping[str, str]) -> ScheduleSearch:
    """What an address asks for. What cannot be read is left out and told of, so that an old link still works."""
    text = {name: args.get(name, "")[:_LONGEST_SEARCH] for name in ("q", "status", "tag", "service", "owner")}
    status = _status(text["status"])
    problems = [] if status is not None or not text["status"] else [f"{quoted(text['status'])} is no status."]
    order = ScheduleOrder.read(args.get("sort", ""))
    if order is None:
        problems.append(f"{quoted(args['sort'])} is no order.")
    wanted = GlanceFilter(query=text["q"], status=status, tag=text["tag"], service=text["service"], owner=text["owner"])
    return ScheduleSearch(wanted, order or ScheduleOrder(), tuple(problems))


def _status(text: str) -> ScheduleStatus | None:
    word = text.strip().casefold().replace("_", " ")
    return ScheduleStatus(word) if word in set(ScheduleStatus) else _FORMER.get(word)
