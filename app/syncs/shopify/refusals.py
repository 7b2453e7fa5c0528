"""From a refusal of Shopify to the class of trouble it is. Pure.

GraphQL answers with status 200 whatever happens, and with `errors` that are a list; what stands before it answers with
a status, and `errors` that are a text. What is not known is INTERNAL and names itself: a guess would hide it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.syncs.calls.troubles import Trouble, TroubleClass

THROTTLED = "THROTTLED"
# Of a query that is too large as a whole, and of a list that goes on behind its 25,000th entry.
MAX_COST = "MAX_COST_EXCEEDED"
CAP = "PAGINATION_CAP"
UNAVAILABLE_SHOP = "unavailable shop"
_CODES = {
    THROTTLED: TroubleClass.RATE_LIMITED,
    MAX_COST: TroubleClass.TOO_LARGE,
    "ACCESS_DENIED": TroubleClass.PERMISSION_MISSING,
    "SHOP_INACTIVE": TroubleClass.ACCOUNT_UNAVAILABLE,
    "INTERNAL_SERVER_ERROR": TroubleClass.TRANSIENT,
    "TIMEOUT": TroubleClass.TRANSIENT,
}
# What is about rights goes first: it is never tried again, whatever else is said beside it.
_RANKS = (
    TroubleClass.PERMISSION_MISSING, TroubleClass.ACCOUNT_UNAVAILABLE, TroubleClass.RATE_LIMITED,
    TroubleClass.TOO_LARGE, TroubleClass.TRANSIENT, TroubleClass.INTERNAL,
)  # fmt: skip
_CAP_WORDS = re.compile(r"25[,.]?000")
_WORDS = {
    TroubleClass.AUTH_EXPIRED: "Shopify does not accept the access token. Reconnect the shop.",
    TroubleClass.PERMISSION_MISSING: (
        "Shopify does not let this app read the orders. Grant it the scope read_orders, then reconnect."
    ),
    TroubleClass.SETUP_ERROR: (
        "Shopify knows no such shop, or not the version of its API that Belfry asks for. Check the address of the shop."
    ),
    TroubleClass.RATE_LIMITED: "Shopify asks for fewer calls.",
    TroubleClass.ACCOUNT_UNAVAILABLE: (
        "Shopify says that this shop is frozen, locked or closed. Settle that at Shopify, then reconnect."
    ),
    TroubleClass.TOO_LARGE: "Shopify does not hand out this much at once.",
    TroubleClass.TRANSIENT: "Shopify has trouble of its own.",
    TroubleClass.INTERNAL: "Shopify answered with an error that Belfry does not know.",
}
_STATUSES = {
    401: TroubleClass.AUTH_EXPIRED,
    402: TroubleClass.ACCOUNT_UNAVAILABLE,
    403: TroubleClass.PERMISSION_MISSING,
    404: TroubleClass.SETUP_ERROR,
    408: TroubleClass.TRANSIENT,
    423: TroubleClass.ACCOUNT_UNAVAILABLE,
    429: TroubleClass.RATE_LIMITED,
    430: TroubleClass.RATE_LIMITED,
}
_LONGEST_QUOTE = 200
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
UNREADABLE = Trouble(TroubleClass.TRANSIENT, "Shopify's answer broke off or is not JSON.", "unreadable")


def read_status(
    status: int, content: Any, *, wait: timedelta | None, reference: str | None, clean: Cleaner
) -> Trouble | None:
    """The trouble that a status other than 200 speaks of."""
    if status == 200:
        return None
    said = clean(words_of(content))
    trouble_class = _STATUSES.get(status, TroubleClass.TRANSIENT if status >= 500 else TroubleClass.INTERNAL)
    if UNAVAILABLE_SHOP in said.lower():
        trouble_class = TroubleClass.ACCOUNT_UNAVAILABLE
    may_wait = trouble_class in {TroubleClass.RATE_LIMITED, TroubleClass.TRANSIENT}
    return _trouble(trouble_class, said, f"HTTP {status}", wait if may_wait else None, reference)


def read_errors(errors: Any, *, wait: timedelta | None, reference: str | None, clean: Cleaner) -> Trouble | None:
    """The trouble of what stood below `errors` in an answer; None where nothing did.

    Data may stand beside it. It is never more than a part, and so not looked at.
    """
    if not errors:
        return None
    each = errors if isinstance(errors, list) else [errors]
    found = sorted((_class_and_code(error) for error in each), key=lambda pair: _RANKS.index(pair[0]))
    trouble_class, code = found[0]
    said = clean(" ".join(filter(None, (_message(error) for error in each))))
    return _trouble(trouble_class, said, code, wait if trouble_class is TroubleClass.RATE_LIMITED else None, reference)


def wait_in(content: Any) -> timedelta | None:
    """How long until the bucket holds what the query costs, as `extensions.cost` says it; None where it does not."""
    cost = _cost(content)
    status = cost.get("throttleStatus")
    if not isinstance(status, dict):
        return None
    wanted = _number(cost.get("requestedQueryCost"))
    available, rate = _number(status.get("currentlyAvailable")), _number(status.get("restoreRate"))
    if wanted is None or available is None or not rate:
        return None
    return timedelta(seconds=math.ceil(max(0.0, wanted - available) / rate))


@dataclass(frozen=True)
class Bucket:
    """What queries are paid from: by how much it is emptied, and how long until it is full."""

    percent: float
    fills_up_in: timedelta


def bucket_in(content: Any) -> Bucket | None:
    """The bucket after an answer, as its `extensions.cost` says it; None where it does not."""
    status = _cost(content).get("throttleStatus")
    if not isinstance(status, dict):
        return None
    largest, available, rate = (
        _number(status.get(name)) for name in ("maximumAvailable", "currentlyAvailable", "restoreRate")
    )
    if not largest or available is None or not rate:
        return None
    used = max(0.0, largest - available)
    return Bucket(100.0 * used / largest, timedelta(seconds=math.ceil(used / rate)))


def words_of(content: Any) -> str:
    """What an answer says is wrong, `errors` being a text, a list, or an object."""
    errors = content.get("errors") if isinstance(content, dict) else None
    each = errors if isinstance(errors, list) else [errors]
    return " ".join(filter(None, map(_message, each)))


def reference_of(headers: Mapping[str, str]) -> str | None:
    """What Shopify's support wants to know. Names of headers in lower case."""
    said = headers.get("x-request-id", "")
    return said if _REFERENCE.fullmatch(said) else None


