"""`/notification-rules`: what is told, for programs."""

from datetime import timedelta

import pytest

from app.tenants.roles import Role
from tests.api.conftest import OpenApi
from tests.api.scenarios import DISCORD_HOOK
from tests.fakes.clock import ManualClock


@pytest.fixture
def api(open_api: OpenApi):
    return open_api()


@pytest.fixture
def channel(api) -> str:
    body = {"kind": "discord", "name": "#data", "settings": {"webhook_url": DISCORD_HOOK}}
    return str(api.post("/channels", body).json["data"]["id"])


@pytest.fixture
def here(api, channel: str) -> str:
    made = api.post("/notification-rules", {"channel_ids": [channel]})
    return f"/notification-rules/{made.json['data']['id']}"


def test_a_rule_begins_with_what_most_want(api, here: str):
    found = api.get(here).json["data"]

    assert found["sentence"] == "When anything goes wrong, tell #data; again when it recovers."
    assert (found["enabled"], found["cooldown_minutes"]) == (True, 60)


def test_what_is_not_sent_stays(api, here: str):
    api.patch(here, {"scope_kind": "tag", "scope_value": "revenue", "types": ["run_failed"]})
    found = api.patch(here, {"after_failures": 2}).json["data"]

    told = "When a schedule tagged revenue fails 2 times in a row, tell #data; again when it recovers."
    assert found["sentence"] == told


def test_a_scope_goes_with_its_kind(api, here: str):
    api.patch(here, {"scope_kind": "tag", "scope_value": "revenue"})

    found = api.patch(here, {"scope_kind": "organization"}).json["data"]

    assert (found["scope_kind"], found["scope_value"]) == ("organization", None)


def test_it_is_switched(api, here: str):
    assert api.patch(here, {"enabled": False}).json["data"]["enabled"] is False


def test_it_is_snoozed_for_a_month_at_most(api, here: str, clock: ManualClock):
    until, far = (clock.moment + timedelta(days=days) for days in (7, 31))

    assert api.put(f"{here}/snooze", {"until": until.isoformat()}).json["data"]["snoozed_until"]
    assert api.put(f"{here}/snooze", {"until": far.isoformat()}).status_code == 422
    assert api.put(f"{here}/snooze", {"until": None}).json["data"]["snoozed_until"] is None


def test_it_is_previewed_before_and_after(api, here: str, channel: str):
    after = api.get(f"{here}/preview").json["data"]
    before = api.post("/notification-rules/preview", {"channel_ids": [channel]}).json["data"]

    assert before == after
    assert before["words"] == "In the last 7 days this would have sent no messages."


def test_it_is_deleted_and_restored(api, here: str):
    api.delete(here)

    assert api.get(here).status_code == 404
    assert api.post(f"{here}/restore").status_code == 200
    assert api.get(here).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel_ids": []},
        {"channel_ids": ["00000000-0000-0000-0000-000000000000"]},
        {"types": ["recovered"]},
        {"scope_kind": "schedule", "scope_value": "00000000-0000-0000-0000-000000000000"},
        {"scope_kind": "tag"},
        {"after_failures": 0},
    ],
)
def test_what_cannot_be_is_refused(api, channel: str, wrong):
    assert api.post("/notification-rules", {"channel_ids": [channel], **wrong}).status_code == 422


def test_a_viewer_looks_and_no_more(open_api: OpenApi):
    viewer = open_api(role=Role.VIEWER)

    assert viewer.get("/notification-rules").status_code == 200
    assert viewer.post("/notification-rules", {"channel_ids": []}).status_code == 403


def test_a_stranger_finds_nothing(api, here: str, open_api: OpenApi):
    stranger = open_api(email="eve@example.com")

    assert stranger.get(here).status_code == stranger.get(f"{here}/preview").status_code == 404
    assert stranger.patch(here, {"enabled": False}).status_code == 404
