"""Rotating the keys of a whole installation while it works, and what earlier versions left in the open."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.config import Settings
from app.core.ids import new_id
from app.core.key_rings import KeyFile
from app.core.scopes import Scope
from app.core.sealing import Sealer
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.models import Job
from app.ops.kinds import job_kinds
from app.ops.vault_keys import KeyInUse, KeyOffice
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import AttemptState
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from app.vault import service as vault
from app.vault.models import Secret
from app.vault.service import SecretOwner
from tests.factories.work import make_job, make_organization, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import sealer_with, vault_key

FIELD = "header:authorization"
OLD, NEW = vault_key(1), vault_key(2)
BARE = {"steps": [{"url": "https://example.com/", "headers": [{"name": "X-Key", "value": "hush"}]}]}


@pytest.fixture
def connections() -> int:
    """These tests hold several at once."""
    return 5


@pytest.fixture
def kinds(settings: Settings) -> JobKinds:
    return job_kinds(settings)


@pytest.fixture
def office(database: OpenDatabase, clock: ManualClock, kinds: JobKinds) -> KeyOffice:
    return KeyOffice(database, clock, kinds, sealer_with(NEW, OLD))


def owners(database: OpenDatabase, count: int) -> list[SecretOwner]:
    with database.transaction() as session:
        return [SecretOwner.job(make_organization(session, f"Org {number}"), new_id()) for number in range(count)]


def put(database: OpenDatabase, owner: SecretOwner, clock: ManualClock, *, sealer: Sealer) -> UUID:
    with database.transaction(Scope.tenant(owner.organization_id)) as session:
        return vault.seal(session, sealer=sealer, owner=owner, field=FIELD, value="first", now=clock.moment)


class TestOverAllOrganizations:
    def test_seals_everything_with_the_newest_key_and_says_so(
        self, database: OpenDatabase, clock: ManualClock, office: KeyOffice
    ) -> None:
        for owner in owners(database, 3):
            put(database, owner, clock, sealer=sealer_with(OLD))

        done = office.rotate()

        assert (done.resealed, done.is_complete) == (3, True)
        assert office.count_by_key() == {office.sealer.newest_key_id: 3}

    def test_is_audited_where_the_installation_is(self, database: OpenDatabase, office: KeyOffice) -> None:
        office.rotate()

        with database.reading() as session:
            query = select(AuditEntry.action).where(AuditEntry.organization_id == SYSTEM_ORGANIZATION_ID)
            assert sorted(session.scalars(query)) == ["keys.rotated", "keys.rotation_began"]

    def test_goes_on_after_it_was_killed(
        self, database: OpenDatabase, clock: ManualClock, office: KeyOffice, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.ops.vault_keys.BATCH", 2)
        [owner] = owners(database, 1)
        for _ in range(5):
            put(database, owner, clock, sealer=sealer_with(OLD))
        batches = office._batches(owner.organization_id, office._rotate_batch)
        next(batches)
        batches.close()

        done = office.rotate()

        assert done.resealed == 3
        assert office.count_by_key() == {office.sealer.newest_key_id: 5}

    def test_leaves_what_it_has_no_key_for_and_is_not_complete(
        self, database: OpenDatabase, clock: ManualClock, office: KeyOffice
    ) -> None:
        [owner] = owners(database, 1)
        put(database, owner, clock, sealer=sealer_with(vault_key(9)))

        done = office.rotate()

        assert (done.locked, done.is_complete) == (1, False)

    def test_gives_up_a_key_only_when_nothing_is_sealed_with_it(
        self, database: OpenDatabase, clock: ManualClock, office: KeyOffice
    ) -> None:
        [owner] = owners(database, 1)
        old = sealer_with(OLD)
        put(database, owner, clock, sealer=old)

        with pytest.raises(KeyInUse, match="Secrets still sealed"), office.unused(old.newest_key_id):
            pytest.fail("the key was given up")
        office.rotate()

        with office.unused(old.newest_key_id):
            assert office.count_by_key() == {office.sealer.newest_key_id: 1}


class Crowd:
    """Threads that open and replace secrets all the time, each its own, and remember what they wrote last."""

    def __init__(self, database: OpenDatabase, sealer: Sealer, owned: dict[UUID, SecretOwner]) -> None:
        self.database = database
        self.sealer = sealer
        self.owned = owned
        self.last = dict.fromkeys(owned, "first")
        self.wrong: list[str] = []
        self.replaced = 0
        self._closed = Event()

    @contextmanager
    def working(self) -> Iterator[None]:
        with ThreadPoolExecutor(len(self.owned)) as pool:
            work = [pool.submit(self._work, secret_id) for secret_id in self.owned]
            try:
                yield
            finally:
                self._closed.set()
        for each in work:
            each.result()

    def _work(self, secret_id: UUID) -> None:
        turn = 0
        while not self._closed.is_set() or turn < 5:
            self._check(secret_id)
            turn += 1
            self._replace(secret_id, f"value {turn}")

    def _check(self, secret_id: UUID) -> None:
        owner = self.owned[secret_id]
        with self.database.reading(Scope.tenant(owner.organization_id)) as session:
            found = vault.open_secret(session, sealer=self.sealer, owner=owner, secret_id=secret_id, field=FIELD)
        if found != self.last[secret_id]:
            self.wrong.append(f"{found} instead of {self.last[secret_id]}")

    def _replace(self, secret_id: UUID, value: str) -> None:
        owner = self.owned[secret_id]
        with self.database.transaction(Scope.tenant(owner.organization_id)) as session:
            assert vault.replace(
                session, sealer=self.sealer, owner=owner, secret_id=secret_id, field=FIELD, value=value
            )
        self.last[secret_id] = value
        self.replaced += 1


class TestUnderLoad:
    def test_three_rotations_with_new_keys_fail_nothing_and_lose_nothing(
        self, database: OpenDatabase, clock: ManualClock, kinds: JobKinds, tmp_path: Path
    ) -> None:
        path = tmp_path / "vault_keys"
        path.write_text(f"{OLD}\n")
        # The two sides have a key file each in mind, as two processes do; one learns of a key only from the file.
        theirs, ours = (Sealer(KeyFile(path, is_made=False)) for _ in range(2))
        owned = {put(database, owner, clock, sealer=theirs): owner for owner in owners(database, 4)}
        for owner in list(owned.values()) * 30:
            put(database, owner, clock, sealer=theirs)
        crowd = Crowd(database, theirs, owned)
        office = KeyOffice(database, clock, kinds, ours)

        with crowd.working():
            for number in (11, 12, 13):
                KeyFile(path, is_made=False).add(vault_key(number))
                assert office.rotate().locked == 0
        done = office.rotate()

        assert (crowd.wrong, done.is_complete) == ([], True)
        assert office.count_by_key() == {ours.newest_key_id: 124}
        for secret_id, owner in owned.items():
            with database.reading(Scope.tenant(owner.organization_id)) as session:
                newest = sealer_with(vault_key(13))
                found = vault.open_secret(session, sealer=newest, owner=owner, secret_id=secret_id, field=FIELD)
            assert found == crowd.last[secret_id]


class TestWhatStoodInTheOpen:
    def job(self, database: OpenDatabase, **columns: object) -> Job:
        with database.transaction() as session:
            job = make_job(session, make_organization(session), kind=KindName.WORKFLOW)
            job.definition = BARE
            for name, value in columns.items():
                setattr(job, name, value)
            return job

    def test_is_sealed_for_its_job(self, database: OpenDatabase, office: KeyOffice) -> None:
        job = self.job(database)

        done = office.rotate()

        with database.reading() as session:
            [header] = session.get_one(Job, job.id).definition["steps"][0]["headers"]
            owner = SecretOwner.job(job.organization_id, job.id)
            place = {"owner": owner, "secret_id": UUID(header["secret_id"]), "field": "header:x-key"}
            assert vault.open_secret(session, sealer=office.sealer, **place) == "hush"  # type: ignore[arg-type]
        assert (done.jobs_sealed, set(header)) == (1, {"name", "secret_id"})
        assert office.rotate().jobs_sealed == 0

    def test_is_taken_out_of_a_deleted_job(self, database: OpenDatabase, office: KeyOffice, clock: ManualClock) -> None:
        job = self.job(database, deleted_at=clock.moment)

        office.rotate()

        with database.reading() as session:
            assert session.get_one(Job, job.id).definition["steps"][0]["headers"] == [{"name": "X-Key"}]
            assert session.scalar(select(func.count()).select_from(Secret)) == 0

    def test_leaves_finished_runs_and_stays_with_those_that_need_it(
        self, database: OpenDatabase, office: KeyOffice, clock: ManualClock
    ) -> None:
        job = self.job(database)
        with database.transaction() as session:
            waiting, over = (make_run(session, job, now=clock.moment) for _ in range(2))
            started = ledger.start(session, run_id=over, worker="w", lease_until=clock.moment, now=clock.moment)
            assert started is not None
            ledger.succeed(
                session, run_id=over, token=started.token, end=AttemptEnd(AttemptState.SUCCEEDED), now=clock.moment
            )

        done = office.rotate()

        with database.reading() as session:
            assert "hush" not in str(session.get_one(Run, over).definition)
            assert session.get_one(Run, waiting).definition == BARE
        assert (done.runs_cleared, done.runs_waiting) == (1, 1)

    def test_does_not_keep_the_rest_when_one_cannot_be_read(
        self, database: OpenDatabase, office: KeyOffice, clock: ManualClock
    ) -> None:
        unreadable = self.job(database, definition={"steps": [{"colour": "value"}], "value": 1})
        self.job(database)
        with database.transaction() as session:
            make_run(session, unreadable, now=clock.moment)

        done = office.rotate()

        assert (done.jobs_sealed, done.unreadable, done.runs_waiting) == (1, 1, 0)
