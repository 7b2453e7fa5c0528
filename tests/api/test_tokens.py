import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select

from app.tenants.models import ApiToken, Membership, User
from app.tenants.roles import Role
from tests.api.conftest import Caller, OpenApi
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

NEW = {"name": "Deploys", "scopes": ["view", "run"]}


def with_token(caller: Caller, token: str | None) -> Caller:
    return Caller(caller.client, token=token)


class TestSigningIn:
    def test_asks_for_a_token(self, anonymous_api: Caller):
        answer = anonymous_api.get("/me")

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Belfry"'
        assert answer.json["error"]["code"] == "not_signed_in"

    @pytest.mark.parametrize("token", ["", "nonsense", "belfry_abcdefgh_" + "a" * 43, "ä" * 20])
    def test_refuses_a_token_that_is_none_of_ours(self, anonymous_api: Caller, token: str):
        answer = with_token(anonymous_api, token).get("/me")

        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]

    def test_refuses_a_token_once_it_has_expired(self, owner_api: Caller, clock: ManualClock):
        made = owner_api.post("/tokens", NEW | {"expires_in_days": 1}).json["data"]

        clock.advance(days=1)

        assert with_token(owner_api, made["token"]).get("/me").status_code == 401

    @pytest.mark.parametrize("ending", ["disabled", "removed"])
    def test_refuses_a_token_whose_owner_is_gone(
        self, owner_api: Caller, open_api: OpenApi, database: OpenDatabase, ending: str
    ):
        caller = open_api(organization_id=owner_api.organization_id, email="gone@example.com")
        with database.transaction() as session:
            if ending == "disabled":
                session.get_one(User, caller.actor.user_id).disabled_at = caller.client.application.extensions[
                    "belfry"
                ].clock.moment
            else:
                of_caller = Membership.user_id == caller.actor.user_id
                session.delete(session.scalars(select(Membership).where(of_caller)).one())

        assert caller.get("/me").status_code == 401

    def test_ignores_the_cookie_beside_a_token(self, as_cookie: Callable[..., Caller], viewer_api: Caller):
        browser = as_cookie()
        browser.token = viewer_api.token

        assert browser.get("/me").json["data"]["role"] == "viewer"

    def test_does_not_fall_back_to_the_cookie_when_the_token_is_wrong(self, as_cookie: Callable[..., Caller]):
        browser = as_cookie()
        browser.token = "nonsense"

        assert browser.get("/me").status_code == 401

    def test_lets_a_proxy_have_a_scheme_of_its_own(self, as_cookie: Callable[..., Caller]):
        answer = as_cookie().open("GET", "/me", headers={"Authorization": "Basic Zm9vOmJhcg=="})

        assert answer.status_code == 200
        assert answer.json["data"]["token"] is None

    def test_takes_no_token_from_the_address(self, anonymous_api: Caller, owner_api: Caller):
        assert anonymous_api.get("/me", token=owner_api.token or "").status_code == 401

    def test_sets_no_cookie(self, owner_api: Caller):
        assert "Set-Cookie" not in owner_api.get("/me").headers


class TestForgery:
    def test_lets_a_browser_change_things_with_the_token_of_its_page(self, as_cookie: Callable[..., Caller]):
        assert as_cookie().post("/tokens", NEW).status_code == 201

    def test_refuses_a_browser_without_it(self, as_cookie: Callable[..., Caller]):
        answer = as_cookie(has_page=False).post("/tokens", NEW)

        assert answer.status_code == 403
        assert "X-CSRF-Token" in answer.json["error"]["message"]

    def test_refuses_another_site(self, as_cookie: Callable[..., Caller]):
        answer = as_cookie().post("/tokens", NEW, Sec_Fetch_Site="cross-site")

        assert answer.status_code == 403

    def test_needs_none_of_it_from_a_program(self, owner_api: Caller):
        assert owner_api.post("/tokens", NEW, Origin="https://elsewhere.example").status_code == 201


