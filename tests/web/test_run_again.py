"""Running again what has ended: with the same parameters, or with others from a form."""

from uuid import UUID

import pytest

from app.core.db import Database
from app.jobs.models import Job
from app.runs.models import Run
from app.runs.repeats import list_again
from tests.factories.outcomes import make_failed, make_running
from tests.factories.work import load_run, make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

pytestmark = pytest.mark.usefixtures("real_kinds")

OWN = {"url": "https://example.com/", "method": "GET", "expected_status": "200-299"}


@pytest.fixture
def ended(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    """A run that looked at another page than its job does."""
    chosen = {"url": "https://example.com/other"}
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Website check")
        job.definition = {"function": "http_check", "arguments": OWN}
        schedule = make_schedule(session, job, name="Hourly check")
        run_id = make_failed(session, job, now=clock.moment, schedule_id=schedule.id)
        run = session.get_one(Run, run_id)
        run.definition = {"function": "http_check", "arguments": OWN | chosen, "chosen": chosen}
        return run_id


def newest_again(database: Database, run_id: UUID) -> Run:
    with database.reading() as session:
        organization_id = load_run(session, run_id).organization_id
        return load_run(session, list_again(session, organization_id=organization_id, run_id=run_id)[0])


class TestTheSame:
    def test_takes_what_was_chosen_and_links_both(self, operator: Browser, database: Database, ended: UUID) -> None:
        answer = operator.send(f"/runs/{ended}/again")

        new = newest_again(database, ended)
        assert answer.headers["Location"] == f"/runs/{new.id}"
        assert new.definition["arguments"]["url"] == "https://example.com/other"
        assert f'<dt>Again of</dt><dd><a href="/runs/{ended}">' in operator.visit(f"/runs/{new.id}").text
        assert f'<dt>Run again as</dt><dd><a href="/runs/{new.id}">' in operator.visit(f"/runs/{ended}").text

    def test_belongs_to_the_same_schedule_and_names_who_asked(
        self, operator: Browser, database: Database, ended: UUID
    ) -> None:
        operator.send(f"/runs/{ended}/again")

        new, old = newest_again(database, ended), newest_again(database, ended).schedule_id
        assert new.schedule_id == old is not None
        assert new.requested_by == operator.user_id
        assert "Again by Otto" in operator.visit("/runs").text

    def test_pressed_twice_is_one_run(self, operator: Browser, database: Database, ended: UUID) -> None:
        first, second = (operator.send(f"/runs/{ended}/again", {"request_key": "k"}) for _ in range(2))

        assert first.headers["Location"] == second.headers["Location"]

    def test_stands_in_the_audit(self, operator: Browser, admin: Browser, ended: UUID) -> None:
        operator.send(f"/runs/{ended}/again")

        text = admin.visit("/audit").text
        assert "Ran “Website check” again with the same parameters" in text
        assert "operator@example.com" in text

    def test_asks_anew_where_the_old_ones_fit_no_longer(
        self, operator: Browser, database: Database, ended: UUID
    ) -> None:
        with database.transaction() as session:
            run = session.get_one(Run, ended)
            run.definition = run.definition | {"chosen": {"url": "https://example.com/", "gone": 1}}

        answer = operator.send(f"/runs/{ended}/again")

        assert answer.status_code == 422
        assert 'name="argument_url"' in answer.text


class TestOthers:
    def test_are_offered_with_what_the_old_run_had(self, operator: Browser, ended: UUID) -> None:
        page, form = operator.visit(f"/runs/{ended}"), operator.visit(f"/runs/{ended}/again")

        assert f'href="/runs/{ended}/again"' in page.text
        assert 'value="https://example.com/other"' in form.text

    def test_take_their_place(self, operator: Browser, database: Database, ended: UUID) -> None:
        typed = {"parameters": "yes", "argument_url": "https://example.com/third", "argument_method": "GET"}

        operator.send(f"/runs/{ended}/again", typed)

        assert newest_again(database, ended).definition["arguments"]["url"] == "https://example.com/third"

    def test_are_refused_at_their_field_and_start_nothing(
        self, operator: Browser, database: Database, ended: UUID
    ) -> None:
        answer = operator.send(f"/runs/{ended}/again", {"parameters": "yes", "argument_url": "nowhere"})

        with database.reading() as session:
            organization_id = load_run(session, ended).organization_id
            assert list_again(session, organization_id=organization_id, run_id=ended) == []
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text


class TestWhatCannot:
    def test_because_it_goes_on(
        self, operator: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)

        assert operator.send(f"/runs/{run_id}/again").status_code == 409
        assert "again-button" not in operator.visit(f"/runs/{run_id}").text

    def test_because_its_job_is_gone(
        self, operator: Browser, database: Database, clock: ManualClock, ended: UUID
    ) -> None:
        with database.transaction() as session:
            job = session.get_one(Job, session.get_one(Run, ended).job_id)
            job.deleted_at = clock.moment

        assert operator.send(f"/runs/{ended}/again").status_code == 409
        assert operator.visit(f"/runs/{ended}/again").status_code == 409
        button = operator.visit(f"/runs/{ended}").text.split('id="again-button"')[0].rsplit("<button", 1)[1]
        assert "disabled" in button

    def test_because_of_who_asks(self, viewer: Browser, stranger: Browser, ended: UUID) -> None:
        assert viewer.send(f"/runs/{ended}/again").status_code == 403
        assert viewer.visit(f"/runs/{ended}/again").status_code == 403
        assert stranger.send(f"/runs/{ended}/again").status_code == 404
        assert "this needs operator" in viewer.visit(f"/runs/{ended}").text
