"""`/schedules`: what the pages of schedules do, for programs. Behind and ahead of one looks schedule_times.py."""

from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from app.api.missed_shapes import Resumed, ResumeIn, show_resumed
from app.api.models import Body, Flag, Name, Paging
from app.api.paging import read_cursor, write_cursor
from app.api.resource import Message, Page, resource
from app.api.resources.runs import RunStartedOut
from app.api.schedule_shapes import ScheduleChanges, ScheduleOut, ScheduleRules, show_newest, show_schedules
from app.core.db import on_commit
from app.core.ids import new_id
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.services import Service
from app.ops.schedule_glances import GlanceFilter, matching_schedules
from app.ops.schedule_health import ScheduleStatus
from app.ops.schedule_order import ScheduleOrder, SortKey, ordered_ids
from app.ops.schedule_preview import twin_note_of
from app.runs import service as runs
from app.runs.filters import LONGEST_SEARCH
from app.runs.queries import get_run
from app.runs.states import RunState
from app.schedules.owners import member_id_of, set_owner
from app.schedules.queries import ScheduleFilter, get_schedule, list_some_schedules, list_these_schedules, lock_schedule
from app.schedules.service import create_schedule as make_schedule
from app.schedules.tags import LONGEST_TAG
from app.tenants.access import Permission
from app.tenants.people import LONGEST_EMAIL


class OwnerIn(Body):
    """Whose a schedule is to be."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"owner": "ada@example.com"}, {"owner": None}]})

    owner: Annotated[
        str | None, Field(max_length=LONGEST_EMAIL, description="The address of a member; null: nobody's.")
    ]


class ScheduleQuery(Paging):
    """What the list is narrowed to."""

    workflow: Annotated[UUID | None, Field(description="The id of a workflow, or of a job of another kind.")] = None
    service: Annotated[Service | None, Field(description="What its job syncs from.")] = None
    enabled: Annotated[Flag | None, Field(description="Whether it is switched on.")] = None
    tag: Annotated[str | None, Field(max_length=LONGEST_TAG, description="A tag that it has.")] = None
    owner: Annotated[str, Field(max_length=LONGEST_EMAIL, description="The address of whose it is, or `nobody`.")] = ""
    health: Annotated[ScheduleStatus | None, Field(description="How it fares, or `enabled`.")] = None
    q: Annotated[str, Field(max_length=LONGEST_SEARCH, description="Part of its name.")] = ""
    sort: Annotated[
        str,
        Field(
            pattern=rf"^(-?({'|'.join(SortKey)}))?$",
            description="`next`: the soonest first; `name`; `success`: of those with runs within 7 days, the least "
            "successful first; `duration`: the longest last run first. With a `-` before it the other way round. "
            "What has nothing of the kind comes last. Empty: by name.",
        ),
    ] = ""


class ScheduleIn(ScheduleRules):
    """A new schedule."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Orders, every night",
                    "job_id": "0190b6a2-5c1e-7cc0-98a4-1f0e6d3b2a10",
                    "cron": "0 2 * * *",
                    "timezone": "Europe/Berlin",
                }
            ]
        }
    )

    name: Name
    job_id: UUID


class ResumedScheduleOut(ScheduleOut):
    """A schedule that was switched on."""

    resumed: Resumed


@resource("GET", "/schedules", permission=Permission.VIEW, query=ScheduleQuery, answer=ScheduleOut, is_list=True)
def list_schedules(query: ScheduleQuery) -> Page[ScheduleOut]:
    """Schedules of the organization, by name unless `sort` says otherwise."""
    if query.sort:
        return _sorted(query)
    after = read_cursor(query)
    found = list_some_schedules(
        request_session(),
        organization_id=current_actor().organization_id,
        schedule_filter=ScheduleFilter(query.workflow, query.service, query.enabled, query.tag, _ids(query)),
        limit=query.limit + 1,
        after=(after[0], UUID(after[1])) if after else None,
    )
    rows = found[: query.limit]
    goes_on = write_cursor(rows[-1].name, str(rows[-1].id)) if len(found) > len(rows) else None
    return Page(show_schedules(rows), goes_on)


def _sorted(query: ScheduleQuery) -> Page[ScheduleOut]:
    session, organization_id = request_session(), current_actor().organization_id
    narrowed = ScheduleFilter(query.workflow, query.service, query.enabled, query.tag, _ids(query))
    order = ScheduleOrder.read(query.sort) or ScheduleOrder()
    found = ordered_ids(
        session, organization_id=organization_id, schedule_filter=narrowed, order=order, now=request_now()
    )
    after = read_cursor(query)
    start = 0 if after is None else _place_behind(found, UUID(after[0]), int(after[1]))
    ids = found[start : start + query.limit]
    goes_on = write_cursor(str(ids[-1]), str(start + len(ids))) if len(found) > start + len(ids) else None
    return Page(
        show_schedules(list_these_schedules(session, organization_id=organization_id, schedule_ids=ids)), goes_on
    )


def _place_behind(ids: list[UUID], last: UUID, place: int) -> int:
    # Behind the last one that was shown, wherever it stands by now; where it was, if it is gone.
    return ids.index(last) + 1 if last in ids else place


def _ids(query: ScheduleQuery) -> frozenset[UUID] | None:
    wanted = GlanceFilter(query=query.q, status=query.health, owner=query.owner)
    if wanted.is_empty:
        return None
    organization_id = current_actor().organization_id
    return matching_schedules(request_session(), organization_id=organization_id, wanted=wanted, now=request_now())


