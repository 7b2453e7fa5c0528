"""When a login ends is asked about by the syncs that use it, once a day, and warned of as it is then."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.services import Service
from app.runs.models import Run
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.source import MetaSource
from app.syncs.models import Connection
from tests.database.sync_world import SyncWorld, WorldWatch
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET, TOKEN
from tests.fakes.vault import SEALER


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


def sync(syncs: SyncWorld) -> Run:
    """By an installation that has an app of its own."""
    door = MetaDoor(
        f"{BASE}/meta", "v26.0", InsideClient(syncs.world), chance=lambda: 0.5, app_id=APP_ID, app_secret=APP_SECRET
    )
    kind = SyncKind(SEALER, {Service.META: MetaSource(door)}, watch=lambda context: WorldWatch(context, syncs.world))
    return syncs.attempt(syncs.ready_run(), kind=kind)


def know(syncs: SyncWorld, **columns: object) -> None:
    with syncs.database.transaction() as session:
        session.execute(update(Connection).values(**columns))


def test_is_asked_about_where_nobody_knows_it(syncs: SyncWorld) -> None:
    run = sync(syncs)

    found = syncs.connection()
    assert (found.expires_at, found.expiry_known_at) == (syncs.world.now + timedelta(days=60), syncs.world.now)
    assert (found.app_id, syncs.routes.count("debug_token")) == (APP_ID, 1)
    assert syncs.report(run.id)["requests"] == len(syncs.routes)


def test_is_asked_about_once_a_day(syncs: SyncWorld) -> None:
    sync(syncs)
    sync(syncs)
    syncs.world.advance(days=1)
    sync(syncs)

    assert syncs.routes.count("debug_token") == 2


def test_that_is_another_one_is_warned_of_anew(syncs: SyncWorld) -> None:
    know(syncs, expires_at=syncs.world.now + timedelta(days=5), expiry_told=7)

    sync(syncs)

    assert syncs.connection().expiry_told is None


def test_that_is_the_same_is_not_told_again(syncs: SyncWorld) -> None:
    sync(syncs)
    know(syncs, expiry_told=7, expiry_known_at=None)

    sync(syncs)

    assert syncs.connection().expiry_told == 7


@pytest.mark.parametrize("fault", ["5xx", "expired_token"])
def test_that_meta_does_not_tell_stays_as_it_was_known(syncs: SyncWorld, fault: str) -> None:
    ends_at = syncs.world.now + timedelta(days=5)
    know(syncs, expires_at=ends_at, expiry_known_at=syncs.world.now - timedelta(days=2))
    syncs.world.fail("meta", fault, times=None, match={"route": "debug_token"})

    run = sync(syncs)

    assert (run.state, syncs.connection().expires_at) == ("succeeded", ends_at)


def test_of_a_login_that_was_replaced_meanwhile_is_not_kept(syncs: SyncWorld) -> None:
    ends_at = syncs.world.now + timedelta(days=90)

    class _Replacing(InsideClient):
        def send(self, request, **options):  # type: ignore[no-untyped-def]
            if "debug_token" in request.url:
                know(syncs, secret_set_at=syncs.world.now + timedelta(seconds=1), expires_at=ends_at)
            return super().send(request, **options)

    door = MetaDoor(f"{BASE}/meta", "v26.0", _Replacing(syncs.world), app_id=APP_ID, app_secret=APP_SECRET)
    kind = SyncKind(SEALER, {Service.META: MetaSource(door)}, watch=lambda context: WorldWatch(context, syncs.world))
    syncs.attempt(syncs.ready_run(), kind=kind)

    assert syncs.connection().expires_at == ends_at


def test_is_told_with_no_secret(syncs: SyncWorld) -> None:
    sync(syncs)

    assert TOKEN[:25] not in syncs.whole_database()
    assert APP_SECRET not in syncs.whole_database()
