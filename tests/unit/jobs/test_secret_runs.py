"""Runs that need a sealed value: it is sent, and stands nowhere else; a worker without its key costs nothing."""

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.core.addresses import parse_networks
from app.core.db import Base
from app.core.http import OutboundClient
from app.core.sealing import Sealer
from app.jobs.kinds.base import KindName
from app.jobs.kinds.workflow.kind import WorkflowKind
from app.jobs.policies import Backoff, RetryPolicy
from app.jobs.service import JobDraft, create_job, revise_job
from app.runs import ledger
from app.runs import service as runs
from app.runs.claims import LeaseTerms
from app.runs.executor import Executor
from app.runs.keeper import Keeper
from app.runs.models import Run
from app.tenants.access import Actor
from app.vault.models import Secret
from tests.factories.work import actor_in, load_run, make_organization
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER, sealer_with, vault_key
from tests.unit.jobs.conftest import WebServer

KINDS = {KindName.WORKFLOW: WorkflowKind(SEALER)}
TERMS = LeaseTerms.for_lease(30)
ONE_TRY = RetryPolicy(1, 0, Backoff.FIXED)
CANARY = "canary-7f3a"
STRANGER = sealer_with(vault_key(9))


class Workshop:
    """A worker, and a workflow that it runs."""

    def __init__(self, database: OpenDatabase, clock: ManualClock, web: WebServer) -> None:
        self.database = database
        self.clock = clock
        self.web = web
        with database.transaction() as session:
            self.actor: Actor = actor_in(make_organization(session))
            self.job_id: UUID = create_job(
                session, actor=self.actor, kinds=KINDS, draft=self.draft(CANARY), now=clock.moment
            )

    def draft(self, value: str, url: str = "") -> JobDraft:
        step = {"url": url or f"{self.web.url}/a", "headers": [{"name": "Authorization", "value": f"Bearer {value}"}]}
        return JobDraft("Call", KindName.WORKFLOW, {"steps": [step]}, retry=ONE_TRY)

    def revise(self, draft: JobDraft) -> None:
        with self.database.transaction() as session:
            revise_job(
                session,
                actor=self.actor,
                kinds=KINDS,
                job_id=self.job_id,
                draft=draft,
                revision=1,
                now=self.clock.moment,
            )

    def ask(self) -> UUID:
        with self.database.transaction() as session:
            return runs.run_job_now(
                session, actor=self.actor, job_id=self.job_id, request_key=str(uuid4()), now=self.clock.moment
            )

    def execute(self, run_id: UUID, sealer: Sealer = SEALER) -> Run:
        Executor(
            database=self.database,
            kinds=KINDS,
            clock=self.clock,
            http=OutboundClient(allowed_private=parse_networks("127.0.0.1")),
            sealer=sealer,
            worker="w-1",
            terms=TERMS,
            keeper=Keeper(database=self.database, clock=self.clock, terms=TERMS, heartbeat_seconds=10),
        ).execute(run_id)
        with self.database.reading() as session:
            return load_run(session, run_id)

    def spoil(self, **values: Any) -> None:
        with self.database.transaction() as session:
            session.execute(update(Secret).values(**values))

    def everything(self) -> str:
        """All that stands in any table."""
        with self.database.reading() as session:
            return "\n".join(
                str(row) for table in Base.metadata.sorted_tables for row in session.execute(select(table))
            )

    @property
    def sent(self) -> list[str]:
        return [request.headers["Authorization"] for request in self.web.requests]


@pytest.fixture
def workshop(database: OpenDatabase, clock: ManualClock, web: WebServer) -> Workshop:
    return Workshop(database, clock, web)


class TestARun:
    def test_sends_the_opened_value(self, workshop: Workshop) -> None:
        run = workshop.execute(workshop.ask())

        assert run.state == "succeeded"
        assert workshop.sent == [f"Bearer {CANARY}"]

    @pytest.mark.parametrize("status", [200, 500])
    def test_leaves_it_in_no_table_and_in_no_log(
        self, workshop: Workshop, caplog: pytest.LogCaptureFixture, status: int
    ) -> None:
        workshop.web.status, workshop.web.body = status, f"you sent Bearer {CANARY}".encode()

        with caplog.at_level(logging.DEBUG):
            workshop.execute(workshop.ask())

        assert workshop.sent == [f"Bearer {CANARY}"]
        assert CANARY not in workshop.everything()
        assert CANARY not in caplog.text

    def test_that_waits_sends_the_value_that_is_valid_then(self, workshop: Workshop) -> None:
        run_id = workshop.ask()
        workshop.revise(workshop.draft("renewed"))

        workshop.execute(run_id)

        assert workshop.sent == ["Bearer renewed"]

    def test_that_waits_keeps_the_value_of_its_own_server(self, workshop: Workshop) -> None:
        run_id = workshop.ask()
        workshop.revise(workshop.draft("for another", url="https://other.example.com/"))

        workshop.execute(run_id)

        assert workshop.sent == [f"Bearer {CANARY}"]


class TestAWorkerWithoutTheKey:
    def test_hands_the_run_back_at_no_cost_of_a_try(self, workshop: Workshop) -> None:
        run = workshop.execute(workshop.ask(), STRANGER)

        assert (run.state, run.reason, run.attempt) == ("waiting_retry", "key_missing", 0)
        assert SEALER.newest_key_id in (run.error or "")
        assert workshop.sent == []

    def test_leaves_it_to_one_that_has_it(self, workshop: Workshop) -> None:
        run_id = workshop.ask()
        workshop.execute(run_id, STRANGER)
        workshop.clock.advance(seconds=31)
        with workshop.database.transaction() as session:
            ledger.make_ready(session, run_ids=[run_id], now=workshop.clock.moment)

        run = workshop.execute(run_id)

        assert (run.state, run.attempt) == ("succeeded", 1)
        assert workshop.sent == [f"Bearer {CANARY}"]

    def test_waits_long_enough_to_do_other_work(self, workshop: Workshop) -> None:
        run = workshop.execute(workshop.ask(), STRANGER)

        assert run.ready_at - workshop.clock.moment == timedelta(seconds=30)


class TestADamagedValue:
    @pytest.mark.parametrize("sealed", ["v1.00", "", "v2.aaaa.bbbb"])
    def test_fails_the_run_in_plain_words_without_a_call(self, workshop: Workshop, sealed: str) -> None:
        workshop.spoil(sealed=sealed)

        run = workshop.execute(workshop.ask())

        assert (run.state, workshop.sent) == ("failed", [])
        assert "Enter it again" in (run.error or "")

    def test_that_is_gone_fails_it_too(self, workshop: Workshop) -> None:
        workshop.spoil(owner_id=uuid4())

        run = workshop.execute(workshop.ask())

        assert (run.state, workshop.sent) == ("failed", [])
        assert "is gone" in (run.error or "")
