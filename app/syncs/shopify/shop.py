"""Asks a shop about itself: its zone, its currency, and what the app may read of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import available_timezones

from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.days import day_of
from app.syncs.shopify.graphql import ShopCalls
from app.syncs.shopify.queries import SHOP

ORDERS_SCOPE = "read_orders"
ALL_ORDERS_SCOPE = "read_all_orders"
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class ShopFacts:
    """A shop. Its days are those of `zone` (IANA), its money is in `currency` (ISO 4217)."""

    domain: str
    name: str
    zone: str
    currency: str
    scopes: frozenset[str]

    @property
    def reads_all_orders(self) -> bool:
        """Without it Shopify leaves out orders of more than 60 days ago, and does not say so."""
        return ALL_ORDERS_SCOPE in self.scopes

    def today(self, now: datetime) -> date:
        return day_of(now, self.zone)

    def refuse_other(self, zone: Any, currency: Any) -> None:
        """Raises SyncFailed where the shop says otherwise now: days and money of one read are those of one shop."""
        if (zone, currency) != (self.zone, self.currency):
            message = "The time zone or the currency of the shop was changed while it was read. Nothing of it landed."
            raise failed(TroubleClass.DATA_QUALITY, message)


def read_shop(calls: ShopCalls, *, domain: str) -> ShopFacts:
    """What a shop says of itself. Raises SyncFailed, also when the app may not read its orders."""
    said = calls.ask(SHOP)
    facts = _facts(said)
    if facts.domain != domain:
        raise failed(TroubleClass.INTERNAL, "Shopify answered for another shop than the one that was asked for.")
    if ORDERS_SCOPE not in facts.scopes and ALL_ORDERS_SCOPE not in facts.scopes:
        message = "This app may not read the orders of the shop. Grant it the scope read_orders, then reconnect."
        raise failed(TroubleClass.PERMISSION_MISSING, message)
    return facts


def _facts(said: Mapping[str, Any]) -> ShopFacts:
    shop = said.get("shop")
    if not isinstance(shop, dict):
        raise _unknown("says nothing of the shop")
    domain, name, zone, currency = (
        shop.get(key) for key in ("myshopifyDomain", "name", "ianaTimezone", "currencyCode")
    )
    # Days and money would be wrong without these; nothing is guessed.
    if not isinstance(domain, str) or not domain:
        raise _unknown("does not say which shop it is")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise _unknown("does not say in which currency the shop is")
    if not isinstance(zone, str) or zone not in available_timezones():
        raise _unknown("names a time zone for the shop that Belfry does not know")
    return ShopFacts(domain, name if isinstance(name, str) and name else domain, zone, currency, _scopes(said))


def _scopes(said: Mapping[str, Any]) -> frozenset[str]:
    installation = said.get("currentAppInstallation")
    scopes = installation.get("accessScopes") if isinstance(installation, dict) else None
    if not isinstance(scopes, list):
        raise _unknown("does not say what the app may read")
    return frozenset(
        each["handle"] for each in scopes if isinstance(each, dict) and isinstance(each.get("handle"), str)
    )


def _unknown(what: str) -> SyncFailed:
    return failed(TroubleClass.INTERNAL, f"Shopify {what}.")
