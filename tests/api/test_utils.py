"""`/utils/validate-cron`: the answers of the schedule form, bare."""

from typing import Any

import pytest

from tests.api.conftest import Caller
from tests.fakes.clock import ManualClock, utc
from tests.web.conftest import Browser

PATH = "/utils/validate-cron"


class TestValidatingACronLine:
    def test_answers_without_an_envelope(self, viewer_api: Caller, clock: ManualClock):
        clock.moment = utc("2027-03-01 12:00")

        answer = viewer_api.post(PATH, {"cron": "0 9 * * 1-5", "timezone": "UTC"})

        assert answer.status_code == 200
        assert answer.json == {
            "valid": True,
            "description": "Every weekday at 09:00, UTC",
            "nextRuns": [f"2027-03-0{day}T09:00:00Z" for day in (2, 3, 4, 5, 8)],
            "error": None,
        }

    def test_takes_the_time_zone_of_who_asks_unless_one_is_given(self, viewer_api: Caller):
        answer = viewer_api.post(PATH, {"cron": "0 9 * * *"})

        assert answer.json["description"] == "Every day at 09:00, Riga time"

    def test_spreads_by_the_key(self, viewer_api: Caller):
        body = {"cron": "H H * * *", "timezone": "UTC"}

        one, same, other = (viewer_api.post(PATH, body | {"spread_key": key}).json for key in ("a", "a", "b"))

        assert one == same
        assert one["nextRuns"] != other["nextRuns"]

    @pytest.mark.parametrize(
        "typed",
        [
            {"cron": "", "timezone": "UTC"},
            {"cron": "0 0 31 2 *", "timezone": "UTC"},
            {"cron": "* * * *", "timezone": "UTC"},
            {"cron": "*" * 101, "timezone": "UTC"},
            {"cron": "0 9 * * *", "timezone": ""},
            {"cron": "0 9 * * *", "timezone": "Europe/Atlantis"},
            {"cron": "@reboot", "timezone": "UTC"},
            {"cron": "0 9 * * *", "timezone": "America/New_York"},
            {"cron": "@manually", "timezone": "UTC"},
        ],
    )
    def test_says_what_the_form_says(self, owner_api: Caller, owner: Browser, typed: dict[str, str]):
        said = owner_api.post(PATH, typed).json

        shown = owner.get("/schedules/preview", query_string=typed).text
        assert (said["error"] or said["description"]) in shown.replace("&#39;", "'")
        assert said["valid"] == (said["error"] is None) == (said["description"] is not None)

    def test_makes_no_change(self, viewer_api: Caller, audited):
        viewer_api.post(PATH, {"cron": "0 9 * * *"})

        assert audited() == []

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "cron"),
            ({"cron": 5}, "cron"),
            ({"cron": "0 9 * * *", "timezone": 1}, "timezone"),
            ({"cron": "0 9 * * *", "spread_key": "k" * 65}, "spread_key"),
            ({"cron": "0 9 * * *", "colour": "red"}, "colour"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, viewer_api: Caller, body: dict[str, Any], field: str):
        answer = viewer_api.post(PATH, body)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]
