"""Saved views: the links above a list, the form of a new one, and the page of all. What forms do is in actions/."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor
from app.edge.runtime import request_session
from app.tenants.access import Permission, may
from app.tenants.saved_views import PARTS, ListName, ViewRow, get_view, list_views
from app.web.blueprint import web
from app.web.forms.saved_views import RenameViewForm, SaveViewForm
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import invalid, page

_LABELS = {ListName.RUNS: "Runs", ListName.SCHEDULES: "Schedules"}


@dataclass(frozen=True)
class ViewLink:
    """A view as a link to its list."""

    view: ViewRow
    href: str
    label: str
    is_current: bool
    # Why the person may not rename or delete it; empty where they may.
    refusal: str


@dataclass(frozen=True)
class ViewBar:
    """The views of a list, and where the list as it is narrowed now is kept; empty where it is not."""

    links: list[ViewLink]
    save_href: str


def view_bar(list_name: ListName, args: Mapping[str, Any]) -> ViewBar:
    """What stands above a list that is narrowed by these parts of its address."""
    now = _parts(list_name, args)
    links = [_link(one, now) for one in list_views(request_session(), actor=current_actor(), list_name=list_name)]
    is_new = bool(now) and not any(link.is_current for link in links)
    return ViewBar(links, url_for("web.new_view", list=list_name.value, **_named(now)) if is_new else "")


@route(web, "/views", permission=Permission.VIEW)
def views() -> Response:
    """All views that the person sees, to be renamed and deleted."""
    links = [_link(one, {}) for one in list_views(request_session(), actor=current_actor())]
    return page("views/index.html", links=links)


@route(web, "/views/new", permission=Permission.VIEW)
def new_view() -> Response:
    """The name of a new view."""
    return save_page(wanted_list(request.args), SaveViewForm(formdata=None))


@route(web, "/views/<uuid:view_id>", permission=Permission.VIEW)
def edit_view(view_id: UUID) -> Response:
    """Another name for one, or its end."""
    found = get_view(request_session(), actor=current_actor(), view_id=view_id)
    return view_page(found, RenameViewForm(formdata=None, data={"name": found.name}))


def save_page(list_name: ListName, form: SaveViewForm, *, status: int = 200) -> Response:
    """The form of a new view, for the address that is asked for or was sent."""
    parts = _parts(list_name, request.values)
    return invalid(
        "views/new.html",
        status=status,
        form=form,
        list_name=list_name.value,
        label=_LABELS[list_name],
        parts=parts,
        back=_href(list_name, parts),
        share_refusal="" if may(current_actor(), Permission.EDIT_SCHEDULES) else refusals().edit_schedules,
    )


def view_page(view: ViewRow, form: RenameViewForm, *, status: int = 200) -> Response:
    """One view."""
    return invalid("views/view.html", status=status, link=_link(view, {}), form=form)


def wanted_list(args: Mapping[str, Any]) -> ListName:
    """The list that an address or a form names; that of the runs where it names none."""
    name = args.get("list", "")
    return ListName(name) if name in set(ListName) else ListName.RUNS


def parts_sent(list_name: ListName) -> dict[str, str]:
    """What of a form, or of the address that it is sent to, narrows the list."""
    return _parts(list_name, request.values)


def _link(view: ViewRow, now: Mapping[str, str]) -> ViewLink:
    return ViewLink(
        view=view,
        href=_href(view.list_name, view.query),
        label=_LABELS[view.list_name],
        is_current=view.query == now,
        refusal=refusals().edit_schedules if view.is_shared else "",
    )


def _parts(list_name: ListName, args: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(args.get(name) or "").strip() for name in PARTS[list_name]}
    return {name: value for name, value in found.items() if value}


def _href(list_name: ListName, parts: Mapping[str, str]) -> str:
    return url_for("web.runs" if list_name is ListName.RUNS else "web.schedules", **_named(parts))


def _named(parts: Mapping[str, str]) -> dict[str, Any]:
    return dict(parts)
