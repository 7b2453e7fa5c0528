"""`/runs/{id}/comparison`: a run beside another one."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.api.models import Answer, Moment, Query
from app.api.resource import resource
from app.api.run_shapes import RunOut, shown_runs
from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.jobs.kinds.base import Level
from app.ops.log_comparison import MOST_COMPARED, LogEnd
from app.ops.run_comparison import Part, compare_runs
from app.runs.logs import Line
from app.tenants.access import Permission


class ComparisonQuery(Query):
    other: Annotated[
        UUID | None, Field(description="The other run. Without it the last one of its schedule that went well before.")
    ] = None


class ComparedOut(Answer):
    """One value of both runs, in words; null where a run has none."""

    part: Annotated[Part, Field(description="What it is about.")]
    name: Annotated[str, Field(examples=["duration", "rows", "steps.1.url"])]
    this: str | None
    other: str | None
    differs: bool


class ComparedLineOut(Answer):
    number: int
    at: Moment
    level: Level
    text: str


class LogEndOut(Answer):
    """One of the two logs."""

    lines: int
    loud: Annotated[list[ComparedLineOut], Field(description="Its first warnings and errors.")]
    around: Annotated[list[ComparedLineOut], Field(description="Its lines around the place where the logs part.")]


class LogComparisonOut(Answer):
    """Both logs."""

    this: LogEndOut
    other: LogEndOut
    parts_at: Annotated[
        int | None,
        Field(
            description="The first line that reads otherwise, numbers and ids aside; null where none does. "
            f"The first {MOST_COMPARED:,} lines are compared."
        ),
    ]
    is_cut: Annotated[bool, Field(description="Whether one of them is longer than that.")]


class ComparisonOut(Answer):
    """A run beside another one."""

    this: RunOut
    other: RunOut
    values: list[ComparedOut]
    schedule_changes: Annotated[
        list[str], Field(description="What its schedule says otherwise for this run than for the other one, in words.")
    ]
    log: LogComparisonOut


@resource(
    "GET", "/runs/<uuid:run_id>/comparison", permission=Permission.VIEW, query=ComparisonQuery, answer=ComparisonOut
)
def compare_run(run_id: UUID, query: ComparisonQuery) -> ComparisonOut:
    """A run beside the last one that went well before it, or beside another one.

    404 where no run of its schedule, or of its job, went well before.
    """
    session = request_session()
    found = compare_runs(session, organization_id=current_actor().organization_id, run_id=run_id, other_id=query.other)
    this, other = shown_runs(session, [found.this, found.other])
    values = [
        ComparedOut(part=one.part, name=one.name, this=one.this, other=one.other, differs=one.differs)
        for one in found.lines
    ]
    log = LogComparisonOut(
        this=_end(found.log.this),
        other=_end(found.log.other),
        parts_at=found.log.parts_at,
        is_cut=found.log.is_cut,
    )
    return ComparisonOut(this=this, other=other, values=values, schedule_changes=list(found.changes), log=log)


def _end(end: LogEnd) -> LogEndOut:
    return LogEndOut(lines=end.lines, loud=_shown(end.loud), around=_shown(end.around))


def _shown(lines: tuple[Line, ...]) -> list[ComparedLineOut]:
    return [ComparedLineOut(number=one.number, at=one.at, level=one.level, text=one.text) for one in lines]
