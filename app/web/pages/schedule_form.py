"""The form of a schedule, new or existing, opened and sent alike: as a page, in the dialog, or by itself."""

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.jobs.queries import list_jobs
from app.schedules.queries import ScheduleNotFound, ScheduleRow, get_schedule
from app.tenants.roster import list_members
from app.web.forms.schedules import ScheduleForm
from app.web.pages.form_answer import answer_of
from app.web.pages.form_conflict import Conflict
from app.web.pages.form_parts import builder_of, rules_of
from app.web.pages.resume_question import resume_question
from app.web.pages.rights import refusals
from app.web.responses import invalid, wants_dialog, wants_fragment


def schedule_form(data: dict[str, Any] | None = None) -> ScheduleForm:
    """The form, filled by what was sent or else by the data. Reads the jobs and the members it offers."""
    session, organization_id = request_session(), current_actor().organization_id
    jobs = list_jobs(session, organization_id=organization_id)
    return ScheduleForm(jobs=jobs, members=list_members(session, organization_id=organization_id), data=data)


def form_page(
    form: ScheduleForm, *, schedule: ScheduleRow | None, status: int = 200, conflict: Conflict | None = None
) -> Response:
    """The form in the shape that was asked for."""
    now = request_now()
    question = resume_question(schedule, now=now) if schedule else None
    if question is not None:
        form.offer(question.choices)
    form.suggest(now)
    return invalid(
        _template(),
        status=status,
        form=form,
        schedule=schedule,
        heading=f"Edit {schedule.name}" if schedule else "New schedule",
        back=url_for("web.schedule", schedule_id=schedule.id) if schedule else url_for("web.schedules"),
        address=url_for("web.edit_schedule", schedule_id=schedule.id) if schedule else url_for("web.new_schedule"),
        in_dialog=is_in_dialog(),
        builder=builder_of(form),
        rules=rules_of(form),
        answer=answer_of(form, before=schedule),
        detects_zone=schedule is None and not form.is_sent,
        conflict=conflict,
        question=question,
        refused=refusals().edit_schedules,
    )


def is_in_dialog() -> bool:
    """Whether the form stands in a page's dialog: it is asked for there, or says so when it is sent."""
    return wants_dialog() or (wants_fragment() and request.args.get("dialog") == "yes")


def edited_schedule(text: str) -> ScheduleRow | None:
    """The schedule whose form asks. One that is gone meanwhile does not keep the preview from being shown."""
    try:
        return get_schedule(request_session(), organization_id=current_actor().organization_id, schedule_id=UUID(text))
    except (ValueError, ScheduleNotFound):
        return None


def offered_job_id(form_value: str) -> str:
    """A job's id from a link, if it can be one."""
    try:
        return str(UUID(form_value))
    except ValueError:
        return ""


def _template() -> str:
    if wants_dialog():
        return "schedules/_form_dialog.html"
    return "schedules/_form.html" if wants_fragment() else "schedules/form.html"
