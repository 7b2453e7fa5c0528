"""Runs that are stuck: by which evidence, and what removing one does and does not do."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.deadline import Deadline
from app.core.scopes import ENGINE, PLATFORM, Scope
from app.ops.heartbeats import ProcessFacts, beat
from app.ops.stuck_runs import (
    RunNotStuck,
    StuckEvidence,
    read_evidence,
    remove_stuck_run,
    remove_stuck_runs,
)
from app.runs import claims, interventions, ledger, reaper
from app.runs.facts import AttemptEnd
from app.runs.models import Attempt, Run
from app.runs.queries import RunNotFound
from app.runs.queue_filter import QueueFilter, QueueTab
from app.runs.queue_lists import list_queue_tab
from app.runs.retries import Next
from app.runs.service import RunNotRetryable
from app.runs.states import AttemptState, Reason, RunState
from app.runs.stuck_reads import JobLength
from app.runs.taking_away import RunMovedOn, take_run_away
from app.tenants.access import PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.factories.outcomes import make_running, make_succeeded
from tests.factories.tenants import Member, make_member
from tests.factories.work import load_run, make_job, make_run
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
WORKER = "worker-1:42"


@pytest.fixture
def bob(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session, role=Role.ADMIN, email="bob@example.com")


def report(database: OpenDatabase, at: datetime) -> None:
    """The worker that holds all runs of these tests says that it lives."""
    facts = ProcessFacts(UUID(int=42), WORKER, "1.2.3", slots=5, schedules=False)
    with database.transaction() as session:
        beat(session, facts, now=at, ticked_at=None, tick_ms=None)


def running(database: OpenDatabase, member: Member, *, since: datetime, good: int = 0) -> UUID:
    """A run in that worker's hands, of a job whose runs took three seconds so often before."""
    with database.transaction() as session:
        job = make_job(session, member.organization_id, name=f"Orders {since}")
        for number in range(good):
            make_succeeded(session, job, now=since - timedelta(hours=1 + number))
        return make_running(session, job, now=since)


def evidence_of(database: OpenDatabase, member: Member, run_id: UUID, now: datetime = NOW) -> StuckEvidence:
    with database.reading(Scope.tenant(member.organization_id)) as session:
        return read_evidence(session, organization_id=member.organization_id, now=now, run_ids=[run_id])[run_id]


def remove(
    database: OpenDatabase, member: Member, run_id: UUID, *, is_retried: bool = False, now: datetime = NOW
) -> Any:
    with database.transaction(Scope.tenant(member.organization_id, member.user_id)) as session:
        return remove_stuck_run(session, actor=member.actor, run_id=run_id, is_retried=is_retried, now=now)