def _class_and_code(error: Any) -> tuple[TroubleClass, str | None]:
    code = _code(error)
    message = _message(error).lower()
    if code in _CODES:
        return _CODES[code], code
    # Older answers carry no code.
    if message.strip(" .!") == "throttled":
        return TroubleClass.RATE_LIMITED, THROTTLED
    if _CAP_WORDS.search(message):
        return TroubleClass.TOO_LARGE, CAP
    if "internal error" in message:
        return TroubleClass.TRANSIENT, code
    if "access denied" in message:
        return TroubleClass.PERMISSION_MISSING, code
    return TroubleClass.INTERNAL, code


def _code(error: Any) -> str | None:
    extensions = error.get("extensions") if isinstance(error, dict) else None
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code[:60] if isinstance(code, str) else None


def _message(error: Any) -> str:
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else ""


def _trouble(
    trouble_class: TroubleClass, said: str, code: str | None, wait: timedelta | None, reference: str | None
) -> Trouble:
    shown = f" ({code})" if code else ""
    message = f"{_WORDS[trouble_class]} It said: {said[:_LONGEST_QUOTE] or 'nothing'}{shown}."
    return Trouble(trouble_class, message, code, reference, wait)


def _cost(content: Any) -> Mapping[str, Any]:
    extensions = content.get("extensions") if isinstance(content, dict) else None
    cost = extensions.get("cost") if isinstance(extensions, dict) else None
    return cost if isinstance(cost, dict) else {}


def _number(value: Any) -> float | None:
    """Fractions come as texts; what is larger than any bucket is garbage."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 <= number <= 10_000_000 else None
