"""From a refusal of the address that hands out tokens to the class of trouble it is. Pure."""

from datetime import timedelta
from typing import Any

from app.core.hiding import Cleaner
from app.syncs.calls.troubles import Trouble, TroubleClass
from app.syncs.shopify.refusals import read_status

_NEW_LOGIN = "Give Belfry a new login."
_CODES = {
    "invalid_request": (
        TroubleClass.AUTH_REVOKED,
        "Shopify no longer takes the refresh token: it has expired, was taken back, or somebody else used it. "
        + _NEW_LOGIN,
    ),
    "application_cannot_be_found": (
        TroubleClass.AUTH_REVOKED,
        f"Shopify knows no app with this client ID. {_NEW_LOGIN}",
    ),
    "invalid_client": (TroubleClass.AUTH_REVOKED, f"Shopify does not accept the client secret. {_NEW_LOGIN}"),
    "shop_not_permitted": (
        TroubleClass.PERMISSION_MISSING,
        "This app may not sign in to the shop: it is not installed there, or belongs to another organization. Install "
        "it, then reconnect.",
    ),
    "unsupported_grant_type": (
        TroubleClass.SETUP_ERROR,
        "Shopify does not let this app sign in this way. Choose another kind of login.",
    ),
}  # fmt: skip
_CODES["invalid_grant"] = _CODES["invalid_request"]
_CODES["invalid_client_credentials"] = _CODES["invalid_client"]
# Shopify takes the refresh token before again for some weeks, as long as nobody used the new one.
LOST = (
    "Shopify no longer takes the refresh token. The last renewal ended before its answer was stored, so the new one is "
    f"lost. {_NEW_LOGIN}"
)
_LONGEST_QUOTE = 200


def read_refusal(
    status: int, content: Any, *, wait: timedelta | None, reference: str | None, clean: Cleaner
) -> Trouble | None:
    """The trouble of an answer; None for a good one."""
    if status == 200:
        return None
    code = content.get("error") if isinstance(content, dict) else None
    if isinstance(code, str) and code in _CODES and status < 500:
        trouble_class, words = _CODES[code]
        return Trouble(trouble_class, words, code, reference)
    if isinstance(code, str) and status in {400, 401, 403}:
        described = content.get("error_description")
        said = clean(described if isinstance(described, str) else code)[:_LONGEST_QUOTE]
        words = f"Shopify refused to sign the app in, for a reason that Belfry does not know. It said: {said}"
        return Trouble(TroubleClass.INTERNAL, words, clean(code)[:40], reference)
    return read_status(status, content, wait=wait, reference=reference, clean=clean)
