"""Connections: the list, one with its tests and schedules, and the forms. What those do: actions/connections.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from flask import Response, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.jobs.services import SERVICE_NAMES, Service, is_destination
from app.ops.connection_facts import ConnectionFacts, expiry_words, facts_of, get_facts, job_of_connection
from app.ops.login_desk import CONNECTABLE, connectable
from app.ops.pushes_to import PushTo, list_pushes
from app.ops.quota_runway import read_quota
from app.syncs.connection_rows import list_connections, list_ended
from app.syncs.connection_tests import KeptTest, list_tests
from app.syncs.signs.registry import SIGNS, sign_of
from app.syncs.signs.sign import DoorSign
from app.syncs.standing import Standing
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.formatting import absolute_time
from app.web.forms.connections import ConnectionForm, LoginForm, RenameForm, connection_form, login_form
from app.web.page_size import rows_per_page
from app.web.pages.rights import refusals
from app.web.permissions import route
from app.web.responses import go_to, invalid, page

TESTS_SHOWN = 10
NAMES_SHOWN = 3
# Which colour and mark each standing has.
BADGES = {
    Standing.REFUSED: "failed",
    Standing.EXPIRED: "failed",
    Standing.FAILING: "failing",
    Standing.EXPIRES_SOON: "warning",
    Standing.UNTESTED: "never_run",
    Standing.CONNECTED: "ok",
    Standing.DISCONNECTED: "disabled",
}


@dataclass(frozen=True)
class ServiceCard:
    """A service to connect. Without a sign this version cannot."""

    service: Service
    name: str
    sign: DoorSign | None

    @property
    def takes_figures(self) -> bool:
        """Whether figures are pushed to it, instead of read from it."""
        return is_destination(self.service)


@dataclass(frozen=True)
class ConnectionView:
    """One connection as its page shows it. `job_id` is of the job that reads from it; `quota` is in words, and empty
    where its service tells none."""

    facts: ConnectionFacts
    service: str
    sign: DoorSign | None
    expiry: str
    tests: list[KeptTest]
    job_id: UUID | None
    quota: str
    # What is pushed to it, where figures are.
    pushes: list[PushTo]

    @property
    def takes_figures(self) -> bool:
        """Whether figures are pushed to it, instead of read from it."""
        return is_destination(self.facts.row.service)

    @property
    def is_idle(self) -> bool:
        """Whether nothing reads from it or pushes to it by itself, though it could."""
        if self.facts.row.is_ended or self.facts.standing.is_broken:
            return False
        # A push mostly starts when a sync has ended, without a schedule of its own.
        return not self.facts.enabled and not any(push.after for push in self.pushes)

    @property
    def offered(self) -> Sequence[object]:
        """Schedules that are off, and were not switched off with it."""
        return [one for one in self.facts.schedules if not one.enabled and not one.is_paused_for_it]


@route(web, "/connections", permission=Permission.VIEW)
def connections() -> Response:
    """All connections, what needs somebody first."""
    session, actor, now = request_session(), current_actor(), request_now()
    rows = list_connections(session, organization_id=actor.organization_id, now=now)
    size, start = rows_per_page(), _start(len(rows))
    lines = facts_of(session, rows[start : start + size], organization_id=actor.organization_id, now=now)
    return page(
        "connections/index.html",
        lines=lines,
        total=len(rows),
        first=start + 1,
        newer_href=url_for("web.connections", start=max(start - size, 0) or None) if start else "",
        older_href=url_for("web.connections", start=start + size) if start + size < len(rows) else "",
        ended=list_ended(session, organization_id=actor.organization_id) if not start else [],
        cards=service_cards(),
        badges=BADGES,
        names_shown=NAMES_SHOWN,
        service_names=SERVICE_NAMES,
        refused=refusals(),
    )


@route(web, "/connections/new", permission=Permission.MANAGE_CONNECTIONS)
def choose_service() -> Response:
    """Which service to connect."""
    return page("connections/choose.html", cards=service_cards(), refused=refusals())


@route(web, "/connections/new/<service>", permission=Permission.MANAGE_CONNECTIONS)
def new_connection(service: str) -> Response:
    """The form of a new connection."""
    return connection_form_page(service, connection_form(sign_of(connectable(service)), is_sent=False))


@route(web, "/connections/<uuid:connection_id>", permission=Permission.VIEW)
def connection(connection_id: UUID) -> Response:
    """One connection: how it stands, its tests, and what depends on it."""
    return connection_page(connection_id)


@route(web, "/connections/<uuid:connection_id>/login", permission=Permission.MANAGE_CONNECTIONS)
def new_login(connection_id: UUID) -> Response:
    """The form that takes another login."""
    sign = sign_of(read_connection(connection_id).facts.row.service)
    return login_page(connection_id, login_form(sign, is_sent=False))


@route(web, "/connections/<uuid:connection_id>/disconnect", permission=Permission.MANAGE_CONNECTIONS)
def confirm_disconnection(connection_id: UUID) -> Response:
    """The question before a connection is ended, with what depends on it."""
    view = read_connection(connection_id)
    if view.facts.row.is_ended:
        return go_to(url_for("web.connection", connection_id=connection_id))
    return page("connections/disconnect.html", view=view)


def connection_page(connection_id: UUID, *, status: int = 200, rename: RenameForm | None = None) -> Response:
    """The page of one; after a refusal with the messages of the form that was sent."""
    view = read_connection(connection_id)
    form = rename or RenameForm.showing(view.facts.row.name)
    return invalid(
        "connections/show.html", status=status, view=view, rename=form, badges=BADGES, refused=refusals(),
        app_is_known=runtime().settings.services.meta_app_id is not None,
    )  # fmt: skip


def connection_form_page(
    service: str, form: ConnectionForm, *, status: int = 200, hint: str = "", is_cut: bool = False
) -> Response:
    """The form of a new connection. `hint` are the last letters of a login that the form keeps."""
    found = connectable(service)
    form.forget_secret()
    return invalid(
        "connections/new.html", status=status, card=_card(found), form=form, hint=hint, is_cut=is_cut,
        choices=form.chosen_account.choices or [],
    )  # fmt: skip


def login_page(connection_id: UUID, form: LoginForm, *, status: int = 200) -> Response:
    """The form that takes another login; after a refusal with its messages."""
    form.forget_secret()
    return invalid("connections/login.html", status=status, view=read_connection(connection_id), form=form)


def read_connection(connection_id: UUID) -> ConnectionView:
    """Everything that its page shows. Raises ConnectionNotFound."""
    session, organization_id, now = request_session(), current_actor().organization_id, request_now()
    here = {"organization_id": organization_id, "connection_id": connection_id}
    facts = get_facts(session, **here, now=now)
    return ConnectionView(
        facts=facts,
        service=SERVICE_NAMES[Service(facts.row.service)],
        sign=SIGNS.get(facts.row.service),
        expiry=expiry_words(facts.row),
        tests=list_tests(session, **here, limit=TESTS_SHOWN),
        job_id=job_of_connection(session, **here),
        pushes=list_pushes(session, **here) if is_destination(facts.row.service) else [],
        quota="" if facts.row.is_ended else _quota_words(connection_id),
    )


def _quota_words(connection_id: UUID) -> str:
    organization_id, now = current_actor().organization_id, request_now()
    found = read_quota(request_session(), organization_id=organization_id, connection_id=connection_id, now=now)
    return "" if found is None else found.words(lambda at: absolute_time(at, zone=viewer_zone(), now=now))


def service_cards() -> list[ServiceCard]:
    """All services, those first that can be connected."""
    return [_card(service) for service in sorted(Service, key=lambda one: one not in CONNECTABLE)]


def _card(service: Service) -> ServiceCard:
    return ServiceCard(service, SERVICE_NAMES[service], SIGNS.get(service.value))


def _start(total: int) -> int:
    text = request.args.get("start", "")
    start = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    return start if start < total else 0
