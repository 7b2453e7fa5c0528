"""What somebody who tries a key of Google is told when it does not work. Pure."""

import math
from datetime import datetime

from app.core.http import FailureKind
from app.syncs.calls.troubles import SyncFailed, TroubleClass

_UNREACHABLE = {FailureKind.RESOLVE.value, FailureKind.CONNECT.value, FailureKind.TLS.value}


def no_answer(seconds: float) -> str:
    """What is said when time is up."""
    return f"No answer from Google in {seconds:.0f} s. Test again."


def words_for(error: SyncFailed, *, now: datetime, seconds: float) -> str:
    """One to three sentences. Without a secret: the trouble was cleaned where it was read."""
    trouble = error.trouble
    if trouble.code == FailureKind.TIMEOUT.value:
        return no_answer(seconds)
    if trouble.code in _UNREACHABLE:
        return f"Belfry cannot reach Google: {trouble.message} Test again, or ask whoever runs Belfry."
    if error.until is not None:
        minutes = max(1, math.ceil((error.until - now).total_seconds() / 60))
        return f"{trouble.message} Test again in {minutes} min."
    if trouble.trouble_class is TroubleClass.TRANSIENT:
        return "Google has trouble of its own right now. Test again in a moment."
    return trouble.message