@resource("POST", "/schedules", permission=Permission.EDIT_SCHEDULES, body=ScheduleIn, answer=ScheduleOut, status=201)
def create_schedule(body: ScheduleIn) -> Message:
    """Put a job on a schedule. A job may have several. A second one with the same times is made, and warned of."""
    draft = body.draft(name=body.name, job_id=body.job_id)
    return _saved(make_schedule(request_session(), actor=current_actor(), draft=draft, now=request_now()))


@resource("GET", "/schedules/<uuid:schedule_id>", permission=Permission.VIEW, answer=ScheduleOut)
def show_schedule(schedule_id: UUID) -> ScheduleOut:
    """One schedule."""
    return show_newest(schedule_id)


@resource(
    "PATCH",
    "/schedules/<uuid:schedule_id>",
    permission=Permission.EDIT_SCHEDULES,
    body=ScheduleChanges,
    answer=ScheduleOut,
)
def edit_schedule(schedule_id: UUID, body: ScheduleChanges) -> Message:
    """Change a schedule: what is sent, and nothing else.

    Slots that are due already still run by what the schedule said. With a `version` that is no longer the newest,
    nothing is changed and the answer is 409.
    """
    apply_changes(schedule_id, body)
    return _saved(schedule_id)


@resource(
    "PUT", "/schedules/<uuid:schedule_id>/owner", permission=Permission.EDIT_SCHEDULES, body=OwnerIn, answer=ScheduleOut
)
def set_schedule_owner(schedule_id: UUID, body: OwnerIn) -> ScheduleOut:
    """Give a schedule to a member of the organization, or to nobody. When it runs, and what of it, stays the same."""
    session, actor = request_session(), current_actor()
    owner_id = None if body.owner is None else member_id_of(session, actor=actor, email=body.owner)
    set_owner(session, actor=actor, schedule_id=schedule_id, owner_id=owner_id, now=request_now())
    return show_newest(schedule_id)


@resource("DELETE", "/schedules/<uuid:schedule_id>", permission=Permission.EDIT_SCHEDULES)
def delete_schedule(schedule_id: UUID) -> Message:
    """Delete a schedule. Its runs that wait are cancelled, its history stays."""
    return remove_schedule(schedule_id)


@resource("POST", "/schedules/<uuid:schedule_id>/run", permission=Permission.RUN, answer=RunStartedOut, status=201)
def run_schedule(schedule_id: UUID) -> Message:
    """Run a schedule's job now, whether the schedule is on or off. Its times stay as they are."""
    session, actor, now = request_session(), current_actor(), request_now()
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    run_id = runs.run_schedule_now(session, actor=actor, schedule_id=schedule_id, request_key=new_id().hex, now=now)
    on_commit(session, runtime().dispatch)
    run = get_run(session, organization_id=actor.organization_id, run_id=run_id)
    words = f"{row.name} skipped. {run.error or ''}" if run.state is RunState.SKIPPED else f"{row.name} queued."
    return Message(RunStartedOut(run_id=run_id), words.strip())


@resource("POST", "/schedules/<uuid:schedule_id>/pause", permission=Permission.EDIT_SCHEDULES, answer=ScheduleOut)
def pause_schedule(schedule_id: UUID) -> ScheduleOut:
    """Switch a schedule off. A slot that is due already still runs."""
    session, actor, now = request_session(), current_actor(), request_now()
    runs.switch_schedule(session, actor=actor, schedule_id=schedule_id, enabled=False, now=now)
    on_commit(session, runtime().dispatch)
    return show_newest(schedule_id)


@resource(
    "POST",
    "/schedules/<uuid:schedule_id>/resume",
    permission=Permission.EDIT_SCHEDULES,
    body=ResumeIn,
    is_body_optional=True,
    answer=ResumedScheduleOut,
)
def resume_schedule(schedule_id: UUID, body: ResumeIn) -> ResumedScheduleOut:
    """Switch a schedule on. What it missed meanwhile is recorded as a gap, unless `missed` says that it runs now.

    How many slots that are, its `missed_while_paused` says before, and what became of them, `resumed` says after.
    """
    session, actor, now = request_session(), current_actor(), request_now()
    made_up = runs.switch_schedule(
        session, actor=actor, schedule_id=schedule_id, enabled=True, now=now, missed=body.missed, seen=body.seen
    )
    on_commit(session, runtime().dispatch)
    return ResumedScheduleOut(**dict(show_newest(schedule_id)), resumed=show_resumed(made_up))


def apply_changes(schedule_id: UUID, body: ScheduleChanges) -> ScheduleOut:
    """Change a schedule of the actor's organization. Raises ScheduleChanged besides what saving its form raises."""
    session, actor, now = request_session(), current_actor(), request_now()
    # Without a version the newest one is changed, so it has to stay the newest one meanwhile.
    lock_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    before = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    runs.edit_schedule(
        session,
        actor=actor,
        schedule_id=schedule_id,
        draft=body.draft(before),
        version=body.seen_version(before),
        now=now,
        missed=body.missed_while_paused,
        seen=body.seen,
    )
    on_commit(session, runtime().dispatch)
    return show_newest(schedule_id)


def remove_schedule(schedule_id: UUID) -> Message:
    """Delete a schedule of the actor's organization. Raises ScheduleNotFound."""
    session, actor = request_session(), current_actor()
    row = get_schedule(session, organization_id=actor.organization_id, schedule_id=schedule_id)
    runs.delete_schedule(session, actor=actor, schedule_id=schedule_id, now=request_now())
    # Other runs may have waited for those that end with it.
    on_commit(session, runtime().dispatch)
    return Message(None, f"{row.name} deleted. Its history stays.")


def _saved(schedule_id: UUID) -> Message:
    """The schedule as it was saved, with a warning where its job has the same times already."""
    found = show_newest(schedule_id)
    row = get_schedule(request_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)
    return Message(found, twin_note_of(request_session(), schedule=row, now=request_now()))
