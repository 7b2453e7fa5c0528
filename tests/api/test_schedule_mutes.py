"""`/schedules/{id}/mute` and `/jobs/{id}/mute`."""

from datetime import timedelta

import pytest

from tests.api.conftest import OpenApi
from tests.api.scenarios import World
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture
def world(database: OpenDatabase, open_api: OpenApi, clock: ManualClock) -> World:
    return World(database, open_api(), clock.moment)


def test_it_says_until_when(world: World):
    nothing = {"muted_until": None, "until_success": False}
    for here in (f"/schedules/{world.schedule()}/mute", f"/jobs/{world.job(name='Muted')}/mute"):
        assert world.caller.get(here).json["data"] == nothing
        assert world.caller.put(here, {"hours": 24}).json["data"]["muted_until"]
        assert world.caller.delete(here).status_code == 200
        assert world.caller.get(here).json["data"] == nothing


def test_until_it_succeeds_it_is_a_week_at_most(world: World, clock: ManualClock):
    here = f"/schedules/{world.schedule()}/mute"
    longest = (clock.moment + timedelta(days=7)).isoformat().replace("+00:00", "Z")
    earlier = (clock.moment + timedelta(hours=3)).isoformat().replace("+00:00", "Z")

    found = world.caller.put(here, {"until_success": True}).json["data"]
    shorter = world.caller.put(here, {"until_success": True, "hours": 3}).json["data"]

    assert found == {"muted_until": longest, "until_success": True}
    assert shorter == {"muted_until": earlier, "until_success": True}
    assert world.caller.put(here, {}).status_code == 422


@pytest.mark.parametrize("hours", [0, 169, "1", None])
def test_it_is_a_week_at_most(world: World, hours):
    assert world.caller.put(f"/schedules/{world.schedule()}/mute", {"hours": hours}).status_code == 422


def test_of_a_stranger_it_is_not_found(world: World, open_api: OpenApi):
    stranger, here = open_api(email="eve@example.com"), f"/schedules/{world.schedule()}/mute"

    assert stranger.get(here).status_code == stranger.put(here, {"hours": 1}).status_code == 404
    assert stranger.delete(here).status_code == 404
