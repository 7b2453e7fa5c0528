"""Takes the pictures of the README: a week of made-up history, written by the real ledger, on a real installation."""

import argparse
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.clock import DatabaseClock
from app.core.paths import ROOT
from app.jobs.kinds.base import KindName, Level
from app.jobs.policies import Backoff, RetryPolicy
from app.jobs.service import JobDraft, create_job
from app.ops.kinds import job_kinds
from app.runs import ledger, logs, planner
from app.runs.facts import AttemptEnd
from app.runs.logs import NewLine
from app.runs.models import Run
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from app.schedules.models import Schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.access import Actor
from app.tenants.roles import Role
from bench.installation import Installation, installation

PORT = 8199
ADDRESS = f"http://127.0.0.1:{PORT}"
PASSWORD = "correct horse battery staple"
DAYS = 3
ONE_TRY = RetryPolicy(1, 0, Backoff.FIXED)
JOBS = {
    "Order export": ("Orders to the warehouse", "*/30 * * * *", "Europe/Berlin", 0.02),
    "Price feed": ("Prices, every three hours", "0 */3 * * *", "America/New_York", 0.3),
    "Shop is up": ("Shop check", "*/15 * * * *", "UTC", 0.0),
    "Weekly report": ("Report on Monday", "0 9 * * 1", "Asia/Tokyo", 0.0),
    "Stock levels": ("Stock, weekdays", "0 9 * * 1-5", "Europe/London", 0.0),
}


def fill(place: Installation, actor: Actor) -> None:
    """Jobs, schedules and the last days of their runs."""
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        start = now - timedelta(days=DAYS)
        for job_name, (name, cron, zone, _) in JOBS.items():
            step = {"name": "Call", "method": "POST", "url": "https://api.example.com/exports"}
            draft = JobDraft(job_name, KindName.WORKFLOW, {"steps": [step]}, retry=ONE_TRY)
            job_id = create_job(session, actor=actor, kinds=job_kinds(place.settings), draft=draft, now=start)
            schedule = ScheduleDraft(name, job_id, cron, zone, name)
            create_schedule(session, actor=actor, draft=schedule, now=start)
    chance = random.Random(7)
    # On whole minutes, so that nothing looks late that is not.
    moment = start.replace(minute=0, second=0, microsecond=0)
    while moment < now:
        moment += timedelta(minutes=5)
        with place.database.transaction() as session:
            planner.tick(session, now=min(moment, now))
            for run_id in session.scalars(select(Run.id).where(Run.state == RunState.READY.value)):
                live_through(session, run_id, moment, chance)


def live_through(session: Session, run_id: UUID, tick_at: datetime, chance: random.Random) -> None:
    """Start a run shortly after its slot and end it well or badly."""
    run = session.get_one(Run, run_id)
    now = run.due_at + timedelta(milliseconds=chance.randint(40, 300))
    started = ledger.start(
        session, run_id=run_id, worker="belfry-1:412", lease_until=tick_at, now=max(now, run.ready_at)
    )
    assert started is not None
    end_at = max(now, run.ready_at) + timedelta(seconds=chance.uniform(2, 40))
    name = session.get_one(Schedule, run.schedule_id).name
    fails = chance.random() < next(share for schedule, _, _, share in JOBS.values() if schedule == name)
    lines = ["POST https://api.example.com/exports answered 202 Accepted in 412 ms, 1,204 bytes"]
    lines = (
        ["POST https://api.example.com/exports answered 503 Service Unavailable in 9.8 s, 88 bytes"] if fails else lines
    )
    written = [NewLine(line, Level.ERROR if fails else Level.INFO, end_at) for line in lines]
    held = {"run_id": run_id, "token": started.token}
    logs.append_lines(session, organization_id=run.organization_id, lines=written, **held)
    if fails:
        error = "POST https://api.example.com/exports answered 503 Service Unavailable; expected 200-299."
        end = AttemptEnd(AttemptState.FAILED, error=error)
        ledger.put_down(session, end=end, then=Next(RunState.FAILED, Reason.ERROR), now=end_at, **held)
    else:
        ledger.succeed(session, end=AttemptEnd(AttemptState.SUCCEEDED, result={"status": 202}), now=end_at, **held)


def wait_for_pages() -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{ADDRESS}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the pages did not come up")


def shoot(browser: Browser, folder: Path) -> None:
    """Sign in once, then picture by picture."""
    light = browser.new_context(
        viewport={"width": 1360, "height": 850}, color_scheme="light", timezone_id="Europe/Berlin"
    )
    page = light.new_page()
    page.goto(f"{ADDRESS}/login")
    page.get_by_label("Email").fill("ana@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{ADDRESS}/")
    dark = browser.new_context(
        viewport={"width": 1360, "height": 850}, color_scheme="dark", storage_state=light.storage_state()
    )
    phone = browser.new_context(viewport={"width": 360, "height": 740}, storage_state=light.storage_state())

    def picture(name: str, path: str, context: object = light) -> None:
        tab = context.new_page()  # type: ignore[attr-defined]
        tab.goto(f"{ADDRESS}{path}")
        tab.wait_for_timeout(600)
        tab.screenshot(path=str(folder / f"{name}.png"))
        tab.close()

    page.goto(f"{ADDRESS}/schedules")
    schedule = page.get_by_role("link", name="Orders to the warehouse").get_attribute("href")
    page.goto(f"{ADDRESS}/runs?state=failed")
    failed = page.locator("tbody a").first.get_attribute("href")
    paths = {
        "schedules": "/schedules", "overview": "/", "runs": "/runs", "queue": "/queue?tab=failed", "jobs": "/jobs",
        "schedule": schedule, "schedule-form": f"{schedule}/edit", "run": failed, "account": "/account",
        "job-form": "/jobs/new?kind=code", "job-delete": "/jobs",
    }  # fmt: skip
    for name, path in paths.items():
        picture(name, str(path))
        picture(f"{name}-dark", str(path), dark)
        picture(f"{name}-phone", str(path), phone)


def main() -> None:
    """Fill, start, shoot, stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with installation(BELFRY_LISTEN=f"127.0.0.1:{PORT}") as place:
        command = [sys.executable, "-m", "app.cli"]
        make_user = [*command, "user", "create", "ana@example.com", "--name", "Ana Silva", "--password", PASSWORD]
        subprocess.run([*make_user, "--platform-admin", "--timezone", "Europe/Berlin"], check=True, cwd=ROOT)
        with place.database.reading() as session:
            from_people = session.connection().exec_driver_sql("SELECT organization_id FROM memberships").scalar_one()
        fill(place, Actor(UUID(from_people), Role.OWNER, "ana@example.com"))
        process = subprocess.Popen([*command, "up"], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            wait_for_pages()
            with sync_playwright() as playwright:
                path = shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                shoot(browser, folder)
                browser.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(40)


if __name__ == "__main__":
    main()
