"""`python -m tests.fakes.providers --port 8100`: the fakes as a process, for a demo or a look at them."""

import argparse
import time
from datetime import UTC, datetime
from threading import Event

from tests.fakes.providers.ga4.fake import Ga4Fake
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.server import FakeServer
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.world import World


def main() -> None:
    """Serve until interrupted. The data ends today, and the clock goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--scenario", default="S1")
    chosen = parser.parse_args()
    google = GoogleFake()
    fakes = MetaFake(), Ga4Fake(google), google, ShopifyFake()
    world = World(*fakes, now=datetime.now(UTC), ticks=time.monotonic)
    world.reset(chosen.scenario)
    with FakeServer(world, port=chosen.port) as server:
        print(f"BELFRY_META_BASE_URL={server.url}/meta", flush=True)
        print(f"BELFRY_GA4_BASE_URL={server.url}/ga4", flush=True)
        print(f"BELFRY_GOOGLE_TOKEN_URL={server.url}/google/token", flush=True)
        print(f"BELFRY_SHEETS_BASE_URL={server.url}/sheets", flush=True)
        print(f"BELFRY_SHOPIFY_BASE_URL_TEMPLATE={server.url}/shopify/{{shop}}", flush=True)
        try:
            Event().wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
