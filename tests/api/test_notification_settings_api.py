"""`/notification-settings` and `/maintenance-windows`."""

from datetime import timedelta

from tests.api.conftest import Caller
from tests.fakes.clock import ManualClock

QUIET = {"zone": "Europe/Riga", "quiet_from": "22:00", "quiet_until": "07:00", "quiet_lets_through": ["stuck"]}


def test_are_settled_and_shown(admin_api: Caller, viewer_api: Caller) -> None:
    before = viewer_api.get("/notification-settings").json["data"]
    settled = admin_api.put("/notification-settings", QUIET).json["data"]

    assert (before["quiet_from"], before["summary_at"]) == (None, None)
    assert settled == viewer_api.get("/notification-settings").json["data"]
    assert settled == {**QUIET, "summary_at": None, "summary_channel_ids": []}


def test_refuse_what_cannot_be(admin_api: Caller, viewer_api: Caller) -> None:
    wrong = ({"quiet_until": None}, {"quiet_from": "late"}, {"zone": "Mars/Base"}, {"summary_at": "08:00"})

    answers = [admin_api.put("/notification-settings", {**QUIET, **each}) for each in wrong]

    assert [answer.status_code for answer in answers] == [422] * 4
    fields = [answer.json["error"]["fields"][0]["field"] for answer in answers]
    assert fields == ["quiet_until", "quiet_from", "zone", "summary_channel_ids"]
    assert viewer_api.put("/notification-settings", QUIET).status_code == 403


def test_maintenance_is_planned_and_ended(admin_api: Caller, stranger_api: Caller, clock: ManualClock) -> None:
    at = clock.moment + timedelta(hours=1)
    times = {"starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=2)).isoformat()}

    made = admin_api.post("/maintenance-windows", {**times, "scope_kind": "tag", "scope_value": "revenue"})
    path = f"/maintenance-windows/{made.json['data']['id']}"
    listed = admin_api.get("/maintenance-windows").json["data"]
    foreign = stranger_api.delete(path)
    ended = admin_api.delete(path)

    assert (made.status_code, listed, foreign.status_code, ended.status_code) == (201, [made.json["data"]], 404, 200)
    assert admin_api.get("/maintenance-windows").json["data"] == []


def test_maintenance_that_ends_before_it_begins_is_refused(admin_api: Caller, clock: ManualClock) -> None:
    at = clock.moment + timedelta(hours=1)

    answer = admin_api.post("/maintenance-windows", {"starts_at": at.isoformat(), "ends_at": at.isoformat()})

    assert (answer.status_code, answer.json["error"]["fields"][0]["field"]) == (422, "ends_at")
