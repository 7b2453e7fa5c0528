"""Browsers for tests of pages: one for each role, a platform admin, a stranger, and nobody."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import TestResponse

from app.core.config import Settings
from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.factory import create_app
from app.ops.kinds import job_kinds
from app.tenants.access import Actor
from app.tenants.roles import Role
from app.tenants.sign_in import start_session
from tests.factories.tenants import PASSWORD, Member, make_member, make_organization
from tests.fakes.clock import ManualClock

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Current-URL": "http://localhost/account?tab=1"}
_RAW_TOKEN = "raw-csrf-token-of-tests"


class Browser(FlaskClient):
    """A client that knows who it is signed in as, and puts the token into what it sends."""

    member: Member | None = None

    @property
    def actor(self) -> Actor:
        assert self.member is not None
        return self.member.actor

    @property
    def user_id(self) -> UUID:
        assert self.member is not None
        return self.member.user_id

    @property
    def organization_id(self) -> UUID:
        return self.actor.organization_id

    @property
    def csrf_token(self) -> str:
        """A valid token; the secret behind it goes into the cookie when it is not there yet."""
        with self.session_transaction() as cookie:
            raw = cookie.setdefault("csrf_token", _RAW_TOKEN)
        key = self.application.secret_key
        assert key is not None
        return str(URLSafeTimedSerializer(key, salt="wtf-csrf-token").dumps(raw))

    def visit(self, path: str, *, htmx: bool = False, **more: Any) -> TestResponse:
        """GET a page, or a fragment as htmx does."""
        return self.get(path, headers=_headers(htmx, more), **more)

    def send(
        self, path: str, data: Mapping[str, Any] | None = None, *, htmx: bool = False, **more: Any
    ) -> TestResponse:
        """POST a form with a valid token."""
        body = {"csrf_token": self.csrf_token, **(data or {})}
        return self.post(path, data=body, headers=_headers(htmx, more), **more)

    def sign_in(
        self,
        password: str = PASSWORD,
        *,
        email: str = "ada@example.com",
        address: str = "203.0.113.7",
        **more: str,
    ) -> TestResponse:
        """Fill the sign-in form, from an address on the internet."""
        form = {"email": email, "password": password, **more}
        return self.send("/login", form, environ_base={"REMOTE_ADDR": address})


def _headers(htmx: bool, more: dict[str, Any]) -> dict[str, str]:
    return (HTMX if htmx else {}) | more.pop("headers", {})


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Compiled once for all apps of a run; every app of its own would take longer to compile than to answer."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    settings: Settings,
    database: Database,
    clock: ManualClock,
    compiled_templates: FileSystemBytecodeCache,
    one_look: None,
) -> Flask:
    app = create_app(settings, database=database, kinds={}, clock=clock)
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = Browser
    return app


@pytest.fixture
def real_kinds(app: Flask, settings: Settings) -> None:
    """Let the app know the real kinds of job, which most pages can do without."""
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], kinds=job_kinds(settings))


OpenBrowser = Callable[..., Browser]


@pytest.fixture
def open_browser(app: Flask, database: Database, clock: ManualClock) -> OpenBrowser:
    """Opens a browser in which a new member is signed in."""

    def open_one(**member: Any) -> Browser:
        with database.transaction() as session:
            person = make_member(session, **member)
            token = start_session(
                session, user_id=person.user_id, email=person.email, user_agent="tests", now=clock.moment
            )
        browser = app.test_client()
        assert isinstance(browser, Browser)
        browser.member = person
        with browser.session_transaction() as cookie:
            cookie["_user_id"] = token
        return browser

    return open_one


@pytest.fixture
def organization_id(database: Database) -> UUID:
    """The organization that owner, admin, operator and viewer share."""
    with database.transaction() as session:
        return make_organization(session, name="Northwind")


@pytest.fixture
def owner(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    return open_browser(organization_id=organization_id, role=Role.OWNER, email="owner@example.com", name="Olga")


@pytest.fixture
def admin(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    return open_browser(organization_id=organization_id, role=Role.ADMIN, email="admin@example.com", name="Abel")


@pytest.fixture
def operator(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    return open_browser(organization_id=organization_id, role=Role.OPERATOR, email="operator@example.com", name="Otto")


@pytest.fixture
def viewer(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    return open_browser(organization_id=organization_id, role=Role.VIEWER, email="viewer@example.com", name="Vera")


@pytest.fixture
def platform_admin(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    return open_browser(
        organization_id=organization_id, email="platform@example.com", name="Petra", is_platform_admin=True
    )


@pytest.fixture
def stranger(open_browser: OpenBrowser) -> Browser:
    """The owner of another organization."""
    return open_browser(email="stranger@example.org", name="Sven")


@pytest.fixture
def anonymous(app: Flask) -> Browser:
    browser = app.test_client()
    assert isinstance(browser, Browser)
    return browser
