"""One server for the tests of what every page does, with a list of what browsers asked it for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page

from app.jobs.models import Job
from tests.factories.tenants import Member
from tests.factories.work import make_job
from tests.journeys.schedules.site import Site, open_site


@dataclass
class Visits:
    """What was asked for, in order, and the page it was asked from. Stands before the app."""

    app: Callable[..., Iterable[bytes]]
    seen: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.seen.append((environ["PATH_INFO"], environ.get("HTTP_REFERER", "")))
        return self.app(environ, start)

    @property
    def to_pages(self) -> int:
        """How often, but for scripts and styles, which a page fetches once when it needs them."""
        return sum(not asked.startswith("/static/") for asked, _ in self.seen)

    def to(self, path: str) -> list[str]:
        """From which pages that was asked for."""
        return [page for asked, page in self.seen if asked == path]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), kinds=None) as site:
        yield site


@pytest.fixture
def visits(site: Site) -> Iterator[Visits]:
    plain = site.app.wsgi_app
    visits = Visits(plain)
    site.app.wsgi_app = visits  # type: ignore[method-assign]
    yield visits
    site.app.wsgi_app = plain  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def ana(site: Site, page: Page) -> Member:
    """Whom the browser is signed in as: an owner who looks after the installation, too."""
    return site.enter(page.context, is_platform_admin=True)


@pytest.fixture(scope="module", autouse=True)
def job(site: Site, ana: Member) -> Job:
    with site.database.transaction() as session:
        return make_job(session, ana.organization_id, name="Ask the shop")
