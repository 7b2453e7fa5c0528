"""Every endpoint says who may use it, and is held to it."""

from collections.abc import Callable

import pytest
from flask import Blueprint, Flask

from app.edge.identity import current_actor, current_person, request_now
from app.edge.permissions import AccessUndeclared, access_of, refuse_undeclared
from app.tenants.access import Permission
from app.web.permissions import route
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

PUBLIC = {
    "web.login", "web.sign_in_person", "web.sign_out_person", "web.setup", "web.make_owner",
    "web.invitation", "web.make_invited_account",
    "static", "probes.healthz", "probes.readyz",
    # Whoever asks is looked at by itself: the token for it is nobody's.
    "probes.health_deep",
    "api.show_document", "api_current.show_document",
}  # fmt: skip

pages = Blueprint("pages", __name__)


@route(pages, "/needs/view", permission=Permission.VIEW)
def needs_view() -> str:
    return "seen"


@route(pages, "/needs/edit", permission=Permission.EDIT_SCHEDULES, methods=["POST"])
def needs_edit() -> str:
    return "edited"


@route(pages, "/needs/jobs", permission=Permission.EDIT_JOBS)
def needs_jobs() -> str:
    return "defined"


@route(pages, "/needs/platform", platform_admin=True)
def needs_platform() -> str:
    return "ran"


@route(pages, "/who", signed_in=True)
def who() -> dict[str, str]:
    actor, person = current_actor(), current_person()
    return {
        "user": str(actor.user_id),
        "organization": str(actor.organization_id),
        "role": actor.role,
        "name": person.name,
        "timezone": person.timezone,
        "now": request_now().isoformat(),
    }


@pytest.fixture
def app(app: Flask) -> Flask:
    app.register_blueprint(pages)
    return app


class TestDeclarations:
    def test_are_on_every_endpoint(self, app: Flask) -> None:
        endpoints = {rule.endpoint for rule in app.url_map.iter_rules()}

        assert {name for name in endpoints if access_of(app.view_functions[name]) is None} == set()

    def test_make_only_these_public(self, app: Flask) -> None:
        found = {name for name, view in app.view_functions.items() if (access := access_of(view)) and access.is_public}

        # Add to the list only what a person without an account must be able to reach.
        assert found == PUBLIC

    def test_are_missed_at_the_start(self, app: Flask) -> None:
        app.add_url_rule("/careless", "careless", lambda: "open to all")

        with pytest.raises(AccessUndeclared, match="careless"):
            refuse_undeclared(app)

    @pytest.mark.parametrize("said", [{}, {"public": True, "signed_in": True}])
    def test_say_exactly_one_thing(self, said: dict[str, bool]) -> None:
        with pytest.raises(AccessUndeclared):
            route(pages, "/vague", **said)


class TestRoles:
    @pytest.mark.parametrize(
        ("role", "statuses"),
        [
            ("viewer", [200, 403, 403, 403]),
            ("operator", [200, 200, 403, 403]),
            ("admin", [200, 200, 200, 403]),
            ("owner", [200, 200, 200, 403]),
            ("platform_admin", [200, 200, 200, 200]),
            ("anonymous", [302, 401, 302, 302]),
        ],
    )
    def test_open_what_they_allow(
        self, request: pytest.FixtureRequest, engine: str, role: str, statuses: list[int]
    ) -> None:
        browser: Browser = request.getfixturevalue(role)
        calls: list[Callable[[], int]] = [
            lambda: browser.visit("/needs/view").status_code,
            lambda: browser.send("/needs/edit").status_code,
            lambda: browser.visit("/needs/jobs").status_code,
            lambda: browser.visit("/needs/platform").status_code,
        ]

        assert [call() for call in calls] == statuses

    def test_are_named_in_the_refusal(self, viewer: Browser) -> None:
        assert "Your role here is viewer; this needs operator or higher." in viewer.send("/needs/edit").text


class TestIdentity:
    def test_is_the_person_of_the_cookie(self, operator: Browser, clock: ManualClock) -> None:
        assert operator.visit("/who").json == {
            "user": str(operator.user_id),
            "organization": str(operator.organization_id),
            "role": "operator",
            "name": "Otto",
            "timezone": "Europe/Riga",
            "now": clock.moment.isoformat(),
        }

    def test_keeps_organizations_apart(self, owner: Browser, stranger: Browser) -> None:
        assert owner.visit("/who").json["organization"] != stranger.visit("/who").json["organization"]

    def test_cannot_be_written_by_hand(self, anonymous: Browser, owner: Browser) -> None:
        with anonymous.session_transaction() as cookie:
            cookie["_user_id"] = str(owner.user_id)

        assert anonymous.visit("/who").status_code == 302
