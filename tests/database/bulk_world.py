"""An organization with schedules, and bulk actions carried out as in production: each in its own scope."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.schema import SchemaGate, newest_migration
from app.core.scopes import Scope
from app.jobs.models import Job
from app.ops.bulk import service
from app.ops.bulk.carrier import BulkCarrier
from app.ops.bulk.queries import BulkRow, ItemRow, get_bulk_action, list_items
from app.runs.models import Run
from app.schedules.models import Schedule
from app.tenants.access import Actor
from app.tenants.models import AuditEntry
from tests.factories.tenants import Member
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@dataclass
class BulkWorld:
    """What tests of bulk actions do again and again. `dispatched` counts how often runs were handed on."""

    database: OpenDatabase
    clock: ManualClock
    member: Member
    dispatched: list[int] = field(default_factory=list)

    @property
    def actor(self) -> Actor:
        return self.member.actor

    @contextmanager
    def acting(self) -> Iterator[Session]:
        """A transaction as the organization."""
        with self.database.transaction(Scope.tenant(self.member.organization_id, self.member.user_id)) as session:
            yield session

    def schedules(self, number: int, **columns: Any) -> list[UUID]:
        """So many that run every hour at half past, named S0, S1 and so on."""
        columns = {"cron": "30 * * * *", "next_run_at": self.clock.moment + timedelta(minutes=30)} | columns
        with self.database.transaction() as session:
            query = select(Job).where(Job.organization_id == self.member.organization_id)
            job = session.scalars(query).first() or make_job(session, self.member.organization_id)
            return [make_schedule(session, job, **({"name": f"S{one}"} | columns)).id for one in range(number)]

    def begin(self, kind: str, ids: Sequence[UUID], actor: Actor | None = None, **more: Any) -> UUID:
        """Select and start; `parameters`, `reason` and the pace may be given."""
        with self.acting() as session:
            who, now = actor or self.actor, self.clock.moment
            chosen = service.select_objects(session, actor=who, family="schedules", object_ids=ids, now=now)
            given = {"parameters": {}} | more
            assert service.start(session, actor=who, bulk_id=chosen, kind=kind, now=now, **given)
        return chosen

    def undo(self, bulk_id: UUID) -> UUID:
        with self.acting() as session:
            return service.undo(session, actor=self.actor, bulk_id=bulk_id, now=self.clock.moment)

    def carry(self) -> int:
        """Everything that is to be gone on with now."""
        gate = SchemaGate(self.database, expected=newest_migration())
        return BulkCarrier(self.database, self.clock, gate, lambda: self.dispatched.append(1)).carry()

    def done(self, kind: str, ids: Sequence[UUID], **more: Any) -> UUID:
        """Begin and carry out."""
        bulk_id = self.begin(kind, ids, **more)
        self.carry()
        return bulk_id

    def row(self, bulk_id: UUID) -> BulkRow:
        with self.acting() as session:
            return get_bulk_action(session, organization_id=self.member.organization_id, bulk_id=bulk_id)

    def items(self, bulk_id: UUID) -> list[ItemRow]:
        with self.acting() as session:
            return list_items(session, organization_id=self.member.organization_id, bulk_id=bulk_id, limit=20_000)

    def outcomes(self, bulk_id: UUID) -> list[tuple[str, str]]:
        return [(item.name, item.state.value) for item in self.items(bulk_id)]

    def all(self, model: type, *order: Any) -> Sequence[Any]:
        with self.database.reading() as session:
            return session.scalars(select(model).order_by(*order)).all()

    def schedule(self, schedule_id: UUID) -> Schedule:
        with self.database.reading() as session:
            return session.get_one(Schedule, schedule_id)

    def actions(self) -> list[str]:
        """What the audit tells of, in order."""
        return [entry.action for entry in self.all(AuditEntry, AuditEntry.id)]

    def runs(self) -> Sequence[Run]:
        return self.all(Run, Run.id)
