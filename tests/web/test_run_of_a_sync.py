"""The page of a sync's run: what it reports, what is odd about it, and why it goes on later."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import update

from app.core.db import Database
from app.jobs.kinds.base import KindName
from app.runs.models import Attempt, Run
from tests.factories.outcomes import make_waiting_retry
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

NOTE = "campaigns: 12 figures came, where 900–1,100 are usual."


def make_sync_run(database: Database, clock: ManualClock, organization_id: UUID, result: dict[str, object]) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, kind=KindName.SYNC)
        job.definition = {"service": "meta", "connection_id": str(organization_id)}
        run_id = make_run(session, job, now=clock.moment)
        ended = {
            "state": "succeeded",
            "finished_at": clock.moment,
            "started_at": clock.moment,
            "attempt": 1,
            "token": 1,
        }
        session.execute(update(Run).where(Run.id == run_id).values(**ended))
        session.add(
            Attempt(
                run_id=run_id,
                token=1,
                organization_id=organization_id,
                number=1,
                state="succeeded",
                worker="w",
                result=result,
                started_at=clock.moment,
                finished_at=clock.moment,
            )
        )
        return run_id


def test_says_what_is_odd_and_what_came(viewer: Browser, database: Database, clock: ManualClock) -> None:
    result = {"rows_seen": 12, "data_through": "2026-11-19", "flag": "suspicious", "note": NOTE, "_reports": {"k": []}}
    run_id = make_sync_run(database, clock, viewer.actor.organization_id, result)

    text = viewer.visit(f"/runs/{run_id}").text

    assert "What came is not as usual." in text
    assert (NOTE in text, "2026-11-19" in text, "reports" in text) == (True, True, False)
    # The factory's connection has the id of the organization.
    assert f'href="/connections/{viewer.actor.organization_id}/streams"' in text
    assert "Say that it is normal, or sync again" in text


def test_that_was_empty_offers_nothing_to_settle(viewer: Browser, database: Database, clock: ManualClock) -> None:
    run_id = make_sync_run(database, clock, viewer.actor.organization_id, {"flag": "empty", "note": "Look."})

    assert "/streams" not in viewer.visit(f"/runs/{run_id}").text


def test_says_to_reconnect_what_was_refused(viewer: Browser, database: Database, clock: ManualClock) -> None:
    result = {"connection": "Acme EU", "rows_seen": 0, "data_through": None, "streams": []}
    run_id = make_sync_run(database, clock, viewer.actor.organization_id, result)
    refused = {"state": "failed", "error": "Meta answered 401."}
    with database.transaction() as session:
        session.execute(update(Run).where(Run.id == run_id).values(**refused, reason="error", tries=3))
        session.execute(update(Attempt).where(Attempt.run_id == run_id).values(**refused, error_class="refused"))

    text = viewer.visit(f"/runs/{run_id}").text

    assert "Reconnect the connection “Acme EU”. Then retry the run." in text
    assert f'href="/connections/{viewer.actor.organization_id}">Open the connection</a>' in text
    assert [words for words in ("in the job", "null", "[]") if words in text] == []


def test_says_when_it_goes_on_that_was_put_off(viewer: Browser, database: Database, clock: ManualClock) -> None:
    later = clock.moment + timedelta(minutes=5)
    with database.transaction() as session:
        job = make_job(session, viewer.actor.organization_id, kind=KindName.SYNC)
        run_id = make_waiting_retry(session, job, now=clock.moment, ready_at=later)
        put_off = {"reason": "deferred", "error": "Meta asks for fewer calls."}
        session.execute(update(Run).where(Run.id == run_id).values(**put_off))

    text = viewer.visit(f"/runs/{run_id}").text

    assert "Meta asks for fewer calls. It has used no try." in text
    assert "It goes on later." in text
    assert "Its last try failed" not in text
