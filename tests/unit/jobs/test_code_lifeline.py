"""Who may still begin, when its worker stops listening to it."""

from app.core.deadline import Deadline
from app.jobs.kinds.code.lifeline import GuardEnd, Orders, WorkerEnd, line
from app.jobs.kinds.code.limits import Limits


def told() -> tuple[WorkerEnd, GuardEnd]:
    """Both ends of a line that orders were sent by."""
    ours, theirs = line()
    worker = WorkerEnd(ours)
    worker.send_orders(Orders(Deadline.after(60), Limits(memory_mib=1, processes=1), {}, b"call"))
    return worker, GuardEnd(theirs)


def test_a_guard_that_has_begun_is_heard_however_late() -> None:
    worker, guard = told()
    orders = guard.receive_orders()

    worker.stop_listening()

    assert orders is not None
    assert worker.has_begun
    worker.close()
    guard.close()


def test_a_guard_that_is_not_heard_any_more_does_not_begin() -> None:
    worker, guard = told()
    worker.stop_listening()

    orders = guard.receive_orders()

    assert orders is None
    assert not worker.has_begun
    worker.close()
    guard.close()
