"""One filter for lists of runs: it reads a query string, narrows a query and writes links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.runs.models import Run
from app.runs.states import RunState, Source, Trigger, Via
from app.schedules.models import Schedule
from app.tenants.models import Organization

LONGEST_SEARCH = 200
# No page counts further.
MOST_COUNTED = 10_000
# Who asks for the runs of an hour means one, too, that began before it and ended in it. Longer ones are few, and those
# that still go on have a list of their own.
_BEGAN_BEFORE = timedelta(days=2)


@dataclass(frozen=True)
class RunFilter:
    """What a list of runs shows. Parts that cannot be read are left out, so that an old link still works."""

    state: RunState | None = None
    schedule_id: UUID | None = None
    job_id: UUID | None = None
    # Part of the name of a job or schedule, of an error or of what the job was to do; or the whole id of a run.
    query: str = ""
    source: Source | None = None
    # Those that went on, or were made, between two instants. The end is not included.
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "RunFilter":
        """All that a query string says but times, which are told by somebody's clock."""
        state, source = args.get("state", ""), args.get("trigger", "")
        return cls(
            state=RunState(state) if state in set(RunState) else None,
            schedule_id=_id(args.get("schedule")),
            job_id=_id(args.get("job")),
            query=search_text(args.get("q", "")),
            source=Source(source) if source in set(Source) else None,
        )

    @property
    def args(self) -> dict[str, str]:
        """The query string's parts, to build a link from. Times are left to whoever has read them."""
        pairs = {
            "state": self.state, "schedule": self.schedule_id, "job": self.job_id, "q": self.query or None,
            "trigger": self.source,
        }  # fmt: skip
        return {name: str(value) for name, value in pairs.items() if value is not None}

    def with_state(self, state: RunState | None) -> "RunFilter":
        return replace(self, state=state)

    @property
    def run_id(self) -> UUID | None:
        """The run that is searched for by its id."""
        return _id(self.query)

    @property
    def is_search(self) -> bool:
        """Whether it asks for what no index knows, so that many runs are looked through for a few."""
        return bool(self.query) or self.source is not None

    def conditions(self) -> list[ColumnElement[bool]]:
        """What the filter demands of a row of the runs table, but for what is searched for."""
        found: list[ColumnElement[bool]] = []
        if self.state is not None:
            found.append(Run.state == self.state.value)
        if self.schedule_id is not None:
            found.append(Run.schedule_id == self.schedule_id)
        if self.job_id is not None:
            found.append(Run.job_id == self.job_id)
        if self.since is not None:
            went_on = or_(Run.created_at >= self.since, Run.finished_at >= self.since, Run.finished_at.is_(None))
            found += [Run.created_at >= self.since - _BEGAN_BEFORE, went_on]
        if self.until is not None:
            found.append(Run.created_at < self.until)
        return found

    def is_from(self) -> ColumnElement[bool]:
        """What it demands of why a run exists."""
        assert self.source is not None
        return _FROM[self.source]


_FROM: dict[Source, ColumnElement[bool]] = {
    **{Source(each.value): Run.trigger == each.value for each in Trigger},
    Source.API: Run.requested_via == Via.API.value,
    Source.TERMINAL: Run.requested_via == Via.TERMINAL.value,
    Source.AGAIN: Run.again_of_run_id.is_not(None),
}


def search_text(typed: str) -> str:
    """What is searched for, of what somebody typed: without what no text holds, and not too long."""
    return "".join(letter for letter in typed if letter.isprintable()).strip()[:LONGEST_SEARCH]


def runs_of(organization_id: UUID | None) -> ColumnElement[bool]:
    """Runs of one organization, or of all for whoever works as PLATFORM."""
    if organization_id is not None:
        return Run.organization_id == organization_id
    # Organization by organization, because that is how runs are indexed.
    return Run.organization_id.in_(select(Organization.id))


def of_schedule(*, organization_id: UUID, schedule_id: UUID) -> ColumnElement[bool]:
    """Runs of this schedule, if it is one of the organization."""
    # Asked of the schedule and not of the runs: those of the whole organization have an index, too, and without
    # figures about its tables a database takes the wrong one.
    mine = select(Schedule.id).where(Schedule.id == schedule_id, Schedule.organization_id == organization_id)
    return Run.schedule_id == mine.scalar_subquery()


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
