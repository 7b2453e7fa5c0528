"""What somebody who tries a login is told when it does not work: what Meta said, and what to do about it. Pure."""

import math
from datetime import datetime

from app.core.http import FailureKind
from app.syncs.calls.troubles import SyncFailed, TroubleClass

_NEW_TOKEN = "Make a new access token at Meta and give it to Belfry."  # noqa: S105 - advice
_WORDS = {
    TroubleClass.AUTH_EXPIRED: f"Meta refused: this login has expired. {_NEW_TOKEN}",
    TroubleClass.AUTH_REVOKED: f"Meta refused: it does not accept this login, or no longer does. {_NEW_TOKEN}",
    TroubleClass.TRANSIENT: "Meta has trouble of its own right now. Test again in a moment.",
    TroubleClass.TOO_LARGE: "Meta does not hand out a single campaign at once right now. Test again in a moment.",
}
_UNREACHABLE = {FailureKind.RESOLVE.value, FailureKind.CONNECT.value, FailureKind.TLS.value}


def no_answer(seconds: float) -> str:
    """What is said when time is up."""
    return f"No answer from Meta in {seconds:.0f} s. Test again."


def words_for(error: SyncFailed, *, account_id: str | None, now: datetime, seconds: float) -> str:
    """One or two sentences. Without a secret: the trouble was cleaned where it was read."""
    trouble = error.trouble
    if trouble.code == FailureKind.TIMEOUT.value:
        return no_answer(seconds)
    if trouble.code in _UNREACHABLE:
        return f"Belfry cannot reach Meta: {trouble.message} Test again, or ask whoever runs Belfry."
    if error.until is not None:
        minutes = max(1, math.ceil((error.until - now).total_seconds() / 60))
        return f"Meta is limiting requests. Test again in {minutes} min."
    if trouble.trouble_class is TroubleClass.PERMISSION_MISSING:
        return f"{_no_access(account_id)}{_reference(error)}"
    return f"{_WORDS.get(trouble.trouble_class, trouble.message)}{_reference(error)}"


def _no_access(account_id: str | None) -> str:
    if account_id is None:
        return "Meta refused: this login may not list ad accounts. Make an access token with the permission ads_read."
    return (
        f"Meta refused: this login has no access to ad account act_{account_id}. Ask its admin for Advertiser access, "
        "and give the access token the permission ads_read. Then test again."
    )


def _reference(error: SyncFailed) -> str:
    return f" (Meta’s reference: {error.trouble.reference})" if error.trouble.reference else ""
