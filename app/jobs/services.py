"""The services that a sync can read from. Pure."""

from enum import StrEnum


class Service(StrEnum):
    """A service, as it is stored and addressed."""

    META = "meta"  # Meta ad accounts
    GA4 = "ga4"  # Google Analytics 4 properties
    SHOPIFY = "shopify"  # Shopify shops


SERVICE_NAMES = {Service.META: "Meta", Service.GA4: "Google Analytics", Service.SHOPIFY: "Shopify"}
