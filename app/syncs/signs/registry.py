"""The services that can be connected, each with the sign on its door.

By the words that connections have: services themselves are named above this package.
"""

from collections.abc import Mapping

from app.syncs.signs.ga4 import GA4_SIGN
from app.syncs.signs.meta import META_SIGN
from app.syncs.signs.sheets import SHEETS_SIGN
from app.syncs.signs.shopify import SHOPIFY_SIGN
from app.syncs.signs.sign import DoorSign

SIGNS: Mapping[str, DoorSign] = {
    "meta": META_SIGN,
    "ga4": GA4_SIGN,
    "shopify": SHOPIFY_SIGN,
    "sheets": SHEETS_SIGN,
}


def sign_of(service: str) -> DoorSign:
    """The sign of a service that can be connected; only such are stored with connections."""
    return SIGNS[service]
