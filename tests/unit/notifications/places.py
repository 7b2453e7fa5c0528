"""Messages, errands and couriers for tests."""

from datetime import timedelta
from functools import cache
from ipaddress import ip_network
from typing import Any

from app.core.http import OutboundClient
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import Errand, NotDelivered, Place
from app.notifications.couriers.telegram import TelegramCourier
from app.notifications.couriers.webhook import WebhookCourier
from app.notifications.messages.content import Content, MessageLink, Tone
from tests.fakes.chat.server import BOT, CHAT, ChatServer
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
HERE = (ip_network("127.0.0.0/8"),)
CONTENT = Content(
    type="run_failed",
    tone=Tone.BAD,
    title="Meta ads, daily failed",
    body="The service did not answer.",
    rows=(("Since", "Tue 5 Jan, 11:00 UTC"), ("Error", "Timed out after 30 s")),
    links=(MessageLink("Run", "https://belfry.example/runs/1"),),
    organization="Acme",
)


def errand(**more: Any) -> Errand:
    values: dict[str, Any] = {"key": "k-1", "kind": "opened", "made_at": NOW - timedelta(minutes=1), "now": NOW}
    return Errand(**(values | more))


@cache
def client() -> OutboundClient:
    """One for all tests: its certificates take a second to load."""
    return OutboundClient(allowed_private=HERE)


def discord(server: ChatServer) -> DiscordCourier:
    return DiscordCourier(client(), server.url)


def discord_place(server: ChatServer) -> Place:
    return discord(server).clean({"webhook_url": server.discord_url})


def telegram(server: ChatServer) -> TelegramCourier:
    return TelegramCourier(client(), server.url)


def telegram_place(server: ChatServer) -> Place:
    return telegram(server).clean({"token": BOT, "chat_id": CHAT})


def webhook() -> WebhookCourier:
    return WebhookCourier(client(), HERE)


def failure_of(courier: Any, place: Place, **more: Any) -> NotDelivered:
    """How carrying it fails."""
    try:
        courier.carry(place, CONTENT, errand(**more))
    except NotDelivered as failure:
        return failure
    raise AssertionError("it was delivered")
