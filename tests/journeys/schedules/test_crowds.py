"""What the dialog says of crowded minutes and of twins. The tests build on each other, in order."""

import re

import pytest
from playwright.sync_api import Page, expect

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.journeys.schedules.form import choose_zone, open_new, preview, text_field, type_text
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

OTHERS = 38


@pytest.fixture(scope="module")
def form(page: Page, site: Site, ana: Member, job: Job) -> Page:
    """Open, while 38 schedules start at midnight."""
    for number in range(OTHERS):
        site.add_schedule(ana, job, f"Nightly {number}", "0 0 * * *")
    open_new(page, site)
    choose_zone(page, "UTC")
    return page


class TestACrowdedMinute:
    def test_is_told_and_drawn_with_a_quieter_one(self, form: Page) -> None:
        """A28: the hint says 38 and offers a minute."""
        type_text(form, "0 0 * * *")

        expect(preview(form)).to_contain_text("38 other schedules start at 00:00")
        expect(preview(form).get_by_role("img", name="38 at 00:00, at most 0 in any other minute")).to_be_visible()

    def test_is_left_by_one_press(self, form: Page) -> None:
        """A28: a press sets the minute, and the hint disappears."""
        preview(form).get_by_role("button", name=re.compile(r"Move to 00:\d\d")).click()

        expect(text_field(form)).to_have_value(re.compile(r"^[1-9]\d? 0 \* \* \*$"))
        expect(preview(form)).not_to_contain_text("other schedules start")
        expect(text_field(form)).to_be_focused()

    def test_and_by_another_one_entered_again(self, form: Page) -> None:
        form.get_by_role("button", name="Put back").click()

        expect(text_field(form)).to_have_value("0 0 * * *")
        expect(preview(form)).to_contain_text("38 other schedules start at 00:00")


class TestATwin:
    def test_of_the_same_job_at_the_same_times_is_named(self, form: Page, job: Job) -> None:
        form.get_by_label("Job", exact=True).select_option(label=job.name)

        expect(preview(form)).to_contain_text("This job has the same times already")
