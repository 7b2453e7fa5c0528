"""A job that starts another one: what may be chained, and what is opened when a run has ended."""

from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.core.scopes import ENGINE, Scope
from app.events.models import Event
from app.jobs import chains
from app.jobs.chains import ChainDraft, ChainExists, ChainInvalid, ChainNotFound
from app.jobs.given_arguments import ParametersForPlatform
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.kinds.definitions import chosen_arguments
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.models import Job, JobChain
from app.jobs.policies import Backoff, ChainOutcome, RetryPolicy
from app.jobs.queries import JobNotFound
from app.runs import ledger, service
from app.runs.chains import follow
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import AttemptState
from app.tenants.access import PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.database.workshop import Workshop
from tests.factories.work import actor_in, make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.kind import scripted_kinds
from tests.fakes.vault import SEALER

ONE_TRY = RetryPolicy(1, 0, Backoff.FIXED)
SUCCESS, FAILURE = ChainOutcome


class Works:
    """An organization with jobs A to D."""

    def __init__(self, database: OpenDatabase, clock: ManualClock) -> None:
        self.database, self.clock = database, clock
        self.workshop = Workshop(database, clock)
        self.kinds: JobKinds = scripted_kinds()
        with database.transaction() as session:
            self.organization_id = make_organization(session)
            self.jobs = {name: make_job(session, self.organization_id, name=name, retry=ONE_TRY).id for name in "ABCD"}
        self.actor = actor_in(self.organization_id)

    def chain(self, job: str, then: str, outcome: ChainOutcome = SUCCESS, **parameters: Any) -> UUID:
        draft = ChainDraft(self.jobs[job], outcome, self.jobs[then], parameters)
        return self.add(draft)

    def add(self, draft: ChainDraft) -> UUID:
        now = self.clock.moment
        return self.database.run(
            Scope.tenant(self.organization_id),
            lambda session: chains.add_chain(session, actor=self.actor, kinds=self.kinds, draft=draft, now=now),
        )

    def change(self, job: str, **columns: Any) -> None:
        with self.database.transaction() as session:
            found = session.get_one(Job, self.jobs[job])
            for column, value in columns.items():
                setattr(found, column, value)

    def run(self, job: str) -> UUID:
        """One run of a job, executed."""
        run_id = self.ready(job)
        self.workshop.executor.execute(run_id)
        return run_id

    def ready(self, job: str) -> UUID:
        with self.database.transaction() as session:
            return make_run(session, session.get_one(Job, self.jobs[job]), now=self.clock.moment)

    def started_by(self, run_id: UUID) -> list[Run]:
        with self.database.reading() as session:
            return list(session.scalars(select(Run).where(Run.cause_run_id == run_id).order_by(Run.id)))

    def names_started_by(self, run_id: UUID) -> list[str]:
        return [run.job_name for run in self.started_by(run_id)]

    def audit(self) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(AuditEntry.summary).order_by(AuditEntry.id)))


@pytest.fixture
def works(database: OpenDatabase, clock: ManualClock) -> Works:
    return Works(database, clock)


