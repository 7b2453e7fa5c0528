"""The services that a sync can read from, and those that it can push to. Pure."""

from enum import StrEnum


class Service(StrEnum):
    """A service, as it is stored and addressed."""

    META = "meta"  # Meta ad accounts
    GA4 = "ga4"  # Google Analytics 4 properties
    SHOPIFY = "shopify"  # Shopify shops
    SHEETS = "sheets"  # Google spreadsheets, where figures of the others are pushed to


SERVICE_NAMES = {
    Service.META: "Meta",
    Service.GA4: "Google Analytics",
    Service.SHOPIFY: "Shopify",
    Service.SHEETS: "Google Sheets",
}
# What figures come from, and where they go to: a connection is one or the other.
READ_SERVICES = (Service.META, Service.GA4, Service.SHOPIFY)
DESTINATIONS = frozenset({Service.SHEETS})


def is_destination(service: object) -> bool:
    """Whether a service, by its word, takes figures instead of having any."""
    return service in DESTINATIONS
