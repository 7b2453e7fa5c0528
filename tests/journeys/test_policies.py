"""Policies in a real browser: what one chooses on the pages is what then happens. The tests build on each other."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PASSWORD, Belfry, Outside, make_http_job, runs_of, start_job, wait_until

pytestmark = pytest.mark.journey

# A slot is at most a minute away.
UNTIL_A_SLOT_IS_MISSED = 75.0
UNTIL_IT_HAS_RUN_MS = 40_000


def has_missed_a_slot(page: Page) -> bool:
    page.reload()
    return page.locator("#missed").count() == 1


class TestPolicies:
    def test_are_chosen_in_the_form_and_said_in_sentences(self, page: Page, belfry: Belfry, outside: Outside) -> None:
        page.goto(belfry.setup_link)
        page.get_by_label("Name").fill("Ana Silva")
        page.get_by_label("Email").fill("ana@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make the account").click()
        make_http_job(page, belfry, "Ask the shop", f"{outside.url}/ok")
        page.goto(f"{belfry.url}/schedules/new")
        page.get_by_label("Name", exact=True).fill("Every minute")
        page.get_by_label("Job", exact=True).select_option(label="Ask the shop")
        page.get_by_label("Cron text").fill("* * * * *")
        page.get_by_text("Rules", exact=True).click()
        page.get_by_role("radio", name="Let one wait").check()
        page.get_by_role("radio", name="Run once for each time it missed").check()
        page.get_by_label("At most so many of them").fill("5")
        page.get_by_label("Notes").fill("Ask Ben before you switch it off")
        page.get_by_role("button", name="Save schedule").click()
        page.get_by_role("link", name="Every minute").click()

        main = page.locator("main")
        expect(main).to_contain_text("one more waits for it")
        expect(main).to_contain_text("the newest 5 at most")
        expect(main).to_contain_text("Ask Ben before you switch it off")

    def test_switching_it_on_again_asks_what_becomes_of_the_slots_it_missed(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/schedules")
        switch = page.get_by_role("switch", name="Every minute")
        switch.click()
        expect(switch).to_have_attribute("aria-checked", "false")
        page.get_by_role("link", name="Every minute").click()
        expect(page.locator("main")).to_contain_text("ana@example.com")
        wait_until(lambda: has_missed_a_slot(page), "a slot comes while it is off", seconds=UNTIL_A_SLOT_IS_MISSED)
        page.goto(f"{belfry.url}/schedules")
        page.get_by_role("switch", name="Every minute").click()

        expect(page.get_by_role("heading", level=1)).to_contain_text("Enable Every minute?")
        expect(page.locator("main")).to_contain_text("missed")
        page.get_by_role("radio", name=re.compile("Run (it|the latest) now")).check()
        page.get_by_role("button", name="Enable schedule").click()
        page.goto(f"{belfry.url}/runs")
        expect(runs_of(page, "Catch-up").first).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)

    def test_a_paused_queue_is_named_by_the_run_that_waits_for_it(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/queue")
        page.get_by_role("button", name="Pause workflow").click()
        start_job(page, belfry, "Ask the shop")

        expect(page.locator("main")).to_contain_text("Why does it wait?")
        expect(page.locator("main")).to_contain_text("is paused, by ana@example.com since")

        page.goto(f"{belfry.url}/queue")
        page.get_by_role("button", name="Resume workflow").click()
        page.goto(f"{belfry.url}/runs")
        expect(runs_of(page, "By hand").first).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)

    def test_a_function_that_goes_on_is_ended_when_its_run_is_cancelled(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        page.goto(f"{belfry.url}/jobs/new?kind=code")
        page.get_by_label("Name", exact=True).fill("Check a slow service")
        page.get_by_label("HTTP check").check()
        page.get_by_role("textbox", name="Address").fill(f"{outside.url}/slow")
        page.get_by_role("button", name="Save job").click()
        start_job(page, belfry, "Check a slow service")
        wait_until(lambda: outside.slow_calls == 1, "the function calls the slow service")

        page.get_by_role("button", name="Cancel run").click()

        # The service has not answered yet.
        expect(page.locator("main")).to_contain_text("Cancelled", timeout=UNTIL_IT_HAS_RUN_MS)
        expect(page.locator("main")).to_contain_text("ana@example.com")

    def test_a_job_starts_another_one_and_both_runs_say_so(self, page: Page, belfry: Belfry, outside: Outside) -> None:
        make_http_job(page, belfry, "Tell the team", f"{outside.url}/ok")
        page.goto(f"{belfry.url}/jobs")
        row = page.get_by_role("row").filter(has_text="Ask the shop")
        row.get_by_label("Actions for Ask the shop").click()
        row.get_by_role("link", name="What it starts").click()
        page.get_by_role("radio", name="It succeeds").check()
        page.get_by_label("Start", exact=True).select_option(label="Tell the team")
        page.get_by_role("button", name="Add").click()
        expect(page.get_by_role("row").filter(has_text="Tell the team")).to_be_visible()
        start_job(page, belfry, "Ask the shop")

        expect(page.get_by_role("heading", name="Runs that its end started")).to_be_visible(timeout=UNTIL_IT_HAS_RUN_MS)
        page.get_by_role("row").filter(has_text="Tell the team").get_by_role("link", name="Tell the team").click()
        expect(page.locator("#run-origin")).to_contain_text("Ask the shop")

    def test_schedules_in_code_start_off_and_a_group_ends_with_its_counts(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/admin/schedules")
        expect(page.locator("#skip-policy")).to_contain_text("Missed runs are skipped.")
        row = page.locator("#code-hourly-matching")
        expect(row).to_contain_text("Defined in")
        expect(row.get_by_role("switch")).to_have_attribute("aria-checked", "false")
        row.get_by_role("button", name="Run now").click()

        page.goto(f"{belfry.url}/admin/schedules")
        expect(page.locator("#code-hourly-matching")).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)
