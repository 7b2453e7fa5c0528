"""`/admin/code-schedules` and `/admin/code-jobs`: what code defines, for those who look after the installation."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from app.api.code_shapes import (
    CodeJobOut,
    CodeProblemOut,
    CodeRunIn,
    CodeRunOut,
    CodeScheduleChange,
    CodeScheduleOut,
    ResumedCodeScheduleOut,
    shown_code_job,
    shown_code_run,
    shown_code_schedule,
)
from app.api.missed_shapes import ResumeIn, show_resumed
from app.api.models import Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.api.resources.runs import RunStartedOut
from app.core.db import on_commit
from app.core.ids import new_id
from app.edge.identity import acting_for_installation, request_now
from app.edge.runtime import request_session, runtime
from app.ops import code_rows, code_schedules
from app.ops.code_standing import standing_of
from app.runs.filters import RunFilter
from app.runs.run_lists import list_runs
from app.schedules.policies import Missed
from app.schedules.slot_accounts import MadeUp

HISTORY_SHOWN = 50


@resource("GET", "/admin/code-schedules", platform_admin=True, query=Paging, answer=CodeScheduleOut, is_list=True)
def list_code_schedules(query: Paging) -> Page[CodeScheduleOut]:
    """Schedules that code defines or once defined, by name."""
    with acting_for_installation() as (session, _actor):
        rows = code_rows.list_code_schedules(session, now=request_now())
    return cut([shown_code_schedule(row) for row in rows], query, key=lambda one: (one.id, str(one.schedule_id)))


@resource("GET", "/admin/code-schedules/<code_id>", platform_admin=True, answer=CodeScheduleOut)
def show_code_schedule(code_id: str) -> CodeScheduleOut:
    """One of them."""
    return _newest(code_id)


@resource(
    "PATCH", "/admin/code-schedules/<code_id>", platform_admin=True, body=CodeScheduleChange, answer=CodeScheduleOut
)
def change_code_schedule(code_id: str, body: CodeScheduleChange) -> CodeScheduleOut:
    """Say otherwise than the code when it runs, and keep notes. A new version of the code changes neither."""
    sent = {name: getattr(body, name) for name in body.model_fields_set}
    if "tags" in sent:
        sent["tags"] = tuple(sent["tags"])
    with acting_for_installation() as (session, actor):
        if "notes" in sent:
            notes = sent.pop("notes")
            code_schedules.write_notes(session, actor=actor, code_id=code_id, notes=notes, now=request_now())
        if sent or not body.model_fields_set:
            code_schedules.change_code_schedule(session, actor=actor, code_id=code_id, changes=sent, now=request_now())
    on_commit(request_session(), runtime().dispatch)
    return _newest(code_id)


@resource(
    "POST", "/admin/code-schedules/<code_id>/enable", platform_admin=True, body=ResumeIn, is_body_optional=True,
    answer=ResumedCodeScheduleOut,
)  # fmt: skip
def enable_code_schedule(code_id: str, body: ResumeIn) -> ResumedCodeScheduleOut:
    """Switch it on. What it missed meanwhile is recorded as a gap, unless `missed` says that it runs now.

    How many slots that are, its `missed_while_paused` says before, and what became of them, `resumed` says after.
    """
    made_up = _switch(code_id, is_on=True, missed=body.missed, seen=body.seen)
    return ResumedCodeScheduleOut(**dict(_newest(code_id)), resumed=show_resumed(made_up))


@resource("POST", "/admin/code-schedules/<code_id>/disable", platform_admin=True, answer=CodeScheduleOut)
def disable_code_schedule(code_id: str) -> CodeScheduleOut:
    """Switch it off. A slot that is due already still runs."""
    _switch(code_id, is_on=False)
    return _newest(code_id)


@resource("POST", "/admin/code-schedules/<code_id>/revert", platform_admin=True, answer=CodeScheduleOut)
def revert_code_schedule(code_id: str) -> Message:
    """Have it again as the code says it. Whether it is on stays as it is."""
    with acting_for_installation() as (session, actor):
        did_revert = code_schedules.revert_code_schedule(session, actor=actor, code_id=code_id, now=request_now())
    on_commit(request_session(), runtime().dispatch)
    return Message(_newest(code_id), "Reverted to the code." if did_revert else "It is as the code says already.")


@resource(
    "POST", "/admin/code-schedules/<code_id>/run", platform_admin=True, body=CodeRunIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_code_schedule(code_id: str, body: CodeRunIn) -> Message:
    """Start what it starts now, whether it is on or off. Its times stay as they are."""
    return _start(code_id, body, partial(code_schedules.run_code_schedule, code_id=code_id))


@resource("GET", "/admin/code-schedules/<code_id>/runs", platform_admin=True, answer=CodeRunOut, is_list=True)
def list_code_schedule_runs(code_id: str) -> Page[CodeRunOut]:
    """Its last 50 runs, newest first."""
    with acting_for_installation() as (session, actor):
        row = code_rows.get_code_schedule(session, code_id=code_id, now=request_now())
        wanted = RunFilter(schedule_id=row.schedule.id)
        found = list_runs(session, organization_id=actor.organization_id, run_filter=wanted, limit=HISTORY_SHOWN)
    return Page([shown_code_run(run) for run in found.rows])


@resource("GET", "/admin/code-jobs", platform_admin=True, query=Paging, answer=CodeJobOut, is_list=True)
def list_code_jobs(query: Paging) -> Page[CodeJobOut]:
    """Jobs that code defines, by name."""
    with acting_for_installation() as (session, _actor):
        rows = code_rows.list_code_jobs(session)
    return cut([shown_code_job(row) for row in rows], query, key=lambda one: (one.name, str(one.job_id)))


@resource(
    "POST", "/admin/code-jobs/<code_name>/run", platform_admin=True, body=CodeRunIn, is_body_optional=True,
    answer=RunStartedOut, status=201,
)  # fmt: skip
def run_code_job(code_name: str, body: CodeRunIn) -> Message:
    """Start one of them alone, now."""
    return _start(code_name, body, partial(code_schedules.run_code_job, code_name=code_name))


@resource("GET", "/admin/code-problems", platform_admin=True, answer=CodeProblemOut, is_list=True)
def list_code_problems() -> Page[CodeProblemOut]:
    """What cannot be used of the modules of BELFRY_JOBS, as they were when the pages started. The rest goes on."""
    with acting_for_installation() as (session, _actor):
        found = standing_of(session, definitions=runtime().definitions, now=request_now())
    return Page([CodeProblemOut(source=each.source, text=each.text) for each in found.all])


def _switch(code_id: str, *, is_on: bool, missed: Missed = Missed.SKIP, seen: int | None = None) -> MadeUp:
    with acting_for_installation() as (session, actor):
        made_up = code_schedules.switch_code_schedule(
            session, actor=actor, code_id=code_id, enabled=is_on, now=request_now(), missed=missed, seen=seen
        )
    on_commit(request_session(), runtime().dispatch)
    return made_up


def _start(name: str, body: CodeRunIn, start: Callable[..., UUID]) -> Message:
    with acting_for_installation() as (session, actor):
        run_id = start(
            session,
            actor=actor,
            kinds=runtime().kinds,
            arguments=body.parameters,
            request_key=new_id().hex,
            now=request_now(),
        )
    on_commit(request_session(), runtime().dispatch)
    return Message(RunStartedOut(run_id=run_id), f"{name} queued.")


def _newest(code_id: str) -> CodeScheduleOut:
    with acting_for_installation() as (session, _actor):
        # Commands write past the objects that were read before.
        session.flush()
        session.expire_all()
        return shown_code_schedule(code_rows.get_code_schedule(session, code_id=code_id, now=request_now()))
