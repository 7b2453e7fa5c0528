"""Words about runs, as pages print them: why one exists, why it stands where it stands, how late it was. Pure."""

import re
from datetime import timedelta
from uuid import UUID

from app.jobs.policies import ErrorClass
from app.runs.states import AttemptState, Reason
from app.web.formatting import duration

# The planner names a run that was in the way within brackets.
_NAMED_RUN = re.compile(r"\(([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\)")
# Below this a run counts as on time: dispatching takes a moment.
_ON_TIME = timedelta(seconds=2)

REASON_WORDS = {
    Reason.OVERLAP: "The previous run was still going.",
    Reason.CHILDREN: "The runs that it started are still going.",
    Reason.WITH_PARENT: "The run that started it was cancelled.",
    Reason.REPLACED: "A newer run of its schedule took its place.",
    Reason.CANCELLED: "Somebody ended it.",
    Reason.GIVEN_UP: "Somebody decided that it is not tried again.",
    Reason.LOST: "The worker died or lost touch while it ran.",
    Reason.LOST_TOO_OFTEN: "Its worker died or lost touch three times, so the job itself may be the cause.",
    Reason.TIMED_OUT: "It reached its time limit and was stopped.",
    Reason.ERROR: "The job failed.",
    Reason.KEY_MISSING: "The worker lacks the key to a secret of the job.",
    Reason.DEFERRED: "It goes on later.",
    Reason.REMOVED: "It was taken out of the queue.",
    Reason.UNREADABLE: "This version of Belfry cannot read the run or its job.",
    Reason.NEEDS_CONNECTION: "Nobody has connected an account for it to read from.",
    Reason.JOB_DELETED: "Its job or schedule was deleted.",
    Reason.LEFT_CODE: "Its job is no longer in the code.",
    Reason.MISTAKE: "Its job has a mistake in the code.",
    Reason.ENDLESS: "It could have started itself for ever.",
}
ERROR_CLASS_WORDS = {
    ErrorClass.NETWORK: "No answer from the other side",
    ErrorClass.RATE_LIMITED: "The other side asked for fewer calls",
    ErrorClass.SERVER: "The other side failed (5xx)",
    ErrorClass.REFUSED: "A refused credential (401, 403)",
    ErrorClass.REJECTED: "An unexpected answer",
    ErrorClass.TIMED_OUT: "The time limit",
    ErrorClass.JOB: "A failure of the job itself",
}
# What is odd about a sync that went well, as its result says.
FLAG_WORDS: dict[object, str] = {
    "empty": "The service had no figures for these days.",
    "suspicious": "What came is not as usual.",
}
ATTEMPT_WORDS = {
    AttemptState.RUNNING: "Running",
    AttemptState.SUCCEEDED: "Succeeded",
    AttemptState.FAILED: "Failed",
    AttemptState.TIMED_OUT: "Timed out",
    AttemptState.LOST: "Lost",
    AttemptState.CANCELLED: "Cancelled",
    AttemptState.RELEASED: "Handed back",
}


def lateness_words(lateness: timedelta | None) -> str:
    """“on time” or “4 s late”; nothing for what has not started."""
    if lateness is None:
        return ""
    return "on time" if lateness < _ON_TIME else f"{_brief(lateness)} late"


def tries_words(attempt: int, tries: int) -> str:
    """“2 of 3”, never broken over two lines; an en dash before the first."""
    return f"{attempt}\N{NO-BREAK SPACE}of\N{NO-BREAK SPACE}{tries}" if attempt else "–"


def named_run(text: str | None) -> UUID | None:
    """The run that an explanation names; None where it names none."""
    found = _NAMED_RUN.search(text or "")
    return UUID(found[1]) if found else None


def _brief(length: timedelta) -> str:
    # “4 s”, not “4.0 s”.
    return duration(length) if length >= timedelta(seconds=10) else f"{int(length.total_seconds())} s"
