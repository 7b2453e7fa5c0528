"""Graph errors, word for word as far as recordings go."""

from itertools import count
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.wire import Answer

_traces = count(1)
_EXPIRED = "Error validating access token: Session has expired on Friday, 20-Nov-26 03:00:00 PST."
_REVOKED = {
    "460": "Error validating access token: The session has been invalidated because the user changed their password.",
    "467": "Error validating access token: This may be because the user logged out or may be due to a system error.",
    "458": "Error validating access token: The user has not authorized application 1234567890.",
    "493": "Error validating access token: User has not engaged with the app in longer than 90 days.",
}
_LIMITS = {
    "4": (1504022, "(#4) Application request limit reached"),
    "17": (2446079, "(#17) User request limit reached"),
    "32": (None, "(#32) Page request limit reached"),
    "613": (1487742, "(#613) Calls to this api have exceeded the rate limit."),
    "80000": (2446079, "(#80000) There have been too many calls from this ad-account. Wait a bit and try again."),
    "80004": (2446079, "(#80004) There have been too many calls to this ad-account. Wait a bit and try again."),
}
_TOO_LARGE = {
    "1504018": (100, "(#100) Your request timed out. Please try a smaller date range, fetch less data, or use async"),
    "1504038": (2, "(#2) Your request timed out. Please try a smaller date range, fetch less data, or use async"),
    "1487534": (100, "(#100) Too many rows. Please reduce the amount of data you're asking for."),
    "1": (1, "Please reduce the amount of data you're asking for, then retry your request"),
}


def graph_error(
    code: int, message: str, *, subcode: int | None = None, status: int = 400, kind: str = "OAuthException", **more: Any
) -> Answer:
    """An error as the Graph API words it. Its status is 400 for nearly everything."""
    error: dict[str, Any] = {"message": message, "type": kind, "code": code}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer.of_json(
        {"error": error | more | {"fbtrace_id": f"Afake{next(_traces):08}"}},
        status=status,
        headers=(("WWW-Authenticate", f'OAuth "Facebook Platform" "invalid_request" "{message[:40]}"'),),
    )


def unknown_object(object_id: str) -> Answer:
    words = (
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation."
    )
    return graph_error(100, words, subcode=33, kind="GraphMethodException")


def bad_parameter(words: str) -> Answer:
    return graph_error(100, f"(#100) {words}")


def expired() -> Answer:
    return graph_error(190, _EXPIRED, subcode=463)


def missing_scope() -> Answer:
    words = "(#200) Ad account owner has NOT grant ads_management or ads_read permission"
    return graph_error(200, words, status=403)


def rate_limited(code: str) -> Answer:
    subcode, message = _LIMITS[code]
    return graph_error(int(code), message, subcode=subcode)


def too_large(variant: str) -> Answer:
    code, message = _TOO_LARGE[variant]
    return graph_error(code, message, subcode=None if variant == "1" else int(variant))


def refusal_of(fault: Fault) -> Answer | None:
    """The answer that a fault gives in the place of the true one, or None for those that only bend that."""
    variant = str(fault.options.get("variant") or "")
    match fault.fault:
        case "expired_token":
            return expired()
        case "revoked":
            return graph_error(190, _REVOKED[variant or "460"], subcode=int(variant or 460))
        case "no_permission":
            return _no_permission(variant)
        case "rate_limit_hint" | "rate_limit_nohint":
            return rate_limited(variant or ("17" if fault.fault == "rate_limit_hint" else "80000"))
        case "5xx":
            return _broken(variant)
        case "too_large":
            return too_large(variant or "1504018")
        case "blocked":
            return graph_error(368, "The action attempted has been deemed abusive or is otherwise disallowed")
        case "echo":
            # A server that repeats what it was sent, which is how tokens get into logs.
            return graph_error(100, f"(#100) Cannot read this: {fault.options['text']}")
    return None


def _no_permission(variant: str) -> Answer:
    if variant == "100-33":
        return unknown_object("act_1001")
    if variant == "200":
        return missing_scope()
    return graph_error(10, "(#10) Application does not have permission for this action", status=403)


def _broken(variant: str) -> Answer:
    match variant:
        case "html":
            return Answer.of_html(502, "<html><body><h1>502 Bad Gateway</h1></body></html>")
        case "1":
            return graph_error(1, "An unknown error occurred", subcode=99, status=500)
        case "transient":
            return graph_error(960, "Request could not be completed", is_transient=True)
    return graph_error(2, "Service temporarily unavailable", subcode=1504044, status=500, is_transient=True)
