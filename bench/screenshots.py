"""Takes the pictures of README and docs: some days of history, written by the real ledger, on a real installation."""

import argparse
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright
from sqlalchemy import select

from app.core.paths import ROOT
from app.tenants.access import Actor
from app.tenants.models import User
from app.tenants.queries import find_home
from app.tenants.roles import Role
from bench.installation import installation
from bench.screenshot_data import LINES, fill
from bench.small_png import smaller

PORT = 8199
ADDRESS = f"http://127.0.0.1:{PORT}"
PASSWORD = "correct horse battery staple"
WIDE, PHONE = {"width": 1360, "height": 850}, {"width": 360, "height": 740}
# The pictures of parts of pages, which are read at half the width of a screen.
NARROW, SHORT = {"width": 1180, "height": 850}, {"width": 1180, "height": 420}


def wait_for_pages() -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"{ADDRESS}/readyz", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the pages did not come up")


class Camera:
    """Takes pictures of one installation, light, dark and as on a phone."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser, self._folder = browser, folder
        page = self._context().new_page()
        page.goto(f"{ADDRESS}/login")
        page.get_by_label("Email").fill("ana@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{ADDRESS}/")
        self._signed_in = page.context.storage_state()
        page.goto(f"{ADDRESS}/schedules")
        self.schedule, self.rarer = (
            str(page.get_by_role("link", name=line.name).get_attribute("href")) for line in LINES[:2]
        )
        page.goto(f"{ADDRESS}/runs?state=failed")
        self.failed_run = str(page.locator("tbody a").first.get_attribute("href"))

    def take(
        self, name: str, path: str, *, part: str = "", prepare: Callable[[Page], object] = lambda _page: None,
        is_dark: bool = False, size: dict[str, int] = WIDE,
    ) -> None:  # fmt: skip
        """A picture of what the window shows, or of one part of the page in full."""
        context = self._context(is_dark=is_dark, size=size)
        page = context.new_page()
        page.goto(f"{ADDRESS}{path}")
        prepare(page)
        page.wait_for_timeout(600)
        shown: Page | Locator = page.locator(part) if part else page
        (self._folder / f"{name}.png").write_bytes(smaller(shown.screenshot()))
        context.close()

    def take_all(self, name: str, path: str, **more: Callable[[Page], object]) -> None:
        """Light, dark, and as on a phone."""
        self.take(name, path, **more)
        self.take(f"{name}-dark", path, is_dark=True, **more)
        self.take(f"{name}-phone", path, size=PHONE, **more)
        self.take(f"{name}-phone-dark", path, is_dark=True, size=PHONE, **more)

    def _context(self, *, is_dark: bool = False, size: dict[str, int] = WIDE) -> BrowserContext:
        return self._browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme="dark" if is_dark else "light",
            timezone_id="Europe/Berlin",
            storage_state=getattr(self, "_signed_in", None),
        )


def open_form(page: Page) -> None:
    """The dialog, half filled."""
    page.get_by_role("link", name="New schedule").first.click()
    page.get_by_label("Name", exact=True).fill("Prices before the shops open")
    page.get_by_label("Job", exact=True).select_option(label="Price feed")
    page.get_by_label("Cron text").fill("30 2 * * *")
    page.locator("select#timezone").select_option("America/New_York", force=True)
    page.locator("#form-preview").get_by_text("does not exist").first.wait_for(state="attached")


def search_zone(page: Page) -> None:
    open_form(page)
    page.get_by_role("combobox", name="Time zone").focus()
    page.keyboard.type("india")
    page.get_by_role("listbox").get_by_role("option").first.wait_for()


def go_to_yesterday(page: Page) -> None:
    page.get_by_role("link", name="Previous day").click()


def shoot_docs(camera: Camera) -> None:
    """What README and docs show."""
    schedule = camera.schedule
    for name, path in {"schedules": "/schedules", "queue": "/queue?tab=failed", "run": camera.failed_run}.items():
        camera.take(name, path)
    camera.take("overview-dark", "/", is_dark=True)
    for is_dark in (False, True):
        dark = "-dark" if is_dark else ""
        camera.take(f"schedule{dark}", schedule, is_dark=is_dark)
        camera.take(f"schedule-form{dark}", "/schedules", prepare=open_form, is_dark=is_dark)
        for name, part in {"trend": "#trend", "history": "#history"}.items():
            camera.take(f"{name}{dark}", schedule, part=part, size=NARROW, is_dark=is_dark)
    camera.take("zone-picker", "/schedules", part="dialog", prepare=search_zone, size=NARROW)
    camera.take("versions", f"{schedule}/versions", size=SHORT)
    camera.take("slots", f"{camera.rarer}/slots", prepare=go_to_yesterday, size={"width": 1180, "height": 620})


def shoot_all(camera: Camera) -> None:
    """Every page, to look at."""
    schedule = camera.schedule
    for name, path in {
        "schedules": "/schedules", "overview": "/", "runs": "/runs", "queue": "/queue?tab=failed", "jobs": "/jobs",
        "schedule": schedule, "run": camera.failed_run, "account": "/account", "job-form": "/jobs/new?kind=code",
        "edit": f"{schedule}/edit", "versions-page": f"{schedule}/versions", "slots-page": f"{schedule}/slots",
        "history-page": f"{schedule}/history", "restore": f"{schedule}/versions/1/restore",
        "delete": f"{schedule}/delete",
    }.items():  # fmt: skip
        camera.take_all(name, path)
    camera.take_all("schedule-form", "/schedules", prepare=open_form)
    camera.take_all("zones", "/schedules", prepare=search_zone)


def main() -> None:
    """Fill, start, shoot, stop."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--docs", action="store_true", help="only those that the docs show")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with installation(BELFRY_LISTEN=f"127.0.0.1:{PORT}") as place:
        command = [sys.executable, "-m", "app.cli"]
        make_user = [*command, "user", "create", "ana@example.com", "--name", "Ana Silva", "--password", PASSWORD]
        subprocess.run([*make_user, "--platform-admin", "--timezone", "Europe/Berlin"], check=True, cwd=ROOT)
        with place.database.reading() as session:
            home = find_home(session, user_id=session.scalars(select(User.id)).one())
        assert home is not None
        fill(place, Actor(home[0], Role.OWNER, "ana@example.com"))
        process = subprocess.Popen([*command, "up"], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            wait_for_pages()
            with sync_playwright() as playwright:
                path = shutil.which("chromium") or shutil.which("google-chrome")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                (shoot_docs if options.docs else shoot_all)(Camera(browser, folder))
                browser.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(40)


if __name__ == "__main__":
    main()
