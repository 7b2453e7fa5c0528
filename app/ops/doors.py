"""Puts the doors of all services together, and the readers behind them, at the addresses of the settings."""

from collections.abc import Callable, Iterator, Mapping

from app.core.config import Settings
from app.core.http import OutboundClient
from app.jobs.kinds.sync.definition import Sources
from app.jobs.services import Service
from app.syncs.calls.client import Sender
from app.syncs.doors import ServiceDoor
from app.syncs.sheets.door import SheetsDoor
from app.syncs.sources import Source

Doors = Mapping[Service, ServiceDoor]


def service_sender(settings: Settings) -> OutboundClient:
    """What carries requests to the services: one for a process, for syncs and logins alone."""
    return OutboundClient(own_urls=settings.services.of_syncs)


def make_doors(settings: Settings, sender: Sender) -> Doors:
    """Where logins are tried, for each service that can be connected."""
    # All that is below reads or tries one service: megabytes that wait for whoever has accounts there.
    from app.syncs.ga4.door import Ga4Door  # noqa: PLC0415
    from app.syncs.meta.door import MetaDoor  # noqa: PLC0415
    from app.syncs.shopify.door import ShopifyDoor  # noqa: PLC0415

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
    return LateSources(
        {
            Service.META: lambda: _meta(settings, sender),
            Service.GA4: lambda: _ga4(settings, sender),
            Service.SHOPIFY: lambda: _shopify(settings, sender),
        }
    )


class LateSources(Mapping[Service, Source]):
    """Each is made when it is asked for: readers take megabytes, and hardly anybody has accounts of every service."""

    def __init__(self, makers: Mapping[Service, Callable[[], Source]]) -> None:
        self._makers = makers
        self._made: dict[Service, Source] = {}

    def __getitem__(self, service: Service) -> Source:
        # Made twice at the same moment is harmless: they keep nothing.
        return self._made.get(service) or self._made.setdefault(service, self._makers[service]())

    def __iter__(self) -> Iterator[Service]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, service: object) -> bool:
        # Mapping's own would make it.
        return service in self._makers


def _meta(settings: Settings, sender: Sender) -> Source:
    from app.syncs.meta.door import MetaDoor  # noqa: PLC0415
    from app.syncs.meta.source import MetaSource  # noqa: PLC0415

    return MetaSource(MetaDoor.of(settings.services, sender))


def _ga4(settings: Settings, sender: Sender) -> Source:
    from app.syncs.ga4.door import Ga4Door  # noqa: PLC0415
    from app.syncs.ga4.source import Ga4Source  # noqa: PLC0415

    return Ga4Source(Ga4Door.of(settings.services, sender))


def _shopify(settings: Settings, sender: Sender) -> Source:
    from app.syncs.shopify.door import ShopifyDoor  # noqa: PLC0415
    from app.syncs.shopify.source import ShopifySource  # noqa: PLC0415

    return ShopifySource(ShopifyDoor.of(settings.services, sender))
