"""`make demo`: green and refused syncs, charts, and a login that comes back, all of it marked."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.core.demo import SENTENCE
from demo.provider import NEW_UK_TOKEN
from demo.seeding import EMAIL
from demo.truth import UK
from tests.journeys.axe import violations
from tests.journeys.conftest import PATIENCE_SECONDS, Belfry, free_port

pytestmark = [pytest.mark.journey, pytest.mark.slow]

PROMISED_SECONDS = 120
MARKED = (
    "/",
    "/schedules",
    "/runs",
    "/queue",
    "/jobs",
    "/connections",
    "/data",
    "/settings/team",
    "/admin/audit",
    "/admin/system",
)


@pytest.fixture
def belfry(tmp_path: Path) -> Iterator[Belfry]:
    demo = Belfry(tmp_path / "demo", patience_seconds=PROMISED_SECONDS)
    ports = ("--port", str(demo.port), "--provider-port", str(free_port()))
    demo.command = (sys.executable, "-m", "demo", "--folder", str(demo.folder), *ports)
    yield demo
    if demo.process.poll() is None:
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(PATIENCE_SECONDS)


def sign_in(page: Page, belfry: Belfry, password: str) -> None:
    page.goto(f"{belfry.url}/login")
    expect(page.get_by_text(SENTENCE)).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def test_the_demo_lives_up_to_what_it_says(page: Page, belfry: Belfry) -> None:
    began = time.monotonic()
    belfry.start()
    found = re.search(r"with the password (\S+)", belfry.text)
    assert found is not None, belfry.text
    sign_in(page, belfry, found[1])

    page.goto(f"{belfry.url}/runs")
    runs = page.get_by_role("row")
    expect(runs.filter(has_text="Meta sync").first).to_contain_text("Succeeded", timeout=60_000)
    print(f"green after {time.monotonic() - began:.0f} s")
    expect(runs.filter(has_text=f"Sync {UK.name}").first).to_contain_text("Failed", timeout=60_000)
    for path in MARKED:
        answer = page.goto(f"{belfry.url}{path}")
        assert answer is not None
        assert answer.ok, path
        expect(page.get_by_text(SENTENCE)).to_be_visible()
        assert violations(page) == [], path

    page.goto(f"{belfry.url}/data")
    page.get_by_role("link", name="Say whether it is normal").click()
    page.get_by_role("button", name="This is normal").click()
    expect(page.get_by_role("status").filter(has_text="counts as normal now.").first).to_be_visible()
    page.goto(f"{belfry.url}/data")
    page.get_by_label("Account", exact=True).select_option(label="Demo Outdoor EU (Meta)")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_role("img", name="Spend, EUR")).to_be_visible()
    page.goto(f"{belfry.url}/connections")
    refused = page.get_by_role("row").filter(has_text=UK.name)
    expect(refused).to_contain_text("Refused, 1 schedule paused")
    refused.get_by_role("link", name="Reconnect").click()
    page.get_by_label("Access token").fill(NEW_UK_TOKEN)
    page.get_by_role("button", name="Test and reconnect").click()
    page.wait_for_url(lambda url: not url.endswith("/login"))
    page.goto(f"{belfry.url}/connections")
    expect(refused).to_contain_text("Connected")

    assert belfry.stop() == 0
    belfry.output.clear()
    belfry.start()
    page.goto(f"{belfry.url}/connections")
    expect(refused).to_contain_text("Connected")
    assert "goes on with what it had" in belfry.text
