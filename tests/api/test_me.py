"""A person's own account over the API: the profile, and the browsers in which they are signed in."""

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.db import Database
from app.tenants.models import AuditEntry, LoginSession
from app.tenants.token_queries import SCOPE_WORDS
from tests.api.conftest import Caller, OpenApi

ALL_BUT_ACCOUNT = tuple(word for word in SCOPE_WORDS if word not in {"account", "platform_admin"})


@pytest.fixture
def caller(open_api: OpenApi) -> Caller:
    return open_api(email="owner@example.com", name="Olga")


class TestTheProfile:
    def test_is_changed_in_part(self, caller: Caller) -> None:
        changed = caller.patch("/me/profile", {"clock": "12", "shortcuts_enabled": False})

        found = caller.get("/me/profile").json["data"]
        assert changed.json["data"] == found
        assert (found["clock"], found["shortcuts_enabled"], found["density"]) == ("12", False, "comfortable")

    def test_is_left_alone_by_a_token_without_the_scope(self, open_api: OpenApi) -> None:
        caller = open_api(scopes=ALL_BUT_ACCOUNT)

        answer = caller.patch("/me/profile", {"theme": "dark"})

        assert answer.status_code == 403
        assert "lacks the scope account" in answer.json["error"]["message"]

    def test_never_changes_how_the_api_tells_time(self, caller: Caller) -> None:
        caller.patch("/me/profile", {"clock": "12"})

        preview = caller.post("/schedules/preview", {"cron": "30 14 * * *", "timezone": "UTC"}).json["data"]

        assert "14:30" in preview["description"]


class TestFirstSteps:
    def test_are_put_away_and_brought_back(self, caller: Caller, database: Database) -> None:
        before = caller.get("/me/first-steps").json["data"]
        away = caller.patch("/me/first-steps", {"hidden": True}).json["data"]
        caller.patch("/me/first-steps", {"hidden": True})
        kept = caller.get("/me/first-steps").json["data"]
        back = caller.patch("/me/first-steps", {"hidden": False}).json["data"]

        assert [one["hidden"] for one in (before, away, kept, back)] == [False, True, True, False]
        with database.reading() as session:
            actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
        noted = [action for action in actions if "first_steps" in action]
        assert noted == ["account.first_steps_hidden", "account.first_steps_shown"]

    def test_are_left_alone_by_a_token_without_the_scope(self, open_api: OpenApi) -> None:
        caller = open_api(scopes=ALL_BUT_ACCOUNT)

        assert caller.patch("/me/first-steps", {"hidden": True}).status_code == 403
        assert caller.get("/me/first-steps").json["data"] == {"hidden": False}


class TestBrowsers:
    def test_are_signed_out_from_afar(self, caller: Caller, database: Database, app: Flask) -> None:
        browser = app.test_client()
        browser.sign_in(email="owner@example.com")
        found = caller.get("/me/browsers").json["data"]["browsers"]

        answer = caller.delete(f"/me/browsers/{found[0]['id']}")

        assert answer.status_code == 200
        with database.reading() as session:
            assert session.scalars(select(LoginSession.id)).all() == []
            assert "account.browsers_signed_out" in session.scalars(select(AuditEntry.action)).all()

    def test_of_somebody_else_cannot_be_found(self, caller: Caller) -> None:
        answer = caller.delete("/me/browsers/00000000-0000-7000-8000-00000000dead")

        assert answer.status_code == 404
