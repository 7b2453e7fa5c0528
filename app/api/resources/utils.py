"""`/utils`: answers that need no data of anybody's."""

from typing import Annotated

from pydantic import ConfigDict, Field

from app.api.models import Answer, Body, Moment
from app.api.resource import resource
from app.api.schedule_fields import EndsAt, HasSeconds, OnClockChange, SpreadKey, StartsAt
from app.core.errors import Invalid
from app.edge.identity import current_person, request_now
from app.schedules.clock_changes import ClockChange
from app.schedules.preview import preview_rhythm
from app.schedules.proposals import propose_new
from app.schedules.stored_rhythms import StoredRhythm
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
    now, names = request_now(), set(StoredRhythm._fields)
    said = {name: value for name in names if (value := getattr(body, name)) is not None}
    try:
        said = {"timezone": current_person().timezone} | said
        proposal = propose_new(said, organization_id=None, job_id=None, name=None, now=now)
    except Invalid as error:
        return CronOut(valid=False, description=None, nextRuns=[], error=error.message)
    found = preview_rhythm(proposal.when, now=now, count=_RUNS_SHOWN)
    # The shape of this answer is fixed, so what there is to say about the times stands behind their words.
    words = ". ".join(filter(None, [found.sentence, proposal.note]))
    return CronOut(valid=True, description=words, nextRuns=list(found.next_runs), error=None)
