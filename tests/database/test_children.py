"""A run that starts others and waits for them: without a worker meanwhile, and woken when the last one has ended."""

from collections.abc import Callable, Iterator
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.config import Settings
from app.core.scopes import ENGINE
from app.jobs.kinds.base import ChildCounts, Outcome, OutcomeStatus, RunContext, StopReason
from app.jobs.models import Job
from app.ops.capacity import live_slots
from app.queue.broker import make_huey
from app.queue.dispatch import Dispatcher
from app.queue.tasks import make_hints
from app.runs import interventions, ledger
from app.runs.children import RunLost, count_children, open_children
from app.runs.facts import AttemptEnd, Started
from app.runs.models import Run
from app.runs.retries import Next
from app.runs.states import AttemptState, Reason, RunState
from tests.database.workshop import Workshop
from tests.factories.work import LONG_AGO, make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.queue.crew import eventually

ENDED = AttemptEnd(AttemptState.FAILED, "It went wrong.")


class Group:
    """A family to be: functions of the code, and a job that starts them."""

    def __init__(self, database: OpenDatabase, clock: ManualClock, settings: Settings) -> None:
        self.database, self.clock = database, clock
        self.workshop = Workshop(database, clock)
        self.dispatcher = Dispatcher(
            database, clock, make_hints(make_huey(settings)), live_slots, own_slots=4, stays=True
        )
        with database.transaction() as session:
            self.organization_id = make_organization(session)
            self.parent_job = make_job(session, self.organization_id, name="All", group=None)
            self._defined(session, self.parent_job, "all")
            for name, group in (("feed", "feed"), ("match", "matching"), ("score", "matching")):
                self._defined(session, make_job(session, self.organization_id, name=name), name, group)

    @staticmethod
    def _defined(session: Any, job: Job, name: str, group: str | None = None) -> None:
        job.code_name, job.code_group = name, group
        session.flush()

    def running_parent(self) -> Started:
        with self.database.transaction() as session:
            run_id = make_run(session, self.parent_job, now=self.clock.moment)
        return self.workshop.claim(run_id).started

    def open(self, parent: Started, group: str | None = None) -> int:
        with self.database.transaction() as session:
            return open_children(session, parent=parent, group=group, kinds=self.workshop.kinds, now=self.clock.moment)

    def suspended_parent(self, group: str | None = None) -> UUID:
        parent = self.running_parent()
        self.open(parent, group)
        end = AttemptEnd(AttemptState.RELEASED)
        with self.database.transaction() as session:
            token = parent.token
            assert ledger.suspend(session, run_id=parent.run_id, token=token, end=end, now=self.clock.moment)
        return parent.run_id

    def children_of(self, parent_id: UUID) -> list[Run]:
        with self.database.reading() as session:
            query = select(Run).where(Run.parent_run_id == parent_id).order_by(Run.job_name)
            return list(session.scalars(query))

    def end_all(self, parent_id: UUID) -> None:
        for child in self.children_of(parent_id):
            self.workshop.executor.execute(child.id)

    def state_of(self, run_id: UUID) -> tuple[str, str | None]:
        return self.workshop.state_of(run_id)

    def is_woken(self, parent_id: UUID) -> bool:
        """Whether the parent is ready after a pass."""
        self.dispatcher.dispatch()
        return self.state_of(parent_id)[0] == "ready"


@pytest.fixture
def group(database: OpenDatabase, clock: ManualClock, settings: Settings) -> Iterator[Group]:
    found = Group(database, clock, settings)
    yield found
    found.dispatcher.close()


class GroupKind:
    """Starts everything, waits, and tells how it went, as the kind of a group does."""

    def __init__(self, family: Group) -> None:
        self._before = family.workshop.kind.run
        self.seen: list[ChildCounts | None] = []

    def __call__(self, definition: Any, context: RunContext) -> Outcome:
        if "group" not in definition:
            return self._before(definition, context)
        counts = context.children()
        self.seen.append(counts)
        if counts is None:
            context.start_children(definition["group"])
            return Outcome(OutcomeStatus.SUSPENDED)
        if counts.running:
            return Outcome(OutcomeStatus.SUSPENDED)
        return Outcome(OutcomeStatus.SUCCEEDED, result={"succeeded": counts.succeeded})


class TestAJobWithAMistake:
    @pytest.fixture
    def parent_id(self, group: Group) -> UUID:
        with group.database.transaction() as session:
            job = session.scalars(select(Job).where(Job.name == "match")).one()
            job.definition = {**job.definition, "mistake": "“match” has a mistake at jobs.py:3. Mend it."}
        return group.suspended_parent()

    def test_is_not_started_and_says_why(self, group: Group, parent_id: UUID) -> None:
        found = {run.job_name: run for run in group.children_of(parent_id)}

        assert (found["match"].state, found["match"].reason) == ("skipped", Reason.MISTAKE.value)
        assert (found["match"].error, found["match"].attempt) == ("“match” has a mistake at jobs.py:3. Mend it.", 0)
        assert (found["feed"].state, found["score"].state) == ("ready", "ready")

    def test_is_counted_and_keeps_nobody_waiting(self, group: Group, parent_id: UUID) -> None:
        group.end_all(parent_id)

        with group.database.reading() as session:
            counts = count_children(session, organization_id=group.organization_id, run_id=parent_id)

        assert group.is_woken(parent_id)
        assert counts == ChildCounts(3, 2, 0, 0, 0, skipped_names=("match",))


