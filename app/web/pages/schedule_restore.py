"""The question before an old version of a schedule is restored: what changes, and when it runs now and then."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response

from app.core.errors import AppError, Invalid
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.ops.schedule_foresight import Onlooker, foresee_restore
from app.runs.restoring import restored_draft, what_restoring_changes
from app.schedules.fire_times import fire_times
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.service import ScheduleDraft, rhythm_of
from app.schedules.versions import VersionRow, get_version
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.pages.schedule_history import words_of
from app.web.pages.schedule_preview import NextRun, next_runs
from app.web.permissions import route
from app.web.responses import invalid

NEXT_RUNS = 5


@dataclass(frozen=True)
class Times:
    """When a schedule runs by what it says in one version, or why nobody can say that."""

    cron: str
    timezone: str
    next_runs: tuple[NextRun, ...]
    problem: str = ""


@dataclass(frozen=True)
class RestoreQuestion:
    """What the page asks about. `lines` say what becomes of runs, a sentence each."""

    schedule: ScheduleRow
    version: VersionRow
    changes: tuple[str, ...]
    now: Times
    then: Times
    lines: tuple[str, ...]


@route(web, "/schedules/<uuid:schedule_id>/versions/<int:number>/restore", permission=Permission.EDIT_SCHEDULES)
def confirm_schedule_restore(schedule_id: UUID, number: int) -> Response:
    """Old and new side by side."""
    session, organization_id = request_session(), current_actor().organization_id
    schedule = get_schedule(session, organization_id=organization_id, schedule_id=schedule_id)
    version = get_version(session, organization_id=organization_id, schedule_id=schedule_id, number=number)
    return restore_page(read_question(schedule, version))


def read_question(schedule: ScheduleRow, version: VersionRow) -> RestoreQuestion:
    """All that the page says. Raises VersionNotRestorable."""
    changes = what_restoring_changes(schedule, version)
    now = request_now()
    return RestoreQuestion(
        schedule=schedule,
        version=version,
        changes=words_of(request_session(), changes, organization_id=schedule.organization_id),
        now=_times(schedule, now=now),
        then=_times(restored_draft(schedule, version), now=now),
        lines=foresee_restore(request_session(), schedule, version=version, by=Onlooker(viewer_zone(), now)).lines,
    )


def restore_page(question: RestoreQuestion, *, error: AppError | None = None) -> Response:
    """The question, with what was refused when somebody answered it. Reads nothing: a refused write may be behind."""
    status, problem = (200, "") if error is None else (status_of(error), error.message)
    return invalid("schedules/restore.html", status=status, question=question, problem=problem)


def _times(said: ScheduleRow | ScheduleDraft, *, now: datetime) -> Times:
    try:
        when = rhythm_of(said)
    except Invalid as error:
        return Times(said.cron, said.timezone, (), error.message)
    zone, found = when.zone.name, fire_times(when, after=now, limit=NEXT_RUNS)
    return Times(said.cron, zone, next_runs(found, zone=zone, viewer_zone=viewer_zone(), now=now))
