"""The page of the schedule form, for a new and for an existing schedule, opened and sent alike."""

from typing import Any
from uuid import UUID

from flask import Response

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.jobs.queries import list_jobs
from app.schedules.queries import ScheduleRow
from app.web.context import viewer_zone
from app.web.forms.base import text_of
from app.web.forms.schedules import PRESET_CRONS, ScheduleForm
from app.web.pages.resume_question import resume_question
from app.web.pages.schedule_preview import Preview, preview
from app.web.responses import invalid


def schedule_form(data: dict[str, Any] | None = None) -> ScheduleForm:
    """The form, filled by what was sent or else by the data. Reads the jobs it offers."""
    jobs = list_jobs(request_session(), organization_id=current_actor().organization_id)
    return ScheduleForm(jobs=jobs, data=data)


def form_page(
    form: ScheduleForm, *, schedule: ScheduleRow | None, status: int = 200, is_outdated: bool = False
) -> Response:
    """The form as a page. Reads nothing, so that it comes out after a refused write as well."""
    question = resume_question(schedule, now=request_now()) if schedule else None
    if question is not None:
        form.offer(question.choices)
    return invalid(
        "schedules/form.html",
        status=status,
        form=form,
        schedule=schedule,
        preset_crons=PRESET_CRONS,
        preview=preview_of(form),
        detects_zone=schedule is None and not form.is_submitted(),
        is_outdated=is_outdated,
        question=question,
    )


def preview_of(form: ScheduleForm) -> Preview:
    """What the schedule in the form would do."""
    return preview(
        text_of(form.cron),
        timezone=text_of(form.timezone),
        timezone_was=text_of(form.timezone_was),
        spread_key=text_of(form.spread_key),
        viewer_zone=viewer_zone(),
        now=request_now(),
    )


def offered_job_id(form_value: str) -> str:
    """A job's id from a link, if it can be one."""
    try:
        return str(UUID(form_value))
    except ValueError:
        return ""
