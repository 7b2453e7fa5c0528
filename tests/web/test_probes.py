"""What watchers from outside see, and how the pages behave before the database is ready."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Blueprint, Flask

from app.core.config import Settings
from app.core.schema import SchemaGate, newest_migration
from app.edge.migrations import upgrade_database
from app.edge.permissions import schema_note
from app.edge.runtime import EXTENSION
from app.factory import create_app
from app.tenants.access import Permission
from app.web.permissions import route
from tests.fakes.clock import Ticks
from tests.web.conftest import Browser


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def new_app(settings: Settings, ticks: Ticks) -> Flask:
    """An app on a database that has no tables yet."""
    app = create_app(settings, kinds={})
    runtime = app.extensions[EXTENSION]
    gate = SchemaGate(runtime.database, expected=newest_migration(), ticks=ticks)
    app.extensions[EXTENSION] = replace(runtime, schema=gate)
    app.test_client_class = Browser
    return app


@pytest.fixture
def early(new_app: Flask) -> Browser:
    """A browser that came before the tables."""
    browser = new_app.test_client()
    assert isinstance(browser, Browser)
    return browser


class TestBeforeTheTables:
    @pytest.mark.parametrize("path", ["/login", "/account", "/setup?token=x"])
    def test_pages_name_the_command_and_nothing_else(self, early: Browser, path: str) -> None:
        answer = early.visit(path)

        assert answer.status_code == 503
        assert "belfry db upgrade" in answer.text
        assert "Traceback" not in answer.text

    def test_a_cookie_from_before_does_no_harm(self, early: Browser) -> None:
        with early.session_transaction() as cookie:
            cookie["_user_id"] = "a token of a database that is gone"

        assert early.visit("/login").status_code == 503

    def test_forms_change_nothing(self, early: Browser) -> None:
        assert early.send("/login", {"email": "a@example.com", "password": "quiet-harbour"}).status_code == 503

    def test_htmx_gets_a_fragment(self, early: Browser) -> None:
        assert "<html" not in early.visit("/account", htmx=True).text

    def test_unknown_addresses_stay_unknown(self, early: Browser) -> None:
        assert early.visit("/no-such-page").status_code == 404

    def test_an_endpoint_that_is_empty_without_tables_says_so(self, new_app: Flask, early: Browser) -> None:
        pages = Blueprint("pages", __name__)

        @route(pages, "/list", permission=Permission.VIEW, empty_without_schema=True, methods=["GET", "POST"])
        def show_list() -> str:
            return f"empty: {schema_note()}"

        new_app.register_blueprint(pages)

        assert early.visit("/list").text.startswith("empty: The database has no tables yet.")
        assert early.send("/list").status_code == 503

    def test_service_begins_without_a_restart(
        self, new_app: Flask, early: Browser, ticks: Ticks, tmp_path: Path
    ) -> None:
        before = early.visit("/login").status_code
        upgrade_database(new_app, lock_file=tmp_path / "lock")

        ticks.value += 5

        assert (before, early.visit("/login").status_code) == (503, 200)
        assert early.visit("/readyz").status_code == 200


class TestHealthz:
    def test_says_that_the_process_answers(self, early: Browser, anonymous: Browser) -> None:
        assert early.visit("/healthz").status_code == 200
        assert anonymous.visit("/healthz").json == {"ok": True}


class TestReadyz:
    def test_is_ready_when_every_check_is_fine(self, anonymous: Browser) -> None:
        answer = anonymous.visit("/readyz")

        assert answer.status_code == 200
        assert (answer.json["ready"], answer.json["degraded"]) == (True, False)
        assert answer.json["checks"] == [{"name": "database", "ok": True}, {"name": "broker", "ok": True}]

    def test_names_what_is_missing_and_the_command(self, early: Browser) -> None:
        answer = early.visit("/readyz")

        (check,) = [check for check in answer.json["checks"] if check["name"] == "database"]
        assert (answer.status_code, answer.json["ready"]) == (503, False)
        assert (check["ok"], check["command"]) == (False, "belfry db upgrade")

    def test_stays_ready_but_degraded_when_the_broker_does_not_answer(self, app: Flask, anonymous: Browser) -> None:
        runtime = app.extensions[EXTENSION]
        app.extensions[EXTENSION] = replace(runtime, broker_problem=lambda: "The broker does not answer.")

        answer = anonymous.visit("/readyz")

        (check,) = [check for check in answer.json["checks"] if check["name"] == "broker"]
        assert (answer.status_code, answer.json["ready"], answer.json["degraded"]) == (200, True, True)
        assert check == {"name": "broker", "ok": False, "message": "The broker does not answer."}

    def test_says_when_the_database_does_not_answer(self, settings: Settings) -> None:
        away = replace(settings, database_url=f"sqlite:///{settings.data_dir}/no/such/folder/belfry.db")

        answer = create_app(away, kinds={}).test_client().get("/readyz")

        assert answer.status_code == 503
        assert "The database does not answer." in answer.json["checks"][0]["message"]

    def test_pages_come_out_when_the_database_does_not_answer(self, settings: Settings) -> None:
        away = replace(settings, database_url=f"sqlite:///{settings.data_dir}/no/such/folder/belfry.db")

        answer = create_app(away, kinds={}).test_client().get("/login")

        assert answer.status_code == 503
        assert "The database does not answer." in answer.text
