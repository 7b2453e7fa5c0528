"""An executor with its surroundings: kinds that do what they are told, a clock to move, a sweep to call."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import select

from app.core.db import Database
from app.core.http import OutboundClient
from app.core.scopes import ENGINE
from app.jobs.kinds.base import KindName
from app.jobs.policies import RetryPolicy
from app.runs import claims, reaper
from app.runs.attempts import LiveAttempt
from app.runs.children import ChildRuns
from app.runs.claims import LeaseTerms
from app.runs.executor import Executor
from app.runs.keeper import Keeper
from app.runs.models import Attempt, Run
from app.runs.own_data import OwnData
from tests.factories.work import THREE_TRIES, make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.kind import ScriptedKind
from tests.fakes.vault import SEALER

TERMS = LeaseTerms.for_lease(30)


class Workshop:
    """An executor with its surroundings."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock
        self.kind = ScriptedKind()
        self.kinds = {KindName.CODE: self.kind, KindName.WORKFLOW: self.kind}
        self.keeper = Keeper(database=database, clock=clock, terms=TERMS, heartbeat_seconds=10)
        self.executor = Executor(
            database=database,
            kinds=self.kinds,
            clock=clock,
            http=OutboundClient(),
            sealer=SEALER,
            worker="w-1",
            terms=TERMS,
            keeper=self.keeper,
        )

    def ready_run(self, *, retry: RetryPolicy = THREE_TRIES, **definition: object) -> UUID:
        with self.database.transaction() as session:
            job = make_job(session, make_organization(session), retry=retry, **definition)  # type: ignore[arg-type]
            return make_run(session, job, now=self.clock.moment)

    def claim(self, run_id: UUID, *, worker: str = "w-1") -> claims.Claim:
        with self.database.transaction() as session:
            claim = claims.take(
                session, run_id=run_id, worker=worker, terms=TERMS, safe_until=TERMS.safe_until(), now=self.clock.moment
            )
            assert claim is not None
            return claim

    def attempt(self, run_id: UUID, *, is_stopping: Callable[[], bool]) -> LiveAttempt:
        children = ChildRuns(self.database, self.clock, self.kinds, patience_seconds=0)
        claim = self.claim(run_id)
        return LiveAttempt(
            claim,
            http=OutboundClient(),
            open_secret=lambda *_: "",
            start_children=children.start,
            count_children=children.count,
            data=OwnData(self.database, self.clock, claim.started, patience_seconds=0),
            is_stopping=is_stopping,
        )

    def reap(self) -> int:
        with self.database.transaction(ENGINE) as session:
            return reaper.reap(session, kinds=self.kinds, now=self.clock.moment)

    def state_of(self, run_id: UUID) -> tuple[str, str | None]:
        with self.database.reading() as session:
            # Two columns alone: some tests make the rest unreadable.
            state, reason = session.execute(select(Run.state, Run.reason).where(Run.id == run_id)).one()
            return state, reason

    def attempts_of(self, run_id: UUID) -> list[str]:
        with self.database.reading() as session:
            return list(session.scalars(select(Attempt.state).where(Attempt.run_id == run_id).order_by(Attempt.token)))
