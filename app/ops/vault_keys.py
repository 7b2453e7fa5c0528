"""Keys over all organizations of an installation: what is sealed with each, and sealing all of it with the newest."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.db import Database
from app.core.errors import Conflict
from app.core.scopes import IDENTITY, Scope, rescope
from app.core.sealing import Sealer
from app.jobs.kinds.base import JobKinds
from app.jobs.leftovers import Cleared, seal_leftovers
from app.runs.retention import clear_finished, count_open_and_unfinished
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.models import SYSTEM_ORGANIZATION_ID
from app.tenants.organizations import list_organizations
from app.tenants.roles import Role
from app.vault.service import Rotated, count_by_key, rotate_batch

# Small, because on SQLite everybody else waits for as long as a batch takes.
BATCH = 50
PAUSE_SECONDS = 0.02
# Two processes with their keys in different orders would otherwise undo each other's work for ever.
MOST_PASSES = 5


class KeyInUse(Conflict):
    """Something is still sealed with the key."""


class Batch(Protocol):
    """What one batch did. Without `last_id` there is no next one."""

    @property
    def last_id(self) -> UUID | None: ...


AnyBatch = TypeVar("AnyBatch", bound=Batch)
Batch_co = TypeVar("Batch_co", bound=Batch, covariant=True)


class Work(Protocol[Batch_co]):
    """Does one batch for an organization."""

    def __call__(self, session: Session, /, *, organization_id: UUID, after: UUID | None) -> Batch_co: ...


@dataclass(frozen=True)
class Rotation:
    """What a rotation did and what it left, over all organizations."""

    newest_key_id: str
    resealed: int
    jobs_sealed: int
    runs_cleared: int
    locked: int
    broken: int
    contested: int
    unreadable: int
    runs_waiting: int

    @property
    def is_complete(self) -> bool:
        """Whether all that can be sealed with the newest key is."""
        return not self.locked and not self.broken and not self.contested


@dataclass(frozen=True)
class KeyOffice:
    """Looks after the keys for whoever runs the installation."""

    database: Database
    clock: Clock
    kinds: JobKinds
    sealer: Sealer

    def rotate(self) -> Rotation:
        """Seal everything with the newest key, in small batches; killed and called again, it goes on where it was.

        Whoever opens or replaces a secret meanwhile is not disturbed.
        """
        newest = self.sealer.newest_key_id
        self._note("keys.rotation_began", f"Began to seal all secrets with the key {newest}")
        counts: Counter[str] = Counter()
        for organization_id in self._organizations():
            counts += self._rotate_organization(organization_id)
        done = Rotation(newest, **{one.name: counts[one.name] for one in fields(Rotation) if one.type is int})
        self._note(
            "keys.rotated",
            f"Sealed with the key {newest}. Secrets sealed again: {done.resealed:,}; jobs that held some "
            f"in the open: {done.jobs_sealed:,}; runs it was taken out of: {done.runs_cleared:,}",
        )
        return done

    def count_by_key(self) -> dict[str, int]:
        """How many secrets are sealed with each key."""
        with self.database.reading(IDENTITY) as session:
            return self._count_by_key(session)

    @contextmanager
    def unused(self, key_id: str) -> Iterator[None]:
        """Do something that needs a key to be of no use any more, and note it. Raises KeyInUse."""
        with self.database.transaction(IDENTITY) as session:
            count = self._count_by_key(session).get(key_id, 0)
            if count:
                raise KeyInUse(f"Secrets still sealed with the key {key_id}: {count:,}. First run: belfry keys rotate")
            self._record(session, "keys.removed", f"Removed the key {key_id}")
            yield

    @contextmanager
    def adding(self, key_id: str) -> Iterator[None]:
        """Do something that adds a key, and note it."""
        with self.database.transaction(IDENTITY) as session:
            self._record(session, "keys.added", f"Added the key {key_id}, which seals from now on")
            yield

    def _organizations(self) -> list[UUID]:
        with self.database.reading(IDENTITY) as session:
            return [row.id for row in list_organizations(session)]

    def _count_by_key(self, session: Session) -> dict[str, int]:
        counts: Counter[str] = Counter()
        for row in list_organizations(session):
            # Each organization by itself: nothing here sees the secrets of two at once.
            rescope(session, Scope.tenant(row.id))
            counts.update(count_by_key(session, organization_id=row.id))
        return dict(counts)

    def _rotate_organization(self, organization_id: UUID) -> Counter[str]:
        counts: Counter[str] = Counter()
        # Jobs first: what is sealed here is sealed with the newest key already.
        for cleared in self._batches(organization_id, self._seal_leftovers):
            counts += Counter(jobs_sealed=cleared.changed, unreadable=cleared.unreadable)
        for cleared in self._batches(organization_id, self._clear_finished):
            counts += Counter(runs_cleared=cleared.changed, unreadable=cleared.unreadable)
        with self.database.reading(Scope.tenant(organization_id)) as session:
            counts["runs_waiting"] = count_open_and_unfinished(
                session, kinds=self.kinds, organization_id=organization_id
            )
        return counts + self._reseal(organization_id)

    def _reseal(self, organization_id: UUID) -> Counter[str]:
        counts: Counter[str] = Counter()
        for _ in range(MOST_PASSES):
            batches = list(self._batches(organization_id, self._rotate_batch))
            changed = sum(batch.resealed + batch.overtaken for batch in batches)
            counts["resealed"] += sum(batch.resealed for batch in batches)
            counts["locked"] = sum(batch.locked for batch in batches)
            counts["broken"] = sum(batch.broken for batch in batches)
            counts["contested"] = changed
            # Once more after every change: who had not seen the new key yet may have used the one before meanwhile.
            if not changed:
                break
        return counts

    def _batches(self, organization_id: UUID, work: Work[AnyBatch]) -> Iterator[AnyBatch]:
        scope, after = Scope.tenant(organization_id), None
        while True:
            batch = self.database.run(scope, partial(work, organization_id=organization_id, after=after))
            yield batch
            if batch.last_id is None:
                return
            after = batch.last_id
            if not self.database.is_postgres:
                # SQLite has one writer and no queue: without a pause, others could be kept out for long.
                time.sleep(PAUSE_SECONDS)

    def _rotate_batch(self, session: Session, *, organization_id: UUID, after: UUID | None) -> Rotated:
        return rotate_batch(session, sealer=self.sealer, organization_id=organization_id, limit=BATCH, after=after)

    def _seal_leftovers(self, session: Session, *, organization_id: UUID, after: UUID | None) -> Cleared:
        now = self.clock.now(session)
        return seal_leftovers(
            session, kinds=self.kinds, organization_id=organization_id, limit=BATCH, after=after, now=now
        )

    def _clear_finished(self, session: Session, *, organization_id: UUID, after: UUID | None) -> Cleared:
        return clear_finished(session, kinds=self.kinds, organization_id=organization_id, limit=BATCH, after=after)

    def _note(self, action: str, summary: str) -> None:
        with self.database.transaction(IDENTITY) as session:
            self._record(session, action, summary)

    def _record(self, session: Session, action: str, summary: str) -> None:
        actor = Actor(SYSTEM_ORGANIZATION_ID, Role.OWNER, "command line", is_platform_admin=True)
        rescope(session, Scope.tenant(SYSTEM_ORGANIZATION_ID))
        now = self.clock.now(session)
        record(session, actor=actor, action=action, subject_kind="keys", subject_id=None, summary=summary, now=now)
