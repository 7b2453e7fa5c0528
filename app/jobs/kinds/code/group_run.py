"""A run of a whole group: it starts a run of each job of the group, waits for them, and says how they ended."""

from app.jobs.kinds.base import ChildCounts, Outcome, OutcomeStatus, RunContext

# A page has no room for more names.
_MOST_NAMED = 5


def run_group(group: str | None, context: RunContext) -> Outcome:
    """Start them, or, when that was done before, see how they stand."""
    found = context.children()
    if found is None:
        started = context.start_children(group)
        if started == 0:
            context.log(f"Nothing was started: no job is {group_words(group)}.")
            return Outcome(OutcomeStatus.SUCCEEDED, result={"total": 0})
        opened = context.children()
        skipped = opened.skipped_names if opened is not None else ()
        not_started = f" Not started: {_names(skipped)}. Their runs say why." if skipped else ""
        context.log(f"Started {_runs(started - len(skipped))}, for each job {group_words(group)}.{not_started}")
        return Outcome(OutcomeStatus.SUSPENDED)
    if found.running:
        return Outcome(OutcomeStatus.SUSPENDED)
    words = _end_words(found)
    context.log(words)
    # The runs that it started were tried again by themselves, so it is not.
    is_well = found.succeeded == found.total
    status = OutcomeStatus.SUCCEEDED if is_well else OutcomeStatus.FAILED
    return Outcome(status, "" if is_well else words, result=_result(found), may_retry=False)


def group_words(group: str | None) -> str:
    """Which jobs are meant, as the end of a sentence about one."""
    return "defined in code" if group is None else f"of the group “{group}”"


def group_title(group: str | None) -> str:
    """What a job that starts a group is called."""
    return "All jobs defined in code" if group is None else f"All jobs of the group “{group}”"


def _end_words(found: ChildCounts) -> str:
    words = f"{found.succeeded} of {found.total} succeeded"
    if found.cancelled:
        words += f"; {found.cancelled} cancelled"
    if found.failed_names:
        words += f"; failed: {_names(found.failed_names)}"
    elif found.failed:
        words += f"; {found.failed} failed"
    if found.skipped_names:
        words += f"; not started: {_names(found.skipped_names)}"
    return f"{words}."


def _names(names: tuple[str, ...]) -> str:
    rest = len(names) - _MOST_NAMED
    return f"{', '.join(names[:_MOST_NAMED])}{f' and {rest} more' if rest > 0 else ''}"


def _result(found: ChildCounts) -> dict[str, int]:
    return {
        "total": found.total,
        "succeeded": found.succeeded,
        "failed": found.failed,
        "cancelled": found.cancelled,
        "not_started": len(found.skipped_names),
    }


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
