"""Every kind of channel with its courier: the one list of them."""

from types import MappingProxyType

from app.core.config import Settings
from app.core.http import OutboundClient
from app.notifications.couriers.apprise_service import AppriseCourier
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import Couriers
from app.notifications.couriers.judging import LazySender
from app.notifications.couriers.mail import MailCourier
from app.notifications.couriers.telegram import TelegramCourier
from app.notifications.couriers.webhook import WebhookCourier
from app.notifications.types import ChannelKind


def couriers(settings: Settings) -> Couriers:
    """The couriers of an installation. They are safe to share between threads."""
    # Two clients: what may lead to private machines by the operator's word must not be asked for typed addresses.
    own = LazySender(lambda: OutboundClient(own_urls=settings.services.of_messages))
    allowed = settings.allowed_private_addresses
    guarded = LazySender(lambda: OutboundClient(allowed_private=allowed))
    return MappingProxyType(
        {
            ChannelKind.DISCORD: DiscordCourier(own, settings.services.discord_base_url),
            ChannelKind.TELEGRAM: TelegramCourier(own, settings.services.telegram_base_url),
            ChannelKind.EMAIL: MailCourier(settings.mail),
            ChannelKind.WEBHOOK: WebhookCourier(guarded, allowed),
            ChannelKind.APPRISE: AppriseCourier(allowed),
        }
    )
