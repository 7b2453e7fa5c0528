"""The database of the simulation: what people, schedulers and workers do in it, and what stands in its books."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, literal, select, update
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.scopes import ENGINE, Scope
from app.ops.schedule_foresight import Onlooker, foresee_edit
from app.runs import ledger, planner, service
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.resuming import missed_meanwhile
from app.runs.states import ACTIVE, AttemptState, Reason, RunState
from app.runs.waits import waits_that_are_over
from app.schedules.drafts import draft_of
from app.schedules.models import Gap, Schedule, SchedulingStop
from app.schedules.policies import Missed
from app.schedules.queries import ScheduleRow, get_schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.schedules.slot_accounts import MadeUp
from tests.database.believed_slots import Figures
from tests.factories.work import actor_in, make_job, make_organization
from tests.fakes.database import OpenDatabase

LEASE = timedelta(seconds=30)
MOST_ROUNDS = 20


class World:
    """One organization with a job, and everybody who deals with its schedules."""

    def __init__(self, database: OpenDatabase) -> None:
        self.database = database
        # How often anybody may have changed something.
        self.changes = 0
        with database.transaction() as session:
            organization_id = make_organization(session)
            self.actor = actor_in(organization_id)
            self.job_id = make_job(session, organization_id).id

    def make(self, now: datetime, **draft: object) -> UUID:
        made = ScheduleDraft(job_id=self.job_id, spread_key="k", **draft)  # type: ignore[arg-type]
        with self._changing() as session:
            return create_schedule(session, actor=self.actor, draft=made, now=now)

    def tick(self, now: datetime) -> None:
        with self._changing(ENGINE) as session:
            planner.tick(session, now=now)

    def switch(
        self, schedule_id: UUID, now: datetime, *, enabled: bool, missed: Missed = Missed.SKIP, seen: int | None = None
    ) -> MadeUp:
        with self._changing() as session:
            return service.switch_schedule(
                session, actor=self.actor, schedule_id=schedule_id, enabled=enabled, missed=missed, now=now, seen=seen
            )

    def edit(self, schedule_id: UUID, now: datetime, *, missed_while_paused: Missed, **changes: object) -> None:
        with self._changing() as session:
            row = self._row(session, schedule_id)
            draft = replace(draft_of(row), **changes)  # type: ignore[arg-type]
            service.edit_schedule(
                session, actor=self.actor, schedule_id=schedule_id, draft=draft, version=row.version, now=now,
                missed=missed_while_paused,
            )  # fmt: skip

    def loses(self, schedule_id: UUID, now: datetime, **changes: object) -> Figures | None:
        """What somebody reads before they save this of a schedule that stays off: the slots that are lost by it."""
        with self.database.reading() as session:
            row = self._row(session, schedule_id)
            draft = replace(draft_of(row), **changes)  # type: ignore[arg-type]
            by = Onlooker("UTC", now)
            said = foresee_edit(session, row, draft=draft, version=row.version, by=by)
        assert said.effect is not None
        found = said.effect.missed
        assert any("stay" in line for line in said.lines) == (found is not None)
        return found and Figures(found.count, found.first, found.last)

    def stop_everything(self, now: datetime) -> None:
        with self._changing() as session:
            session.add(SchedulingStop(stopped_at=now, stopped_by="Ana", reason="Move", is_open=True))

    def start_everything(self, now: datetime) -> None:
        with self._changing() as session:
            lasting = update(SchedulingStop).where(SchedulingStop.is_open.is_(True))
            session.execute(lasting.values(is_open=None, started_at=now))

    def begin_to_work(self, now: datetime) -> None:
        """A worker starts what is ready, and takes its time."""
        with self._changing(ENGINE) as session:
            for run in self._runs(session, states=[RunState.READY]):
                _start(session, run.id, now)

    def work(self, now: datetime) -> None:
        """A worker does all that is going on or ready, and what may start after that."""
        with self._changing(ENGINE) as session:
            for run in self._runs(session, states=[RunState.RUNNING]):
                _finish(session, run.id, run.token, now)
        for _ in range(MOST_ROUNDS):
            with self._changing(ENGINE) as session:
                over = waits_that_are_over(literal(now, UTCDateTime()), literal(100))
                ledger.make_ready(session, run_ids=list(session.scalars(over)), now=now)
                ready = self._runs(session, states=[RunState.READY])
                for run in ready:
                    _finish(session, run.id, _start(session, run.id, now), now)
            if not ready:
                return

    def asks(self, schedule_id: UUID, now: datetime) -> Figures | None:
        """What somebody reads before they switch a schedule on: the slots that they have to decide about."""
        with self.database.reading() as session:
            found = missed_meanwhile(self._row(session, schedule_id), now=now)
        return None if found is None else Figures(found.count, found.first, found.last)

    def runs(self, schedule_id: UUID, *, is_active: bool = False) -> list[Run]:
        """Its runs by their slots, as they stand now."""
        with self.database.reading() as session:
            return self._runs(session, states=[*ACTIVE] if is_active else None, schedule_id=schedule_id)

    def gaps(self, schedule_id: UUID) -> list[Gap]:
        with self.database.reading() as session:
            return list(session.scalars(select(Gap).where(Gap.schedule_id == schedule_id).order_by(Gap.first_slot_at)))

    def books(self) -> dict[UUID, tuple[datetime | None, list[Run], list[Gap]]]:
        """Of each schedule: its next time, its runs and its gaps."""
        here = self.actor.organization_id
        with self.database.reading() as session:
            times = session.execute(select(Schedule.id, Schedule.next_run_at).where(Schedule.organization_id == here))
            found: dict[UUID, tuple[datetime | None, list[Run], list[Gap]]] = {key: (at, [], []) for key, at in times}
            for run in self._runs(session):
                assert run.schedule_id is not None
                found[run.schedule_id][1].append(run)
            for gap in session.scalars(select(Gap).where(Gap.organization_id == here)):
                found[gap.schedule_id][2].append(gap)
        return found

    def end(self, now: datetime) -> None:
        """The database is that of the next life too."""
        with self._changing() as session:
            session.execute(update(Schedule).values(enabled=False, deleted_at=now))
            session.execute(delete(SchedulingStop))

    @contextmanager
    def _changing(self, scope: Scope | None = None) -> Iterator[Session]:
        self.changes += 1
        with self.database.transaction(scope) as session:
            yield session

    def _row(self, session: Session, schedule_id: UUID) -> ScheduleRow:
        return get_schedule(session, organization_id=self.actor.organization_id, schedule_id=schedule_id)

    def _runs(
        self, session: Session, *, states: Sequence[RunState] | None = None, schedule_id: UUID | None = None
    ) -> list[Run]:
        query = select(Run).where(Run.organization_id == self.actor.organization_id).order_by(Run.slot_at)
        if states is not None:
            query = query.where(Run.state.in_([state.value for state in states]))
        if schedule_id is not None:
            query = query.where(Run.schedule_id == schedule_id)
        return list(session.scalars(query))


def waits_for_its_like(runs: Sequence[Run]) -> bool:
    """Whether one of them waits for the run before it."""
    return any(run.state == RunState.WAITING and run.reason == Reason.OVERLAP for run in runs)


def _start(session: Session, run_id: UUID, now: datetime) -> int:
    started = ledger.start(session, run_id=run_id, worker="w", lease_until=now + LEASE, now=now)
    assert started is not None
    return started.token


def _finish(session: Session, run_id: UUID, token: int, now: datetime) -> None:
    end = AttemptEnd(AttemptState.SUCCEEDED)
    assert ledger.succeed(session, run_id=run_id, token=token, end=end, now=now)
