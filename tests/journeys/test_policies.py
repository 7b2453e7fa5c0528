"""Policies in a real browser: what one chooses on the pages is what then happens. The tests build on each other."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import (
    Belfry,
    Outside,
    make_account,
    make_http_job,
    make_schedule,
    runs_of,
    start_job,
    wait_until,
)

pytestmark = pytest.mark.journey

UNTIL_IT_HAS_RUN_MS = 40_000
EVERY_FIVE_SECONDS = "*/5 * * * * *"


def switch(page: Page, belfry: Belfry, name: str) -> None:
    """Press the switch of a schedule in the list."""
    page.goto(f"{belfry.url}/schedules")
    page.get_by_role("switch", name=name).click()


def switch_off(page: Page, belfry: Belfry, name: str) -> None:
    switch(page, belfry, name)
    expect(page.get_by_role("switch", name=name)).to_have_attribute("aria-checked", "false")


def make_check(page: Page, belfry: Belfry, name: str, url: str) -> None:
    """Make a job of a function that calls an address."""
    page.goto(f"{belfry.url}/jobs/new?kind=code")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("HTTP check").check()
    page.get_by_role("textbox", name="Address").fill(url)
    page.get_by_role("button", name="Save job").click()


def missed(page: Page, belfry: Belfry, schedule: str) -> int:
    """How many slots a schedule has missed while it is off."""
    schedule_id = schedule.rpartition("/")[2]
    found = page.request.get(f"{belfry.url}/api/v1/schedules/{schedule_id}").json()["data"]["missed_while_paused"]
    return 0 if found is None else int(found["count"])


class TestPolicies:
    def test_are_chosen_in_the_form_and_said_in_sentences(self, page: Page, belfry: Belfry, outside: Outside) -> None:
        make_account(page, belfry)
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
        page.get_by_role("link", name="Every minute", exact=True).click()

        main = page.locator("main")
        expect(main).to_contain_text("one more waits for it")
        expect(main).to_contain_text("the newest 5 at most")
        expect(main).to_contain_text("Ask Ben before you switch it off")

    def test_one_is_switched_off_and_says_by_whom(self, page: Page, belfry: Belfry) -> None:
        switch_off(page, belfry, "Every minute")
        fast = {"has_seconds": "y", "missed_limit": "2"}
        schedule = make_schedule(page, belfry, "Often", "Ask the shop", EVERY_FIVE_SECONDS, **fast)
        switch_off(page, belfry, "Often")
        page.goto(schedule)

        # What it misses from now on, a later test decides about.
        expect(page.locator("#why")).to_contain_text("It is off: ana@example.com switched it off at")

    def test_a_slot_that_comes_while_the_run_before_goes_on_is_skipped_and_leads_to_that_run(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_http_job(page, belfry, "Ask a slow shop", f"{outside.url}/slow")
        schedule = make_schedule(page, belfry, "Impatient", "Ask a slow shop", EVERY_FIVE_SECONDS, has_seconds="y")
        wait_until(lambda: outside.slow_calls == 1, "the first slot calls the slow shop")
        page.goto(schedule)
        expect(page.locator("#why")).to_contain_text("That run is still going, for", timeout=UNTIL_IT_HAS_RUN_MS)
        page.goto(f"{belfry.url}/runs?state=skipped")
        runs_of(page, "Impatient").last.get_by_role("link", name="Ask a slow shop").click()

        remark = page.locator("#run-remark")
        expect(remark).to_contain_text("The previous run was still going")
        named = re.search(r"\(([0-9a-f-]{36})\)", remark.inner_text())
        remark.get_by_role("link", name="Open that run").click()
        expect(page.locator("#run-head")).to_contain_text("Running")
        assert named is not None
        assert page.url == f"{belfry.url}/runs/{named[1]}"

        switch_off(page, belfry, "Impatient")
        page.goto(f"{belfry.url}/runs/{named[1]}")
        outside.let_go()
        expect(page.locator("#run-head")).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)
        assert outside.slow_calls == 1

    def test_a_run_that_waits_for_its_next_try_is_tried_now_or_given_up(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_http_job(page, belfry, "Ask a broken shop", f"{outside.url}/broken", tries=2, delay=600)
        start_job(page, belfry, "Ask a broken shop")
        facts = page.locator("#run-facts")
        expect(facts).to_contain_text("Next try", timeout=UNTIL_IT_HAS_RUN_MS)
        page.get_by_role("button", name="Retry now").click()

        # It was the last one.
        expect(page.locator("#run-head")).to_contain_text("Failed", timeout=UNTIL_IT_HAS_RUN_MS)
        expect(facts).to_contain_text(re.compile(r"2\sof\s2"))

        start_job(page, belfry, "Ask a broken shop")
        expect(facts).to_contain_text("Next try", timeout=UNTIL_IT_HAS_RUN_MS)
        page.get_by_role("button", name="Give up").click()
        expect(page.locator("#run-remark")).to_contain_text("Somebody decided that it is not tried again.")
        expect(facts).to_contain_text(re.compile(r"1\sof\s2"))

    def test_switching_one_on_again_asks_with_numbers_and_does_exactly_that(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/schedules")
        page.get_by_role("link", name="Often", exact=True).click()
        schedule = page.url
        wait_until(lambda: missed(page, belfry, schedule) >= 3, "three slots come while it is off")
        switch(page, belfry, "Often")

        expect(page.get_by_role("heading", level=1)).to_contain_text("Enable Often?")
        asked = re.search(r"(\d+) slots were missed since", page.locator("main").inner_text())
        assert asked is not None
        page.get_by_role("radio", name=f"Run the newest 2 of the {asked[1]} now, one after the other").check()
        page.get_by_role("button", name="Enable schedule").click()

        done = page.get_by_text(re.compile(r"2 missed slots are made up for\. \d+ stay missed\."))
        expect(done).to_be_visible()
        left = re.search(r"(\d+) stay missed", done.inner_text())
        # Slots may have passed while the question was read.
        assert left is not None
        assert int(left[1]) >= int(asked[1]) - 2
        switch_off(page, belfry, "Often")
        page.goto(f"{belfry.url}/runs?trigger=catch_up")
        caught_up = runs_of(page, "Often").filter(has_text="Catch-up")
        expect(caught_up).to_have_count(2)
        expect(caught_up.filter(has_text="Succeeded")).to_have_count(2, timeout=UNTIL_IT_HAS_RUN_MS)
        page.goto(f"{schedule}/slots")
        expect(page.locator("main")).to_contain_text(f"{left[1]} slots")

    def test_a_paused_queue_holds_its_runs_alone_until_it_is_resumed(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        page.goto(f"{belfry.url}/queue")
        page.get_by_role("button", name="Pause workflow").click()
        expect(page.get_by_role("button", name="Resume workflow")).to_be_visible()
        start_job(page, belfry, "Ask the shop")
        held = page.url

        expect(page.locator("#run-why")).to_contain_text("Why does it wait?")
        expect(page.locator("#run-why")).to_contain_text("is paused, by ana@example.com since")

        # A run of another queue comes and goes meanwhile.
        make_check(page, belfry, "Check the shop", f"{outside.url}/ok")
        start_job(page, belfry, "Check the shop")
        expect(page.locator("#run-head")).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)
        page.goto(held)
        expect(page.locator("#run-why")).to_contain_text("is paused")
        page.goto(f"{belfry.url}/queue")
        page.get_by_role("button", name="Resume workflow").click()
        page.goto(held)
        expect(page.locator("#run-head")).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)

    def test_a_function_that_goes_on_is_ended_when_its_run_is_cancelled(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_check(page, belfry, "Check a slow service", f"{outside.url}/slow")
        before = outside.slow_calls
        start_job(page, belfry, "Check a slow service")
        wait_until(lambda: outside.slow_calls > before, "the function calls the slow service")

        page.get_by_role("link", name="Cancel run").click()
        asked = page.get_by_role("dialog")
        expect(asked).to_contain_text("What it has written so far stays.")
        asked.get_by_role("button", name="Cancel run").click()

        # The service has not answered yet.
        expect(page.locator("main")).to_contain_text("Cancelled", timeout=UNTIL_IT_HAS_RUN_MS)
        expect(page.locator("main")).to_contain_text("ana@example.com")

    def test_a_run_that_waits_at_a_limit_says_which_and_how_many_are_before_it(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_http_job(page, belfry, "One at a time", f"{outside.url}/slow", at_once=1)
        before, started = outside.slow_calls, []
        for _ in range(3):
            start_job(page, belfry, "One at a time")
            started.append(page.url)
        wait_until(lambda: outside.slow_calls > before, "the first of them calls the slow shop")

        page.goto(started[2])
        why = page.locator("#run-why")
        expect(why).to_contain_text("At most 1 run of its job may go on at once, and 1 does.")
        expect(why).to_contain_text("In your organization's line it is number 2; about 1 run starts before it.")

        outside.release.set()
        expect(page.locator("#run-head")).to_contain_text("Succeeded", timeout=UNTIL_IT_HAS_RUN_MS)

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

    def test_a_reason_that_is_being_typed_survives_the_refresh_of_the_card(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/admin/schedules")
        reason = page.locator("#scheduler").get_by_label("Why")
        reason.fill("Moving to the new")
        page.locator("#skip-policy").evaluate("found => found.dataset.before = 'yes'")

        # Every ten seconds; what is not skipped is morphed, and loses what the server did not say.
        expect(page.locator("#skip-policy[data-before]")).to_have_count(0, timeout=UNTIL_IT_HAS_RUN_MS)
        expect(reason).to_have_value("Moving to the new")
        expect(reason).to_be_focused()

        reason.press("Enter")
        page.locator("#scheduler").get_by_role("button", name="Start scheduling").click()
        expect(reason).to_be_visible()
