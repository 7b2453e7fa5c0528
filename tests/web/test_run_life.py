"""What a run's page offers while the run is not over, and what it says of waits, limits and progress."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.jobs.kinds.base import KindName
from app.jobs.policies import Backoff, ErrorClass, RetryPolicy
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.progress import Progress, write_progress
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from tests.factories.outcomes import make_running
from tests.factories.work import load_run, make_job, make_run
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser


class Runs:
    """Makes runs of the organization, and ends their tries."""

    def __init__(self, database: Database, organization_id: UUID, clock: ManualClock) -> None:
        self.database, self.organization_id, self.now = database, organization_id, clock.moment

    def running(self, **job: Any) -> UUID:
        with self.database.transaction() as session:
            return make_running(session, make_job(session, self.organization_id, **job), now=self.now)

    def ready(self) -> UUID:
        with self.database.transaction() as session:
            return make_run(session, make_job(session, self.organization_id), now=self.now)

    def end(self, run_id: UUID, state: RunState, **more: Any) -> None:
        end = AttemptEnd(AttemptState.FAILED, "It broke.", **more)
        then = Next(state, Reason.ERROR, self.now + timedelta(minutes=5))
        with self.database.transaction() as session:
            assert ledger.put_down(session, run_id=run_id, token=1, end=end, then=then, now=self.now)


@pytest.fixture
def runs(database: Database, organization_id: UUID, clock: ManualClock) -> Runs:
    return Runs(database, organization_id, clock)


class TestWhatWaitsForARun:
    @pytest.mark.parametrize("button", ["cancel", "give-up"])
    def test_is_seen_to_at_once_when_somebody_ends_that_run(
        self, app: Flask, admin: Browser, runs: Runs, button: str
    ) -> None:
        passes: list[str] = []
        app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], dispatch=lambda: passes.append("a pass"))
        run_id = runs.running()
        runs.end(run_id, RunState.WAITING_RETRY)

        admin.send(f"/runs/{run_id}/{button}")

        assert passes == ["a pass"]


class TestCancel:
    @pytest.mark.parametrize(
        ("kind", "words"),
        [(KindName.CODE, "and killed two seconds later"), (KindName.WORKFLOW, "and no other is made")],
    )
    def test_says_what_it_will_do(self, operator: Browser, runs: Runs, kind: KindName, words: str) -> None:
        run_id = runs.running(kind=kind)

        text = operator.visit(f"/runs/{run_id}").text

        assert words in text
        assert f"/runs/{run_id}/cancel" in text

    def test_of_a_running_run_shows_that_it_is_under_way(self, operator: Browser, runs: Runs) -> None:
        run_id = runs.running()

        answer = operator.send(f"/runs/{run_id}/cancel")

        text = operator.visit(f"/runs/{run_id}").text
        assert answer.location == f"/runs/{run_id}"
        assert "being cancelled" in text
        assert "Cancel run" not in text

    def test_of_a_waiting_run_ends_it_and_says_by_whom(self, operator: Browser, runs: Runs) -> None:
        run_id = runs.ready()

        operator.send(f"/runs/{run_id}/cancel")

        assert f"{operator.actor.label} cancelled it at" in operator.visit(f"/runs/{run_id}").text

    def test_is_off_for_a_viewer(self, viewer: Browser, runs: Runs) -> None:
        run_id = runs.running()

        assert "this needs operator or higher" in viewer.visit(f"/runs/{run_id}").text
        assert viewer.send(f"/runs/{run_id}/cancel").status_code == 403


class TestTheNextTry:
    def test_is_explained_by_the_policy(self, admin: Browser, runs: Runs) -> None:
        run_id = runs.running(retry=RetryPolicy(3, 5, Backoff.EXPONENTIAL))
        runs.end(run_id, RunState.WAITING_RETRY)

        text = admin.visit(f"/runs/{run_id}").text

        assert "The wait is 5 s at first and doubles after each try, up to 1 h." in text

    def test_is_explained_by_what_the_other_side_said(self, admin: Browser, runs: Runs) -> None:
        run_id = runs.running()
        runs.end(run_id, RunState.WAITING_RETRY, come_back_at=runs.now + timedelta(minutes=5))

        assert "The other side said when to come back." in admin.visit(f"/runs/{run_id}").text

    @pytest.mark.parametrize(
        ("error_class", "words"),
        [
            (ErrorClass.REFUSED, "A refused credential stays refused"),
            (ErrorClass.SERVER, "Its job says not to try again after this: the other side failed (5xx)."),
            (ErrorClass.JOB, "Trying again would not help"),
        ],
    )
    def test_that_does_not_come_is_explained_too(
        self, admin: Browser, database: Database, runs: Runs, error_class: ErrorClass, words: str
    ) -> None:
        run_id = runs.running()
        with database.transaction() as session:
            session.get_one(Run, run_id).retry_not_on = "server"
        runs.end(run_id, RunState.FAILED, error_class=error_class)

        assert words in admin.visit(f"/runs/{run_id}").text

    @pytest.mark.parametrize(("button", "state"), [("retry-now", "ready"), ("give-up", "failed")])
    def test_is_cut_short_or_given_up_by_a_button(
        self, admin: Browser, database: Database, runs: Runs, button: str, state: str
    ) -> None:
        run_id = runs.running()
        runs.end(run_id, RunState.WAITING_RETRY)

        is_offered = f"/runs/{run_id}/{button}" in admin.visit(f"/runs/{run_id}").text
        admin.send(f"/runs/{run_id}/{button}")

        with database.reading() as session:
            assert (is_offered, load_run(session, run_id).state) == (True, state)


class TestWhileItGoesOn:
    def test_it_says_how_far_it_has_come_and_asks_again(self, viewer: Browser, database: Database, runs: Runs) -> None:
        run_id = runs.running()
        with database.transaction() as session:
            write_progress(session, run_id=run_id, token=1, progress=Progress(3, 4, "Orders <b>"))

        text = viewer.visit(f"/runs/{run_id}/progress", htmx=True).text

        assert "3 of 4 (75 %): Orders &lt;b&gt;" in text
        assert f'hx-get="/runs/{run_id}/progress"' in text
        assert "3 of 4" in viewer.visit(f"/runs/{run_id}").text

    def test_it_asks_no_more_once_it_is_over(self, viewer: Browser, runs: Runs) -> None:
        run_id = runs.running()
        runs.end(run_id, RunState.FAILED)

        assert "hx-get" not in viewer.visit(f"/runs/{run_id}/progress", htmx=True).text

    def test_pages_say_that_it_takes_longer_than_expected(
        self, viewer: Browser, database: Database, runs: Runs
    ) -> None:
        run_id = runs.running()
        with database.transaction() as session:
            ledger.note_slow(session, run_id=run_id, token=1, now=runs.now)

        pages = [viewer.visit(path).text for path in ("/runs", f"/runs/{run_id}", "/queue?tab=running")]

        assert all("longer than expected" in text.lower() for text in pages)
