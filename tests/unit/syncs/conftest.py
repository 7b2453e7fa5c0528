"""A world with the fake of Meta in it. Nothing leaves this machine."""

import pytest

from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.world import World
from tests.unit.syncs.meta_world import Reading, make_reading


@pytest.fixture
def world() -> World:
    return World(MetaFake())


@pytest.fixture
def reading(world: World) -> Reading:
    """A read of the campaigns of the account in dollars, all rows of a window on one page."""
    return make_reading(world)
