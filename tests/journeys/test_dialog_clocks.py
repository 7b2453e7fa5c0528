"""What the dialog of a schedule says about clocks and crowds, in a real browser. The tests build on each other."""

import re
import time
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from app.schedules.fire_times import fire_times, rhythm
from tests.journeys.conftest import Belfry, Outside, make_account, make_http_job, make_schedule

pytestmark = pytest.mark.journey

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"]
TEXTS = [
    "30 2 * * *", "30 1 * * *", "0 0 * * *", "0 2-4 * * *", "*/30 * * * *", "15 2 * * 7", "0 6 L * *", "0 9 13 * 5",
]  # fmt: skip


def text_field(page: Page) -> Locator:
    return page.get_by_label("Cron text")


def preview(page: Page) -> Locator:
    return page.locator("#form-preview")


def choose_zone(page: Page, name: str) -> None:
    """By what the picker of zones keeps its choice in."""
    page.locator("select#timezone").select_option(name, force=True)


def type_text(page: Page, text: str) -> None:
    """And wait for the answer to it."""
    text_field(page).fill(text)
    page.locator(f'[data-answer][data-text="{text}"]').wait_for(state="attached")


def shown_runs(page: Page) -> list[datetime]:
    stamps = [row.get_attribute("datetime") for row in preview(page).locator(".next-runs time").all()]
    return [datetime.fromisoformat(stamp) for stamp in stamps if stamp]


def next_five(text: str, zone: str) -> list[datetime]:
    return fire_times(rhythm(text, timezone=zone), after=datetime.now(UTC), limit=5)


@pytest.fixture(scope="module", autouse=True)
def dialog(page: Page, belfry: Belfry, outside: Outside) -> Locator:
    """Open, for somebody who sits in Berlin."""
    make_account(page, belfry)
    make_http_job(page, belfry, "Ask the shop", f"{outside.url}/ok")
    page.goto(f"{belfry.url}/schedules")
    page.get_by_role("link", name="New schedule").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    return page.get_by_role("dialog")


class TestNextRuns:
    @pytest.mark.parametrize("zone", ZONES)
    def test_are_those_of_the_scheduler(self, page: Page, zone: str) -> None:
        """Forty pairs of text and zone, among them every clock change that lies within the next five runs."""
        choose_zone(page, zone)
        for text in TEXTS:
            before = next_five(text, zone)
            type_text(page, text)

            # A slot may pass while the answer is on its way.
            assert shown_runs(page) in (before, next_five(text, zone))

    def test_show_both_clocks_where_they_differ_and_one_where_they_do_not(self, page: Page) -> None:
        choose_zone(page, "America/New_York")
        type_text(page, "0 12 * * *")
        expect(preview(page).locator(".next-runs .sub")).to_have_count(5)
        expect(preview(page).locator(".next-runs .sub").first).to_have_text(re.compile(r"1[78]:00 your time"))
        choose_zone(page, "Europe/Berlin")

        expect(preview(page)).to_contain_text("Berlin time")
        expect(preview(page).locator(".next-runs .sub")).to_have_count(0)

    def test_are_twenty_on_request(self, page: Page) -> None:
        type_text(page, "0 3 * * *")
        preview(page).get_by_role("checkbox", name="Show 20").check(force=True)
        expect(preview(page).locator(".next-wall")).to_have_count(20)
        type_text(page, "0 4 * * *")
        expect(preview(page).locator(".next-wall")).to_have_count(20)
        preview(page).get_by_role("checkbox", name="Show 20").uncheck(force=True)

        expect(preview(page).locator(".next-wall")).to_have_count(5)

    def test_match_the_sentence_where_day_and_weekday_are_joined(self, page: Page) -> None:
        type_text(page, "0 0 13 * 5")

        expect(preview(page)).to_contain_text("and also every Friday")
        shown = preview(page).locator(".next-wall").all_text_contents()
        assert len(shown) == 5
        assert all(re.match(r"Fri |\w{3} 13 ", row) for row in shown)

    def test_a_late_answer_never_replaces_a_newer_one(self, page: Page) -> None:
        def dawdle(route: Route) -> None:
            time.sleep(1.5)
            route.continue_()

        page.route(re.compile(r"/schedules/preview\?.*cron=11(\+|%20)"), dawdle)
        text_field(page).fill("11 4 * * *")
        page.wait_for_timeout(600)
        type_text(page, "22 4 * * *")
        page.wait_for_timeout(2_000)
        page.unroute_all()

        expect(preview(page).locator(".preview-sentence")).to_contain_text("04:22")
        expect(text_field(page)).to_have_value("22 4 * * *")


