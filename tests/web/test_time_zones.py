"""The picker of a time zone: what it offers, and the fields it stands in."""

import re

import pytest
from flask import Flask

from app.schedules.zones import COMMON_ZONES
from app.tenants.models import User
from app.tenants.service import make_setup_link
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


def offered(text: str) -> list[str]:
    return re.findall(r'data-zone="([^"]+)"', text)


class TestTheSearch:
    @pytest.mark.parametrize(
        ("query", "name"),
        [
            ("york", "America/New_York"),
            ("india", "Asia/Kolkata"),
            ("calcutta", "Asia/Kolkata"),
            ("%2B5:30", "Asia/Kolkata"),
            # A plus that nobody encoded arrives as a space.
            ("+5:30", "Asia/Kolkata"),
        ],
    )
    def test_finds_the_right_zone_first(self, viewer: Browser, query: str, name: str) -> None:
        response = viewer.visit(f"/time-zones?q={query}", htmx=True)

        assert response.status_code == 200
        assert offered(response.text)[0] == name

    def test_shows_clock_and_old_name(self, viewer: Browser) -> None:
        text = viewer.visit("/time-zones?q=calcutta", htmx=True).text

        assert "Asia/Calcutta is now Asia/Kolkata" in text
        assert re.search(r'data-clock="\d\d:\d\d now · UTC\+5:30"', text)

    def test_says_what_to_try_where_nothing_is_found(self, viewer: Browser) -> None:
        text = viewer.visit("/time-zones?q=%3Cxyzzy%3E", htmx=True).text

        assert offered(text) == []
        assert "No time zone is found by “&lt;xyzzy&gt;”" in text

    def test_refuses_what_is_too_long(self, viewer: Browser) -> None:
        assert viewer.visit(f"/time-zones?q={'x' * 61}", htmx=True).status_code == 422

    def test_asks_strangers_to_sign_in(self, anonymous: Browser) -> None:
        assert anonymous.visit("/time-zones", htmx=True).status_code == 401


class TestWithoutASearch:
    def test_offers_yours_the_common_ones_and_those_in_use(self, viewer: Browser, database: OpenDatabase) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            make_schedule(session, job, timezone="Asia/Tokyo")
            make_schedule(session, job, name="Second", timezone="Africa/Cairo")

        text = viewer.visit("/time-zones?detected=Pacific/Auckland", htmx=True).text

        assert re.findall(r'role="group" aria-label="([^"]+)"', text) == ["Yours", "Common", "Used here", "Africa"]
        assert offered(text)[:14] == ["Pacific/Auckland", "Europe/Riga", *COMMON_ZONES, "Africa/Cairo"]

    def test_offers_nothing_of_other_organizations(
        self, viewer: Browser, stranger: Browser, database: OpenDatabase
    ) -> None:
        with database.transaction() as session:
            make_schedule(session, make_job(session, stranger.organization_id), timezone="Africa/Cairo")

        assert "Used here" not in viewer.visit("/time-zones", htmx=True).text


class TestTheField:
    @pytest.mark.parametrize("path", ["/account", "/settings/team", "/organizations", "/schedules/new"])
    def test_can_be_searched_and_stays_a_select_without_a_script(self, owner: Browser, path: str) -> None:
        text = owner.visit(path).text

        assert "data-zone-picker" in text
        assert '<optgroup label="Common">' in text
        assert re.search(r'<div class="zone-search" hidden>\s*<input id="timezone-search"', text)

    def test_says_the_clock_of_the_choice(self, owner: Browser) -> None:
        text = owner.visit("/account").text

        assert re.search(r"data-zone-clock>\d\d:\d\d now · UTC\+[23] \(UTC\+[23] from \d+ \w{3}\)<", text)

    def test_keeps_an_old_name_that_is_stored(self, owner: Browser, database: OpenDatabase) -> None:
        with database.transaction() as session:
            session.get_one(User, owner.user_id).timezone = "EST5EDT"

        assert '<optgroup label="Now"><option selected value="EST5EDT">' in owner.visit("/account").text

    def test_is_a_plain_select_where_nobody_is_signed_in(
        self, app: Flask, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            token = make_setup_link(session, now=clock.moment)

        text = app.test_client().get(f"/setup?token={token}").text

        assert '<option value="Europe/Berlin">' in text
        assert "data-zone-picker" not in text


class TestMovingASchedule:
    def test_is_said_by_the_preview(self, operator: Browser) -> None:
        query = "cron=30+2+*+*+*&timezone=Europe/Berlin&timezone_was=America/New_York"

        text = operator.visit(f"/schedules/preview?{query}", htmx=True).text

        assert "Still 02:30, now Berlin time: 6 h earlier." in text

    def test_is_not_said_where_the_zone_stays(self, operator: Browser) -> None:
        text = operator.visit("/schedules/preview?cron=30+2+*+*+*&timezone=UTC&timezone_was=UTC", htmx=True).text

        assert "Still" not in text