class TestEvidence:
    @pytest.mark.parametrize(
        ("silent_seconds", "ran_minutes", "good", "is_stuck"),
        [
            (20, 2, 5, False),  # all is well
            (91, 2, 5, True),  # the worker is silent
            (20, 9, 5, False),  # longer than ever, but not by what anybody would mind
            (20, 11, 5, True),
            (20, 600, 2, False),  # however long, nobody knows how long it takes
        ],
    )
    def test_is_a_silent_worker_or_a_length_beyond_all_others(
        self, database: OpenDatabase, bob: Member, silent_seconds: int, ran_minutes: int, good: int, is_stuck: bool
    ) -> None:
        report(database, NOW - timedelta(seconds=silent_seconds))
        run_id = running(database, bob, since=NOW - timedelta(minutes=ran_minutes), good=good)

        assert evidence_of(database, bob, run_id).is_stuck is is_stuck

    def test_takes_lengths_by_the_nearest_rank(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            for seconds in range(1, 21):
                run = load_run(session, make_succeeded(session, job, now=NOW - timedelta(hours=seconds)))
                assert run.started_at is not None
                run.finished_at = run.started_at + timedelta(seconds=seconds)

            run_id = make_running(session, job, now=NOW)

        found = evidence_of(database, bob, run_id).length

        assert found == JobLength(typical=timedelta(seconds=10), p95=timedelta(seconds=19))

    def test_is_told_in_words(self, database: OpenDatabase, bob: Member) -> None:
        report(database, NOW - timedelta(hours=2, minutes=58))
        run_id = running(database, bob, since=NOW - timedelta(hours=3, minutes=12), good=3)

        found = evidence_of(database, bob, run_id)

        assert found.words == (
            "It has run 3 h 12 min (typical 3.0 s). Worker worker-1:42 last reported 2 h 58 min ago."
        )
        assert found.caution == ("Removing frees the slot; it does not stop code that may still run on worker-1:42.")

    def test_of_a_worker_that_nobody_knows_is_its_silence_since_it_took_the_run(
        self, database: OpenDatabase, bob: Member
    ) -> None:
        fresh = running(database, bob, since=NOW - timedelta(seconds=60))
        old = running(database, bob, since=NOW - timedelta(seconds=120))

        assert [evidence_of(database, bob, each).is_stuck for each in (fresh, old)] == [False, True]
        assert "has not reported within 1 d" in evidence_of(database, bob, old).words
        assert "has not reported yet" in evidence_of(database, bob, fresh).words

    def test_is_of_ones_own_runs_or_of_everybodys(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            eve = make_member(session, email="eve@example.com")
        own, foreign = (running(database, each, since=NOW - timedelta(hours=1)) for each in (bob, eve))

        with database.reading(Scope.tenant(bob.organization_id)) as session:
            assert set(read_evidence(session, organization_id=bob.organization_id, now=NOW)) == {own}
        with database.reading(PLATFORM) as session:
            assert set(read_evidence(session, organization_id=None, now=NOW)) == {own, foreign}


class TestRemoving:
    @pytest.fixture
    def stuck(self, database: OpenDatabase, bob: Member) -> UUID:
        report(database, NOW - timedelta(minutes=3))
        return running(database, bob, since=NOW - timedelta(minutes=5))

    def test_ends_the_run_and_its_try_and_writes_the_evidence_into_the_audit(
        self, database: OpenDatabase, bob: Member, stuck: UUID
    ) -> None:
        remove(database, bob, stuck)

        with database.reading() as session:
            run, entry = load_run(session, stuck), session.scalars(select(AuditEntry)).one()
            attempt = session.scalars(select(Attempt).where(Attempt.run_id == stuck)).one()
        assert (run.state, run.reason, run.finished_at, run.removed_at) == ("cancelled", "removed", NOW, NOW)
        assert (run.lease_until, attempt.state, attempt.finished_at) == (None, "lost", NOW)
        assert (entry.action, entry.actor_label, entry.subject_id) == ("run.removed", "bob@example.com", stuck)
        assert "It has run 5 min" in entry.summary

    def test_shows_it_among_the_removed(self, database: OpenDatabase, bob: Member, stuck: UUID) -> None:
        remove(database, bob, stuck)

        with database.reading(Scope.tenant(bob.organization_id)) as session:
            found = list_queue_tab(
                session,
                organization_id=bob.organization_id,
                wanted=QueueFilter(QueueTab.REMOVED),
                now=NOW,
                limit=9,
            )
        assert [row.id for row in found.rows] == [stuck]

    def test_lets_the_worker_write_nothing_more_and_keep_nothing(
        self, database: OpenDatabase, bob: Member, stuck: UUID
    ) -> None:
        remove(database, bob, stuck)

        with database.transaction() as session:
            end = AttemptEnd(AttemptState.SUCCEEDED, result={"rows": 1})
            wrote = ledger.succeed(session, run_id=stuck, token=1, end=end, now=NOW)
            failed = ledger.put_down(
                session, run_id=stuck, token=1, end=AttemptEnd(AttemptState.FAILED, "x"),
                then=Next(RunState.FAILED, Reason.ERROR), now=NOW,
            )  # fmt: skip
            keeps = ledger.extend_lease(session, run_id=stuck, token=1, lease_until=NOW + timedelta(minutes=1))
            attempt = session.scalars(select(Attempt).where(Attempt.run_id == stuck)).one()
            assert (wrote, failed, keeps) == (False, False, False)
            assert (attempt.result, load_run(session, stuck).state) == ({}, "cancelled")

    def test_is_no_matter_of_the_sweep_any_more(self, database: OpenDatabase, bob: Member, stuck: UUID) -> None:
        remove(database, bob, stuck)

        with database.transaction(ENGINE) as session:
            assert reaper.reap(session, kinds={}, now=NOW + timedelta(hours=1)) == 0

    def test_refuses_what_does_not_look_stuck(self, database: OpenDatabase, bob: Member) -> None:
        report(database, NOW)
        run_id = running(database, bob, since=NOW - timedelta(minutes=5))

        with pytest.raises(RunNotStuck, match="does not look stuck"):
            remove(database, bob, run_id)

    def test_refuses_what_does_not_run(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, bob.organization_id), now=NOW)

        with pytest.raises(RunNotStuck, match="not running"):
            remove(database, bob, run_id)

    def test_refuses_another_try_than_was_looked_at(self, database: OpenDatabase, bob: Member, stuck: UUID) -> None:
        with (
            pytest.raises(RunMovedOn),
            database.transaction(Scope.tenant(bob.organization_id, bob.user_id)) as session,
        ):
            take_run_away(session, actor=bob.actor, run_id=stuck, token=7, evidence="", is_retried=False, now=NOW)

    def test_needs_an_admin(self, database: OpenDatabase, bob: Member, stuck: UUID) -> None:
        with database.transaction() as session:
            otto = make_member(
                session, role=Role.OPERATOR, organization_id=bob.organization_id, email="otto@example.com"
            )

        with pytest.raises(PermissionMissing):
            remove(database, otto, stuck)

    def test_is_nothing_for_strangers(self, database: OpenDatabase, bob: Member, stuck: UUID) -> None:
        with database.transaction() as session:
            eve = make_member(session, email="eve@example.com")

        with pytest.raises(RunNotStuck):
            remove(database, eve, stuck)
        with database.transaction(Scope.tenant(eve.organization_id)) as session, pytest.raises(RunNotFound):
            remove_stuck_runs(session, actor=eve.actor, run_ids=[stuck], is_retried=False, now=NOW)

    def test_a_platform_admin_removes_everybodys(self, database: OpenDatabase, bob: Member, stuck: UUID) -> None:
        with database.transaction() as session:
            ada = make_member(session, email="ada@example.com", is_platform_admin=True)

        with database.transaction(PLATFORM) as session:
            outcome, _ = remove_stuck_runs(session, actor=ada.actor, run_ids=[stuck], is_retried=True, now=NOW)

        with database.reading() as session:
            entry = session.scalars(select(AuditEntry)).one()
        assert (outcome.done, entry.organization_id) == ([stuck], bob.organization_id)


class TestRemovingAndRetrying:
    def test_starts_again_when_the_lease_is_over_and_not_before(self, database: OpenDatabase, bob: Member) -> None:
        """The worker may only have lost touch with the database: until its lease ends it need not have stopped."""
        run_id = running(database, bob, since=NOW - timedelta(minutes=5))
        lease_until = NOW + timedelta(seconds=45)
        with database.transaction() as session:
            assert ledger.extend_lease(session, run_id=run_id, token=1, lease_until=lease_until)

        taken = remove(database, bob, run_id, is_retried=True)

        def begin(at: datetime) -> object:
            with database.transaction(ENGINE) as session:
                return claims.take(
                    session, run_id=taken.retry_id, worker="worker-2:7", terms=claims.LeaseTerms.for_lease(60),
                    safe_until=Deadline.after(50), now=at,
                )  # fmt: skip

        assert taken.starts_at == lease_until
        assert begin(lease_until - timedelta(seconds=1)) is None
        assert begin(lease_until) is not None

    def test_starts_at_once_where_the_lease_is_over(self, database: OpenDatabase, bob: Member) -> None:
        run_id = running(database, bob, since=NOW - timedelta(minutes=5))

        taken = remove(database, bob, run_id, is_retried=True)

        with database.reading() as session:
            retry = load_run(session, taken.retry_id)
        assert (retry.state, retry.ready_at, retry.retry_of_run_id) == ("ready", NOW, run_id)
        assert (retry.trigger, retry.requested_by) == ("retry", bob.user_id)

    def test_changes_nothing_where_its_job_is_gone(self, database: OpenDatabase, bob: Member) -> None:
        run_id = running(database, bob, since=NOW - timedelta(minutes=5))
        with database.transaction() as session:
            session.connection().exec_driver_sql("UPDATE jobs SET deleted_at = created_at")

        with pytest.raises(RunNotRetryable):
            remove(database, bob, run_id, is_retried=True)

        with database.reading() as session:
            assert load_run(session, run_id).state == "running"

    def test_of_two_one_comes_too_late(self, database: OpenDatabase, bob: Member) -> None:
        run_id = running(database, bob, since=NOW - timedelta(minutes=5))
        remove(database, bob, run_id, is_retried=True)

        with pytest.raises(RunNotStuck):
            remove(database, bob, run_id, is_retried=True)

        with database.reading() as session:
            assert len(session.scalars(select(Run).where(Run.retry_of_run_id == run_id)).all()) == 1

    def test_cancels_what_the_run_had_started(self, database: OpenDatabase, bob: Member) -> None:
        run_id = running(database, bob, since=NOW - timedelta(minutes=5))
        with database.transaction() as session:
            child = make_run(session, make_job(session, bob.organization_id), now=NOW, parent_run_id=run_id)

        remove(database, bob, run_id)

        with database.reading() as session:
            assert load_run(session, child).state == "cancelled"


def test_taking_away_is_refused_to_other_organizations(database: OpenDatabase, bob: Member) -> None:
    run_id = running(database, bob, since=NOW)
    with database.transaction() as session:
        other = make_member(session, email="eve@example.com").organization_id
        found = interventions.take_away(
            session, run_id=run_id, organization_id=other, token=1, explanation="x", now=NOW
        )

    assert found is None
