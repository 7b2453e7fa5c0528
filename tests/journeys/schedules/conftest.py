"""One server for all tests of schedules. Each module has a moment of its own, and somebody whom no other one sees."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.factories.work import make_job
from tests.fakes.clock import utc
from tests.journeys.schedules.site import START, Site, open_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="module")
def moment() -> str:
    """What time it is. Modules that need another one say so with a fixture of this name."""
    return START


@pytest.fixture(scope="module")
def ana(site: Site, page: Page, moment: str) -> Member:
    """Whom the browser is signed in as."""
    site.clock.moment = utc(moment)
    return site.enter(page.context)


@pytest.fixture(scope="module", autouse=True)
def job(site: Site, ana: Member) -> Job:
    """What can be put on a schedule."""
    with site.database.transaction() as session:
        return make_job(session, ana.organization_id, name="Ask the shop")


@pytest.fixture(scope="module")
def plain(browser: Browser, page: Page, ana: Member) -> Iterator[Page]:
    """The same person in a browser without scripts."""
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    yield context.new_page()
    context.close()