class TestAdding:
    def test_it_is_listed_at_both_ends_and_written_down(self, works: Works) -> None:
        works.chain("A", "B", rows=3)

        with works.database.reading() as session:
            here = chains.list_chains(session, organization_id=works.organization_id, job_id=works.jobs["A"])
            there = chains.list_chains_onto(session, organization_id=works.organization_id, job_id=works.jobs["B"])
        assert [(row.words, row.parameters) for row in here] == [("“A” → “B” on success", {"rows": 3})]
        assert here == there
        assert works.audit() == ["Let “A” start “B” on success"]

    def test_a_circle_is_refused_in_words_that_name_the_way(self, works: Works) -> None:
        works.chain("A", "B")
        works.chain("B", "C", FAILURE)

        with pytest.raises(ChainInvalid, match="C → A → B → C would start itself for ever") as refused:
            works.chain("C", "A", FAILURE)

        assert refused.value.field == "then_job_id"

    def test_a_job_cannot_start_itself(self, works: Works) -> None:
        with pytest.raises(ChainInvalid, match="A → A would start itself for ever"):
            works.chain("A", "A", FAILURE)

    def test_a_group_is_started_by_no_chain_because_its_jobs_could_start_it_again(self, works: Works) -> None:
        with works.database.transaction() as session:
            group = make_job(session, works.organization_id, name="All of them", group=None)
            works.jobs["All of them"] = group.id

        with pytest.raises(
            ChainInvalid, match="“All of them” starts other jobs, which could start it again"
        ) as refused:
            works.chain("A", "All of them")

        assert refused.value.field == "then_job_id"
        assert works.chain("All of them", "A") is not None

    def test_the_two_halves_of_a_circle_at_the_same_moment_do_not_slip_through(self, works: Works) -> None:
        together, refused = Barrier(2), []

        def add(job: str, then: str) -> None:
            together.wait()
            try:
                works.chain(job, then)
            except ChainInvalid as error:
                refused.append(error.message)

        threads = [Thread(target=add, args=pair) for pair in ("AB", "BA")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(refused) == 1
        with works.database.reading() as session:
            assert session.scalar(select(func.count()).select_from(JobChain)) == 1

    def test_the_same_one_again_is_refused_but_after_the_other_end_it_is_not(self, works: Works) -> None:
        works.chain("A", "B")
        works.chain("A", "B", FAILURE)

        with pytest.raises(ChainExists, match="A” starts “B” on success already"):
            works.chain("A", "B")

    def test_more_runs_than_anybody_can_mean_are_refused(self, works: Works, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chains, "MOST_STARTS", 3)
        for job, then in ("AB", "AC", "BD"):
            works.chain(job, then)

        with pytest.raises(ChainInvalid, match="could then start 4 others"):
            works.chain("C", "D")

    @pytest.mark.parametrize("whose", ["deleted", "somebody else's"])
    def test_onto_a_job_that_is_deleted_or_somebody_elses_it_is_refused(self, works: Works, whose: str) -> None:
        works.change("B", deleted_at=works.clock.moment)
        with works.database.transaction() as session:
            theirs = make_job(session, make_organization(session, "Other")).id
        onto = works.jobs["B"] if whose == "deleted" else theirs

        with pytest.raises(JobNotFound):
            works.add(ChainDraft(works.jobs["A"], SUCCESS, onto))

    def test_parameters_that_do_not_fit_are_refused_at_their_field(self, works: Works) -> None:
        with pytest.raises(ChainInvalid, match=r"“B” cannot take these parameters\. Rows has") as refused:
            works.chain("A", "B", rows="three")

        assert refused.value.field == "parameters"

    def test_a_kind_without_parameters_says_so(self, works: Works) -> None:
        works.kinds = {**works.kinds, KindName.SYNC: SyncKind(SEALER, {})}
        works.change("B", kind="sync", service="meta", definition={"service": "meta"})

        with pytest.raises(ChainInvalid, match="A sync takes no parameters"):
            works.chain("A", "B", rows=3)

    def test_parameters_of_what_concerns_the_installation_are_for_platform_admins(self, works: Works) -> None:
        works.change("B", definition={"ends": "succeeded", "is_for_platform": True})

        with pytest.raises(ParametersForPlatform):
            works.chain("A", "B", rows=3)

        works.chain("A", "B")

    def test_whoever_may_not_change_jobs_may_not_chain_them(self, works: Works) -> None:
        works.actor = actor_in(works.organization_id, Role.OPERATOR)

        with pytest.raises(PermissionMissing):
            works.chain("A", "B")


class TestRemoving:
    def test_what_is_removed_is_followed_no_more_and_written_down(self, works: Works) -> None:
        chain_id = works.chain("A", "B")
        _remove(works, "A", chain_id)

        run_id = works.run("A")

        assert works.started_by(run_id) == []
        assert works.audit()[-1] == "Removed the chain “A” → “B” on success"

    def test_one_of_another_job_is_not_found(self, works: Works) -> None:
        chain_id = works.chain("A", "B")

        with pytest.raises(ChainNotFound):
            _remove(works, "C", chain_id)

    def test_a_deleted_job_takes_its_chains_along_and_the_audit_says_which(self, works: Works) -> None:
        works.chain("A", "B")
        works.chain("B", "C", FAILURE)
        works.chain("A", "D")

        with works.database.transaction() as session:
            service.delete_job(session, actor=works.actor, job_id=works.jobs["B"], now=works.clock.moment)

        assert sorted(works.audit()[-3:]) == [
            "Deleted job “B”",
            "Removed the chain “A” → “B” on success, because “B” was deleted",
            "Removed the chain “B” → “C” on failure, because “B” was deleted",
        ]
        assert works.names_started_by(works.run("A")) == ["D"]


class TestFollowing:
    def test_success_starts_what_follows_with_its_parameters(self, works: Works) -> None:
        works.change("B", definition={"ends": "succeeded", "arguments": {"rows": 1, "pages": 2}})
        works.chain("A", "B", rows=3)
        works.chain("A", "C", FAILURE)

        run_id = works.run("A")

        (following,) = works.started_by(run_id)
        assert (following.job_name, following.trigger, following.state) == ("B", "chain", "ready")
        assert following.definition["arguments"] == {"rows": 3, "pages": 2}
        assert chosen_arguments(following.definition) == {"rows": 3}

    def test_also_when_the_run_wrote_lines(self, works: Works) -> None:
        works.change("A", definition={"ends": "succeeded", "lines": ["Here I am."]})
        works.chain("A", "B")

        assert works.names_started_by(works.run("A")) == ["B"]

    def test_a_chain_that_was_made_while_it_ran_counts(self, works: Works) -> None:
        works.workshop.kind.before_end = lambda: works.chain("A", "B")

        assert works.names_started_by(works.run("A")) == ["B"]

    def test_each_run_that_follows_starts_the_next_one(self, works: Works) -> None:
        works.chain("A", "B")
        works.chain("B", "C")
        (second,) = works.started_by(works.run("A"))

        works.workshop.executor.execute(second.id)

        assert works.names_started_by(second.id) == ["C"]

    def test_failure_means_after_the_last_try(self, works: Works) -> None:
        works.change("A", tries=2, retry_delay_seconds=5, definition={"ends": "failed"})
        works.chain("A", "B", FAILURE)
        run_id = works.run("A")
        after_first = works.started_by(run_id)
        works.clock.advance(seconds=5)
        with works.database.transaction() as session:
            ledger.make_ready(session, run_ids=[run_id], now=works.clock.moment)

        works.workshop.executor.execute(run_id)

        assert after_first == []
        assert works.names_started_by(run_id) == ["B"]

    def test_a_lost_run_failed(self, works: Works) -> None:
        works.chain("A", "B", FAILURE)
        run_id = works.ready("A")
        works.workshop.claim(run_id)
        works.clock.advance(minutes=1)

        works.workshop.reap()

        assert works.workshop.state_of(run_id) == ("failed", "lost")
        assert works.names_started_by(run_id) == ["B"]

    @pytest.mark.parametrize("when", ["claimed", "lost"])
    def test_a_run_that_cannot_be_read_failed(self, works: Works, when: str) -> None:
        works.chain("A", "B", FAILURE)
        run_id = works.ready("A")
        if when == "lost":
            works.workshop.claim(run_id)
            works.clock.advance(minutes=1)
        with works.database.transaction() as session:
            session.execute(text("UPDATE runs SET when_lost = 'never'"))

        works.workshop.executor.execute(run_id) if when == "claimed" else works.workshop.reap()

        assert works.workshop.state_of(run_id) == ("failed", "unreadable")
        assert works.names_started_by(run_id) == ["B"]

    def test_a_cancelled_run_starts_nothing(self, works: Works) -> None:
        works.chain("A", "B")
        works.chain("A", "B", FAILURE)
        run_id = works.ready("A")

        with works.database.transaction() as session:
            service.remove_run(session, actor=works.actor, run_id=run_id, now=works.clock.moment)
            follow(session, run_id=run_id, now=works.clock.moment)

        assert works.started_by(run_id) == []

    def test_asked_twice_it_starts_once(self, works: Works) -> None:
        works.chain("A", "B")
        run_id = works.run("A")

        with works.database.transaction(ENGINE) as session:
            follow(session, run_id=run_id, now=works.clock.moment)

        assert works.names_started_by(run_id) == ["B"]

    def test_a_worker_that_lost_the_run_starts_nothing(self, works: Works) -> None:
        works.chain("A", "B")
        run_id = works.ready("A")

        def take_away() -> None:
            works.workshop.kind.before_end = lambda: None
            works.clock.advance(minutes=1)
            works.workshop.reap()

        works.workshop.kind.before_end = take_away
        works.workshop.executor.execute(run_id)

        assert works.started_by(run_id) == []

    def test_the_run_that_follows_is_not_there_when_the_end_is_not(self, works: Works) -> None:
        works.chain("A", "B")
        run_id = works.ready("A")
        held = works.workshop.claim(run_id).started

        with works.database.session() as session:
            end = AttemptEnd(AttemptState.SUCCEEDED)
            ledger.succeed(session, run_id=run_id, token=held.token, end=end, now=works.clock.moment)
            follow(session, run_id=run_id, now=works.clock.moment)
            session.rollback()

        assert works.started_by(run_id) == []

    def test_a_sync_without_a_connection_is_skipped_and_says_so(self, works: Works) -> None:
        works.change("B", kind="sync", service="meta", definition={"service": "meta"})
        works.chain("A", "B")

        (following,) = works.started_by(works.run("A"))

        assert (following.state, following.reason) == ("skipped", "needs_connection")

    def test_a_job_that_left_the_code_is_skipped_and_says_so(self, works: Works) -> None:
        works.chain("A", "B")
        works.change("B", left_code_at=works.clock.moment)

        (run,) = works.started_by(works.run("A"))

        assert (run.state, run.reason, run.attempt) == ("skipped", "left_code", 0)
        assert run.error == (
            "“B” is no longer in the code, since 2027-01-05 12:00 UTC, so it is not started. "
            "Put it back there, or remove the chain."
        )
        assert "“B” is no longer in the code" in str(_listed(works)[0].problem)

    def test_a_group_that_it_leads_to_from_earlier_is_skipped_and_says_so(self, works: Works) -> None:
        works.chain("A", "B")
        works.change("B", definition={"group": None}, kind="code")

        (run,) = works.started_by(works.run("A"))

        assert (run.state, run.reason) == ("skipped", "endless")
        assert "“B” starts other jobs, which could start it again for ever" in str(run.error)
        assert _listed(works)[0].problem == run.error

    def test_of_a_job_that_left_the_code_says_so_and_another_one_is_refused(self, works: Works) -> None:
        works.chain("A", "B")
        works.change("A", left_code_at=works.clock.moment, code_source="jobs.py:3")

        with pytest.raises(ChainInvalid, match="“A” is no longer defined in code"):
            works.chain("A", "C")

        assert "“A” is no longer in the code" in str(_listed(works)[0].problem)

    def test_a_job_that_cannot_be_read_does_not_keep_the_run_before_it_from_ending(self, works: Works) -> None:
        works.chain("A", "B")
        works.chain("A", "C")
        works.change("B", retry_backoff="sideways")

        run_id = works.run("A")

        assert works.workshop.state_of(run_id) == ("succeeded", None)
        assert works.names_started_by(run_id) == ["C"]
        assert _events(works, "run.chain_failed") == [run_id]


def _listed(works: Works) -> list[chains.ChainRow]:
    with works.database.reading() as session:
        return chains.list_chains(session, organization_id=works.organization_id, job_id=works.jobs["A"])


def _remove(works: Works, job: str, chain_id: UUID) -> None:
    with works.database.transaction(Scope.tenant(works.organization_id)) as session:
        chains.remove_chain(
            session, actor=works.actor, job_id=works.jobs[job], chain_id=chain_id, now=works.clock.moment
        )


def _events(works: Works, kind: str) -> list[UUID | None]:
    with works.database.reading() as session:
        return list(session.scalars(select(Event.subject_id).where(Event.kind == kind)))
