"""A first day with Belfry, in a real browser on the real processes. The tests build on each other, in order."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.core.paths import ROOT
from tests.journeys.conftest import PASSWORD, Belfry, Outside, make_http_job, start_job, wait_until

pytestmark = pytest.mark.journey

# A slot is at most a minute away.
UNTIL_THE_NEXT_SLOT_MS = 75_000
# Lease, sweep, restart of the worker and the attempt itself.
UNTIL_RECOVERED_MS = 40_000


class TestFirstDay:
    def test_the_first_account_is_made_through_the_link_alone(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/")
        expect(page.get_by_text("There is no account yet.")).to_be_visible()

        page.goto(belfry.setup_link)
        page.get_by_label("Name").fill("Ana Silva")
        page.get_by_label("Email").fill("ana@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
        page.get_by_role("button", name="Make the account").click()

        expect(page.get_by_text("First steps")).to_be_visible()

    def test_the_link_works_once(self, page: Page, belfry: Belfry) -> None:
        answer = page.request.get(belfry.setup_link)

        assert answer.status == 404

    def test_signing_out_and_in_again_leads_back(self, page: Page, belfry: Belfry) -> None:
        page.locator("[data-menu]").filter(has_text="Ana Silva").locator("summary").click()
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{belfry.url}/queue")
        page.get_by_label("Email").fill("ana@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_role("heading", name="Queue", exact=True)).to_be_visible()

    def test_a_workflow_is_put_on_a_schedule_with_its_next_five_runs_shown(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_http_job(page, belfry, "Ask the shop", f"{outside.url}/ok")
        page.goto(f"{belfry.url}/schedules/new")
        page.get_by_label("Name", exact=True).fill("Every minute")
        page.get_by_label("Job", exact=True).select_option(label="Ask the shop")
        page.get_by_role("radio", name="Every 5 minutes").check()
        expect(page.get_by_label("Cron text")).to_have_value("*/5 * * * *")
        page.get_by_label("Cron text").fill("* * * * *")

        preview = page.locator("#form-preview")
        expect(preview).to_contain_text("Every minute")
        expect(preview.get_by_role("listitem")).to_have_count(5)
        page.get_by_role("button", name="Save schedule").click()

        expect(page.get_by_role("link", name="Every minute", exact=True)).to_be_visible()

    def test_a_mistake_keeps_what_was_typed_and_names_the_place(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/schedules/new")
        page.get_by_label("Name", exact=True).fill("Broken")
        page.get_by_label("Job", exact=True).select_option(label="Ask the shop")
        page.get_by_label("Cron text").fill("60 * * * *")
        page.get_by_role("button", name="Save schedule").click()

        expect(page.get_by_role("link", name="Minute 60 does not exist. Use 0 to 59.")).to_be_visible()
        expect(page.get_by_label("Name", exact=True)).to_have_value("Broken")

    def test_it_fires_on_time_and_the_page_shows_it_without_losing_the_focus(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/schedules")
        search = page.get_by_role("searchbox")
        search.click()
        search.press_sequentially("Every")

        row = page.get_by_role("row").filter(has_text="Every minute")
        expect(row).to_contain_text("Succeeded", timeout=UNTIL_THE_NEXT_SLOT_MS)

        expect(search).to_be_focused()
        expect(search).to_have_value("Every")

    def test_its_run_tells_when_it_was_due_how_late_it_began_and_what_it_did(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/runs")
        page.get_by_role("link", name="Ask the shop").first.click()

        expect(page.get_by_text("Succeeded").first).to_be_visible()
        expect(page.locator("#log")).to_contain_text("answered 200 OK")
        facts = page.locator("dl")
        expect(facts.filter(has_text="Due").first).to_contain_text("on time")

    def test_it_is_switched_off_with_a_way_back(self, page: Page, belfry: Belfry) -> None:
        page.goto(f"{belfry.url}/schedules")
        switch = page.get_by_role("switch").first
        switch.click()

        expect(page.get_by_role("button", name="Undo")).to_be_visible()
        expect(switch).to_have_attribute("aria-checked", "false")
        expect(page.get_by_role("row").filter(has_text="Every minute")).to_contain_text("disabled")

    def test_a_code_job_checks_an_address_in_a_process_of_its_own(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        page.goto(f"{belfry.url}/jobs/new?kind=code")
        page.get_by_label("Name", exact=True).fill("Check the shop")
        page.get_by_label("HTTP check").check()
        page.get_by_role("textbox", name="Address").fill(f"{outside.url}/ok")
        page.get_by_role("button", name="Save job").click()
        start_job(page, belfry, "Check the shop")

        expect(page.locator("main")).to_contain_text("Succeeded", timeout=UNTIL_RECOVERED_MS)
        expect(page.get_by_text("Latency (ms)")).to_be_visible()

    def test_a_failure_says_what_happened_and_is_retried_from_the_queue(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_http_job(page, belfry, "Ask a broken service", f"{outside.url}/broken", tries=1)
        start_job(page, belfry, "Ask a broken service")
        expect(page.locator("main")).to_contain_text("answered 500 Internal Server Error")

        page.goto(f"{belfry.url}/queue?tab=dead")
        failed = page.get_by_test_id("queue.run").filter(has_text="Ask a broken service")
        failed.get_by_role("button", name="Retry").click()

        expect(page.get_by_role("status").filter(has_text="View").first).to_be_visible()
        page.goto(f"{belfry.url}/queue?tab=dead")
        expect(failed).to_have_count(1)
        failed.get_by_role("link", name="Remove").click()
        expect(page.get_by_role("dialog")).to_contain_text("This cannot be undone.")
        page.get_by_role("dialog").get_by_role("button", name="Remove 1 run").click()
        expect(page.get_by_text("Nothing dead")).to_be_visible()

    def test_a_worker_killed_in_the_middle_costs_one_attempt_and_not_the_run(
        self, page: Page, belfry: Belfry, outside: Outside
    ) -> None:
        make_http_job(page, belfry, "Ask a slow service", f"{outside.url}/slow")
        start_job(page, belfry, "Ask a slow service")
        wait_until(lambda: outside.slow_calls == 1, "the job calls the slow service")

        killed = belfry.worker_pid
        os.kill(killed, signal.SIGKILL)
        outside.release.set()

        expect(page.locator("main")).to_contain_text("Succeeded", timeout=UNTIL_RECOVERED_MS)
        assert outside.slow_calls == 2
        assert belfry.worker_pid != killed

    def test_the_same_can_be_seen_and_done_in_the_terminal(self, belfry: Belfry) -> None:
        def terminal(*words: str) -> str:
            command = [sys.executable, "-m", "app.cli", *words]
            result = subprocess.run(
                command, cwd=ROOT, env=belfry.environment, capture_output=True, text=True, check=True
            )
            return result.stdout

        assert terminal("health").strip() == "healthy"
        assert "Every minute" in terminal("schedules", "list")
        assert '"running": 0' in terminal("queue", "status", "--json")

    def test_nobody_else_on_the_machine_can_read_what_it_keeps(self, belfry: Belfry) -> None:
        readable = [path.name for path in belfry.folder.iterdir() if path.stat().st_mode & 0o077]

        assert readable == []

    def test_ctrl_c_ends_everything_and_a_second_start_finds_it_all(self, page: Page, belfry: Belfry) -> None:
        page.goto("about:blank")
        children = Path(f"/proc/{belfry.process.pid}/task/{belfry.process.pid}/children").read_text().split()

        status = belfry.stop()

        assert status == 0
        assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
        belfry.output.clear()
        belfry.start()
        assert "setup?token" not in belfry.text
        page.goto(f"{belfry.url}/schedules")
        expect(page.get_by_role("link", name="Every minute", exact=True)).to_be_visible()
