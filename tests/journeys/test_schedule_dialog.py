"""The dialog of a schedule in a real browser, by mouse and by keyboard. The tests build on each other, in order."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.schedules.presets import PRESETS
from tests.journeys.conftest import PASSWORD, Belfry, Outside, make_http_job

pytestmark = pytest.mark.journey

NOT_CANONICAL = ["0 9-21 * * *", "0 9,12,15 * * 1-5", "*/7 * * * *", "0 6 1,15 * *", "5 4 * * SUN"]
MISTAKES = {
    "0 9 * *": "A cron line has 5 fields: minute hour day month weekday. This has 4.",
    "60 * * * *": "Minute 60 does not exist. Use 0 to 59.",
    "0 25 * * *": "Hour 25 does not exist. Use 0 to 23.",
    "0 0 32 * *": "Day 32 does not exist. Use 1 to 31, or L for the last day.",
    "0 9 * * 8": "Weekday 8 does not exist. Use 0 to 7 (0 and 7 are Sunday) or names like MON.",
    "0 9 * * MON-SUN": "MON-SUN runs backwards, because SUN counts as 0. Write 1-7 or *.",
    "5-1 * * * *": "5-1 runs backwards. Write 1-5, or 5-59,0-1.",
    "*/0 * * * *": "A step must be 1 or more.",
    "0 0 31 2 *": "This never happens: February has no day 31.",
    "0 0 6 * * *": "Seconds are not supported. Remove the first field.",
}
REMARKS = {
    "0 0 29 2 *": "Only in leap years.",
    "0 0 13 * 5": "also every Friday",
    "*/7 * * * *": "7 does not divide 60",
    "* * * * *": "1,440 runs a day",
}


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def text_field(page: Page) -> Locator:
    return page.get_by_label("Cron text")


def preview(page: Page) -> Locator:
    return page.locator("#form-preview")


def open_new(page: Page, belfry: Belfry) -> None:
    page.goto(f"{belfry.url}/schedules")
    page.get_by_role("link", name="New schedule").first.click()
    expect(dialog(page)).to_be_visible()


def open_edit(page: Page, belfry: Belfry, name: str) -> None:
    page.goto(f"{belfry.url}/schedules")
    row = page.get_by_role("row").filter(has_text=name)
    row.get_by_label(f"Actions for {name}").click()
    row.get_by_role("link", name="Edit").click()
    expect(dialog(page)).to_be_visible()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.name || document.activeElement.textContent.trim()"))


def tab_to(page: Page, wanted: Locator, most: int = 60) -> None:
    """Press Tab until the focus is there."""
    for _ in range(most):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab does not lead to {wanted}")


class TestTheDialog:
    def test_opens_at_an_address_of_its_own_and_back_closes_it(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        page.goto(belfry.setup_link)
        page.get_by_label("Name").fill("Ana Silva")
        page.get_by_label("Email").fill("ana@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        make_http_job(page, belfry, "Ask the shop", f"{outside.url}/ok")
        open_new(page, belfry)
        expect(page).to_have_url(f"{belfry.url}/schedules/new")

        page.go_back()

        expect(dialog(page)).to_be_hidden()
        expect(page).to_have_url(f"{belfry.url}/schedules")

    def test_the_same_address_is_a_page(self, page: Page, belfry: Belfry) -> None:
        open_new(page, belfry)
        page.reload()

        expect(page.get_by_role("heading", level=1)).to_have_text("New schedule")
        expect(dialog(page)).to_be_hidden()

    def test_escape_closes_what_is_clean_and_gives_the_focus_back(self, page: Page, belfry: Belfry) -> None:
        """The focus on opening, Escape while nothing was typed, and where the focus goes then."""
        open_new(page, belfry)
        assert focused(page) == "name"

        page.keyboard.press("Escape")

        expect(dialog(page)).to_be_hidden()
        expect(page.get_by_role("link", name="New schedule").first).to_be_focused()
        expect(page).to_have_url(f"{belfry.url}/schedules")

    def test_escape_asks_before_it_drops_what_was_typed(self, page: Page, belfry: Belfry) -> None:
        """Nothing typed is thrown away unasked, by Escape or by Back."""
        open_new(page, belfry)
        page.get_by_label("Name", exact=True).fill("Half a name")
        page.keyboard.press("Escape")
        expect(page.get_by_text("Discard changes?")).to_be_visible()
        page.get_by_role("button", name="Keep editing").click()

        page.go_back()

        expect(page.get_by_text("Discard changes?")).to_be_visible()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Half a name")
        expect(page).to_have_url(f"{belfry.url}/schedules/new")

    def test_has_twelve_choices_and_custom_which_write_their_text(self, page: Page, belfry: Belfry) -> None:
        open_new(page, belfry)
        chips = page.locator("#preset").get_by_role("radio")
        expect(chips).to_have_count(13)

        for preset in reversed(PRESETS):
            page.get_by_role("radio", name=preset.label, exact=True).check(force=True)
            expect(text_field(page)).to_have_value(preset.cron)

    def test_choices_show_their_own_fields_alone_and_these_write_the_text(self, page: Page, belfry: Belfry) -> None:
        open_new(page, belfry)
        page.get_by_role("radio", name="Every week", exact=True).check(force=True)
        expect(page.get_by_label("Minute", exact=True)).to_be_hidden()
        page.get_by_label("Time", exact=True).fill("07:15")
        page.get_by_role("checkbox", name="Fri").check(force=True)
        expect(text_field(page)).to_have_value("15 7 * * 1,5")
        page.get_by_role("radio", name="Every day", exact=True).check(force=True)

        expect(text_field(page)).to_have_value("15 7 * * *")
        expect(page.get_by_role("checkbox", name="Fri")).to_be_hidden()

    def test_typing_shows_sentence_and_five_runs_within_600_ms(self, page: Page, belfry: Belfry) -> None:
        open_new(page, belfry)
        took = [self.time_to_sentence(page, minutes) for minutes in (20, 10, 15)]

        expect(preview(page).locator(".next-wall")).to_have_count(5)
        expect(text_field(page)).to_be_focused()
        expect(page.get_by_role("radio", name="Every 15 minutes")).to_be_checked()
        # Of three, because the machine may have other things to do.
        assert min(took) <= 0.6

    def time_to_sentence(self, page: Page, minutes: int) -> float:
        """Seconds from the last key to the sentence."""
        text_field(page).fill("")
        text_field(page).press_sequentially(f"*/{minutes} * * * *")
        typed_at = time.monotonic()
        preview(page).get_by_text(f"Every {minutes} minutes").first.wait_for()
        return time.monotonic() - typed_at

    @pytest.mark.parametrize(("text", "message"), MISTAKES.items())
    def test_says_every_mistake_at_the_field(self, page: Page, belfry: Belfry, text: str, message: str) -> None:
        if page.url != f"{belfry.url}/schedules/new":
            open_new(page, belfry)
        text_field(page).fill(text)

        expect(page.locator("#cron-error")).to_contain_text(message)
        expect(text_field(page)).to_have_attribute("aria-invalid", "true")
        expect(text_field(page)).to_have_attribute("aria-describedby", re.compile("cron-error"))

    @pytest.mark.parametrize(("text", "remark"), REMARKS.items())
    def test_says_what_is_valid_and_surprises_in_the_preview(
        self, page: Page, belfry: Belfry, text: str, remark: str
    ) -> None:
        """The rows of the table that are no mistakes, and that a mistake is gone with the first good text."""
        text_field(page).fill(text)

        expect(preview(page)).to_contain_text(remark)
        expect(page.locator("#cron-error")).to_have_count(0)
        expect(text_field(page)).not_to_have_attribute("aria-invalid", "true")

    def test_a_refused_save_changes_nothing_and_leads_to_the_mistake(self, page: Page, belfry: Belfry) -> None:
        open_new(page, belfry)
        page.get_by_label("Name", exact=True).fill("Nightly")
        page.get_by_label("Job", exact=True).select_option(label="Ask the shop")
        text_field(page).fill("60 * * * *")
        with page.expect_response(lambda answer: answer.request.method == "POST") as saved:
            page.get_by_role("button", name="Save schedule").click()

        assert saved.value.status == 422
        expect(text_field(page)).to_be_focused()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Nightly")

    def test_is_opened_filled_and_saved_by_keys_alone(self, page: Page, belfry: Belfry) -> None:
        """Tab leads everywhere, Enter goes on and saves nothing, arrows move between choices, Ctrl with Enter saves."""
        page.goto(f"{belfry.url}/schedules")
        tab_to(page, page.get_by_role("link", name="New schedule").first)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Name", exact=True)).to_be_focused()
        page.keyboard.type("By keyboard")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Job", exact=True)).to_be_focused()
        page.keyboard.type("Ask")
        tab_to(page, page.locator("#preset").get_by_role("radio", checked=True))
        page.keyboard.press("ArrowRight")
        expect(text_field(page)).to_have_value("0 9 * * 1-5")
        tab_to(page, page.get_by_role("combobox", name="Time zone"))
        page.keyboard.type("calcutta")
        page.keyboard.press("Enter")
        expect(preview(page)).to_contain_text("Kolkata time")
        page.keyboard.press("Control+Enter")

        expect(dialog(page)).to_be_hidden()
        expect(page.get_by_role("row").filter(has_text="By keyboard")).to_contain_text("weekday")
        expect(page.locator("#toasts")).to_contain_text("By keyboard created.")
        expect(page).to_have_url(f"{belfry.url}/schedules")

    def test_and_switched_off_by_keys_alone(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/schedules")
        switch = page.get_by_role("switch", name="By keyboard")
        tab_to(page, switch)
        page.keyboard.press("Space")
        expect(switch).to_have_attribute("aria-checked", "false")
        page.keyboard.press("Space")

        expect(switch).to_have_attribute("aria-checked", "true")

    @pytest.mark.parametrize("text", NOT_CANONICAL)
    def test_saves_a_text_of_nobodys_as_it_is(self, page: Page, belfry: Belfry, text: str) -> None:
        """Opened as Custom, and with another name saved as it was."""
        open_edit(page, belfry, "By keyboard")
        text_field(page).fill(text)
        page.get_by_role("button", name="Save schedule").click()
        expect(dialog(page)).to_be_hidden()
        open_edit(page, belfry, "By keyboard")
        expect(page.get_by_role("radio", name="Custom")).to_be_checked()
        expect(page.get_by_role("radio", name="Custom")).to_be_focused()
        page.get_by_label("Notes").fill(f"Was {text}")
        page.get_by_role("button", name="Save schedule").click()
        expect(dialog(page)).to_be_hidden()

        page.goto(f"{belfry.url}/schedules")
        page.get_by_role("link", name="By keyboard").click()
        expect(page.locator("#facts code")).to_have_text(text)

    def test_another_zone_leaves_the_text_alone(self, page: Page, belfry: Belfry) -> None:
        open_edit(page, belfry, "By keyboard")
        page.locator("select#timezone").select_option("Asia/Tokyo", force=True)
        page.get_by_role("button", name="Save schedule").click()
        expect(dialog(page)).to_be_hidden()

        open_edit(page, belfry, "By keyboard")
        expect(text_field(page)).to_have_value(NOT_CANONICAL[-1])
        expect(page.locator("select#timezone")).to_have_value("Asia/Tokyo")

    def test_a_choice_over_a_custom_text_offers_to_put_it_back(self, page: Page, belfry: Belfry) -> None:
        open_edit(page, belfry, "By keyboard")
        page.get_by_role("radio", name="Every day", exact=True).check(force=True)
        expect(page.locator("[data-was]")).to_have_text(f"Was {NOT_CANONICAL[-1]}. Put back")
        expect(preview(page)).to_contain_text("After saving")
        page.get_by_role("button", name="Put back").click()

        expect(text_field(page)).to_have_value(NOT_CANONICAL[-1])
        expect(page.get_by_role("radio", name="Custom")).to_be_checked()

    def test_undo_takes_a_save_back(self, page: Page, belfry: Belfry) -> None:
        open_edit(page, belfry, "By keyboard")
        text_field(page).fill("0 3 * * *")
        page.get_by_role("button", name="Save schedule").click()
        row = page.get_by_role("row").filter(has_text="By keyboard")
        expect(row).to_contain_text("03:00")

        page.locator("#toasts").get_by_role("button", name="Undo").click()

        expect(row).to_contain_text("Sunday")

    def test_two_tabs_see_both_values_and_nothing_is_lost(self, page: Page, browser: Browser, belfry: Belfry) -> None:
        open_edit(page, belfry, "By keyboard")
        other = browser.new_context(storage_state=page.context.storage_state()).new_page()
        open_edit(other, belfry, "By keyboard")
        text_field(other).fill("30 2 * * *")
        other.get_by_role("button", name="Save schedule").click()
        expect(dialog(other)).to_be_hidden()
        other.context.close()
        text_field(page).fill("0 5 * * *")
        page.get_by_role("button", name="Save schedule").click()

        conflict = page.locator("#conflict")
        expect(conflict).to_contain_text("ana@example.com changed this schedule meanwhile")
        expect(conflict).to_contain_text("30 2 * * *")
        expect(text_field(page)).to_have_value("0 5 * * *")
        conflict.get_by_role("button", name="Keep mine").click()
        expect(dialog(page)).to_be_hidden()

    def test_nothing_is_lost_while_the_server_is_away(self, page: Page, belfry: Belfry) -> None:
        open_edit(page, belfry, "By keyboard")
        page.get_by_label("Name", exact=True).fill("Kept")
        page.context.set_offline(True)
        page.get_by_role("button", name="Save schedule").click()
        expect(page.locator("#toasts")).to_contain_text("Belfry cannot be reached.")
        page.context.set_offline(False)
        expect(page.get_by_label("Name", exact=True)).to_have_value("Kept")

        page.keyboard.press("Control+Enter")

        expect(page.get_by_role("link", name="Kept")).to_be_visible()

    def test_folds_to_one_line_on_a_phone(self, page: Page, belfry: Belfry) -> None:
        page.set_viewport_size({"width": 360, "height": 740})
        open_edit(page, belfry, "Kept")
        expect(preview(page).locator(".next-wall").first).to_be_hidden()
        page.get_by_role("button", name="Show the next runs").click()

        expect(preview(page).locator(".next-wall").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.set_viewport_size({"width": 1360, "height": 900})


@pytest.fixture(scope="module")
def plain(browser: Browser, page: Page) -> Iterator[Page]:
    """The same person in a browser without scripts."""
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    yield context.new_page()
    context.close()


class TestWithoutAScript:
    def test_the_page_checks_and_makes_a_schedule(self, plain: Page, belfry: Belfry) -> None:
        plain.goto(f"{belfry.url}/schedules/new")
        plain.get_by_label("Name", exact=True).fill("Without a script")
        plain.get_by_label("Job", exact=True).select_option(label="Ask the shop")
        plain.get_by_role("radio", name="Weekdays").check(force=True)
        plain.get_by_label("Time", exact=True).fill("09:30")
        plain.get_by_role("button", name="Check schedule").click()
        expect(preview(plain)).to_contain_text("Every weekday at 09:30")
        plain.get_by_role("button", name="Save schedule").click()

        expect(plain.get_by_role("link", name="Without a script")).to_be_visible()
