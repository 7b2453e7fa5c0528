"""Words about tries: when the next one comes and why then, and why there is none. Pure."""

from datetime import timedelta

from app.jobs.policies import Backoff, ErrorClass, RetryPolicy
from app.runs.attempt_queries import AttemptRow
from app.web.formatting import duration
from app.web.run_words import ERROR_CLASS_WORDS


def why_then(policy: RetryPolicy, last: AttemptRow | None) -> str:
    """Why the next try comes when it comes."""
    if last is not None and last.come_back_at is not None:
        return "The other side said when to come back."
    wait = _long(policy.delay_seconds)
    if policy.backoff is Backoff.FIXED:
        rule = f"The wait is {wait} after each try"
    else:
        rule = f"The wait is {wait} at first and doubles after each try, up to {_long(policy.longest_delay_seconds)}"
    return f"{rule}, spread by up to 20 %." if policy.has_jitter else f"{rule}."


def why_no_more(policy: RetryPolicy, last: AttemptRow | None, *, is_sync: bool = False) -> str:
    """Why a try that failed was not followed by another one, although some were left."""
    error_class = None if last is None else last.error_class
    if error_class is ErrorClass.REFUSED:
        then = "" if is_sync else " Correct it in the job, then retry."
        return f"A refused credential stays refused, so it was not tried again.{then}"
    if error_class in policy.not_on and error_class is not None:
        trouble = ERROR_CLASS_WORDS[error_class]
        return f"Its job says not to try again after this: {trouble[:1].lower()}{trouble[1:]}."
    return "Trying again would not help, so it was not tried again."


def _long(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else duration(timedelta(seconds=seconds))
