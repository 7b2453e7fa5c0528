"""Google Analytics as the fakes play it, for tests of syncs."""

from typing import Any

from app.jobs.kinds.sync.definition import Sources
from app.jobs.services import Service
from app.syncs.ga4.source import Ga4Source
from tests.database.sync_world import SyncedService
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.fakes.providers.world import World
from tests.unit.syncs.ga4_world import SECRET, door_of, google_world

# Small enough that every window has several.
PAGE_ROWS = 60


def ga4_sources(world: World) -> Sources:
    return {Service.GA4: Ga4Source(door_of(world), page_rows=PAGE_ROWS)}


def ga4_oracle(world: World, account: str) -> list[dict[str, Any]]:
    days = {"since": "2026-01-01", "until": "2027-12-31"}
    return [
        each for level in ("channel", "account") for each in world.oracle("ga4", account=account, level=level, **days)
    ]


GA4 = SyncedService(Service.GA4, BERLIN, SECRET, google_world, ga4_sources, ga4_oracle)
