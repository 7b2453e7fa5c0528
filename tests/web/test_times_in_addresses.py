"""Times from and to in addresses: typed on one's own clock, and the same for everybody else who opens them."""

from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from app.core.db import Database
from app.tenants.roles import Role
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser, OpenBrowser


@pytest.fixture
def far_away(open_browser: OpenBrowser, organization_id: UUID) -> Browser:
    """An admin five hours and more behind UTC; everybody else is in Riga."""
    return open_browser(
        organization_id=organization_id, role=Role.ADMIN, email="ny@example.com", name="Ny", timezone="America/New_York"
    )


@pytest.fixture
def run_id(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return make_failed(session, make_job(session, organization_id), now=clock.moment)


def around(clock: ManualClock) -> dict[str, str]:
    """Half an hour on either side, as a clock in Riga shows it."""
    wall = clock.moment + timedelta(hours=2)
    half = timedelta(minutes=30)
    return {"since": f"{wall - half:%Y-%m-%dT%H:%M}", "until": f"{wall + half:%Y-%m-%dT%H:%M}"}


class TestRuns:
    def test_a_typed_time_becomes_an_instant_in_the_address(
        self, admin: Browser, far_away: Browser, run_id: UUID, clock: ManualClock
    ) -> None:
        typed = around(clock)
        answer = admin.visit("/runs", query_string={"state": "failed", **typed})
        there = answer.headers["Location"]

        mine, theirs = admin.visit(there), far_away.visit(there)

        assert (answer.status_code, mine.status_code, theirs.status_code) == (303, 200, 200)
        assert there.startswith("/runs?state=failed&since=20")
        assert there.count("Z") == 2
        assert [f'id="run-{run_id}"' in each.text for each in (mine, theirs)] == [True, True]
        assert f'value="{typed["since"]}"' in mine.text
        assert f'value="{typed["since"]}"' not in theirs.text

    def test_a_page_further_on_stays_one(self, admin: Browser, run_id: UUID, clock: ManualClock) -> None:
        answer = admin.visit("/runs", query_string={**around(clock), "older_than": str(run_id)})

        assert answer.headers["Location"].endswith(f"&older_than={run_id}")

    def test_a_time_is_an_instant_beside_what_cannot_be_read(
        self, admin: Browser, far_away: Browser, run_id: UUID, clock: ManualClock
    ) -> None:
        query = {"state": "on-fire", "job_name": "Nothing", "since": around(clock)["since"], "until": "tomorrow"}

        there = admin.visit("/runs", query_string=query).headers["Location"]
        mine, theirs = (unescape(browser.visit(there).text) for browser in (admin, far_away))

        for text in (mine, theirs):
            assert "“on-fire” is no state of a run." in text
            assert "No job is called “Nothing”." in text
            assert "To: 'tomorrow' is neither a day nor an instant." in text
        assert there.count("Z") == 1
        assert f'value="{query["since"]}"' in mine
        assert f'value="{query["since"]}"' not in theirs

    def test_the_clock_that_one_chooses_changes_nothing(self, admin: Browser, run_id: UUID, clock: ManualClock) -> None:
        there = admin.visit("/runs", query_string=around(clock)).headers["Location"]

        admin.send("/account/times", {"times": "utc", "back": "/runs"})

        assert f'id="run-{run_id}"' in admin.visit(there).text

    def test_a_shared_view_keeps_the_instants(
        self, admin: Browser, far_away: Browser, run_id: UUID, clock: ManualClock
    ) -> None:
        form = {"list": "runs", "name": "Then", "is_shared": "y", **around(clock)}

        there = admin.send("/views", form).headers["Location"]

        assert f'id="run-{run_id}"' in far_away.visit(there).text
        assert there.count("Z") == 2
        assert 'aria-current="true">Then' in far_away.visit(there).text

    def test_a_view_of_what_is_no_time_is_refused(self, admin: Browser) -> None:
        answer = admin.send("/views", {"list": "runs", "name": "Odd", "since": "yesterday"})

        assert answer.status_code == 422
        assert "since: 'yesterday' is no instant" in unescape(answer.text)


class TestAudit:
    def test_days_are_those_of_whoever_typed_them(self, admin: Browser, far_away: Browser) -> None:
        answer = admin.visit("/audit?since=2027-01-02&until=2027-01-02&action=schedule")
        there = answer.headers["Location"]

        mine, theirs = admin.visit(there).text, far_away.visit(there).text

        assert there == "/audit?action=schedule&since=2027-01-01T22:00Z&until=2027-01-02T22:00Z"
        assert 'type="date" name="since" id="since" value="2027-01-02"' in mine
        assert 'type="date" name="until" id="until" value="2027-01-02"' in mine
        assert 'type="datetime-local" name="since" id="since" value="2027-01-01T17:00"' in theirs
        for text in (mine, theirs):
            assert "/audit.csv?action=schedule&amp;since=2027-01-01T22:00Z&amp;until=2027-01-02T22:00Z" in text


EDGES = [
    "since=0001-01-01T00:00",
    "since=0001-01-01",
    "since=0001-01-01T00:00%2B14:00",
    "until=9999-12-31",
    "until=9999-12-31T23:59",
    "until=9999-12-31T23:59-14:00",
]


class TestEdges:
    @pytest.mark.parametrize("query", EDGES)
    def test_of_the_calendar_are_named_and_left_out(
        self, admin: Browser, far_away: Browser, run_id: UUID, query: str
    ) -> None:
        for browser in (admin, far_away):
            runs, audit = browser.visit(f"/runs?{query}"), browser.visit(f"/audit?{query}")

            assert (runs.status_code, audit.status_code) == (200, 422)
            assert f'id="run-{run_id}"' in runs.text
            assert "Part of the filter was left out." in runs.text
            assert "Use the years 1970 to 9990." in audit.text
            assert browser.visit(f"/audit.csv?{query}").status_code == 422

    @pytest.mark.parametrize("at", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2027-01-01"])
    def test_as_a_place_in_a_list_are_its_beginning(self, admin: Browser, run_id: UUID, at: str) -> None:
        assert f'id="run-{run_id}"' in admin.visit(f"/queue?tab=dead&after={at}_{run_id}").text
        assert admin.visit(f"/audit?before={at}~{run_id}").status_code == 200
