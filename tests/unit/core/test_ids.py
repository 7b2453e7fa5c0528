"""Ids sort as they were made, also within one millisecond, and tell nothing of the next."""

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor

import time_machine

from app.core.ids import new_id

MOMENT = 1_795_000_000


class TestNewId:
    @time_machine.travel(MOMENT, tick=False)
    def test_sorts_as_made_within_one_millisecond(self) -> None:
        made = [new_id() for _ in range(10_000)]

        assert made == sorted(made)
        assert len(set(made)) == len(made)

    @time_machine.travel(MOMENT, tick=False)
    def test_is_a_version_7_of_its_millisecond(self) -> None:
        for made in (new_id() for _ in range(100)):
            assert (made.version, made.variant) == (7, uuid.RFC_4122)
            assert made.int >> 80 == MOMENT * 1000

    @time_machine.travel(MOMENT, tick=False)
    def test_steps_by_chance(self) -> None:
        made = [new_id().int for _ in range(1_000)]

        steps = {after - before for before, after in itertools.pairwise(made)}
        assert len(steps) == 999

    def test_sorts_by_time_whatever_came_before(self) -> None:
        with time_machine.travel(MOMENT, tick=False):
            late = new_id()
        with time_machine.travel(MOMENT - 3600, tick=False):
            early = new_id()

        assert early < late

    @time_machine.travel(MOMENT, tick=False)
    def test_threads_share_none(self) -> None:
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda _: new_id(), range(4_000)))

        assert len(set(made)) == len(made)
