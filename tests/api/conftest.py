"""Callers for tests of the API: a token of every role, a platform admin's, a stranger's, and nobody."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.clock import Clock
from app.core.config import Settings
from app.core.ids import digest, new_id, new_token
from app.factory import create_app
from app.jobs.kinds.base import KindName
from app.notifications.channel_desk import ChannelDesk
from app.ops.login_desk import LoginDesk
from app.tenants.access import Actor
from app.tenants.models import ApiToken, AuditEntry
from app.tenants.roles import Role
from app.tenants.token_queries import SCOPE_WORDS
from tests.factories.tenants import Member, make_member, make_organization
from tests.fakes.chat.inside import inside_couriers
from tests.fakes.chat.server import Chat
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.kind import ScriptedKind
from tests.fakes.providers.ga4.fake import Ga4Fake
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET
from tests.fakes.providers.world import World as FakeWorld
from tests.fakes.service_settings import with_services
from tests.web.conftest import (
    Browser,
    OpenBrowser,
    anonymous,
    compiled_templates,
    open_browser,
    organization_id,
    owner,
    viewer,
)

__all__ = ["anonymous", "compiled_templates", "open_browser", "organization_id", "owner", "viewer"]


@dataclass
class Caller:
    """A program that calls the API. Paths without a prefix go to the current version."""

    client: FlaskClient
    token: str | None = None
    member: Member | None = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        assert self.member is not None
        return self.member.actor

    @property
    def organization_id(self) -> UUID:
        return self.actor.organization_id

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.open("GET", path, query_string=query or None)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self._send("POST", path, body, headers)

    def put(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self._send("PUT", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self._send("PATCH", path, body, headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self._send("DELETE", path, body, headers)

    def open(self, method: str, path: str, **more: Any) -> TestResponse:
        """Any request: `data=` and `headers=` as the test client takes them."""
        prefixed = path if path.startswith("/api") else f"/api/v1{path}"
        sign_in = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        headers = sign_in | self.headers | more.pop("headers", {})
        return self.client.open(prefixed, method=method, headers=headers, **more)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.open(method, path, headers=named, **({} if body is None else {"json": body}))


@pytest.fixture
def kinds() -> dict[KindName, ScriptedKind]:
    """Jobs of both kinds, which do what their definition says."""
    return {kind: ScriptedKind() for kind in KindName}


@pytest.fixture
def chat() -> Chat:
    """Where people are told, without a socket."""
    return Chat()


@pytest.fixture
def api_settings(settings: Settings) -> Settings:
    """Settings under which no test meets the rate limit unless it is about that."""
    return settings


@pytest.fixture
def app(
    api_settings: Settings,
    database: OpenDatabase,
    clock: ManualClock,
    kinds: dict[KindName, ScriptedKind],
    compiled_templates: Any,
    one_look: None,
    chat: Chat,
) -> Flask:
    # Where services are asked, the fakes answer.
    google = GoogleFake()
    fakes = InsideClient(FakeWorld(MetaFake(), Ga4Fake(google), google, now=clock.moment))
    told = with_services(
        api_settings, meta_base_url=f"{BASE}/meta", meta_app_id=APP_ID, meta_app_secret=APP_SECRET,
        ga4_base_url=f"{BASE}/ga4", google_token_url=f"{BASE}/google/token",
    )  # fmt: skip
    logins = LoginDesk(told, database, lambda: fakes)
    app = create_app(
        api_settings,
        database=database,
        kinds=kinds,
        clock=clock,
        dispatch=lambda: None,
        logins=logins,
        channels=ChannelDesk(api_settings, database, clock, lambda _settings: inside_couriers(chat)),
    )
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = Browser
    return app


OpenApi = Callable[..., Caller]


@pytest.fixture
def open_api(app: Flask, database: OpenDatabase, clock: ManualClock) -> OpenApi:
    """Makes a member and a token of theirs: of all scopes unless some are given."""

    def open_one(*, scopes: tuple[str, ...] = SCOPE_WORDS, **member: Any) -> Caller:
        with database.transaction() as session:
            person = make_member(session, **member)
        return caller_for(app, database, clock, person, scopes=scopes)

    return open_one


def caller_for(
    app: Flask, database: OpenDatabase, clock: Clock, person: Member, *, scopes: tuple[str, ...] = SCOPE_WORDS
) -> Caller:
    """A program with a new token of a member."""
    assert isinstance(clock, ManualClock)
    secret = f"belfry_{new_id().hex[-8:]}_{new_token()}"
    token = ApiToken(
        id=new_id(),
        organization_id=person.organization_id,
        user_id=person.user_id,
        name="Tests",
        prefix=secret[:15],
        token_digest=digest(secret),
        scopes={"permissions": list(scopes)},
        created_at=clock.moment,
    )
    with database.transaction() as session:
        session.add(token)
    return Caller(app.test_client(), token=secret, member=person)


@pytest.fixture
def owner_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    return open_api(organization_id=organization_id, role=Role.OWNER, email="owner-api@example.com", name="Olga")


@pytest.fixture
def admin_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    return open_api(organization_id=organization_id, role=Role.ADMIN, email="admin-api@example.com", name="Abel")


@pytest.fixture
def operator_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    return open_api(organization_id=organization_id, role=Role.OPERATOR, email="operator-api@example.com", name="Otto")


@pytest.fixture
def viewer_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    return open_api(organization_id=organization_id, role=Role.VIEWER, email="viewer-api@example.com", name="Vera")


@pytest.fixture
def platform_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    return open_api(
        organization_id=organization_id, email="platform-api@example.com", name="Petra", is_platform_admin=True
    )


@pytest.fixture
def stranger_api(open_api: OpenApi, database: OpenDatabase) -> Caller:
    """The owner of another organization."""
    with database.transaction() as session:
        elsewhere = make_organization(session, name="Elsewhere")
    return open_api(organization_id=elsewhere, email="stranger-api@example.org", name="Sven")


@pytest.fixture
def anonymous_api(app: Flask) -> Caller:
    return Caller(app.test_client())


@pytest.fixture
def as_cookie(open_browser: OpenBrowser, organization_id: UUID) -> Callable[..., Caller]:
    """Opens a browser whose cookie calls the API, with the token of its page or without."""

    def open_one(*, has_page: bool = True, **member: Any) -> Caller:
        browser = open_browser(**{"organization_id": organization_id, "email": "cookie@example.com"} | member)
        headers = {"X-CSRF-Token": browser.csrf_token} if has_page else {}
        return Caller(browser, member=browser.member, headers=headers)

    return open_one


@pytest.fixture
def audited(database: OpenDatabase) -> Callable[[], list[str]]:
    """The actions that the audit tells of, in order."""

    def read() -> list[str]:
        with database.reading() as session:
            return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))

    return read


@pytest.fixture
def world_api(open_api: OpenApi, organization_id: UUID) -> Caller:
    """A token that may do everything: of an owner who is a platform admin too."""
    return open_api(organization_id=organization_id, role=Role.OWNER, email="world@example.com", is_platform_admin=True)
