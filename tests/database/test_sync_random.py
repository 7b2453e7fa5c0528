"""Whatever goes wrong in whatever order, and whoever dies when: the next sync that ends well tells the truth."""

from random import Random
from typing import Any

import pytest

from app.jobs.services import Service
from app.syncs.models import FigureChange
from tests.database.ga4_syncs import GA4
from tests.database.sync_chance import sync_in_trouble
from tests.database.sync_world import META, SyncWorld
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.world import World
from tests.unit.syncs.ga4_world import google_world

# Early in the day of the account: all that waiting must not lead into the next one, in which more is known.
MORNING = utc("2026-11-20 00:30")
PASSING: list[dict[str, Any]] = [
    {"fault": "5xx", "variant": "1"},
    {"fault": "5xx", "variant": "html"},
    {"fault": "slow"},
    {"fault": "truncated"},
    {"fault": "truncated", "variant": "garbage"},
    {"fault": "truncated_page"},
    {"fault": "duplicate_page"},
    {"fault": "empty_page_with_next"},
    {"fault": "reordered"},
    {"fault": "schema_drift"},
    {"fault": "rate_limit_hint", "regain": 1},
    {"fault": "rate_limit_hint", "regain": 3},
    {"fault": "rate_limit_nohint"},
    {"fault": "near_limit", "percent": 97},
    {"fault": "too_large", "match": {"route": "insights"}},
    {"fault": "async_running", "polls": 5},
    {"fault": "async_skipped"},
    {"fault": "async_missing_once"},
]
OF_GOOGLE: list[dict[str, Any]] = [
    {"fault": "5xx", "variant": "500"},
    {"fault": "5xx", "variant": "html"},
    {"fault": "slow"},
    {"fault": "truncated"},
    {"fault": "truncated", "variant": "garbage"},
    {"fault": "truncated_page"},
    {"fault": "duplicate_page"},
    {"fault": "reordered"},
    {"fault": "schema_drift"},
    {"fault": "rate_limit_nohint", "variant": "hour"},
    {"fault": "rate_limit_nohint", "variant": "concurrent"},
    {"fault": "near_limit"},
    {"fault": "zone_change", "offset_over": 0},
]
PASSING_OF = {Service.META: PASSING, Service.GA4: OF_GOOGLE}


@pytest.fixture
def syncs(database: OpenDatabase, request: pytest.FixtureRequest) -> SyncWorld:
    if getattr(request, "param", META) is GA4:
        return SyncWorld(database, google_world(MORNING), GA4)
    return SyncWorld(database, World(MetaFake(), now=MORNING))


def trouble(syncs: SyncWorld, chance: Random) -> None:
    """Something goes wrong from here on."""
    for _ in range(chance.randint(0, 4)):
        service = syncs.of.service
        fault = {"times": chance.randint(1, 3)} | chance.choice(PASSING_OF[service])
        match = {"after": chance.randint(0, 4)} | fault.get("match", {})
        syncs.world.fail(service.value, **fault | {"match": match})


@pytest.mark.parametrize(
    ("syncs", "seed"),
    [
        *((META, seed) for seed in range(4)),
        *((GA4, seed) for seed in range(2)),
        *(pytest.param(META, seed, marks=pytest.mark.slow) for seed in range(4, 10)),
        *(pytest.param(GA4, seed, marks=pytest.mark.slow) for seed in range(2, 5)),
    ],
    indirect=["syncs"],
    ids=lambda one: str(getattr(one, "service", one)),
)
def test_ends_with_the_truth(syncs: SyncWorld, seed: int) -> None:
    sync_in_trouble(syncs, seed, trouble=trouble)

    assert syncs.table() == syncs.oracle()
    before = syncs.everything()
    assert syncs.report(syncs.sync().id)["rows_changed"] == 0
    assert syncs.everything() == before


@pytest.mark.parametrize("syncs", [META, GA4], indirect=True, ids=["meta", "ga4"])
def test_dying_before_any_call_costs_one_window(syncs: SyncWorld) -> None:
    at, run_id = 1, syncs.ready_run()
    while syncs.die(run_id, at=at):
        at += 1
        run_id = syncs.ready_run()

    assert at > 3
    assert (syncs.table(), syncs.rows(FigureChange)) == (syncs.oracle(), [])
