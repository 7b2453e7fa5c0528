"""The next runs in the dialog, two days before the clocks of New York change, for somebody who sits in Berlin."""

import re
import time
from datetime import datetime

import pytest
from playwright.sync_api import Page, Route, expect

from app.schedules.fire_times import fire_times, rhythm
from tests.journeys.schedules.form import choose_zone, open_new, preview, text_field, type_text
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"]
TEXTS = [
    "30 2 * * *", "30 1 * * *", "0 0 * * *", "0 2-4 * * *", "*/30 * * * *", "15 2 * * 7", "0 6 L * *", "0 9 13 * 5",
]  # fmt: skip


@pytest.fixture(scope="module")
def moment() -> str:
    """New York changes on the 14th, Berlin on the 28th of March, Lord Howe on the 4th of April."""
    return "2027-03-12 12:00"


@pytest.fixture(scope="module")
def form(page: Page, site: Site, job: object) -> Page:
    open_new(page, site)
    return page


def shown_runs(page: Page) -> list[datetime]:
    stamps = [row.get_attribute("datetime") for row in preview(page).locator(".next-runs time").all()]
    return [datetime.fromisoformat(stamp) for stamp in stamps if stamp]


class TestNextRuns:
    @pytest.mark.parametrize("zone", ZONES)
    def test_are_those_of_the_scheduler(self, form: Page, site: Site, zone: str) -> None:
        """A23: forty pairs of text and zone, with the clock changes that lie within the next five runs."""
        choose_zone(form, zone)
        for text in TEXTS:
            type_text(form, text)

            assert shown_runs(form) == fire_times(rhythm(text, timezone=zone), after=site.clock.moment, limit=5)

    def test_show_both_clocks_where_they_differ_and_one_where_they_do_not(self, form: Page) -> None:
        """A26: the viewer sits in Berlin; with New York each row has both times, with Berlin one."""
        choose_zone(form, "America/New_York")
        type_text(form, "0 12 * * *")
        expect(preview(form).locator(".next-runs .sub")).to_have_text(
            ["18:00 your time", "18:00 your time", *["17:00 your time"] * 3]
        )
        choose_zone(form, "Europe/Berlin")

        expect(preview(form)).to_contain_text("Berlin time")
        expect(preview(form).locator(".next-wall")).to_have_count(5)
        expect(preview(form).locator(".next-runs .sub")).to_have_count(0)

    def test_are_twenty_on_request(self, form: Page) -> None:
        type_text(form, "0 3 * * *")
        preview(form).get_by_role("checkbox", name="Show 20").check(force=True)
        expect(preview(form).locator(".next-wall")).to_have_count(20)
        type_text(form, "0 4 * * *")
        expect(preview(form).locator(".next-wall")).to_have_count(20)
        preview(form).get_by_role("checkbox", name="Show 20").uncheck(force=True)

        expect(preview(form).locator(".next-wall")).to_have_count(5)

    def test_match_the_sentence_where_day_and_weekday_are_joined(self, form: Page) -> None:
        """A29: the warning, the sentence and the next five say the same."""
        type_text(form, "0 0 13 * 5")

        expect(preview(form).locator(".preview-sentence")).to_contain_text("and also every Friday")
        expect(preview(form).locator(".note").first).to_contain_text("Runs on the 13th and also every Friday.")
        expect(preview(form).locator(".next-wall")).to_have_text(
            [re.compile(day) for day in ("Sat 13 Mar", "Fri 19 Mar", "Fri 26 Mar", "Fri 2 Apr", "Fri 9 Apr")]
        )

    def test_of_a_late_answer_never_replace_newer_ones(self, form: Page) -> None:
        def dawdle(route: Route) -> None:
            time.sleep(1.5)
            route.continue_()

        form.route(re.compile(r"/schedules/preview\?.*cron=11(\+|%20)"), dawdle)
        text_field(form).fill("11 4 * * *")
        form.wait_for_timeout(600)
        type_text(form, "22 4 * * *")
        form.wait_for_timeout(2_000)
        form.unroute_all()

        expect(preview(form).locator(".preview-sentence")).to_contain_text("04:22")
        expect(text_field(form)).to_have_value("22 4 * * *")
