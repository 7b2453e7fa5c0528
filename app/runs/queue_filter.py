"""What a list of the queue shows: one of its tabs, narrowed. Reads a query string, and writes links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from app.core.errors import Invalid
from app.core.text import quoted
from app.runs.causes import CAUSE_LENGTH, is_cause
from app.runs.filters import LONGEST_SEARCH, search_text
from app.runs.states import RunState

LONGEST_NAME = 32


class QueueFilterUnclear(Invalid):
    """A part of the filter cannot be read. Left out, the rest would take more than was meant."""


class QueueTab(StrEnum):
    """Which runs of a queue."""

    WAITING = "waiting"  # for a slot or for other runs
    RUNNING = "running"
    RETRYING = "retrying"  # for their next try
    DEAD = "dead"  # failed for good, and nobody has dealt with it
    REMOVED = "removed"  # taken off by somebody within the last days
    ALL = "all"  # every run, whatever became of it


LIVE_STATES = {
    QueueTab.WAITING: (RunState.READY, RunState.WAITING),
    QueueTab.RUNNING: (RunState.RUNNING,),
    QueueTab.RETRYING: (RunState.WAITING_RETRY,),
}
# What the tab was called before.
_FORMER = {"failed": QueueTab.DEAD}


@dataclass(frozen=True)
class QueueFilter:
    """One tab and what it is narrowed to.

    Parts that cannot be read are left out, so that an old link still works: `unread_parts` names them.
    """

    tab: QueueTab = QueueTab.WAITING
    queue: str = ""
    job_id: UUID | None = None
    schedule_id: UUID | None = None
    # Part of the name of a job or schedule or of an error, or the whole id of a run.
    text: str = ""
    # The mark that dead letters of one cause share.
    cause: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "QueueFilter":
        tab, cause = args.get("tab", ""), args.get("cause", "")
        known = QueueTab(tab) if tab in set(QueueTab) else _FORMER.get(tab, QueueTab.WAITING)
        return cls(
            tab=known,
            queue=search_text(args.get("queue", ""))[:LONGEST_NAME],
            job_id=_id(args.get("job")),
            schedule_id=_id(args.get("schedule")),
            text=search_text(args.get("q", "")),
            cause=cause if is_cause(cause) and known is QueueTab.DEAD else "",
        )

    @property
    def args(self) -> dict[str, str]:
        """The query string's parts, to build a link from."""
        return {"tab": self.tab.value, **self.narrowing}

    @property
    def narrowing(self) -> dict[str, str]:
        """The same without the tab; empty where it shows everything."""
        ids = {"job": self.job_id, "schedule": self.schedule_id}
        words = {"queue": self.queue, "q": self.text, "cause": self.cause}
        return {name: str(value) for name, value in (*words.items(), *ids.items()) if value}

    @property
    def run_id(self) -> UUID | None:
        """The run that is searched for by its id."""
        return _id(self.text)

    def with_tab(self, tab: QueueTab) -> "QueueFilter":
        return replace(self, tab=tab, cause=self.cause if tab is QueueTab.DEAD else "")


def unread_parts(args: Mapping[str, str]) -> dict[str, str]:
    """Words for each part of a query string that `QueueFilter.from_args` leaves out or shortens, by its name."""
    wanted, found = QueueFilter.from_args(args), dict[str, str]()
    given = {name: args.get(name, "") for name in ("tab", "queue", "job", "schedule", "q", "cause")}
    if given["tab"] and given["tab"] not in {*QueueTab, *_FORMER}:
        found["tab"] = f"{quoted(given['tab'])} is no tab of the queue."
    if given["queue"].strip() != wanted.queue:
        found["queue"] = f"{quoted(given['queue'])} is not the name of a queue."
    if given["job"] and wanted.job_id is None:
        found["job"] = f"{quoted(given['job'])} is not the id of a job."
    if given["schedule"] and wanted.schedule_id is None:
        found["schedule"] = f"{quoted(given['schedule'])} is not the id of a schedule."
    if given["q"].strip() != wanted.text:
        found["q"] = f"A search has at most {LONGEST_SEARCH} characters, and none that cannot be shown."
    if given["cause"] and not is_cause(given["cause"]):
        found["cause"] = f"{quoted(given['cause'])} is no cause: that is {CAUSE_LENGTH} letters and digits."
    elif given["cause"] != wanted.cause:
        found["cause"] = "Only dead letters have a cause."
    return found


def read_whole(args: Mapping[str, str]) -> QueueFilter:
    """The filter, for what acts on all that match. Raises QueueFilterUnclear, naming the first part it cannot read."""
    for name, words in unread_parts(args).items():
        raise QueueFilterUnclear(f"{words} Choose another filter, and try again.", field=name)
    return QueueFilter.from_args(args)


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
