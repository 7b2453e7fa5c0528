"""Slots: together, hints and finder never take more runs than a worker has room for."""

import threading

from app.queue.slots import Slots


class TestSlots:
    def test_are_handed_out_until_none_is_left(self) -> None:
        slots = Slots(2)

        assert [slots.try_take(), slots.try_take(), slots.try_take()] == [True, True, False]

    def test_can_be_taken_again_when_they_are_given_back(self) -> None:
        slots = Slots(1)
        with slots.taken() as is_mine:
            during = slots.free

        assert (is_mine, during, slots.free) == (True, 0, 1)

    def test_make_a_hint_wait_until_one_is_free(self) -> None:
        slots = Slots(1)
        slots.try_take()
        taken = threading.Event()

        def follow() -> None:
            with slots.taken():
                taken.set()

        thread = threading.Thread(target=follow)
        thread.start()
        early = taken.is_set()
        slots.release()
        thread.join(5)

        assert (early, taken.is_set(), slots.free) == (False, True, 1)

    def test_let_no_more_threads_look_for_hints_than_are_free(self) -> None:
        slots = Slots(2)
        slots.try_take()

        with slots.watched(0) as first, slots.watched(0) as second:
            assert (first, second) == (True, False)
        with slots.watched(0) as later:
            assert later

    def test_of_a_closed_worker_are_nobodys(self) -> None:
        slots = Slots(2)
        slots.close()

        with slots.taken() as is_mine, slots.watched(0) as may_look:
            assert (is_mine, may_look, slots.try_take()) == (False, False, False)
        assert slots.free == 0
