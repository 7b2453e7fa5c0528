"""A worker's process is killed for good at any statement of a sync: the next run ends with the truth all the same."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from app.core.config import Settings
from app.jobs.services import Service
from app.syncs.shopify.door import ShopifyDoor
from app.syncs.shopify.source import ShopifySource
from app.syncs.signs.shopify_logins import clean_login
from tests.database.ga4_syncs import GA4
from tests.database.shop_world import SHOP
from tests.database.sync_world import META, SyncWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.server import FakeServer
from tests.faults.killing import kill_script

pytestmark = pytest.mark.slow

# Every so manieth statement is one at which somebody dies: each costs a process.
STEP = 11
# Makes one attempt, and stays for ever before the statement of a number, or after its end if there are fewer.
SCRIPT = """
import sys, threading
from datetime import datetime
from uuid import UUID
from sqlalchemy import event
from app.core.db import open_database
from app.core.http import OutboundClient
from app.jobs.kinds.base import KindName
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.services import Service
from app.runs.executor import Executor
from app.runs.keeper import Keeper
from app.syncs.ga4.door import Ga4Door
from app.syncs.ga4.source import Ga4Source
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.source import MetaSource
from app.syncs.shopify.door import ShopifyDoor
from app.syncs.shopify.source import ShopifySource
from tests.database.sync_world import TERMS
from tests.fakes.vault import SEALER

url, service, run_id, now, number = sys.argv[1:]

class Clock:
    moment = datetime.fromisoformat(now)
    def now(self, session):
        return self.moment

database = open_database(url)
left = int(number)

def stay(word):
    print(word, flush=True)
    threading.Event().wait()

def count(*_):
    global left
    left -= 1
    if left == 0:
        stay("in the middle")

event.listen(database.write, "before_cursor_execute", count)
sender = OutboundClient(own_urls=(service,))
sources = {
    Service.META: MetaSource(MetaDoor(f"{service}/meta", "v26.0", sender)),
    Service.GA4: Ga4Source(Ga4Door(f"{service}/ga4", f"{service}/google/token", sender), page_rows=60),
    Service.SHOPIFY: ShopifySource(ShopifyDoor(f"{service}/shopify/{{shop}}", "2026-10", sender)),
}
keeper = Keeper(database=database, clock=Clock(), terms=TERMS, heartbeat_seconds=10)
kinds = {KindName.SYNC: SyncKind(SEALER, sources)}
worker = Executor(database=database, kinds=kinds, clock=Clock(), http=OutboundClient(), sealer=SEALER, worker="w-1",
                  terms=TERMS, keeper=keeper)
worker.execute(UUID(run_id))
stay("after it all")
"""


# Signed in as a real door reads it.
SIGNED_SHOP = replace(SHOP, secret=clean_login(SHOP.secret))


@pytest.fixture(params=[META, GA4, SIGNED_SHOP], ids=["meta", "ga4", "shopify"])
def syncs(database: OpenDatabase, request: pytest.FixtureRequest) -> SyncWorld:
    syncs = SyncWorld(database, of=request.param)
    if request.param is SIGNED_SHOP:
        # The last run is one of this process.
        door = ShopifyDoor(f"{BASE}/shopify/{{shop}}", "2026-10", InsideClient(syncs.world), chance=lambda: 0.5)
        syncs.sources = {Service.SHOPIFY: ShopifySource(door)}
    return syncs


def kill_at(syncs: SyncWorld, settings: Settings, script: Path, service: str, run_id: UUID, number: int) -> str:
    """Kill the process of an attempt before a statement, and say how far it had come."""
    words = [settings.database_url, service, str(run_id), syncs.world.now.isoformat(), str(number)]
    return kill_script(script, *words)


def test_a_kill_at_any_statement_costs_a_window(syncs: SyncWorld, settings: Settings, tmp_path: Path) -> None:
    script = tmp_path / "sync.py"
    script.write_text(SCRIPT)

    number, word = 1, "in the middle"
    with FakeServer(syncs.world) as server:
        while word == "in the middle":
            word = kill_at(syncs, settings, script, server.url, syncs.ready_run(), number)
            syncs.sweep()
            assert syncs.table() <= syncs.oracle()
            number += STEP

    assert (word, number > 3 * STEP) == ("after it all", True)
    assert syncs.sync_at_last().state == "succeeded"
    assert syncs.table() == syncs.oracle()
