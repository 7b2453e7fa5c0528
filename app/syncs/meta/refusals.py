"""From an error of the Graph API to the class of trouble it is. Pure.

Meta answers nearly everything with status 400, so only its codes tell. Where a code is not known, the trouble is
INTERNAL and names it: a guess would hide that Meta says something new.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.syncs.calls.troubles import Trouble, TroubleClass
from app.syncs.calls.usage import LONGEST_LIMIT, Usage

EXPIRED_SUBCODE = 463
UNKNOWN_OBJECT = (100, 33)
_SIGN_IN = 190
_SESSION = 102
_LIMITS = frozenset({4, 17, 32, 613, *range(80_000, 80_007), 80_008, 80_009, 80_014})
_TOO_LARGE_SUBCODES = frozenset({1504018, 1504038, 1487534})
# Code 1 alone is any trouble at all; with these words it is about the size.
_TOO_LARGE_WORDS = "reduce the amount of data"
_PERMISSION = frozenset({10, *range(200, 300)})
_VERSION = frozenset({2635, 2500})
_BLOCKED = 368
_PARAMETER = frozenset({100, 3018})
_TRANSIENT = frozenset({1, 2, 104, 960, 2601})
_TRANSIENT_SUBCODE = 99
# Refused now and then for a request that is accepted when it is sent again.
_TRANSIENT_WORDS = "cannot include"
_WORDS = {
    TroubleClass.AUTH_EXPIRED: "The sign-in at Meta has expired. Reconnect the account.",
    TroubleClass.AUTH_REVOKED: "Meta no longer accepts the sign-in: it was taken back. Reconnect the account.",
    TroubleClass.PERMISSION_MISSING: (
        "Meta does not let this sign-in read the account. Grant it ads_read for this account, then reconnect."
    ),
    TroubleClass.SETUP_ERROR: "Meta does not accept what was asked for.",
    TroubleClass.RATE_LIMITED: "Meta asks for fewer calls.",
    TroubleClass.QUOTA_EXHAUSTED: "Meta's quota for this account is used up.",
    TroubleClass.ACCOUNT_UNAVAILABLE: "Meta has blocked this account or app. Look into it at Meta.",
    TroubleClass.TOO_LARGE: "Meta does not hand out this much at once.",
    TroubleClass.TRANSIENT: "Meta has trouble of its own.",
    TroubleClass.VERSION_RETIRED: (
        "Meta no longer serves the version of its API that Belfry asks for. Set BELFRY_META_API_VERSION to a newer one."
    ),
    TroubleClass.INTERNAL: "Meta answered with an error that Belfry does not know.",
}
_LONGEST_QUOTE = 200
# Codes have up to seven digits; anything longer is none, and would stand in every message.
_LARGEST_CODE = 10**9
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_error(error: Mapping[str, Any], *, status: int, usage: Usage | None, clean: Cleaner) -> Trouble:
    """The trouble of what stood below `error` in an answer."""
    code, subcode = _whole(error.get("code")), _whole(error.get("error_subcode"))
    said = clean(_text(error.get("message")))
    is_transient = error.get("is_transient") is True or status >= 500
    trouble_class = class_of(code, subcode, said, is_transient=is_transient)
    # The headers also say with answers that were not limited when the hour is over; only here it matters.
    wait = usage.regain if usage is not None and trouble_class is TroubleClass.RATE_LIMITED else None
    if wait is not None and wait > LONGEST_LIMIT:
        trouble_class = TroubleClass.QUOTA_EXHAUSTED
    shown_code = f"{code}" if subcode is None else f"{code}/{subcode}"
    reference = clean(_text(error.get("fbtrace_id")))
    return Trouble(
        trouble_class,
        f"{_WORDS[trouble_class]} It said: {said[:_LONGEST_QUOTE] or 'nothing'} (code {shown_code}).",
        code=shown_code,
        reference=reference if _REFERENCE.fullmatch(reference) else None,
        wait=wait,
    )


def class_of(code: int | None, subcode: int | None, said: str, *, is_transient: bool) -> TroubleClass:
    """The class of an error. What is about sign-ins goes first: it is never tried again, whatever else is said."""
    words = said.lower()
    questions = (
        (code == _SESSION or (code == _SIGN_IN and subcode == EXPIRED_SUBCODE), TroubleClass.AUTH_EXPIRED),
        (code == _SIGN_IN, TroubleClass.AUTH_REVOKED),
        (code in _LIMITS, TroubleClass.RATE_LIMITED),
        (subcode in _TOO_LARGE_SUBCODES or (code == 1 and _TOO_LARGE_WORDS in words), TroubleClass.TOO_LARGE),
        (code in _PERMISSION or (code, subcode) == UNKNOWN_OBJECT, TroubleClass.PERMISSION_MISSING),
        (code in _VERSION, TroubleClass.VERSION_RETIRED),
        (code == _BLOCKED, TroubleClass.ACCOUNT_UNAVAILABLE),
        (is_transient or code in _TRANSIENT or subcode == _TRANSIENT_SUBCODE, TroubleClass.TRANSIENT),
        (code == 100 and _TRANSIENT_WORDS in words, TroubleClass.TRANSIENT),
        (code in _PARAMETER, TroubleClass.SETUP_ERROR),
    )
    return next((found for fits, found in questions if fits), TroubleClass.INTERNAL)


def without_an_error(status: int, *, wait: timedelta | None) -> Trouble | None:
    """The trouble of an answer that holds no error of the Graph API, by its status alone."""
    if status == 200:
        return None
    code = f"HTTP {status}"
    if status == 429:
        return Trouble(TroubleClass.RATE_LIMITED, f"{_WORDS[TroubleClass.RATE_LIMITED]} ({code})", code, wait=wait)
    if status >= 500 or status == 408:
        return Trouble(TroubleClass.TRANSIENT, f"{_WORDS[TroubleClass.TRANSIENT]} ({code})", code, wait=wait)
    words = f"What answers at BELFRY_META_BASE_URL does not speak like Meta ({code}). Check that address."
    return Trouble(TroubleClass.SETUP_ERROR, words, code)


UNREADABLE = Trouble(TroubleClass.TRANSIENT, "Meta's answer broke off or is not JSON.", "unreadable")


def _whole(value: Any) -> int | None:
    is_code = isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_CODE
    return value if is_code else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
