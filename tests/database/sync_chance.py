"""Syncs to which chance does things: whatever goes wrong in whatever order, and whoever dies when."""

from collections.abc import Callable
from random import Random
from uuid import UUID

from app.runs.models import Run
from tests.database.sync_world import SyncWorld

MOST_RUNS = 12
Trouble = Callable[[SyncWorld, Random], None]


def sync_in_trouble(syncs: SyncWorld, seed: int, *, trouble: Trouble) -> None:
    """Sync until a run ends well, or some did not, and then once more without any trouble."""
    chance = Random(seed)
    for _ in range(MOST_RUNS):
        run_id = syncs.ready_run()
        trouble(syncs, chance)
        run = _some_attempt(syncs, run_id, chance)
        while run.finished_at is None:
            run = _some_attempt(syncs, run_id, chance)
        if run.state == "succeeded":
            break
    syncs.world.faults.clear()
    syncs.sync_at_last()


def _some_attempt(syncs: SyncWorld, run_id: UUID, chance: Random) -> Run:
    """An attempt that ends well or badly, or whose worker dies in the middle."""
    syncs.let_time_pass(syncs.run(run_id))
    way = chance.choice(("calls", "statements", "", ""))
    if way:
        syncs.die(run_id, at=chance.randint(1, 40), of=way)
    else:
        syncs.attempt(run_id)
    return syncs.run(run_id)
