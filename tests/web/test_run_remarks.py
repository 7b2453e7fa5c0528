"""What the page of a run says about how it ended, and what lists say about times that nobody ran."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.core.db import Database
from app.jobs.policies import Backoff, RetryPolicy
from app.runs import planner
from app.runs.models import Run
from app.runs.states import Reason
from app.schedules.gap_words import GAP_REASONS
from app.schedules.policies import GapReason
from app.web.run_words import REASON_WORDS, named_run
from tests.factories.outcomes import make_failed, make_running, make_waiting_retry
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

WORDS = "Trying again would not help, so it was not tried again."


def fail_once(database: Database, clock: ManualClock, organization_id: UUID, *, tries: int) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, retry=RetryPolicy(tries, 5, Backoff.FIXED))
        return make_failed(session, job, now=clock.moment)


@pytest.mark.parametrize(("tries", "is_said"), [(3, True), (1, False)])
def test_a_run_with_tries_left_says_why_it_took_none(
    admin: Browser, database: Database, clock: ManualClock, tries: int, is_said: bool
) -> None:
    run_id = fail_once(database, clock, admin.organization_id, tries=tries)

    text = admin.visit(f"/runs/{run_id}").text

    assert (WORDS in text) is is_said


def test_a_failed_run_tells_that_it_was_taken_off_the_queue(
    admin: Browser, database: Database, clock: ManualClock
) -> None:
    run_id = fail_once(database, clock, admin.organization_id, tries=1)
    before = admin.visit(f"/runs/{run_id}").text

    admin.send(f"/runs/{run_id}/removal")

    assert "from the queue, by hand" not in before
    assert "from the queue, by hand" in admin.visit(f"/runs/{run_id}").text


def test_every_reason_has_words() -> None:
    assert (set(REASON_WORDS), set(GAP_REASONS)) == (set(Reason), set(GapReason))


def test_a_skipped_run_leads_to_the_run_that_was_in_its_way(
    viewer: Browser, database: Database, clock: ManualClock
) -> None:
    with database.transaction() as session:
        job = make_job(session, viewer.organization_id)
        schedule = make_schedule(session, job, next_run_at=clock.moment)
        going = make_running(session, job, now=clock.moment, schedule_id=schedule.id)
        planner.tick(session, now=clock.moment)
        skipped = session.scalars(select(Run.id).where(Run.slot_at == clock.moment)).one()

    text = viewer.visit(f"/runs/{skipped}").text

    assert f"The previous run was still going ({going})" in text
    assert f'<a class="note-action" href="/runs/{going}">Open that run</a>' in text


@pytest.mark.parametrize("text", [None, "", "It failed (500).", "Somebody wrote (01a1fdbb-5e8a-7f2d)."])
def test_an_explanation_without_a_run_names_none(text: str | None) -> None:
    assert named_run(text) is None


@pytest.mark.parametrize(("error", "is_known"), [("It answered 404 Not Found.", True), ("No orders <today>.", False)])
def test_a_failure_of_a_known_cause_says_what_to_do(
    viewer: Browser, database: Database, clock: ManualClock, error: str, is_known: bool
) -> None:
    with database.transaction() as session:
        run_id = make_failed(session, make_job(session, viewer.organization_id), now=clock.moment, error=error)

    text = viewer.visit(f"/runs/{run_id}").text

    assert ('id="run-advice"' in text, "Nothing is at this address." in text) == (is_known, is_known)


def test_a_try_that_comes_by_itself_is_left_to_come(viewer: Browser, database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        job = make_job(session, viewer.organization_id)
        run_id = make_waiting_retry(session, job, now=clock.moment, ready_at=clock.moment + timedelta(hours=1))
        session.execute(update(Run).where(Run.id == run_id).values(error="It answered 429 Too Many Requests."))

    text = viewer.visit(f"/runs/{run_id}").text

    assert "The next try comes by itself." in text
    assert "Then retry the run." not in text