class TestStarting:
    def test_all_means_every_function_of_the_code_but_no_group(self, group: Group) -> None:
        parent = group.running_parent()

        opened = group.open(parent)

        children = group.children_of(parent.run_id)
        assert opened == 3
        assert [(child.job_name, child.trigger, child.state) for child in children] == [
            ("feed", "group", "ready"), ("match", "group", "ready"), ("score", "group", "ready"),
        ]  # fmt: skip

    def test_a_group_is_those_that_name_it(self, group: Group) -> None:
        parent = group.running_parent()

        group.open(parent, "matching")

        assert [child.job_name for child in group.children_of(parent.run_id)] == ["match", "score"]

    def test_what_left_the_code_or_was_deleted_or_is_somebody_elses_is_not_started(self, group: Group) -> None:
        with group.database.transaction() as session:
            for name, column in (("feed", "left_code_at"), ("match", "deleted_at")):
                job = session.scalars(select(Job).where(Job.name == name)).one()
                setattr(job, column, LONG_AGO)
            theirs = make_job(session, make_organization(session, "Other"), name="theirs")
            theirs.code_name = "theirs"
        parent = group.running_parent()

        group.open(parent)

        assert [child.job_name for child in group.children_of(parent.run_id)] == ["score"]

    def test_a_second_call_opens_none_and_says_how_many_there_are(self, group: Group) -> None:
        parent = group.running_parent()
        group.open(parent)

        again = group.open(parent)

        assert again == 3
        assert len(group.children_of(parent.run_id)) == 3

    def test_an_attempt_that_lost_the_run_starts_nothing(self, group: Group) -> None:
        parent = group.running_parent()
        group.clock.advance(minutes=1)
        group.workshop.reap()

        with pytest.raises(RunLost):
            group.open(parent)

        assert group.children_of(parent.run_id) == []


