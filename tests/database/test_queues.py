"""What admins see of the queues, and what they do to several runs at once: their own, or everybody's."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.ids import new_id
from app.core.scopes import PLATFORM, Scope
from app.jobs.kinds.base import KindName
from app.runs.models import Run
from app.runs.queries import RunNotFound
from app.runs.queues import QueueRow, list_queue_runs, list_queues, remove_runs, retry_runs
from app.runs.states import RunState
from app.runs.switches import QueueUnknown, pause_queue
from app.tenants.access import Actor, Permission, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.tenants import Member, make_member
from tests.factories.work import load_run, make_job, make_run
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")


@pytest.fixture
def ada(database: OpenDatabase) -> Member:
    """A platform admin."""
    with database.transaction() as session:
        return make_member(session, email="ada@example.com", is_platform_admin=True)


@pytest.fixture
def bob(database: OpenDatabase) -> Member:
    """An admin of another organization."""
    with database.transaction() as session:
        return make_member(session, role=Role.ADMIN, email="bob@example.com")


def failed_run(database: OpenDatabase, member: Member, *, name: str = "Nightly") -> UUID:
    with database.transaction() as session:
        return make_failed(session, make_job(session, member.organization_id, name=name), now=NOW)


def scope_of(member: Member) -> Scope:
    return Scope.tenant(member.organization_id, member.user_id)


def figures(row: QueueRow) -> tuple[int, int, int, int]:
    return row.waiting, row.running, row.retrying, row.failed


class TestListing:
    def test_counts_each_queue_of_an_organization(self, database: OpenDatabase, ada: Member, bob: Member) -> None:
        failed_run(database, ada)
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            flow = make_job(session, bob.organization_id, name="Flow", kind=KindName.WORKFLOW)
            make_run(session, job, now=NOW)
            make_running(session, job, now=NOW)
            make_succeeded(session, job, now=NOW)
            make_failed(session, flow, now=NOW)

        with database.reading(scope_of(bob)) as session:
            found = {row.name: row for row in list_queues(session, organization_id=bob.organization_id, now=NOW)}

        assert {name: figures(row) for name, row in found.items()} == {
            "code": (1, 1, 0, 0),
            "workflow": (0, 0, 0, 1),
            "sync": (0, 0, 0, 0),
        }

    def test_counts_everybodys_for_platform_admins(self, database: OpenDatabase, ada: Member, bob: Member) -> None:
        failed_run(database, ada)
        failed_run(database, bob)
        with database.transaction(PLATFORM) as session:
            pause_queue(session, actor=ada.actor, name="code", now=NOW)

        with database.reading(PLATFORM) as session:
            found = {row.name: row for row in list_queues(session, organization_id=None, now=NOW)}

        assert figures(found["code"]) == (0, 0, 0, 2)
        assert (found["code"].is_paused, found["code"].paused_by) == (True, "ada@example.com")
        assert not found["workflow"].is_paused

    def test_lists_the_runs_of_a_queue_page_by_page(self, database: OpenDatabase, ada: Member, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            made = [make_run(session, job, now=NOW + timedelta(seconds=second)) for second in range(3)]
            make_succeeded(session, job, now=NOW)

        with database.reading(PLATFORM) as session:
            first = list_queue_runs(session, organization_id=None, name="code", limit=2)
            after = (first[-1].created_at, first[-1].id)
            rest = list_queue_runs(session, organization_id=None, name="code", limit=2, after=after)

        assert [row.id for row in first + rest] == made

    def test_leaves_out_what_was_retried_or_belongs_to_others(
        self, database: OpenDatabase, ada: Member, bob: Member
    ) -> None:
        failed_run(database, ada)
        run_id = failed_run(database, bob)
        with database.transaction(scope_of(bob)) as session:
            retry_runs(session, actor=bob.actor, run_ids=[run_id], now=NOW)

        with database.reading(scope_of(bob)) as session:
            found = list_queue_runs(session, organization_id=bob.organization_id, name="code", limit=9)

        assert [(row.state, row.organization_id) for row in found] == [(RunState.READY, bob.organization_id)]

    def test_refuses_a_queue_that_does_not_exist(self, database: OpenDatabase, bob: Member) -> None:
        with database.reading(scope_of(bob)) as session, pytest.raises(QueueUnknown):
            list_queue_runs(session, organization_id=bob.organization_id, name="mail", limit=9)


class TestActing:
    def test_an_admin_retries_their_own(self, database: OpenDatabase, bob: Member) -> None:
        run_id = failed_run(database, bob)

        with database.transaction(scope_of(bob)) as session:
            outcome = retry_runs(session, actor=bob.actor, run_ids=[run_id], now=NOW)

        with database.reading() as session:
            retry = session.scalars(select(Run).where(Run.retry_of_run_id == run_id)).one()
        assert (outcome.done, outcome.skipped) == ([run_id], [])
        assert (retry.state, retry.requested_by) == ("ready", bob.user_id)

    @pytest.mark.parametrize("act", [retry_runs, remove_runs])
    def test_a_foreign_run_is_unknown_and_nothing_is_changed(
        self, database: OpenDatabase, ada: Member, bob: Member, act
    ) -> None:
        own, foreign = failed_run(database, bob), failed_run(database, ada)

        with (
            pytest.raises(RunNotFound, match=str(foreign)),
            database.transaction(scope_of(bob)) as session,
        ):
            act(session, actor=bob.actor, run_ids=[own, foreign], now=NOW)

        with database.reading() as session:
            assert [load_run(session, each).dismissed_at for each in (own, foreign)] == [None, None]
            assert session.scalars(select(Run).where(Run.retry_of_run_id.is_not(None))).all() == []

    def test_a_platform_admin_acts_on_everybodys_and_each_organization_reads_of_it(
        self, database: OpenDatabase, ada: Member, bob: Member
    ) -> None:
        run_ids = [failed_run(database, ada), failed_run(database, bob)]

        with database.transaction(PLATFORM) as session:
            outcome = remove_runs(session, actor=ada.actor, run_ids=run_ids, now=NOW)

        with database.reading() as session:
            entries = session.execute(select(AuditEntry.organization_id, AuditEntry.actor_label)).all()
        assert outcome.done == run_ids
        assert set(entries) == {
            (ada.organization_id, "ada@example.com"),
            (bob.organization_id, "ada@example.com"),
        }

    def test_an_unknown_run_is_unknown_to_platform_admins_too(self, database: OpenDatabase, ada: Member) -> None:
        with database.transaction(PLATFORM) as session, pytest.raises(RunNotFound):
            retry_runs(session, actor=ada.actor, run_ids=[new_id()], now=NOW)

    def test_what_cannot_be_done_is_skipped_with_its_reason(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            running, waiting = make_running(session, job, now=NOW), make_run(session, job, now=NOW)

        with database.transaction(scope_of(bob)) as session:
            outcome = remove_runs(session, actor=bob.actor, run_ids=[running, waiting, waiting], now=NOW)

        assert outcome.done == [waiting]
        assert outcome.skipped == [(running, "This run is no longer waiting, so there is nothing to remove.")]

    def test_a_run_of_a_deleted_job_is_skipped(self, database: OpenDatabase, bob: Member) -> None:
        run_id = failed_run(database, bob)
        with database.transaction() as session:
            session.connection().exec_driver_sql("UPDATE jobs SET deleted_at = created_at")

        with database.transaction(scope_of(bob)) as session:
            outcome = retry_runs(session, actor=bob.actor, run_ids=[run_id], now=NOW)

        assert outcome.skipped == [(run_id, "“Nightly” was deleted, so there is nothing left to run.")]

    @pytest.mark.parametrize(
        "change",
        [{"role": Role.OPERATOR}, {"scopes": frozenset({Permission.VIEW})}],
        ids=["role", "token"],
    )
    def test_needs_the_right_to_manage_the_queue(self, database: OpenDatabase, bob: Member, change) -> None:
        run_id = failed_run(database, bob)
        actor = Actor(**({"organization_id": bob.organization_id, "role": Role.ADMIN, "label": "bob"} | change))

        with database.transaction(scope_of(bob)) as session, pytest.raises(PermissionMissing):
            retry_runs(session, actor=actor, run_ids=[run_id], now=NOW)
