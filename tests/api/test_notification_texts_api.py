"""`/notification-texts`: texts of an organization's own, for programs."""

from app.notifications.messages.writing import VARIABLES
from app.notifications.types import NotificationType
from tests.api.conftest import Caller

ONE = "/notification-texts/run_failed"
OWN = {"title": "{{job}} is down", "body": "<b>{{error}}</b>"}


def test_every_type_has_one(viewer_api: Caller) -> None:
    found = viewer_api.get("/notification-texts?limit=100").json["data"]

    assert [one["type"] for one in found] == list(NotificationType)
    assert {one["is_own"] for one in found} == {False}


def test_names_are_listed(viewer_api: Caller) -> None:
    found = viewer_api.get("/notification-variables?limit=100").json["data"]

    assert {one["name"]: one["stands_for"] for one in found} == VARIABLES


def test_is_put_and_taken_back(admin_api: Caller, viewer_api: Caller, stranger_api: Caller) -> None:
    put = admin_api.put(ONE, OWN).json["data"]
    seen, foreign = viewer_api.get(ONE).json["data"], stranger_api.get(ONE).json["data"]
    said = [admin_api.delete(ONE).json["message"] for _ in range(2)]

    assert put == seen == {"type": "run_failed", "name": "A run failed", "is_own": True, **OWN}
    assert foreign["title"] is None
    assert ("again" in said[0], "already" in said[1], admin_api.get(ONE).json["data"]["is_own"]) == (True, True, False)


def test_refuses_what_cannot_be_said(admin_api: Caller, viewer_api: Caller) -> None:
    wrong = ({"title": ""}, {"title": "{{jobb}}"}, {"title": "A\nB"}, {"body": "{{nothing}}"}, {"body": "x" * 4_001})

    answers = [admin_api.put(ONE, {**OWN, **each}) for each in wrong]

    assert [answer.status_code for answer in answers] == [422] * 5
    fields = [answer.json["error"]["fields"][0]["field"] for answer in answers]
    assert fields == ["title", "title", "title", "body", "body"]
    assert "There are: {{cause}}" in answers[1].text
    assert viewer_api.put(ONE, OWN).status_code == 403


def test_of_no_type_is_not_found(admin_api: Caller) -> None:
    answer = admin_api.put("/notification-texts/nonsense", OWN)

    assert (answer.status_code, "run_failed" in answer.text) == (404, True)


def test_preview_is_escaped_for_each_form_and_kept_nowhere(admin_api: Caller) -> None:
    found = admin_api.post(f"{ONE}/preview", OWN).json["data"]

    assert (found["is_example"], found["title"], found["values"]["job"]) == (True, "Meta ads is down", "Meta ads")
    assert "&lt;b&gt;" in found["mail_html"]
    assert "&lt;b&gt;" in found["telegram_html"]
    assert found["discord"]["embeds"][0]["description"].startswith("\\<b\\>")
    assert not admin_api.get(ONE).json["data"]["is_own"]


def test_preview_without_a_text_is_what_is_told_now(admin_api: Caller, viewer_api: Caller) -> None:
    standard = viewer_api.post(f"{ONE}/preview").json["data"]
    admin_api.put(ONE, OWN)

    assert "What to do" in standard["text"]
    assert viewer_api.post(f"{ONE}/preview").json["data"]["title"] == "Meta ads is down"