class TestUse:
    def test_notes_the_use_once_a_minute(self, owner_api: Caller, clock: ManualClock, database: OpenDatabase):
        owner_api.get("/me")
        first = _last_used(database)
        clock.advance(seconds=59)
        owner_api.get("/me")
        second = _last_used(database)
        clock.advance(seconds=1)
        owner_api.get("/me")

        assert first == second
        assert (_last_used(database) - first).total_seconds() == 60

    def test_does_not_ask_the_database_about_what_is_no_token(self, anonymous_api: Caller, database: OpenDatabase):
        asked: list[str] = []
        event.listen(database.read, "before_cursor_execute", lambda *about: asked.append(about[2]))

        with_token(anonymous_api, "nonsense").get("/me")

        assert not [one for one in asked if "api_tokens" in one]

    def test_narrows_its_owner_to_its_scopes(self, owner_api: Caller):
        made = owner_api.post("/tokens", NEW).json["data"]
        narrow = with_token(owner_api, made["token"])

        refused = narrow.post("/jobs", {"name": "A", "kind": "code", "definition": {"ends": "x"}})

        assert narrow.get("/me").json["data"]["scopes"] == ["view", "run"]
        assert refused.status_code == 403
        assert "edit_jobs" in refused.json["error"]["message"]

    def test_narrows_a_platform_admin_too(self, platform_api: Caller):
        made = platform_api.post("/tokens", NEW).json["data"]

        answer = with_token(platform_api, made["token"]).get("/scheduler/status")

        assert answer.status_code == 403


class TestTokens:
    def test_shows_a_new_token_once(self, owner_api: Caller, database: OpenDatabase):
        made = owner_api.post("/tokens", NEW).json["data"]

        assert re.fullmatch(r"belfry_[a-z0-9]{8}_[\w-]{43}", made["token"])
        assert made["token"] not in owner_api.get("/tokens").text
        with database.reading() as session:
            assert made["token"] not in str(session.execute(select(ApiToken.token_digest, ApiToken.scopes)).all())

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"scopes": []}, "scopes"),
            ({"scopes": ["platform_admin"]}, "scopes"),
            ({"scopes": ["nothing"]}, "scopes"),
            ({"expires_in_days": 0}, "expires_in_days"),
            ({"expires_in_days": 366}, "expires_in_days"),
            ({"name": " "}, "name"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, owner_api: Caller, wrong: dict[str, Any], field: str):
        answer = owner_api.post("/tokens", NEW | wrong)

        assert answer.status_code == 422
        assert [one["field"] for one in answer.json["error"]["fields"]] == [field]

    def test_opens_nothing_after_it_was_revoked(self, owner_api: Caller):
        made = owner_api.post("/tokens", NEW).json["data"]

        revoked = owner_api.delete(f"/tokens/{made['id']}")

        assert revoked.status_code == 200
        assert with_token(owner_api, made["token"]).get("/me").status_code == 401
        assert owner_api.delete(f"/tokens/{made['id']}").status_code == 404

    def test_may_always_end_itself(self, viewer_api: Caller):
        made = viewer_api.post("/tokens", NEW | {"scopes": ["view"]})
        own = viewer_api.get("/me").json["data"]["token"]["id"]

        ended = viewer_api.delete(f"/tokens/{own}")

        assert made.status_code == 403
        assert ended.status_code == 200
        assert viewer_api.get("/me").status_code == 401

    def test_shows_members_their_own_and_admins_all(
        self, owner_api: Caller, operator_api: Caller, stranger_api: Caller
    ):
        own = operator_api.get("/tokens").json["data"]
        everybodys = owner_api.get("/tokens").json["data"]

        assert {one["user_name"] for one in own} == {"Otto"}
        assert {one["user_name"] for one in everybodys} == {"Olga", "Otto"}

    def test_makes_no_token_that_lives_longer_than_the_one_that_asks(self, owner_api: Caller):
        scopes = ["view", "manage_team"]
        made = owner_api.post("/tokens", {"name": "Short", "scopes": scopes, "expires_in_days": 1}).json["data"]
        short = with_token(owner_api, made["token"])

        answers = [short.post("/tokens", {"name": "x", "scopes": ["view"], "expires_in_days": days}) for days in (2, 1)]

        assert [answer.status_code for answer in answers] == [403, 201]

    def test_tells_the_role_that_a_member_has_now(self, owner_api: Caller, database: OpenDatabase):
        with database.transaction() as session:
            mine = Membership.user_id == owner_api.actor.user_id
            session.scalars(select(Membership).where(mine)).one().role = Role.VIEWER.value

        assert owner_api.get("/me").json["data"]["scopes"] == ["view", "account"]


def _last_used(database: OpenDatabase) -> Any:
    with database.reading() as session:
        return session.scalars(select(ApiToken.last_used_at)).one()
