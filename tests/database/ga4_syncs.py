"""Google Analytics as the fakes play it, for tests of syncs."""

from app.jobs.kinds.sync.definition import Sources
from app.jobs.services import Service
from app.syncs.ga4.source import Ga4Source
from tests.database.sync_world import PlayedService
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.fakes.providers.world import World
from tests.unit.syncs.ga4_world import SECRET, door_of

# Small enough that every window has several.
PAGE_ROWS = 60


def ga4_sources(world: World) -> Sources:
    return {Service.GA4: Ga4Source(door_of(world), page_rows=PAGE_ROWS)}


GA4 = PlayedService(Service.GA4, BERLIN, SECRET, ("channel", "account"), ga4_sources)
