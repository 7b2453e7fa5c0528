"""Puts the doors of all services together, and the readers behind them, at the addresses of the settings."""

from collections.abc import Mapping

from app.core.config import Settings
from app.core.http import OutboundClient
from app.jobs.kinds.sync.definition import Sources
from app.jobs.services import Service
from app.syncs.calls.client import Sender
from app.syncs.doors import ServiceDoor
from app.syncs.ga4.door import Ga4Door
from app.syncs.ga4.source import Ga4Source
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.source import MetaSource
from app.syncs.sheets.door import SheetsDoor
from app.syncs.shopify.door import ShopifyDoor
from app.syncs.shopify.source import ShopifySource

Doors = Mapping[Service, ServiceDoor]


def service_sender(settings: Settings) -> OutboundClient:
    """What carries requests to the services: one for a process, for syncs and logins alone."""
    return OutboundClient(own_urls=settings.services.of_syncs)


def make_doors(settings: Settings, sender: Sender) -> Doors:
    """Where logins are tried, for each service that can be connected."""
    return {
        Service.META: MetaDoor.of(settings.services, sender),
        Service.GA4: Ga4Door.of(settings.services, sender),
        Service.SHOPIFY: ShopifyDoor.of(settings.services, sender),
        Service.SHEETS: make_sheets(settings, sender),
    }


def make_sheets(settings: Settings, sender: Sender) -> SheetsDoor:
    """The service that figures are pushed to."""
    return SheetsDoor.of(settings.services, sender)


def make_sources(settings: Settings, sender: Sender) -> Sources:
    """The services that can be read."""
    return {
        Service.META: MetaSource(MetaDoor.of(settings.services, sender)),
        Service.GA4: Ga4Source(Ga4Door.of(settings.services, sender)),
        Service.SHOPIFY: ShopifySource(ShopifyDoor.of(settings.services, sender)),
    }