class TestClockChanges:
    def test_are_named_with_a_way_around_them(self, page: Page) -> None:
        choose_zone(page, "America/New_York")
        type_text(page, "30 2 * * *")
        note = re.compile(r"02:30 does not exist on Sun \d+ Mar \d{4} in New York: runs at 03:00\.")
        expect(preview(page)).to_contain_text(note)
        preview(page).get_by_role("button", name="use 03:30").click()

        expect(text_field(page)).to_have_value("30 3 * * *")
        expect(preview(page)).to_contain_text("at 03:30")
        expect(preview(page)).not_to_contain_text("does not exist")

    def test_the_way_around_can_be_taken_back(self, page: Page) -> None:
        expect(page.locator("[data-was]")).to_contain_text("Was 30 2 * * *.")
        page.get_by_role("button", name="Put back").click()

        expect(text_field(page)).to_have_value("30 2 * * *")
        expect(preview(page)).to_contain_text("does not exist")

    def test_are_unknown_to_utc(self, page: Page) -> None:
        preview(page).get_by_role("button", name="use UTC").click()

        expect(preview(page)).to_contain_text("Still 02:30, now UTC time")
        expect(preview(page)).not_to_contain_text("does not exist")
        expect(page.get_by_role("combobox", name="Time zone")).to_have_value("UTC")

    def test_of_two_zones_on_different_dates_are_told_by_the_viewers_clock(self, page: Page) -> None:
        choose_zone(page, "America/New_York")
        type_text(page, "30 4 * * *")

        weeks = re.compile(
            r"Mar \d{4}: 09:30 your time instead of 10:30 \(New York and Berlin change on different dates\)"
        )
        expect(preview(page)).to_contain_text(weeks)


class TestCrowds:
    def test_a_crowded_minute_is_told_and_drawn_with_a_quieter_one(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        for number in range(38):
            make_schedule(page, belfry, f"Nightly {number}", "Ask the shop", "0 0 * * *")
        choose_zone(page, "UTC")
        type_text(page, "0 0 * * *")

        expect(preview(page)).to_contain_text("38 other schedules start at 00:00")
        expect(preview(page).get_by_role("img", name="38 at 00:00, at most 0 in any other minute")).to_be_visible()

    def test_one_press_moves_it_there(self, page: Page) -> None:
        preview(page).get_by_role("button", name=re.compile(r"Move to 00:\d\d")).click()

        expect(text_field(page)).to_have_value(re.compile(r"^[1-9]\d? 0 \* \* \*$"))
        expect(preview(page)).not_to_contain_text("other schedules start")
        expect(text_field(page)).to_be_focused()

    def test_and_another_one_back(self, page: Page) -> None:
        page.get_by_role("button", name="Put back").click()

        expect(text_field(page)).to_have_value("0 0 * * *")
        expect(preview(page)).to_contain_text("38 other schedules start at 00:00")

    def test_a_schedule_of_the_same_job_at_the_same_times_is_named(self, page: Page) -> None:
        page.get_by_label("Job", exact=True).select_option(label="Ask the shop")

        expect(preview(page)).to_contain_text("This job has the same times already")


class TestMeanwhile:
    def test_the_list_behind_goes_on_and_the_dialog_keeps_what_was_typed(
        self, page: Page, belfry: Belfry, dialog: Locator
    ) -> None:
        page.get_by_label("Name", exact=True).fill("Half a name")
        make_schedule(page, belfry, "A newcomer", "Ask the shop", "0 5 * * *")
        expect(page.get_by_role("link", name="A newcomer", include_hidden=True)).to_have_count(1)

        expect(dialog).to_be_visible()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Half a name")
        expect(page.get_by_label("Name", exact=True)).to_be_focused()

    def test_another_zone_alone_is_a_change_that_is_not_dropped_unasked(
        self, page: Page, belfry: Belfry, dialog: Locator
    ) -> None:
        page.goto(f"{belfry.url}/schedules")
        page.get_by_role("link", name="New schedule").first.click()
        page.get_by_role("combobox", name="Time zone").focus()
        page.keyboard.type("tokyo")
        page.get_by_role("option", name="Asia/Tokyo").click()
        expect(preview(page)).to_contain_text("Tokyo time")
        page.keyboard.press("Escape")

        expect(page.get_by_text("Discard changes?")).to_be_visible()
        page.get_by_role("button", name="Keep editing").click()

    def test_nothing_is_lost_when_the_session_ends(self, page: Page, dialog: Locator) -> None:
        page.get_by_label("Name", exact=True).fill("Half a name")
        cookies = page.context.cookies()
        page.context.clear_cookies()
        page.get_by_role("button", name="Save schedule").click()

        expect(page.locator("#toasts")).to_contain_text("what you typed is still here")
        expect(dialog).to_be_visible()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Half a name")
        page.context.add_cookies([{**cookie} for cookie in cookies])  # type: ignore[typeddict-item]
