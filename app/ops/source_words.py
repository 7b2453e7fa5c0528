"""Why a run exists, in words: the same on pages and in commands. Pure."""

from app.runs.queries import RunRow
from app.runs.states import Trigger, Via

TRIGGER_WORDS = {
    Trigger.SCHEDULE: "On schedule",
    Trigger.CATCH_UP: "Catch-up",
    Trigger.MANUAL: "By hand",
    Trigger.RETRY: "Retry",
    Trigger.CHAIN: "After another job",
    Trigger.GROUP: "With its group",
}
VIA_WORDS = {Via.API: "API", Via.TERMINAL: "command line"}


def source_words(run: RunRow, *, asked_by: str | None) -> str:
    """Why it exists, with who asked for it and through what: “On schedule”, “Ana”, “Retry by Ana, API”."""
    if run.again_of_run_id is not None:
        begin = f"Again by {asked_by}" if asked_by else "Run again"
    elif run.trigger is Trigger.MANUAL and asked_by:
        begin = asked_by
    else:
        begin = TRIGGER_WORDS[run.trigger] + (f" by {asked_by}" if asked_by else "")
    return begin if run.requested_via is None else f"{begin}, {VIA_WORDS[run.requested_via]}"
