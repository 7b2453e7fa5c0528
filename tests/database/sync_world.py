"""An organization with connected accounts at the fake of Meta, and a worker that syncs them, one attempt at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from app.core.db import Base, Database
from app.core.http import OutboundClient
from app.core.scopes import ENGINE, Scope
from app.jobs.kinds.base import KindName, Outcome, RunContext
from app.jobs.kinds.sync.definition import Sources
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.kinds.sync.watch import RunWatch
from app.jobs.models import Job
from app.jobs.service import SYNC_RETRY
from app.jobs.services import Service
from app.runs import reaper
from app.runs.attempts import LiveAttempt
from app.runs.claims import LeaseTerms
from app.runs.executor import Executor
from app.runs.keeper import Keeper
from app.runs.ledger import make_ready
from app.runs.models import Attempt, LogLine, Run
from app.syncs.calls.client import Watch
from app.syncs.logins import TOKEN as TOKEN_FIELD
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.source import MetaSource
from app.syncs.models import Connection, FigureChange, LandedEntity, LandedFigure, Landing
from app.vault.service import SecretOwner, seal
from tests.factories.figures import make_connection
from tests.factories.work import make_job, make_organization, make_run, make_schedule
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import EU, TOKEN
from tests.fakes.providers.world import World
from tests.fakes.vault import SEALER

TERMS = LeaseTerms.for_lease(30)
# More than any sequence of faults of a test asks for.
MOST_ATTEMPTS = 60


@dataclass(frozen=True)
class WorldClock:
    """The database's clock, which is the fakes' own."""

    world: World

    @property
    def moment(self) -> datetime:
        return self.world.now

    def now(self, session: Session) -> datetime:
        return self.world.now


@dataclass(frozen=True)
class WorldWatch(RunWatch):
    """The attempt as a reader sees it; its waits move the clock instead of taking time."""

    world: World

    def pause(self, seconds: float) -> None:
        assert seconds <= 60, f"a worker would hold its slot for {seconds} s"
        self.go_on()
        self.world.advance(seconds=seconds)


def meta_sources(world: World) -> Sources:
    return {Service.META: MetaSource(MetaDoor(f"{BASE}/meta", "v26.0", InsideClient(world), chance=lambda: 0.5))}


def meta_oracle(world: World, account: str) -> list[dict[str, Any]]:
    days = {"since": "2026-01-01", "until": "2027-12-31"}
    return [
        each for level in ("campaign", "account") for each in world.oracle("meta", account=account, level=level, **days)
    ]


@dataclass(frozen=True)
class SyncedService:
    """A service with its fakes: the account that is synced, what signs in, how it is read, and what is true of it.

    `tables` are those of its own beside the figures.
    """

    service: Service
    account: str
    secret: str
    world: Callable[[], World]
    sources: Callable[[World], Sources]
    oracle: Callable[[World, str], list[dict[str, Any]]]
    tables: tuple[type[Any], ...] = ()


META = SyncedService(Service.META, EU, TOKEN, lambda: World(MetaFake()), meta_sources, meta_oracle)


@dataclass(frozen=True)
class _ThievingWatch(WorldWatch):
    thief: "_Thief"

    def go_on(self) -> None:
        self.thief.take()


@dataclass(frozen=True)
class _Thief:
    """Lets another worker have the run as soon as this one reads."""

    syncs: "SyncWorld"
    run_id: UUID

    def watch(self, context: RunContext) -> Watch:
        return _ThievingWatch(context, self.syncs.world, self)

    def take(self) -> None:
        with self.syncs.database.transaction() as session:
            session.execute(update(Run).where(Run.id == self.run_id).values(token=Run.token + 1))


class _Died(BaseException):
    """The process is gone."""


class _Death:
    """Comes after so many calls."""

    def __init__(self, after: int) -> None:
        self._left = after
        self.has_come = False

    def come(self, *_: object) -> None:
        self._left -= 1
        if self._left <= 0:
            self.has_come = True
            raise _Died


@dataclass(frozen=True)
class _DyingWatch(WorldWatch):
    death: _Death

    def go_on(self) -> None:
        self.death.come()


@dataclass(frozen=True)
class _DyingExecutor(Executor):
    death: _Death = field(kw_only=True)

    def _finish(self, attempt: LiveAttempt, outcome: Outcome) -> None:
        # Nothing is written by who is dead.
        if not self.death.has_come:
            super()._finish(attempt, outcome)


@dataclass
class SyncWorld:
    """One organization and its worker."""

    database: OpenDatabase
    world: World = None  # type: ignore[assignment] - made below, unless somebody has one
    of: SyncedService = META
    # For fakes that take long themselves, with nobody who renews the lease meanwhile.
    terms: LeaseTerms = TERMS
    sources: Sources = field(init=False)
    organization_id: UUID = field(init=False)
    connection_id: UUID = field(init=False)
    job_id: UUID = field(init=False)
    schedule_id: UUID = field(init=False)

    def __post_init__(self) -> None:
        self.world = self.world or self.of.world()
        # One for all workers, as in a process: a reader may remember what its service said.
        self.sources = self.of.sources(self.world)
        with self.database.transaction() as session:
            self.organization_id = make_organization(session)
        self.connection_id = self.connect(self.of.account)
        service = self.of.service.value
        with self.database.transaction() as session:
            job = make_job(
                session, self.organization_id, name=f"{service} sync", kind=KindName.SYNC, retry=SYNC_RETRY,
            )  # fmt: skip
            job.service, job.definition = service, {"service": service, "connection_id": str(self.connection_id)}
            job.time_limit_seconds = 3_600
            self.job_id = job.id
            later = self.world.now + timedelta(hours=6)
            self.schedule_id = make_schedule(session, job, name="Daily", next_run_at=later).id

    def connect(self, account_id: str, *, token: str | None = None, **columns: Any) -> UUID:
        """A connection whose login is good, as far as the fake says."""
        columns = {"service": self.of.service.value, **columns}
        with self.database.transaction() as session:
            made = make_connection(
                session, self.organization_id, name=f"Account {account_id}", account_id=account_id, zone=None,
                currency=None, **columns,
            )  # fmt: skip
            owner = SecretOwner.connection(self.organization_id, made.id)
            made.secret_id = seal(
                session,
                sealer=SEALER,
                owner=owner,
                field=TOKEN_FIELD,
                value=token or self.of.secret,
                now=self.world.now,
            )
            made.secret_set_at = self.world.now
            return made.id

    def take_over(self, connection_id: UUID, token: str) -> None:
        """The connection signs in with another login from now on."""
        with self.database.transaction() as session:
            owner = SecretOwner.connection(self.organization_id, connection_id)
            connection = session.get_one(Connection, connection_id)
            connection.secret_id = seal(
                session, sealer=SEALER, owner=owner, field=TOKEN_FIELD, value=token, now=self.world.now
            )

    def schedule_for(self, connection_id: UUID) -> UUID:
        """A schedule of a job of its own that reads another connection."""
        with self.database.transaction() as session:
            job = make_job(session, self.organization_id, name=f"Sync {connection_id}", kind=KindName.SYNC)
            service = self.of.service.value
            job.service, job.definition = service, {"service": service, "connection_id": str(connection_id)}
            return make_schedule(session, job, next_run_at=self.world.now + timedelta(hours=6)).id

    @property
    def scope(self) -> Scope:
        return Scope.tenant(self.organization_id)

    def kind(self, watch: Callable[[RunContext], Watch]) -> SyncKind:
        """What the worker knows of syncs."""
        return SyncKind(SEALER, self.sources, watch=watch)

    def worker(self, kind: SyncKind | None = None, database: Database | None = None) -> Executor:
        clock = WorldClock(self.world)
        data = database or self.database
        kind = kind or self.kind(lambda context: WorldWatch(context, self.world))
        return Executor(
            database=data,
            kinds={KindName.SYNC: kind},
            clock=clock,
            http=OutboundClient(),
            sealer=SEALER,
            worker="w-1",
            terms=self.terms,
            keeper=Keeper(database=data, clock=clock, terms=self.terms, heartbeat_seconds=10),
            chance=lambda: 0.5,
        )

    def ready_run(self, **definition: Any) -> UUID:
        with self.database.transaction() as session:
            job = session.get_one(Job, self.job_id)
            if definition:
                job.definition = {**job.definition, **definition}
            return make_run(session, job, now=self.world.now)

    def attempt(self, run_id: UUID, **worker: Any) -> Run:
        """One attempt of a run, and how it stands then."""
        assert self.worker(**worker).execute(run_id)
        return self.run(run_id)

    def sync(self, **definition: Any) -> Run:
        """One attempt of a new run."""
        return self.attempt(self.ready_run(**definition))

    def lose_while_reading(self, run_id: UUID) -> None:
        """An attempt whose run somebody else takes over before it ends."""
        take_over = _Thief(self, run_id)
        assert self.worker(self.kind(take_over.watch)).execute(run_id)

    def die(self, run_id: UUID, *, at: int, of: str = "calls") -> bool:
        """An attempt whose worker dies before a call of its service, or before a statement; the sweep finds its run.

        False when the attempt ended before that.
        """
        death = _Death(at)
        watch = lambda context: _DyingWatch(context, self.world, death)  # noqa: E731 - a kind makes its watches so
        kind = self.kind(watch) if of == "calls" else None
        worker = self.worker(kind)
        dying = _DyingExecutor(**{each.name: getattr(worker, each.name) for each in fields(worker)}, death=death)
        if of == "statements":
            event.listen(self.database.write, "before_cursor_execute", death.come)
        try:
            dying.execute(run_id)
        except _Died:
            death.has_come = True
        finally:
            if of == "statements":
                event.remove(self.database.write, "before_cursor_execute", death.come)
        if death.has_come:
            self.sweep()
        return death.has_come

    def sweep(self) -> None:
        """The leases of the dead run out, and their runs are found."""
        self.world.advance(seconds=self.terms.seconds + 1)
        with self.database.transaction(ENGINE) as session:
            reaper.reap(session, kinds=self.worker().kinds, now=self.world.now)

    def sync_at_last(self, run_id: UUID | None = None, *, between: Callable[[], None] = lambda: None) -> Run:
        """A run to its end, however often it comes back: the clock goes on to the time of its next attempt."""
        run_id = run_id or self.ready_run()
        for _ in range(MOST_ATTEMPTS):
            self.let_time_pass(self.run(run_id))
            run = self.attempt(run_id)
            if run.finished_at is not None:
                return run
            between()
        raise AssertionError("The run comes to no end.")

    def let_time_pass(self, run: Run) -> None:
        if run.ready_at > self.world.now:
            self.world.advance(seconds=(run.ready_at - self.world.now).total_seconds())
        with self.database.transaction() as session:
            make_ready(session, run_ids=[run.id], now=self.world.now)

    def run(self, run_id: UUID) -> Run:
        with self.database.reading() as session:
            return session.get_one(Run, run_id)

    def attempts(self, run_id: UUID) -> list[Attempt]:
        with self.database.reading() as session:
            return list(session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.token)))

    def report(self, run_id: UUID) -> dict[str, Any]:
        """What its last attempt reported."""
        return self.attempts(run_id)[-1].result

    def log(self, run_id: UUID) -> list[str]:
        """What its attempts said, line by line."""
        with self.database.reading() as session:
            return list(session.scalars(select(LogLine.text).where(LogLine.run_id == run_id).order_by(LogLine.number)))

    def rows(self, table: type[Any]) -> list[Any]:
        with self.database.reading() as session:
            return list(session.scalars(select(table)))

    def connection(self) -> Connection:
        with self.database.reading() as session:
            return session.get_one(Connection, self.connection_id)

    def table(self, connection_id: UUID | None = None) -> set[tuple[str, str, str, str, Decimal, str | None]]:
        """Every live figure: day, level, entity, metric, value and currency."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(LandedFigure).where(
                    LandedFigure.connection_id == (connection_id or self.connection_id),
                    LandedFigure.vanished_at.is_(None),
                )
            )
            return {
                (row.day.isoformat(), row.level, row.entity_id, row.metric, row.value, row.currency) for row in rows
            }

    def oracle(self, account: str | None = None) -> set[tuple[str, str, str, str, Decimal, str | None]]:
        """What the table says after a sync without a mistake."""
        return {
            (each["day"], each["level"], each["entity_id"], each["metric"], Decimal(each["value"]), each["currency"])
            for each in self.of.oracle(self.world, account or self.of.account)
        }

    def everything(self) -> list[list[tuple[Any, ...]]]:
        """All rows of figures, names, changes and landings but for when they were looked at, to the last column."""
        with self.database.reading() as session:
            return [
                sorted(map(tuple, session.execute(select(*table.__table__.columns))), key=str)
                for table in (LandedFigure, FigureChange, LandedEntity, *self.of.tables)
            ]

    def whole_database(self) -> str:
        """Every row of every table, as text."""
        with self.database.reading() as session:
            tables = Base.metadata.sorted_tables
            return "\n".join(str(tuple(row)) for table in tables for row in session.execute(select(table)))

    def landings(self) -> list[Landing]:
        return self.rows(Landing)

    @property
    def routes(self) -> list[str]:
        return [asked.route for asked in self.world.asked]
