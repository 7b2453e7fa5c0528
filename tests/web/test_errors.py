"""Failures as people see them: words, a status, a reference, and nothing kept."""

import json
import logging

import pytest
from flask import Blueprint, Flask, Response
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from app.core import errors
from app.core.db import Database, on_commit
from app.edge.runtime import request_session
from app.tenants.access import PermissionMissing
from app.tenants.models import User
from app.web.permissions import route
from app.web.responses import ToastKind, close_dialog, empty, go_to, see_other, toast
from tests.web.conftest import Browser

FAILURES = {
    "absent": (errors.NotFound("There is no such job here."), 404),
    "forbidden": (PermissionMissing("Your role here is viewer."), 403),
    "invalid": (errors.Invalid("Give it a name.", field="name"), 422),
    "conflict": (errors.Conflict("That name is taken."), 409),
    "unavailable": (errors.Unavailable("The broker is away."), 503),
}
committed: list[str] = []
trouble = Blueprint("trouble", __name__)


@pytest.fixture
def app(app: Flask) -> Flask:
    """The app with pages that fail, in a blueprint of their own."""
    committed.clear()
    app.register_blueprint(trouble)
    return app


def rename_everybody() -> None:
    session = request_session()
    session.execute(update(User).values(name="Renamed"))
    on_commit(session, lambda: committed.append("told"))


@route(trouble, "/trouble/<name>", public=True, methods=["GET", "POST"])
def fail(name: str) -> str:
    raise FAILURES[name][0]


@route(trouble, "/trouble/after-writing/<name>", public=True, methods=["POST"])
def fail_after_writing(name: str) -> str:
    rename_everybody()
    raise FAILURES[name][0] if name in FAILURES else RuntimeError("a secret detail")


@route(trouble, "/trouble/status/<int:status>", public=True, methods=["POST"])
def answer_with(status: int) -> tuple[str, int]:
    rename_everybody()
    return "", status


@route(trouble, "/trouble/unforeseen", public=True)
def explode() -> str:
    raise RuntimeError("a secret detail")


@route(trouble, "/trouble/locked", public=True)
def find_it_locked() -> str:
    raise OperationalError("SELECT 1", {}, Exception("database is locked"))


@route(trouble, "/trouble/write", public=True)
def write_in_a_get() -> str:
    rename_everybody()
    return "written"


@route(trouble, "/trouble/toast/<where>", public=True, methods=["POST"])
def say(where: str) -> Response:
    answers = {"here": empty, "elsewhere": lambda: see_other("web.account"), "there": lambda: go_to("/x")}
    response = close_dialog(answers[where]())
    action = {"label": "Undo", "url": "/u", "post": True}
    return toast(response, "“Meta” disabled.", kind=ToastKind.SUCCESS, action=action)


def names(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(User.name)))


class TestFailures:
    @pytest.mark.parametrize("name", FAILURES)
    def test_have_a_page_in_words(self, owner: Browser, name: str) -> None:
        error, status = FAILURES[name]

        answer = owner.visit(f"/trouble/{name}")

        assert answer.status_code == status
        assert error.message in answer.text
        assert "<html" in answer.text

    @pytest.mark.parametrize("name", FAILURES)
    def test_are_a_fragment_for_htmx(self, owner: Browser, name: str) -> None:
        error, status = FAILURES[name]

        answer = owner.visit(f"/trouble/{name}", htmx=True)

        assert answer.status_code == status
        assert f'data-toast="{error.message}' in answer.text
        assert "<html" not in answer.text

    def test_are_a_page_when_htmx_wants_the_whole_of_it(self, owner: Browser) -> None:
        headers = {"HX-Request": "true", "HX-Request-Type": "full"}

        assert "<html" in owner.visit("/trouble/absent", headers=headers).text

    @pytest.mark.parametrize("name", [*FAILURES, "unforeseen"])
    def test_take_everything_back(self, owner: Browser, database: Database, name: str) -> None:
        owner.send(f"/trouble/after-writing/{name}")

        assert names(database) == {"Olga"}
        assert committed == []

    def test_of_an_address_that_leads_nowhere(self, anonymous: Browser) -> None:
        answer = anonymous.visit("/no/such/page")

        assert answer.status_code == 404
        assert "There is nothing at this address." in answer.text

    def test_of_a_method_that_is_not_there_name_those_that_are(self, owner: Browser) -> None:
        answer = owner.visit("/logout")

        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


class TestTheUnforeseen:
    def test_is_a_page_with_a_reference_that_is_in_the_log(
        self, owner: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.ERROR):
            answer = owner.visit("/trouble/unforeseen")

        reference = answer.text.split("<code>")[1].split("</code>")[0]
        assert answer.status_code == 500
        assert caplog.records[-1].reference == reference
        assert caplog.records[-1].exc_info is not None

    def test_shows_nothing_from_inside(self, owner: Browser) -> None:
        text = owner.visit("/trouble/unforeseen").text

        assert "secret detail" not in text
        assert "Traceback" not in text

    def test_is_a_wait_when_the_database_is_busy(self, owner: Browser) -> None:
        answer = owner.visit("/trouble/locked")

        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"
        assert "The database is busy or away" in answer.text


class TestTransaction:
    @pytest.mark.parametrize("status", [200, 204, 303])
    def test_is_kept_when_the_answer_says_that_it_worked(self, owner: Browser, database: Database, status: int) -> None:
        owner.send(f"/trouble/status/{status}")

        assert names(database) == {"Renamed"}
        assert committed == ["told"]

    @pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
    def test_is_taken_back_when_it_says_otherwise(self, owner: Browser, database: Database, status: int) -> None:
        owner.send(f"/trouble/status/{status}")

        assert names(database) == {"Olga"}
        assert committed == []

    def test_never_writes_in_a_get(self, owner: Browser, database: Database) -> None:
        answer = owner.visit("/trouble/write")

        assert answer.status_code >= 500
        assert names(database) == {"Olga"}


class TestToast:
    def test_comes_with_the_answer_to_htmx_beside_other_events(self, owner: Browser) -> None:
        answer = owner.send("/trouble/toast/here", htmx=True)

        events = json.loads(answer.headers["HX-Trigger"])
        assert events["toast"] == {
            "message": "“Meta” disabled.",
            "kind": "success",
            "action": {"label": "Undo", "url": "/u", "post": True},
        }
        assert events["dialog:close"] is True

    @pytest.mark.parametrize("htmx", [False, True])
    def test_waits_for_the_page_that_a_redirect_leads_to(self, owner: Browser, htmx: bool) -> None:
        answer = owner.send("/trouble/toast/elsewhere", htmx=htmx)

        assert (answer.location or answer.headers["HX-Redirect"]) == "/account"
        assert "“Meta” disabled." in owner.visit("/account").text
        assert "“Meta” disabled." not in owner.visit("/account").text
