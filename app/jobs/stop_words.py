"""What stopping a run does, in words: somebody cancels it, or its time is over. That depends on where it runs."""

from app.jobs.kinds.base import StopWay

_CANCELLED = {
    StopWay.FORCE: "The function and all that it started are asked to end, and killed two seconds later.",
    StopWay.NEXT_CALL: "A call that is under way is finished, and no other is made.",
    StopWay.CHECK: (
        "The function runs in the worker itself, where nobody can end it: it stops when it next calls "
        "context.check_stop(). If it never does, it goes on to its end, and that end counts."
    ),
    StopWay.CHILDREN: "The runs that it started are cancelled with it.",
}
_AT_LIMIT = {
    StopWay.FORCE: "ended after {}",
    StopWay.NEXT_CALL: "stopped before its next call after {}",
    StopWay.CHECK: "asked to stop after {}, and not ended by force: it runs in the worker itself",
    # What it started has limits of its own.
    StopWay.CHILDREN: "without a time limit while it waits for others",
}
_LIMIT_SENTENCES = {
    StopWay.FORCE: "A try is ended after {}, with all that it started.",
    StopWay.NEXT_CALL: "A try is stopped after {}, before its next call.",
    StopWay.CHECK: (
        "After {} a try is asked to stop, and not ended by force: it runs in the worker itself and stops where it "
        "calls context.check_stop()."
    ),
    StopWay.CHILDREN: "It waits for the runs that it starts, however long they take.",
}


def cancel_sentence(way: StopWay, *, waits: bool) -> str:
    """What cancelling a run does, for the person who is about to do it or has just done it."""
    if waits and way is not StopWay.CHILDREN:
        return "It will not start any more."
    return _CANCELLED[way]


def limit_words(way: StopWay, length: str) -> str:
    """What happens at the time limit, as a part of a line."""
    return _AT_LIMIT[way].format(length)


def limit_sentence(way: StopWay, length: str) -> str:
    """The same as a sentence of its own."""
    return _LIMIT_SENTENCES[way].format(length)
