"""Parameters and results that are masked: nobody reads them by a detour, and a run that is started again keeps them."""

import re
from html import unescape
from urllib.parse import quote, urlencode
from uuid import UUID

import pytest

from app.core.db import Database
from app.jobs.models import Job
from app.runs import run_search
from app.runs.models import Run
from app.runs.repeats import list_again
from app.tenants.audit_masks import MASK
from tests.factories.outcomes import make_succeeded
from tests.factories.work import load_run, make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

SECRETS = {"password": "hunter2-xyz", "options": {"api_key": "sk-live-9f8e"}}
OPEN = {"city": "Rīga", "path": "C:\\data\\in", "note": 'say "hi"'}
WORDS = "password=sesame"
ADDRESS = "https://example.com/"

FORM = {"parameters": "yes", "argument_url": ADDRESS, "argument_method": "GET"}


@pytest.fixture
def told(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    """A run that was told secrets, and returned one."""
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Ābeļu cenas", arguments=SECRETS | OPEN)
        schedule = make_schedule(session, job, name="Šķirošana")
        result = {"rows": 3, "access_token": "at-77", "steps": [{"name": "Call", "secret": "s-5"}]}
        return make_succeeded(session, job, now=clock.moment, result=result, schedule_id=schedule.id)


@pytest.fixture
def checked(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    """A run of a function that looks for a password in an answer."""
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Website check")
        job.definition = {"function": "http_check", "arguments": {"url": ADDRESS, "body_contains": WORDS}}
        return make_succeeded(session, job, now=clock.moment)


@pytest.fixture
def secrets(database: Database, organization_id: UUID, told: UUID, clock: ManualClock) -> list[UUID]:
    """Runs behind that one, each of which was told another secret."""
    run_ids = []
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Other")
        for number in range(7):
            clock.advance(seconds=1)
            job.definition = {"ends": "succeeded", "arguments": {"password": f"hunter-{number}"}}
            run_ids.append(make_succeeded(session, job, now=clock.moment))
    return run_ids


def finds(browser: Browser, run_id: UUID, typed: str) -> bool:
    return f'id="run-{run_id}"' in browser.visit("/runs", query_string={"q": typed}).text


def pages_of(browser: Browser, typed: str) -> list[str]:
    """The list of a search, page by page, without what was typed."""
    pages, address = [], "/runs?" + urlencode({"q": typed})
    while address:
        text = browser.visit(address).text
        shown = text[text.index('<tbody role="rowgroup" id="run-rows"') : text.rindex("</nav>")]
        pages.append(re.sub(r'name="csrf_token" value="[^"]*"', "", shown).replace(quote(typed), "").replace(typed, ""))
        found = re.search(r'href="([^"]+)"[^>]* rel="next"', text)
        address = unescape(found[1]) if found else ""
    return pages


def newest_again(database: Database, organization_id: UUID, run_id: UUID) -> Run:
    with database.reading() as session:
        return load_run(session, list_again(session, organization_id=organization_id, run_id=run_id)[0])


class TestSearch:
    @pytest.mark.parametrize("typed", ["hunter2-xyz", "hunter2-xy", "sk-live-9f8e", "sk-"])
    def test_does_not_look_into_what_is_masked(self, viewer: Browser, admin: Browser, told: UUID, typed: str) -> None:
        assert not finds(viewer, told, typed)
        assert not finds(admin, told, typed)

    @pytest.mark.parametrize("typed", ["Rīga", "RĪGA", "C:\\data", 'say "hi"', "password", "city", "ābeļu", "ŠĶIRO"])
    def test_finds_what_a_person_wrote(self, viewer: Browser, told: UUID, typed: str) -> None:
        assert finds(viewer, told, typed)

    @pytest.mark.parametrize("typed", ["ĀBEĻU c", "šķiro"])
    def test_of_the_queue_knows_capitals_of_any_script(
        self, viewer: Browser, database: Database, told: UUID, typed: str
    ) -> None:
        text = viewer.visit("/queue", query_string={"tab": "all", "q": typed}).text

        assert str(told) in text

    @pytest.mark.parametrize("typed", ["arguments", "ends", "u012b", "R_ga", "%"])
    def test_finds_nothing_by_the_keys_and_signs_of_the_definition(
        self, viewer: Browser, told: UUID, typed: str
    ) -> None:
        assert not finds(viewer, told, typed)

    @pytest.mark.parametrize("most", [3, 100])
    def test_tells_nothing_by_how_far_it_looked(
        self, viewer: Browser, secrets: list[UUID], monkeypatch: pytest.MonkeyPatch, most: int
    ) -> None:
        monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", most)

        masked, nowhere = (pages_of(viewer, typed) for typed in ("hunter", "walrus"))

        assert masked == nowhere
        assert len(masked) == (3 if most == 3 else 1)

    def test_tells_nothing_by_how_much_it_read(
        self, viewer: Browser, secrets: list[UUID], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_search, "READ_AT_ONCE", 200)

        masked, nowhere = (pages_of(viewer, typed) for typed in ("hunter", "walrus"))

        assert masked == nowhere
        assert len(masked) > 1
        assert all("Looked through" in each for each in masked[:-1])

    def test_goes_on_until_it_has_looked_at_all(
        self, viewer: Browser, secrets: list[UUID], told: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_search, "READ_AT_ONCE", 1)

        pages = pages_of(viewer, "Rīga")

        assert [f'id="run-{told}"' in each for each in pages] == [False] * len(secrets) + [True]


class TestAgain:
    pytestmark = pytest.mark.usefixtures("real_kinds")

    def test_shows_a_mask_and_keeps_what_it_stands_for(
        self, operator: Browser, database: Database, organization_id: UUID, checked: UUID
    ) -> None:
        form = operator.visit(f"/runs/{checked}/again").text
        typed = FORM | {"argument_body_contains": f"password={MASK}", "argument_max_latency_ms": "500"}

        operator.send(f"/runs/{checked}/again", typed)

        assert "sesame" not in form
        assert f'value="password={MASK}"' in form
        arguments = newest_again(database, organization_id, checked).definition["arguments"]
        assert (arguments["body_contains"], arguments["max_latency_ms"]) == (WORDS, 500)

    def test_takes_what_is_typed_in_its_place(
        self, operator: Browser, database: Database, organization_id: UUID, checked: UUID
    ) -> None:
        typed = FORM | {"argument_body_contains": "welcome"}

        operator.send(f"/runs/{checked}/again", typed)

        arguments = newest_again(database, organization_id, checked).definition["arguments"]
        assert arguments["body_contains"] == "welcome"

    def test_refuses_a_mask_that_was_changed(self, operator: Browser, checked: UUID) -> None:
        typed = FORM | {"argument_body_contains": f"pass={MASK}"}

        answer = operator.send(f"/runs/{checked}/again", typed)

        assert answer.status_code == 422
        assert "stands for a value that is hidden" in answer.text
        assert "sesame" not in answer.text

    def test_shows_no_secret_that_the_job_got_since(self, operator: Browser, database: Database, checked: UUID) -> None:
        with database.transaction() as session:
            job = session.get_one(Job, load_run(session, checked).job_id)
            arguments = {"url": "https://example.com/", "body_contains": "password=swordfish"}
            job.definition = {"function": "http_check", "arguments": arguments}

        assert "swordfish" not in operator.visit(f"/runs/{checked}/again").text


class TestResult:
    def test_is_masked_as_it_is_beside_another(self, admin: Browser, told: UUID) -> None:
        text = admin.visit(f"/runs/{told}").text

        assert "at-77" not in text
        assert "s-5" not in text
        assert f"<dt>Access token</dt><dd>{MASK}" in text
