"""The page of one's own API tokens: shown once, never somebody else's, and what refusals look like."""

import re

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.core.ids import digest, new_token
from app.tenants.models import ApiToken, AuditEntry
from app.tenants.token_queries import SCOPE_WORDS
from app.web.forms.tokens import SCOPE_PHRASES
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

PAGE = "/account/tokens"
OPEN_TO_OPERATORS = "view, run, edit_schedules, account"
TOKEN = re.compile(r"belfry_[a-z0-9]{8}_[\w-]{43}")


def make(browser: Browser, **more: object) -> TestResponse:
    form = {"once": new_token(), "name": "Deploys", "scopes": ["view"], "expires_in_days": "90"}
    return browser.send(PAGE, form | more)


def token_in(answer: TestResponse) -> str:
    found = TOKEN.search(answer.text)
    assert found is not None
    return found[0]


def me(app: Flask, token: str) -> TestResponse:
    return app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


def only_id(database: OpenDatabase) -> str:
    with database.reading() as session:
        return str(session.scalars(select(ApiToken.id)).one())


class TestPage:
    def test_is_in_the_menu_and_on_the_account_page(self, viewer: Browser) -> None:
        text = viewer.visit("/account").text

        assert text.count(f'href="{PAGE}"') == 2

    def test_offers_what_the_role_allows(self, viewer: Browser, operator: Browser) -> None:
        offered = [re.findall(r'name="scopes"[^>]*value="(\w+)"', who.visit(PAGE).text) for who in (viewer, operator)]

        assert offered == [["view", "account"], ["view", "run", "edit_schedules", "account"]]

    def test_offers_the_installation_to_those_who_look_after_it(self, platform_admin: Browser, owner: Browser) -> None:
        assert 'value="platform_admin"' in platform_admin.visit(PAGE).text
        assert 'value="platform_admin"' not in owner.visit(PAGE).text

    def test_leaves_it_to_the_person_which_boxes_to_tick(self, operator: Browser) -> None:
        boxes = re.findall(r'<input[^>]*name="scopes"[^>]*>', operator.visit(PAGE).text)

        assert len(boxes) == 4
        assert not any("required" in box for box in boxes)

    def test_says_every_scope_in_words(self) -> None:
        assert tuple(SCOPE_PHRASES) == SCOPE_WORDS

    def test_tells_of_each_token(self, operator: Browser, app: Flask, clock: ManualClock) -> None:
        token = token_in(make(operator, scopes=["view", "run"]))
        me(app, token)
        clock.advance(minutes=5)

        text = operator.visit(PAGE).text

        assert f"{token[:15]}…" in text
        assert "See jobs, schedules, runs and the queue; start and cancel runs" in text
        assert "5 min ago" in text

    def test_says_how_a_token_stands(self, viewer: Browser, clock: ManualClock, database: OpenDatabase) -> None:
        make(viewer, expires_in_days="30")
        states = []
        for days in (0, 25, 6):
            clock.advance(days=days)
            viewer.sign_in(email="viewer@example.com")
            states.append(state_on(viewer))
        viewer.send(f"{PAGE}/{only_id(database)}/revoke")

        assert [*states, state_on(viewer)] == ["Active", "Expires soon", "Expired", "Revoked"]

    def test_forgets_what_ended_after_a_month(
        self, viewer: Browser, clock: ManualClock, database: OpenDatabase
    ) -> None:
        make(viewer, expires_in_days="never")
        viewer.send(f"{PAGE}/{only_id(database)}/revoke")
        viewer.visit(PAGE)

        clock.advance(days=31)
        viewer.sign_in(email="viewer@example.com")

        assert "Make a token" in viewer.visit(PAGE).text
        assert "Deploys" not in viewer.visit(PAGE).text


