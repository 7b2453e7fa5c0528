"""`/health/deep`: who may ask, and what it answers."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask

from app.core.ids import new_id
from app.core.scopes import ENGINE, Scope
from app.edge.runtime import EXTENSION
from app.events.service import Topic, append_event
from app.notifications.models import Cursor
from app.ops.models import CanaryGap, CanaryState
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.tenants.tokens import TokenDraft, create_token
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

SECRET = "h" * 40


@pytest.fixture
def guarded(app: Flask) -> None:
    """An installation with a token for this alone."""
    runtime = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(runtime, settings=replace(runtime.settings, health_token=SECRET))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class TestWhoMayAsk:
    def test_is_whoever_has_the_token(self, anonymous: Browser, guarded: None) -> None:
        answer = anonymous.get("/health/deep", headers=bearer(SECRET))

        assert (answer.status_code, answer.json["well"]) == (200, True)

    @pytest.mark.parametrize("token", ["", "h" * 39, "h" * 41, "ü" * 40])
    def test_is_nobody_with_another_one(self, anonymous: Browser, guarded: None, token: str) -> None:
        answer = anonymous.get("/health/deep", headers=bearer(token))

        assert (answer.status_code, answer.json["well"]) == (401, None)
        assert "hops" not in answer.json

    def test_is_nobody_with_an_empty_token_where_none_is_set(self, anonymous: Browser) -> None:
        assert anonymous.get("/health/deep", headers=bearer("")).status_code == 401
        assert anonymous.get("/health/deep").status_code == 401

    def test_is_a_platform_admin_alone_among_people(self, platform_admin: Browser, owner: Browser) -> None:
        assert platform_admin.get("/health/deep").status_code == 200
        assert owner.get("/health/deep").status_code == 403

    def test_is_no_token_of_a_person_who_is_none(
        self, anonymous: Browser, owner: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        who, draft = owner.member.actor, TokenDraft("watcher", ["view"])
        with database.transaction(Scope.tenant(who.organization_id, who.user_id)) as session:
            made = create_token(session, actor=who, user_id=who.user_id, draft=draft, now=clock.moment)

        assert anonymous.get("/health/deep", headers=bearer(made.token)).status_code == 403

    def test_is_tried_so_often_by_guessers_and_no_more(self, anonymous: Browser, guarded: None) -> None:
        answers = [anonymous.get("/health/deep", headers=bearer(f"bel_{number}")).status_code for number in range(200)]

        assert set(answers) == {401, 429}
        assert anonymous.get("/health/deep", headers=bearer(SECRET)).status_code == 200


def test_it_answers_503_when_something_waits_for_too_long(
    platform_admin: Browser, database: OpenDatabase, clock: ManualClock
) -> None:
    with database.transaction(ENGINE) as session:
        session.add(Cursor(name="events", last_id=0, holes=[], read_at=clock.moment))
        append_event(
            session, organization_id=SYSTEM_ORGANIZATION_ID, topic=Topic.RUNS, kind="run.ready", subject_id=new_id(),
            now=clock.moment,
        )  # fmt: skip
    clock.advance(minutes=10)

    answer = platform_admin.get("/health/deep")

    (late,) = [hop for hop in answer.json["hops"] if not hop["ok"]]
    assert (answer.status_code, answer.json["well"], late["name"]) == (503, False, "told")
    assert (late["bound"], late["age"] >= 600) == (120, True)


def test_it_tells_the_gaps(platform_admin: Browser, database: OpenDatabase, clock: ManualClock) -> None:
    now = clock.moment
    with database.transaction(ENGINE) as session:
        session.add(CanaryState(id=1, began_at=now, looked_at=now, last_passed_at=now, ping_error="It answered 404."))
        session.add(CanaryGap(began_at=now - timedelta(hours=2), ended_at=now - timedelta(hours=1), cause="off"))

    said = platform_admin.get("/health/deep").json

    assert said["heartbeat_error"] == "It answered 404."
    assert said["last_passed_at"] == now.isoformat()
    assert said["gaps"] == [
        {
            "began_at": (now - timedelta(hours=2)).isoformat(),
            "ended_at": (now - timedelta(hours=1)).isoformat(),
            "cause": "off",
        }
    ]
