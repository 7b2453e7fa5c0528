"""A schedule that code defines, in a real browser: what can be done to it here, and what cannot."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from app.edge.runtime import EXTENSION, Runtime
from app.ops.code_loader import put_in_force
from tests.factories.tenants import Member
from tests.journeys.schedules.form import toasts
from tests.journeys.schedules.site import Site, open_site

pytestmark = pytest.mark.journey

PAGE = "/admin/schedules"
ONE = f"{PAGE}/hourly-matching"
EDITS_OR_DELETES = re.compile(r"^(Edit|Delete)\b")


@contextmanager
def started(folder: Path) -> Iterator[Site]:
    """The pages, with what code defines in force, as a process loads it when it starts."""
    with open_site(folder, kinds=None) as site:
        parts: Runtime = site.app.extensions[EXTENSION]
        put_in_force(site.database, site.clock, parts.definitions, is_asked_for=True)
        yield site


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("code")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with started(folder) as site:
        yield site


@pytest.fixture(scope="module")
def ana(site: Site, page: Page) -> Member:
    """Somebody who looks after the installation, without being a member of its organization."""
    return site.enter(page.context, is_platform_admin=True)


def row(page: Page) -> Locator:
    return page.locator("#code-hourly-matching")


class TestAScheduleInCode:
    @pytest.mark.parametrize("path", [PAGE, ONE])
    def test_can_be_neither_edited_nor_deleted(self, page: Page, site: Site, path: str) -> None:
        """A48: no button and no link offers it, and it is said where it is defined."""
        page.goto(f"{site.url}{path}")

        expect(page.locator("main")).to_contain_text("app/jobs/examples.py:")
        for role in ("link", "button"):
            expect(page.locator("main").get_by_role(role, name=EDITS_OR_DELETES)).to_have_count(0)

    def test_stays_disabled_when_the_processes_start_again(
        self, page: Page, site: Site, ana: Member, folder: Path
    ) -> None:
        """A48: what a person switched stays so, whatever the code says when it is loaded again."""
        page.goto(f"{site.url}{PAGE}")
        row(page).get_by_role("switch").click()
        expect(row(page).get_by_role("switch")).to_have_attribute("aria-checked", "true")
        row(page).get_by_role("switch").click()
        expect(row(page).get_by_role("switch")).to_have_attribute("aria-checked", "false")

        with started(folder) as again:
            page.goto(f"{again.url}{PAGE}")
            expect(row(page).get_by_role("switch")).to_have_attribute("aria-checked", "false")
            expect(row(page)).to_contain_text(f"Off – by {ana.email}")
            expect(row(page)).to_contain_text("— (disabled)")
            # Before it is gone, so that nothing asks it any more.
            page.goto("about:blank")

    def test_is_run_by_somebody_who_is_named(self, page: Page, site: Site, ana: Member) -> None:
        """A48: a run that was started by hand says by whom."""
        page.goto(f"{site.url}{PAGE}")
        row(page).get_by_role("button", name="Run now").click()
        expect(toasts(page)).to_contain_text("hourly-matching queued.")
        page.goto(f"{site.url}{ONE}")

        expect(page.locator("#history tbody tr")).to_have_count(1)
        expect(page.locator("#history tbody tr")).to_contain_text(f"By hand by {ana.email}")
