"""Refreshes that would change nothing on the screen answer 304."""

import pytest

from app.core.db import Database
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

PARTS = ["/", "/schedules/rows", "/schedules/tiles", "/runs", "/queue", "/live/scheduler"]


@pytest.fixture(autouse=True)
def _work(owner: Browser, database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        job = make_job(session, owner.organization_id)
        make_schedule(session, job, name="Hourly")
        make_failed(session, job, now=clock.moment)


def ask_again(browser: Browser, path: str, tag: str) -> int:
    return browser.visit(path, htmx=True, headers={"If-None-Match": tag}).status_code


class TestATag:
    @pytest.mark.parametrize("path", PARTS)
    def test_stays_while_only_tokens_and_ticking_times_differ(
        self, owner: Browser, clock: ManualClock, path: str
    ) -> None:
        tag = owner.visit(path, htmx=True).headers["ETag"]
        clock.advance(seconds=2)

        again = owner.visit(path, htmx=True, headers={"If-None-Match": tag})

        assert (again.status_code, again.data) == (304, b"")

    @pytest.mark.parametrize("path", ["/", "/runs", "/queue?tab=failed"])
    def test_is_another_one_after_a_change(
        self, owner: Browser, database: Database, clock: ManualClock, path: str
    ) -> None:
        tag = owner.visit(path, htmx=True).headers["ETag"]
        with database.transaction() as session:
            make_failed(session, make_job(session, owner.organization_id, name="Another"), now=clock.moment)

        assert ask_again(owner, path, tag) == 200

    def test_is_nobody_elses(self, owner: Browser, viewer: Browser) -> None:
        tag = owner.visit("/schedules/rows", htmx=True).headers["ETag"]

        assert ask_again(viewer, "/schedules/rows", tag) == 200

    def test_ends_with_the_session_whose_tokens_it_has(self, owner: Browser) -> None:
        tag = owner.visit("/schedules/rows", htmx=True).headers["ETag"]
        with owner.session_transaction() as cookie:
            cookie["csrf_token"] = "another"

        assert ask_again(owner, "/schedules/rows", tag) == 200

    def test_is_on_no_whole_page(self, owner: Browser) -> None:
        assert "ETag" not in owner.visit("/schedules").headers

    def test_is_on_no_refusal(self, owner: Browser) -> None:
        assert "ETag" not in owner.visit("/no-such-page", htmx=True).headers
