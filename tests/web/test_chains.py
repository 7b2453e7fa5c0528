"""The page that says what a job starts when it has ended, and the runs around a run on its page."""

import re
from dataclasses import replace
from html import unescape
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.jobs.models import Job, JobChain
from app.jobs.policies import ChainOutcome
from app.runs.models import Run
from app.runs.states import Trigger
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import LONG_AGO, make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.kind import scripted_kinds
from tests.web.conftest import Browser


@pytest.fixture
def app(app: Flask) -> Flask:
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], kinds=scripted_kinds())
    return app


@pytest.fixture
def load(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Load orders")


@pytest.fixture
def report(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Send report")


@pytest.fixture
def chain(database: Database, load: Job, report: Job) -> UUID:
    with database.transaction() as session:
        made = JobChain(
            organization_id=load.organization_id, job_id=load.id, then_job_id=report.id, created_at=LONG_AGO,
            outcome=ChainOutcome.FAILURE.value, parameters={"rows": 3},
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made.id


def form(job: Job, **more: str) -> dict[str, str]:
    return {"outcome": "success", "then_job_id": str(job.id), "parameters": "", **more}


def count_chains(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(JobChain)).one()


class TestThePage:
    def test_says_when_and_with_what_the_other_job_starts(self, viewer: Browser, load: Job, chain: UUID) -> None:
        text = viewer.visit(f"/jobs/{load.id}/chains").text

        assert "Send report" in text
        assert "On failure" in text
        assert "rows = 3" in text

    def test_says_what_starts_a_job(self, viewer: Browser, report: Job, chain: UUID) -> None:
        text = viewer.visit(f"/jobs/{report.id}/chains").text

        assert "It starts nothing" in text
        assert "It is started itself by" in text

    def test_offers_nothing_to_whoever_may_not_change_jobs(self, operator: Browser, load: Job, chain: UUID) -> None:
        text = operator.visit(f"/jobs/{load.id}/chains").text

        assert "Start another job" not in text
        assert "this needs admin or higher" in text

    def test_is_reached_from_the_list_and_from_the_form(self, admin: Browser, load: Job) -> None:
        texts = [admin.visit(path).text for path in ("/jobs", f"/jobs/{load.id}/edit")]

        assert all(f'href="/jobs/{load.id}/chains"' in text for text in texts)


class TestTheForm:
    def test_adds_a_chain(self, admin: Browser, load: Job, report: Job) -> None:
        answer = admin.send(f"/jobs/{load.id}/chains", form(report, parameters='{"rows": 7}'))

        assert (answer.status_code, answer.location) == (303, f"/jobs/{load.id}/chains")
        assert "rows = 7" in admin.visit(f"/jobs/{load.id}/chains").text

    def test_refuses_a_circle_and_names_the_way(self, admin: Browser, load: Job, report: Job, chain: UUID) -> None:
        answer = admin.send(f"/jobs/{report.id}/chains", form(load))

        assert answer.status_code == 422
        assert "Send report → Load orders → Send report would start itself for ever" in answer.text

    def test_refuses_the_same_one_again(self, admin: Browser, load: Job, report: Job, chain: UUID) -> None:
        answer = admin.send(f"/jobs/{load.id}/chains", form(report, outcome="failure"))

        assert answer.status_code == 409
        assert "on failure already" in answer.text

    @pytest.mark.parametrize(
        ("parameters", "words"),
        [("{", "This is not JSON"), ("[1]", "Use a JSON object"), ('{"rows": "x"}', "cannot take")],
    )
    def test_says_what_is_wrong_with_parameters_and_keeps_them(
        self, admin: Browser, load: Job, report: Job, database: Database, parameters: str, words: str
    ) -> None:
        answer = admin.send(f"/jobs/{load.id}/chains", form(report, parameters=parameters))

        assert answer.status_code == 422
        assert words in answer.text
        assert count_chains(database) == 0

    def test_removes_a_chain(self, admin: Browser, load: Job, chain: UUID, database: Database) -> None:
        answer = admin.send(f"/jobs/{load.id}/chains/{chain}/removal")

        assert answer.status_code == 303
        assert count_chains(database) == 0

    def test_brings_one_back_by_undo(self, admin: Browser, load: Job, report: Job, database: Database) -> None:
        admin.send(f"/jobs/{load.id}/chains", form(report))
        with database.reading() as session:
            made = session.scalars(select(JobChain.id)).one()
        admin.visit(f"/jobs/{load.id}/chains")
        admin.send(f"/jobs/{load.id}/chains/{made}/removal")

        toast = admin.visit(f"/jobs/{load.id}/chains").text.partition('class="toasts"')[2]
        admin.send(unescape(re.findall(r'action="([^"]+)"', toast)[0]))

        with database.reading() as session:
            back = session.scalars(select(JobChain)).one()
            assert (back.then_job_id, back.outcome, back.parameters) == (report.id, "success", {})

    def test_puts_parameters_into_no_address(self, admin: Browser, load: Job, chain: UUID) -> None:
        admin.send(f"/jobs/{load.id}/chains/{chain}/removal")

        assert "Undo" not in admin.visit(f"/jobs/{load.id}/chains").text

    def test_is_not_for_operators(self, operator: Browser, load: Job, report: Job) -> None:
        assert operator.send(f"/jobs/{load.id}/chains", form(report)).status_code == 403


class TestTheRunsAroundARun:
    def test_say_what_it_follows_and_what_its_end_started(
        self, viewer: Browser, load: Job, report: Job, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            cause = make_succeeded(session, load, now=clock.moment)
            follower = make_run(session, report, now=clock.moment, cause_run_id=cause)
            session.get_one(Run, follower).trigger = Trigger.CHAIN.value

        before, after = viewer.visit(f"/runs/{cause}").text, viewer.visit(f"/runs/{follower}").text

        assert "Runs that its end started" in before
        assert f"/runs/{follower}" in before
        assert f'Started because this run succeeded: <a href="/runs/{cause}">Load orders</a>' in after

    def test_stand_as_children_with_their_counts_and_each_leads_back(
        self, viewer: Browser, load: Job, report: Job, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            parent = make_run(session, load, now=clock.moment)
            children = [
                make_succeeded(session, report, now=clock.moment, parent_run_id=parent),
                make_failed(session, report, now=clock.moment, parent_run_id=parent),
                make_run(session, report, now=clock.moment, parent_run_id=parent),
            ]
            session.get_one(Run, children[0]).trigger = Trigger.GROUP.value

        text = viewer.visit(f"/runs/{parent}").text

        assert "2 of 3 ended: 1 succeeded, 1 failed" in text
        assert [text.count(f'id="run-{child}"') for child in children] == [1, 1, 1]
        assert f'them all: <a href="/runs/{parent}">Load orders</a>' in viewer.visit(f"/runs/{children[0]}").text

    def test_are_named_also_when_the_other_run_is_gone(
        self, viewer: Browser, load: Job, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, load, now=clock.moment)
            session.get_one(Run, run_id).trigger = Trigger.CHAIN.value

        assert "that run was cleaned up since" in viewer.visit(f"/runs/{run_id}").text
