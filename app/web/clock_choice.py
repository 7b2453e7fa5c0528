"""By which clock lists tell times: the viewer's, the schedules' own or UTC. Chosen on a page, kept by the browser."""

from dataclasses import dataclass
from enum import StrEnum

from flask import request, session

_KEY = "times"
# Pages that list what belongs to many schedules, and the parts that refresh them. Others have a clock of their own.
_LISTS = frozenset(
    {"web.overview", "web.schedules", "web.schedule_rows", "web.schedule_tiles", "web.runs", "web.queue"}
)


class Clock(StrEnum):
    """By which clock times are told."""

    MINE = "mine"  # the viewer's
    SCHEDULE = "schedule"
    UTC = "utc"


_LABELS = {Clock.MINE: "Mine", Clock.SCHEDULE: "Schedule", Clock.UTC: "UTC"}


@dataclass(frozen=True)
class ClockChoice:
    """One button of the choice."""

    value: str
    label: str
    is_current: bool


def list_clock() -> Clock:
    """The clock of this list; the viewer's wherever there is no choice."""
    word = session.get(_KEY, "") if request.endpoint in _LISTS else ""
    return Clock(word) if word in set(Clock) else Clock.MINE


def clock_choices() -> list[ClockChoice]:
    """The choice, on pages that have it."""
    if request.endpoint not in _LISTS:
        return []
    return [ClockChoice(clock.value, label, clock is list_clock()) for clock, label in _LABELS.items()]


def choose_clock(word: str) -> None:
    """Keep a choice in this browser. What is no clock leaves it as it is."""
    if word in set(Clock):
        session[_KEY] = word