class TestMaking:
    def test_shows_a_token_that_works(self, viewer: Browser, app: Flask) -> None:
        made = make(viewer)

        assert made.status_code == 200
        assert made.headers["Cache-Control"] == "no-store"
        assert me(app, token_in(made)).json["data"]["scopes"] == ["view"]

    def test_shows_a_line_for_a_terminal(self, viewer: Browser, app: Flask) -> None:
        made = make(viewer)

        address = app.extensions["belfry"].settings.public_url
        assert f"Authorization: Bearer {token_in(made)}&#34; {address}/api/v1/me" in made.text

    def test_shows_it_once(self, viewer: Browser, database: OpenDatabase) -> None:
        form = {"once": new_token()}
        token = token_in(make(viewer, **form))

        again = make(viewer, **form)

        with database.reading() as session:
            assert session.scalar(select(func.count()).select_from(ApiToken)) == 1
        assert (again.status_code, again.location) == (303, PAGE)
        assert token not in viewer.visit(PAGE).text

    def test_keeps_no_more_than_a_digest(self, viewer: Browser, database: OpenDatabase) -> None:
        token = token_in(make(viewer))

        with database.reading() as session:
            assert session.scalars(select(ApiToken.token_digest)).one() == digest(token)
            assert "token.created" in session.scalars(select(AuditEntry.action)).all()

    @pytest.mark.parametrize(
        ("wrong", "field", "message"),
        [
            ({"name": ""}, "name", "Give the token a name."),
            ({"name": " "}, "name", "Give the token a name."),
            ({"name": "x" * 121}, "name", "The name is too long. Use at most 120 characters."),
            ({"scopes": []}, "scopes", "Choose at least one thing that the token may do."),
            ({"scopes": ["edit_jobs"]}, "scopes", f"The role operator allows these scopes: {OPEN_TO_OPERATORS}."),
            ({"expires_in_days": "9999"}, "expires_in_days", "Not a valid choice"),
            ({"expires_in_days": ""}, "expires_in_days", "Say when the token expires."),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, operator: Browser, wrong: dict[str, object], field: str, message: str, database: OpenDatabase
    ) -> None:
        answer = make(operator, **{"name": "Nightly export", "scopes": ["run"], "expires_in_days": "30"} | wrong)

        kept = ('value="Nightly export"', 'checked id="scopes-1"', 'checked id="expires_in_days-0"')
        assert answer.status_code == 422
        assert f'<a href="#{field}">{message}' in answer.text
        assert sum(part in answer.text for part in kept) == 2

    def test_ends_at_a_bound(self, viewer: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.tenants.tokens.MOST_TOKENS", 1)
        make(viewer)

        answer = make(viewer, name="One more")

        assert answer.status_code == 409
        assert "Nobody may have more than 1 tokens." in answer.text
        assert 'value="One more"' in answer.text


class TestRevoking:
    def test_asks_first(self, viewer: Browser, app: Flask, database: OpenDatabase) -> None:
        token = token_in(make(viewer))

        answer = viewer.visit(f"{PAGE}/{only_id(database)}/revoke")

        assert "Revoke Deploys?" in answer.text
        assert me(app, token).status_code == 200

    def test_ends_a_token_at_once(self, viewer: Browser, app: Flask, database: OpenDatabase) -> None:
        token = token_in(make(viewer))

        answer = viewer.send(f"{PAGE}/{only_id(database)}/revoke")

        assert answer.location == PAGE
        assert me(app, token).status_code == 401
        assert "Deploys revoked." in viewer.visit(PAGE).text

    def test_finds_no_token_of_somebody_else(
        self, viewer: Browser, owner: Browser, stranger: Browser, app: Flask, database: OpenDatabase
    ) -> None:
        token = token_in(make(viewer))
        address = f"{PAGE}/{only_id(database)}/revoke"

        answers = [ask(address).status_code for who in (owner, stranger) for ask in (who.visit, who.send)]

        assert answers == [404] * 4
        assert "Deploys" not in owner.visit(PAGE).text + stranger.visit(PAGE).text
        assert me(app, token).status_code == 200

    def test_happens_once(self, viewer: Browser, database: OpenDatabase) -> None:
        make(viewer)
        address = f"{PAGE}/{only_id(database)}/revoke"

        assert [viewer.send(address).status_code, viewer.send(address).status_code] == [303, 404]


class TestMember:
    def test_takes_the_tokens_along(self, owner: Browser, viewer: Browser, app: Flask) -> None:
        token = token_in(make(viewer))

        owner.send(f"/settings/team/members/{viewer.user_id}/remove")

        assert me(app, token).status_code == 401


def state_on(browser: Browser) -> str:
    found = re.search(r'data-label="State">(.*?)</td>', browser.visit(PAGE).text, re.DOTALL)
    assert found is not None
    return re.sub(r"<[^>]*>", "", found[1]).strip()
