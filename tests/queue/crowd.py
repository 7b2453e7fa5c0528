"""A line of ready runs of several organizations, and workers that are nothing but a list of hints."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update

from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.ops.capacity import live_slots
from app.queue.called import Called
from app.queue.dispatch import Dispatcher
from app.queue.hints import Hints
from app.queue.served import Served
from app.runs.claims import LeaseTerms, take
from app.runs.facts import AttemptEnd, Taking
from app.runs.ledger import succeed
from app.runs.models import Run, in_state
from app.runs.queue_models import ConnectionLimit, Queue
from app.runs.states import AttemptState, RunState
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

TERMS = LeaseTerms.for_lease(600)


class Pocket(Hints):
    """A broker that keeps hints in the order they came."""

    def __init__(self) -> None:
        self.sent: list[Called] = []

    def send(self, called: list[Called]) -> None:
        self.sent += called

    def lying(self, names: Collection[str]) -> dict[str, int]:
        numbers = Counter(one.queue for one in self.sent)
        return {name: numbers[name] for name in names}


class Crowd:
    """An installation under the hands of a test."""

    def __init__(self, database: OpenDatabase, clock: ManualClock, *, slots: int = 4) -> None:
        self.database = database
        self.clock = clock
        self.pocket = Pocket()
        self.dispatcher = self.another_dispatcher(slots)

    def another_dispatcher(self, slots: int, **more: Any) -> Dispatcher:
        return Dispatcher(self.database, self.clock, self.pocket, live_slots, own_slots=slots, **more)

    def organization(self, name: str = "Acme") -> UUID:
        with self.database.transaction() as session:
            return make_organization(session, name)

    def job(self, organization_id: UUID | None = None, *, kind: KindName = KindName.CODE, **columns: Any) -> UUID:
        owner = organization_id or self.organization()
        with self.database.transaction() as session:
            job = make_job(session, owner, kind=kind, name=f"Job {len(session.scalars(select(Job.id)).all())}")
            for name, value in columns.items():
                setattr(job, name, value)
            return job.id

    def ready(self, job_id: UUID, number: int = 1, **columns: Any) -> list[UUID]:
        """Ready runs, each a moment later than the one before."""
        with self.database.transaction() as session:
            job = session.get_one(Job, job_id)
            made = []
            for _ in range(number):
                made.append(make_run(session, job, now=self.clock.moment))
                self.clock.advance(seconds=0.001)
            if columns:
                session.execute(update(Run).where(Run.id.in_(made)).values(**columns))
            return made

    def ready_at_once(self, job_id: UUID, number: int) -> None:
        """Very many of them."""
        (first,) = self.ready(job_id)
        with self.database.transaction() as session:
            run = session.get_one(Run, first)
            values = {column.key: getattr(run, column.key) for column in Run.__table__.columns if column.key != "id"}
            session.execute(insert(Run), [values for _ in range(number - 1)])

    def limit_queue(self, name: str, **limits: Any) -> None:
        with self.database.transaction() as session:
            session.execute(update(Queue).where(Queue.name == name).values(**limits))

    def limit_connection(self, organization_id: UUID, key: str, **limits: Any) -> None:
        with self.database.transaction() as session:
            session.add(ConnectionLimit(organization_id=organization_id, connection_key=key, **limits))

    def dispatch(self) -> list[UUID]:
        """What one pass called."""
        before = len(self.pocket.sent)
        self.dispatcher.dispatch()
        return [one.run_id for one in self.pocket.sent[before:]]

    def begin(self, run_id: UUID, *, taking: Taking = Taking(is_called_alone=True)) -> bool:  # noqa: B008 - frozen
        """Claim a run as a worker does."""
        with self.database.transaction() as session:
            claim = take(
                session, run_id=run_id, worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(),
                now=self.clock.moment, taking=taking,
            )  # fmt: skip
            return claim is not None

    def take_hint(self) -> UUID:
        """Follow the oldest hint."""
        run_id = self.pocket.sent.pop(0).run_id
        assert self.begin(run_id)
        return run_id

    def end(self, run_id: UUID) -> None:
        with self.database.transaction() as session:
            token = session.get_one(Run, run_id).token
            end = AttemptEnd(AttemptState.SUCCEEDED)
            assert succeed(session, run_id=run_id, token=token, end=end, now=self.clock.moment)

    def count(self, *which: Any) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(Run).where(*which)) or 0

    @property
    def under_way(self) -> int:
        """Runs that go on or are called: what a limit counts."""
        return self.count(in_state(RunState.RUNNING)) + self.count(Run.hinted_at.is_not(None))


Make = Callable[..., Crowd]
SERVES_ALL = Served()
