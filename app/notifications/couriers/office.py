"""Every kind of channel with its courier: the one list of them."""

from types import MappingProxyType

from app.core.config import Settings
from app.core.http import OutboundClient
from app.notifications.couriers.apprise_service import AppriseCourier
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import Couriers
from app.notifications.couriers.judging import LazySender
from app.notifications.couriers.mail import MailCourier
from app.notifications.couriers.mail_server import MailServer
from app.notifications.couriers.telegram import TelegramCourier
from app.notifications.couriers.webhook import WebhookCourier
from app.notifications.types import ChannelKind


def couriers(settings: Settings) -> Couriers:
    """The couriers of an installation. They are safe to share between threads."""
    # Two clients: what may lead to private machines by the operator's word must not be asked for typed addresses.
    own = LazySender(lambda: OutboundClient(own_urls=(settings.discord_base_url, settings.telegram_base_url)))
    allowed = settings.allowed_private_addresses
    guarded = LazySender(lambda: OutboundClient(allowed_private=allowed))
    return MappingProxyType(
        {
            ChannelKind.DISCORD: DiscordCourier(own, settings.discord_base_url),
            ChannelKind.TELEGRAM: TelegramCourier(own, settings.telegram_base_url),
            ChannelKind.EMAIL: MailCourier(mail_server(settings)),
            ChannelKind.WEBHOOK: WebhookCourier(guarded, allowed),
            ChannelKind.APPRISE: AppriseCourier(allowed),
        }
    )


def mail_server(settings: Settings) -> MailServer | None:
    """The mail server of the installation, if the operator named one."""
    if settings.smtp_host is None:
        return None
    return MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_from or f"belfry@{settings.smtp_host}",
        settings.smtp_user,
        settings.smtp_password,
    )
