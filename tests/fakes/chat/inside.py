"""The same chats without a socket, for tests that ask something else."""

import json
from urllib.parse import urlsplit

from app.core.http import FailureKind, OutboundFailed, OutboundLimits, OutboundRequest, OutboundResponse
from app.notifications.couriers.apprise_service import AppriseCourier
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import Couriers
from app.notifications.couriers.mail import MailCourier
from app.notifications.couriers.telegram import TelegramCourier
from app.notifications.couriers.webhook import WebhookCourier
from app.notifications.types import ChannelKind
from tests.fakes.chat.server import Chat, Told, Way, take


class InsideChat:
    """Answers requests as the server does. One that hangs is one that timed out."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def send(self, request: OutboundRequest, *, limits: OutboundLimits | None = None) -> OutboundResponse:
        parts = urlsplit(request.url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {name.lower(): value for name, value in request.headers}
        with self._chat.lock:
            way, answer = take(self._chat, Told(request.method, path, headers, request.body or b""))
        if way is Way.HANGS:
            raise OutboundFailed("It did not answer.", kind=FailureKind.TIMEOUT, may_have_arrived=True)
        body = b"" if answer.content is None else json.dumps(answer.content).encode()
        return OutboundResponse(answer.status, answer.headers, body, False, 0.1, request.url)


def inside_couriers(chat: Chat) -> Couriers:
    """Couriers of every kind that ask nobody outside."""
    sender = InsideChat(chat)
    return {
        ChannelKind.DISCORD: DiscordCourier(sender),
        ChannelKind.TELEGRAM: TelegramCourier(sender),
        ChannelKind.EMAIL: MailCourier(None),
        ChannelKind.WEBHOOK: WebhookCourier(sender),
        ChannelKind.APPRISE: AppriseCourier(),
    }
