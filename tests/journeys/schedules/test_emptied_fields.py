"""Fields of a choice that hold nothing, and texts that no choice writes: nobody's text is replaced unasked."""

from collections.abc import Callable
from itertools import count
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.journeys.axe import violations
from tests.journeys.looks import THEMES, WIDTHS, Theme, is_too_wide, show
from tests.journeys.schedules.form import choice, open_edit, preview, save, save_and_close, text_field
from tests.journeys.schedules.site import Site

pytestmark = pytest.mark.journey

NUMBERS = count(1)


def time_field(page: Page) -> Locator:
    return page.get_by_label("Time", exact=True)


def clear_day(page: Page) -> None:
    """Key by key: on the way it holds another day."""
    page.get_by_label("Day of the month").press("End")
    page.keyboard.press("Backspace")
    page.keyboard.press("Backspace")


def clear_hour(page: Page) -> None:
    """As somebody does by keys: the minute stays in sight."""
    time_field(page).focus()
    page.keyboard.press("Delete")


def untick_days(page: Page) -> None:
    page.get_by_role("checkbox", name="Wed").press("Space")
    expect(text_field(page)).to_have_value("15 7 * * 1")
    page.get_by_role("checkbox", name="Mon").press("Space")


def clear_minute(page: Page) -> None:
    page.get_by_label("Minute", exact=True).clear()


def clear_count(page: Page) -> None:
    page.get_by_label("Every", exact=True).clear()


def clear_moment(page: Page) -> None:
    page.get_by_label("At", exact=True).clear()


def day_of_no_month(page: Page) -> None:
    page.get_by_label("Day of the month").fill("32")


EMPTIED = [
    ("30 7 15 * *", clear_day, "day", "Enter a day of the month, 1 to 31."),
    ("30 7 * * *", clear_hour, "time", "Enter a time, 00:00 to 23:59."),
    ("15 7 * * 1,3", untick_days, "days", "Choose at least one day."),
    ("17 * * * *", clear_minute, "minute", "Enter a minute, 0 to 59."),
    ("every 90 minutes from 2026-11-21 08:00", clear_count, "count", "Enter a whole number from 1 on."),
    ("at 2040-12-24 18:00", clear_moment, "at", "Enter a date and a time."),
    ("30 7 15 * *", day_of_no_month, "day", "Day “32” does not exist. Use 1 to 31."),
]
NOT_CANONICAL = [
    "every 1 hour from 2026-12-01 08:00", "every minute from 2026-12-01 08:00", "at 2040-12-24 9:00",
    "AT 2040-12-24 18:00", "at 2040-12-24 18:00\nat 2040-12-26 18:00",
]  # fmt: skip


@pytest.fixture
def name() -> str:
    """Of a schedule of this test alone."""
    return f"Emptied {next(NUMBERS):02}"


def open_with(page: Page, site: Site, ana: Member, job: Job, name: str, text: str) -> UUID:
    schedule_id = site.add_schedule(ana, job, name, text)
    open_edit(page, site, name)
    expect(text_field(page)).to_have_value(text)
    return schedule_id


