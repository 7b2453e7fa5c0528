"""`/utils`: answers that need no data of anybody's."""

from typing import Annotated

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.api.resource import resource
from app.api.schedule_shapes import EndsAt, HasSeconds, OnClockChange, SpreadKey, StartsAt
from app.core.errors import Invalid
from app.edge.identity import current_person, request_now
from app.schedules.clock_changes import ClockChange
from app.schedules.preview import preview_text
from app.tenants.access import Permission

_RUNS_SHOWN = 5


class CronIn(Body):
    """A cron line that somebody thinks of using."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"}]})

    cron: str
    timezone: Annotated[str | None, Field(description="Unless given, the time zone of who asks.")] = None
    spread_key: SpreadKey = ""
    has_seconds: HasSeconds = False
    clock_change: OnClockChange = ClockChange.ONCE
    starts_at: StartsAt = None
    ends_at: EndsAt = None


class CronOut(Answer):
    """What the line means, or what is wrong with it."""

    valid: bool
    description: Annotated[str | None, Field(description="When it runs, in words.")]
    nextRuns: list[Moment]  # noqa: N815 - the name is fixed from outside
    error: Annotated[str | None, Field(description="What is wrong, and what to write instead.")]


@resource(
    "POST",
    "/utils/validate-cron",
    permission=Permission.VIEW,
    body=CronIn,
    answer=CronOut,
    is_bare=True,
    is_reading=True,
    tag="Utilities",
)
def validate_cron(body: CronIn) -> CronOut:
    """Say what a cron line means and when it runs next, as the form of a schedule does."""
    timezone = current_person().timezone if body.timezone is None else body.timezone
    try:
        found = preview_text(
            body.cron,
            timezone=timezone,
            spread_key=body.spread_key,
            now=request_now(),
            count=_RUNS_SHOWN,
            has_seconds=body.has_seconds,
            clock_change=body.clock_change,
            starts_at=body.starts_at,
            ends_at=body.ends_at,
        )
    except Invalid as error:
        return CronOut(valid=False, description=None, nextRuns=[], error=error.message)
    return CronOut(valid=True, description=found.sentence, nextRuns=list(found.next_runs), error=None)
