"""What somebody who tries a login is told when it does not work: what Shopify said, and what to do about it. Pure."""

import math
from datetime import datetime

from app.core.wire import FailureKind
from app.syncs.calls.troubles import SyncFailed, TroubleClass

_WORDS = {
    TroubleClass.TRANSIENT: "Shopify has trouble of its own right now. Test again in a moment.",
    TroubleClass.TOO_LARGE: "Shopify does not hand out a single order at once right now. Test again in a moment.",
}
_UNREACHABLE = {FailureKind.RESOLVE.value, FailureKind.CONNECT.value, FailureKind.TLS.value}


def no_answer(seconds: float) -> str:
    """What is said when time is up."""
    return f"No answer from Shopify in {seconds:.0f} s. Test again."


def words_for(error: SyncFailed, *, shop: str, now: datetime, seconds: float) -> str:
    """One or two sentences. Without a secret: the trouble was cleaned where it was read."""
    trouble = error.trouble
    if trouble.code == FailureKind.TIMEOUT.value:
        return no_answer(seconds)
    if trouble.code in _UNREACHABLE:
        return f"Belfry cannot reach {shop}: {trouble.message} Test again, or ask whoever runs Belfry."
    if error.until is not None:
        minutes = max(1, math.ceil((error.until - now).total_seconds() / 60))
        return f"Shopify is limiting requests. Test again in {minutes} min."
    reference = f" (Shopify’s reference: {trouble.reference})" if trouble.reference else ""
    return f"{_WORDS.get(trouble.trouble_class, trouble.message)}{reference}"
