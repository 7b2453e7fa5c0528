"""Whatever goes wrong in whatever order: when the read ends well at last, it says the truth and nothing else."""

from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.syncs.calls.troubles import Action, SyncFailed
from app.syncs.figures import FetchedWindow
from tests.fakes.clock import utc
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.world import World
from tests.unit.syncs.meta_world import FOUR_WEEKS, make_reading, said, truth

# Early in the day of the account: all that waiting must not lead into the next one, in which more is known.
MORNING = utc("2026-11-20 00:30")
MOST_RUNS = 40
# What passes by itself; with it comes what changes the shape of an answer and not what it says.
PASSING: list[dict[str, Any]] = [
    {"fault": "5xx", "variant": "1"},
    {"fault": "5xx", "variant": "html"},
    {"fault": "5xx", "variant": "transient"},
    {"fault": "slow"},
    {"fault": "truncated"},
    {"fault": "truncated", "variant": "garbage"},
    {"fault": "truncated_page"},
    {"fault": "duplicate_page"},
    {"fault": "duplicate_page", "variant": "same_after"},
    {"fault": "empty_page_with_next"},
    {"fault": "reordered"},
    {"fault": "schema_drift"},
    {"fault": "rate_limit_hint", "regain": 1},
    {"fault": "rate_limit_hint", "regain": 3},
    {"fault": "rate_limit_nohint"},
    {"fault": "near_limit", "percent": 90},
    {"fault": "near_limit", "percent": 97},
    {"fault": "usage_garbage"},
    {"fault": "too_large"},
    {"fault": "too_large", "days_over": 7},
    {"fault": "async_failed", "code": 2, "subcode": 99},
    {"fault": "async_failed", "days_over": 1},
    {"fault": "async_skipped"},
    {"fault": "async_running", "polls": 5},
    {"fault": "async_missing_once"},
]


def _route(fault: dict[str, Any]) -> str | None:
    """Only a window can be too large; all the rest may happen to any request."""
    return "insights" if fault["fault"] == "too_large" else None


# A window that could not be made small enough is no mistake of the account either.
_PASSES = {Action.WAIT_OR_DEFER, Action.DEFER, Action.TRY_AGAIN, Action.SPLIT}
FAULTS = st.lists(
    st.tuples(st.sampled_from(PASSING), st.integers(1, 3), st.integers(0, 6)).map(
        lambda made: made[0] | {"times": made[1], "match": {"after": made[2], "route": _route(made[0])}}
    ),
    max_size=8,
)


def read_at_last(world: World, *, page_rows: int) -> list[FetchedWindow]:
    """What a job does: it comes back when told to, and tries again after ten minutes when it failed."""
    for _ in range(MOST_RUNS):
        try:
            return make_reading(world, page_rows=page_rows).read(FOUR_WEEKS)
        except SyncFailed as error:
            if error.handling.action not in _PASSES:
                raise
            world.advance(seconds=_seconds_until(error.until, world.now))
    raise AssertionError("the faults never ended")


def _seconds_until(until: datetime | None, now: datetime) -> float:
    return 600 if until is None else (until - now).total_seconds()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(faults=FAULTS, page_rows=st.sampled_from([9, 40, 500]))
def test_a_read_that_ends_well_says_the_truth(faults: list[dict[str, Any]], page_rows: int) -> None:
    world = World(MetaFake(), now=MORNING)
    for fault in faults:
        world.fail("meta", **fault)

    windows = read_at_last(world, page_rows=page_rows)

    assert said(windows) == truth(world, FOUR_WEEKS)
    assert world.now.date() == MORNING.date()
