"""Pages of schedules: the list, one schedule, its form, its preview. What their forms do is in actions/schedules.py."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, current_person, request_now
from app.edge.permissions import schema_note
from app.edge.runtime import request_session
from app.jobs.queries import has_job
from app.ops.bulk.schedules import SCHEDULE_KINDS
from app.ops.schedule_glances import Glance
from app.schedules.queries import get_schedule
from app.tenants.access import Permission
from app.tenants.saved_views import ListName, list_views
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.daemon import scheduling_stop
from app.web.forms.schedule_checks import check
from app.web.forms.schedules import ScheduleForm, fresh_values, stored_values
from app.web.page_size import rows_per_page
from app.web.pages.form_answer import answer_of
from app.web.pages.glances import own_glances
from app.web.pages.resume_question import ask_about_missed, resume_question
from app.web.pages.rights import refusals
from app.web.pages.saved_views import view_bar
from app.web.pages.schedule_detail import read_detail
from app.web.pages.schedule_effects import effect_of_deletion, effect_of_resuming
from app.web.pages.schedule_form import edited_schedule, form_page, offered_job_id, schedule_form
from app.web.pages.schedule_rows import read_list
from app.web.pages.schedule_search import read_schedule_search
from app.web.pages.schedule_tiles import Tiles, read_tiles
from app.web.pages.schedule_view import ScheduleView
from app.web.pages.why_notes import note_on_schedule
from app.web.permissions import route
from app.web.responses import fragment, go_to, page, page_or_fragment
from app.web.session import local_address

_MOST_PAGES = 10_000


@route(web, "/schedules", permission=Permission.VIEW, empty_without_schema=True)
def schedules() -> Response:
    """All schedules, with the figures above."""
    if schema_note():
        return page("overview/unready.html", subject="Schedules")
    glances = own_glances()
    views = list_views(request_session(), actor=current_actor(), list_name=ListName.SCHEDULES)
    # Whoever has schedules has jobs.
    return page(
        "schedules/index.html", tiles=_tiles(glances), has_jobs=bool(glances) or _has_jobs(),
        views=view_bar(ListName.SCHEDULES, request.args, views), **_listing(glances),
    )  # fmt: skip


@route(web, "/schedules/tiles", permission=Permission.VIEW)
def schedule_tiles() -> Response:
    """The figures alone, for a refresh."""
    return fragment("schedules/_tiles.html", tiles=_tiles(own_glances()))


@route(web, "/schedules/rows", permission=Permission.VIEW)
def schedule_rows() -> Response:
    """The rows alone, for a refresh."""
    return fragment("schedules/_table.html", **_listing(own_glances()))


@route(web, "/schedules/preview", permission=Permission.EDIT_SCHEDULES)
def schedule_preview() -> Response:
    """What the form that is being filled would do. Answers 200 for what cannot be read, too."""
    before = edited_schedule(request.args.get("schedule_id", ""))
    form = ScheduleForm(jobs=(), typed=request.args)
    check(form, before=before, now=request_now())
    return fragment("schedules/_answer.html", answer=answer_of(form, before=before), form=form)


@route(web, "/schedules/new", permission=Permission.EDIT_SCHEDULES)
def new_schedule() -> Response:
    """The empty form, for a job if the link names one."""
    job_id = offered_job_id(request.args.get("job", ""))
    form = schedule_form(
        fresh_values(timezone=current_person().timezone, job_id=job_id, owner_id=current_actor().user_id)
    )
    return form_page(form, schedule=None)


@route(web, "/schedules/<uuid:schedule_id>", permission=Permission.VIEW)
def schedule(schedule_id: UUID) -> Response:
    """One schedule: what it does, how it went, what nobody executed."""
    detail = read_detail(
        request_session(),
        organization_id=current_actor().organization_id,
        schedule_id=schedule_id,
        view=ScheduleView.from_args(request.args),
        viewer_zone=viewer_zone(),
        is_stopped=scheduling_stop() is not None,
        now=request_now(),
    )
    return page_or_fragment(
        "schedules/show.html",
        "schedules/_detail.html",
        detail=detail,
        refused=refusals(),
        why=note_on_schedule(schedule_id),
    )


@route(web, "/schedules/<uuid:schedule_id>/edit", permission=Permission.VIEW)
def edit_schedule(schedule_id: UUID) -> Response:
    """The form of an existing schedule; for whoever may not change it, to read."""
    row = get_schedule(request_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)
    return form_page(schedule_form(stored_values(row)), schedule=row)


@route(web, "/schedules/<uuid:schedule_id>/resume", permission=Permission.EDIT_SCHEDULES)
def resume_schedule(schedule_id: UUID) -> Response:
    """The question before a schedule is switched on that missed something meanwhile."""
    row = get_schedule(request_session(), organization_id=current_actor().organization_id, schedule_id=schedule_id)
    question = resume_question(row, now=request_now())
    back = local_address(request.args.get("next")) or url_for("web.schedule", schedule_id=schedule_id)
    if question is None:
        return go_to(back)
    crumbs = [("Schedules", url_for("web.schedules")), (row.name, url_for("web.schedule", schedule_id=row.id))]
    url = url_for("web.switch_schedule", schedule_id=row.id)
    effect = effect_of_resuming(row, now=request_now())
    return ask_about_missed(question, name=row.name, crumbs=crumbs, url=url, back=back, effect=effect)


@route(web, "/schedules/<uuid:schedule_id>/delete", permission=Permission.EDIT_SCHEDULES)
def confirm_schedule_deletion(schedule_id: UUID) -> Response:
    """The question before a schedule is deleted."""
    organization_id = current_actor().organization_id
    row = get_schedule(request_session(), organization_id=organization_id, schedule_id=schedule_id)
    return page("schedules/delete.html", schedule=row, effect=effect_of_deletion(row, now=request_now()))


def _tiles(glances: Sequence[Glance]) -> Tiles:
    return read_tiles(
        request_session(),
        glances,
        organization_id=current_actor().organization_id,
        is_stopped=scheduling_stop() is not None,
        now=request_now(),
    )


def _listing(glances: Sequence[Glance]) -> dict[str, Any]:
    number = request.args.get("page", 1, type=int)
    listing = read_list(
        request_session(),
        glances,
        organization_id=current_actor().organization_id,
        wanted=read_schedule_search(request.args),
        page=min(max(number, 1), _MOST_PAGES),
        size=rows_per_page(),
        viewer_zone=viewer_zone(),
        is_stopped=scheduling_stop() is not None,
        now=request_now(),
    )
    rows_url = url_for("web.schedule_rows", **listing.link(listing.page))
    return {"listing": listing, "rows_url": rows_url, "refused": refusals(), "bulk_kinds": SCHEDULE_KINDS}


def _has_jobs() -> bool:
    return has_job(request_session(), organization_id=current_actor().organization_id)