class TestAFieldThatHoldsNothing:
    @pytest.mark.parametrize(("text", "empty", "field", "message"), EMPTIED)
    def test_is_a_mistake_and_the_text_stays(
        self, page: Page, site: Site, ana: Member, job: Job, name: str, text: str, empty: Callable[[Page], None],
        field: str, message: str,
    ) -> None:  # fmt: skip
        schedule_id = open_with(page, site, ana, job, name, text)
        empty(page)
        page.keyboard.press("Tab")

        expect(page.locator(f"#{field}-error")).to_have_text(message)
        expect(page.locator(f"[name={field}][aria-invalid=true]").first).to_have_attribute(
            "aria-describedby", f"{'day-help ' if field == 'day' else ''}{field}-error"
        )
        left = "15 7 * * 1" if field == "days" else text
        expect(text_field(page)).to_have_value(left)

        answer = save(page)

        assert answer.status == 422
        expect(page.locator(f"[name={field}]").first).to_be_focused()
        expect(page.locator(f"#{field}-error")).to_have_text(message)
        expect(text_field(page)).to_have_value(left)
        assert (site.stored(schedule_id).cron, site.stored(schedule_id).version) == (text, 1)

    def test_is_forgotten_once_it_is_filled(self, page: Page, site: Site, ana: Member, job: Job, name: str) -> None:
        schedule_id = open_with(page, site, ana, job, name, "30 7 15 * *")
        clear_day(page)
        expect(page.locator("#day-error")).to_be_visible()
        page.get_by_label("Day of the month").fill("20")
        page.keyboard.press("Tab")

        expect(page.locator("#day-error")).to_have_count(0)
        expect(text_field(page)).to_have_value("30 7 20 * *")
        save_and_close(page)
        assert site.stored(schedule_id).cron == "30 7 20 * *"

    def test_and_with_it_another_choice(self, page: Page, site: Site, ana: Member, job: Job, name: str) -> None:
        open_with(page, site, ana, job, name, "15 7 * * 1,3")
        untick_days(page)
        expect(page.locator("#days-error")).to_be_visible()
        choice(page, "Every day").check(force=True)

        expect(text_field(page)).to_have_value("15 7 * * *")
        expect(page.locator("#days-error")).to_have_count(0)
        expect(page.locator("[name=days][aria-invalid=true]")).to_have_count(0)

    def test_does_not_come_back_by_itself(self, page: Page, site: Site, ana: Member, job: Job, name: str) -> None:
        """A choice whose field was emptied before asks for it again, and writes nothing until then."""
        open_with(page, site, ana, job, name, "30 7 15 * *")
        clear_day(page)
        choice(page, "Every day").check(force=True)
        expect(text_field(page)).to_have_value("30 7 * * *")
        choice(page, "Monthly, on a day").check(force=True)

        expect(page.locator("#day-error")).to_have_text("Enter a day of the month, 1 to 31.")
        expect(text_field(page)).to_have_value("30 7 * * *")
        expect(choice(page, "Monthly, on a day")).to_be_checked()

    def test_is_saved_as_it_is_seen_also_from_within_the_field(
        self, page: Page, site: Site, ana: Member, job: Job, name: str
    ) -> None:
        schedule_id = open_with(page, site, ana, job, name, "30 7 15 * *")
        page.get_by_label("Day of the month").fill("20")
        page.keyboard.press("Tab")
        expect(text_field(page)).to_have_value("30 7 20 * *")
        page.get_by_label("Day of the month").press("End")
        page.keyboard.press("Backspace")
        page.keyboard.press("Control+Enter")
        expect(page.get_by_role("dialog")).to_be_hidden()

        assert site.stored(schedule_id).cron == "30 7 2 * *"

    @THEMES
    @WIDTHS
    def test_can_be_read_by_everybody(
        self, page: Page, site: Site, ana: Member, job: Job, name: str, theme: Theme, width: int
    ) -> None:
        show(page, theme, width)
        open_with(page, site, ana, job, name, "15 7 * * 1,3")
        untick_days(page)
        expect(page.locator("#days-error")).to_be_visible()

        assert violations(page) == []
        assert not is_too_wide(page)
        save(page)
        assert violations(page) == []
        show(page)


class TestATextThatNoFieldsShow:
    @pytest.mark.parametrize("text", NOT_CANONICAL)
    def test_opens_as_custom_and_comes_back_after_a_choice(
        self, page: Page, site: Site, ana: Member, job: Job, name: str, text: str
    ) -> None:
        schedule_id = open_with(page, site, ana, job, name, text)
        expect(choice(page, "Custom")).to_be_checked()
        expect(page.get_by_label("Counted from")).to_be_hidden()
        expect(page.get_by_label("At", exact=True)).to_be_hidden()
        choice(page, "Once" if text.lower().startswith("at") else "Every …").check(force=True)
        expect(text_field(page)).not_to_have_value(text)
        page.get_by_role("button", name="Put back").click()
        expect(text_field(page)).to_have_value(text)
        expect(choice(page, "Custom")).to_be_checked()

        save_and_close(page)

        assert site.stored(schedule_id).cron == text

    def test_is_what_comes_back_after_several_choices(
        self, page: Page, site: Site, ana: Member, job: Job, name: str
    ) -> None:
        """Also of a group that is gone through by the arrow keys, faster than the server answers."""
        open_with(page, site, ana, job, name, NOT_CANONICAL[-1])
        choice(page, "Custom").focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        expect(preview(page)).to_contain_text("Every hour")

        expect(page.locator("[data-was] code")).to_have_text(NOT_CANONICAL[-1])


class TestWithoutScripts:
    @pytest.mark.parametrize(
        ("label", "shown", "emptied", "message"),
        [
            ("Once", "at", {}, "Enter a date and a time."),
            ("Every …", "count", {}, "Enter a whole number from 1 on."),
            ("Monthly, on a day", "day", {"Time": "07:00"}, "Enter a day of the month, 1 to 31."),
            ("Weekdays", "time", {}, "Enter a time, 00:00 to 23:59."),
        ],
    )
    def test_nothing_is_saved_of_a_choice_that_lacks_something(
        self, browser: Browser, page: Page, site: Site, ana: Member, job: Job, name: str, label: str, shown: str,
        emptied: dict[str, str], message: str,
    ) -> None:  # fmt: skip
        schedule_id = site.add_schedule(ana, job, name, "0 9 * * *")
        context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
        plain = context.new_page()
        plain.goto(f"{site.url}/schedules/{schedule_id}/edit")
        plain.get_by_role("radio", name=label, exact=True).check(force=True)
        for other, value in emptied.items():
            plain.get_by_label(other, exact=True).fill(value)
        plain.locator(f"#{shown}").fill("")
        plain.get_by_role("button", name="Save schedule").click()

        expect(plain.get_by_role("link", name=message)).to_have_attribute("href", f"#{shown}")
        expect(plain.locator(f"#{shown}")).to_have_value("")
        expect(plain.get_by_role("radio", name=label, exact=True)).to_be_checked()
        assert (site.stored(schedule_id).cron, site.stored(schedule_id).version) == ("0 9 * * *", 1)
        context.close()