class TestWaiting:
    def test_the_parent_waits_without_a_worker_or_a_try_and_ends_with_the_counts(self, group: Group) -> None:
        kind = GroupKind(group)
        group.workshop.kind.run = kind  # type: ignore[method-assign]
        with group.database.transaction() as session:
            parent_id = make_run(session, group.parent_job, now=group.clock.moment)
        group.workshop.executor.execute(parent_id)
        waiting = group.state_of(parent_id)
        group.end_all(parent_id)
        group.dispatcher.dispatch()

        group.workshop.executor.execute(parent_id)

        assert waiting == ("waiting", "children")
        assert group.state_of(parent_id) == ("succeeded", None)
        assert kind.seen == [None, ChildCounts(3, 3, 0, 0, 0)]

    def test_the_wait_costs_no_try_and_holds_no_lease(self, group: Group) -> None:
        parent_id = group.suspended_parent()

        with group.database.reading() as session:
            parent = session.get_one(Run, parent_id)
        assert (parent.attempt, parent.lease_until, parent.finished_at) == (0, None, None)
        assert group.workshop.attempts_of(parent_id) == ["released"]

    def test_it_is_not_woken_before_the_last_one_has_ended(self, group: Group) -> None:
        parent_id = group.suspended_parent("matching")
        first, last = group.children_of(parent_id)
        group.workshop.executor.execute(first.id)
        early = group.is_woken(parent_id)

        group.workshop.executor.execute(last.id)

        assert not early
        assert group.is_woken(parent_id)

    def test_two_last_ones_that_end_at_the_same_moment_wake_it_once(self, group: Group) -> None:
        parent_id = group.suspended_parent("matching")
        together = Barrier(2)

        def end(run_id: UUID) -> None:
            together.wait()
            group.workshop.executor.execute(run_id)
            group.dispatcher.dispatch()

        threads = [Thread(target=end, args=(child.id,)) for child in group.children_of(parent_id)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        group.dispatcher.dispatch()

        assert group.state_of(parent_id) == ("ready", None)

    @pytest.mark.parametrize("end", ["failed", "cancelled", "lost", "given_up"])
    def test_however_the_last_one_ends_the_parent_goes_on(self, group: Group, end: str) -> None:
        parent_id = group.suspended_parent("feed")
        (child,) = group.children_of(parent_id)

        _end_badly(group, child.id)[end]()

        assert group.is_woken(parent_id)

    def test_one_that_is_to_be_tried_again_is_waited_for(self, group: Group) -> None:
        parent_id = group.suspended_parent("feed")
        (child,) = group.children_of(parent_id)
        _put_down(group, child.id, Next(RunState.WAITING_RETRY, Reason.ERROR, group.clock.moment))

        assert not group.is_woken(parent_id)

    def test_a_pass_that_is_skipped_is_made_a_moment_later(self, group: Group) -> None:
        parent_id = group.suspended_parent("feed")
        group.dispatcher.dispatch_in_time()
        group.end_all(parent_id)

        group.dispatcher.dispatch_in_time()

        assert eventually(lambda: group.state_of(parent_id)[0] == "ready")

    def test_a_worker_that_dies_between_start_and_wait_leaves_children_that_the_next_try_finds(
        self, group: Group
    ) -> None:
        kind = GroupKind(group)
        group.workshop.kind.run = kind  # type: ignore[method-assign]
        parent = group.running_parent()
        group.open(parent)
        group.clock.advance(minutes=1)
        group.workshop.reap()

        group.workshop.executor.execute(parent.run_id)

        assert kind.seen == [ChildCounts(3, 0, 0, 0, 3)]
        assert len(group.children_of(parent.run_id)) == 3
        assert group.state_of(parent.run_id) == ("waiting", "children")


class TestCancelling:
    def test_with_the_parent_those_end_that_wait_and_those_are_asked_that_run(self, group: Group) -> None:
        parent_id = group.suspended_parent("matching")
        running, waiting = group.children_of(parent_id)
        group.workshop.claim(running.id)

        _cancel(group, parent_id)

        assert group.state_of(parent_id) == ("cancelled", "removed")
        assert group.state_of(waiting.id) == ("cancelled", "with_parent")
        assert _asked(group, running.id) == ("with_parent", "The run that started it was cancelled.")

    def test_one_that_was_asked_to_stop_before_it_waits_is_cancelled_then(self, group: Group) -> None:
        parent = group.running_parent()
        group.open(parent, "feed")
        with group.database.transaction() as session:
            interventions.request_cancel(
                session, run_id=parent.run_id, organization_id=parent.organization_id, reason=Reason.CANCELLED,
                words="Ana cancelled it.", now=group.clock.moment,
            )  # fmt: skip

        with group.database.transaction() as session:
            end = AttemptEnd(AttemptState.RELEASED)
            ledger.suspend(session, run_id=parent.run_id, token=parent.token, end=end, now=group.clock.moment)

        assert group.state_of(parent.run_id) == ("cancelled", "cancelled")
        assert [child.state for child in group.children_of(parent.run_id)] == ["cancelled"]

    def test_a_try_that_ends_as_cancelled_takes_its_children_along(self, group: Group) -> None:
        parent = group.running_parent()
        group.open(parent, "feed")

        _put_down(group, parent.run_id, Next(RunState.CANCELLED, Reason.CANCELLED), token=parent.token)

        assert [child.state for child in group.children_of(parent.run_id)] == ["cancelled"]

    def test_a_cancelled_parent_is_not_woken(self, group: Group) -> None:
        parent_id = group.suspended_parent("feed")
        _cancel(group, parent_id)

        assert not group.is_woken(parent_id)


def test_a_live_attempt_reaches_its_children(group: Group) -> None:
    with group.database.transaction() as session:
        parent_id = make_run(session, group.parent_job, now=group.clock.moment)
    attempt = group.workshop.attempt(parent_id, is_stopping=lambda: False)

    before = attempt.children()
    opened = attempt.start_children("matching")

    assert (before, opened) == (None, 2)
    assert attempt.children() == ChildCounts(2, 0, 0, 0, 2)
    assert attempt.stop_reason() is not StopReason.LEASE_LOST


def _end_badly(group: Group, run_id: UUID) -> dict[str, Callable[[], object]]:
    def lose() -> None:
        with group.database.transaction() as session:
            session.get_one(Run, run_id).when_lost = "fail"
        group.workshop.claim(run_id)
        group.clock.advance(minutes=1)
        group.workshop.reap()

    def give_up() -> None:
        with group.database.transaction(ENGINE) as session:
            interventions.give_up(session, run_id=run_id, explanation="It cannot be read.", now=group.clock.moment)

    return {
        "failed": lambda: _put_down(group, run_id, Next(RunState.FAILED, Reason.ERROR)),
        "cancelled": lambda: _cancel(group, run_id),
        "lost": lose,
        "given_up": give_up,
    }


def _put_down(group: Group, run_id: UUID, then: Next, *, token: int | None = None) -> None:
    held = token or group.workshop.claim(run_id).started.token
    with group.database.transaction() as session:
        assert ledger.put_down(session, run_id=run_id, token=held, end=ENDED, then=then, now=group.clock.moment)


def _cancel(group: Group, run_id: UUID) -> None:
    with group.database.transaction() as session:
        assert interventions.cancel(
            session, run_id=run_id, organization_id=group.organization_id, reason=Reason.REMOVED,
            explanation="Ana removed it.", now=group.clock.moment,
        )  # fmt: skip


def _asked(group: Group, run_id: UUID) -> tuple[str | None, str | None]:
    with group.database.reading() as session:
        run = session.get_one(Run, run_id)
        return run.cancel_reason, run.cancel_words
