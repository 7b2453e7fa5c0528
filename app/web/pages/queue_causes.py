"""Dead letters by their causes, as lines of a table: what they say, by whose clock, and how many one press retries."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import url_for

from app.core.text import first_words
from app.ops.bulk.kinds import MOST_OBJECTS
from app.runs.cause_groups import CauseGroup, CauseGroups
from app.runs.queue_filter import QueueFilter
from app.web.clock_choice import Clock, list_clock
from app.web.context import viewer_zone
from app.web.formatting import count
from app.web.run_words import REASON_WORDS


@dataclass(frozen=True)
class GroupLine:
    """Dead letters of one cause, and where the list shows them alone. `zone` tells their times; empty: the viewer's."""

    group: CauseGroup
    words: str
    href: str
    is_current: bool
    zone: str

    @property
    def retried(self) -> str:
        """How many one press retries."""
        runs = self.group.runs
        return count(runs) if runs <= MOST_OBJECTS else f"{count(MOST_OBJECTS)} of {count(runs)}"


def group_lines(causes: CauseGroups | None, wanted: QueueFilter, more: Mapping[str, str]) -> list[GroupLine]:
    """A line for each group. `more` is kept in addresses."""
    if causes is None:
        return []
    by_schedule = list_clock() is Clock.SCHEDULE
    return [
        GroupLine(
            group,
            first_words(group.error) or (REASON_WORDS[group.reason] if group.reason else "It failed."),
            url_for("web.queue", **_args(replace(wanted, cause=group.cause), more)),
            is_current=group.cause == wanted.cause,
            # Runs of several schedules have no clock of their own: the viewer's is named instead.
            zone=(group.timezone or viewer_zone()) if by_schedule else "",
        )
        for group in causes.groups
    ]


def groups_note(causes: CauseGroups | None) -> str:
    """What of the dead letters is in no group that is shown."""
    if causes is None or (causes.is_all and not causes.were_cut):
        return ""
    largest = "" if causes.is_all else f"These are the {len(causes.groups)} largest causes. "
    return (
        f"{largest}{'Not all dead letters are in these groups: there are too many.' if causes.were_cut else ''}".strip()
    )


def _args(wanted: QueueFilter, more: Mapping[str, str]) -> dict[str, Any]:
    return {**wanted.args, **more}
