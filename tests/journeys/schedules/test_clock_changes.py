"""What the dialog says of clock changes, four days before one in New York. The tests build on each other, in order."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.schedules.form import choose_zone, open_new, preview, text_field, type_text
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def moment() -> str:
    return "2027-03-10 12:00"


@pytest.fixture(scope="module")
def form(page: Page, site: Site, job: object) -> Page:
    open_new(page, site)
    return page


class TestATimeThatDoesNotExist:
    def test_is_shown_where_it_runs_and_named(self, form: Page) -> None:
        """A24: the row of 14 March reads 03:00, and the note names date, city and 03:00."""
        choose_zone(form, "America/New_York")
        type_text(form, "30 2 * * *")

        expect(preview(form).locator(".next-wall")).to_have_text(
            [
                re.compile("^Thu 11 Mar, 02:30$"),
                re.compile("^Fri 12 Mar, 02:30$"),
                re.compile("^Sat 13 Mar, 02:30$"),
                re.compile(r"^Sun 14 Mar, 03:00 \(UTC-04:00\)$"),
                re.compile(r"^Mon 15 Mar, 02:30 \(UTC-04:00\)$"),
            ]
        )
        note = "02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00."
        expect(preview(form).locator(".note").get_by_text(note, exact=True)).to_be_visible()

    def test_comes_with_a_way_around_it(self, form: Page) -> None:
        preview(form).get_by_role("button", name="use 03:30").click()

        expect(text_field(form)).to_have_value("30 3 * * *")
        expect(preview(form)).to_contain_text("at 03:30")
        expect(preview(form)).not_to_contain_text("does not exist")

    def test_which_can_be_taken_back(self, form: Page) -> None:
        expect(form.locator("[data-was]")).to_contain_text("Was 30 2 * * *.")
        form.get_by_role("button", name="Put back").click()

        expect(text_field(form)).to_have_value("30 2 * * *")
        expect(preview(form)).to_contain_text("does not exist")

    def test_is_unknown_to_utc(self, form: Page) -> None:
        preview(form).get_by_role("button", name="use UTC").click()

        expect(preview(form)).to_contain_text("Still 02:30, now UTC time")
        expect(preview(form)).not_to_contain_text("does not exist")
        expect(form.get_by_role("combobox", name="Time zone")).to_have_value("UTC")
        expect(form.locator("[data-zone-clock]")).to_have_text("12:00 now · UTC")


class TestTwoZones:
    def test_that_change_on_different_dates_are_told_by_the_viewers_clock(self, form: Page) -> None:
        choose_zone(form, "America/New_York")
        type_text(form, "30 4 * * *")

        expect(preview(form)).to_contain_text(
            "Mar 2027: 09:30 your time instead of 10:30 (New York and Berlin change on different dates)"
        )
