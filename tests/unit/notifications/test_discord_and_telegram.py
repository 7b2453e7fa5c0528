"""Discord and Telegram as a server on this machine plays them: what is sent, edited, and refused."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from app.core.http import OutboundLimits, OutboundRequest, OutboundResponse
from app.notifications.couriers.discord import DiscordCourier
from app.notifications.couriers.errands import ChannelInvalid, Fate, Place
from app.notifications.couriers.telegram import TelegramCourier
from tests.fakes.chat.server import BOT, CHAT, HOOK, ChatServer, Way
from tests.unit.notifications.places import (
    CONTENT,
    discord,
    discord_place,
    errand,
    failure_of,
    telegram,
    telegram_place,
)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@dataclass
class Answering:
    """A client to which one thing is answered, whatever it asks."""

    status: int
    said: str

    def send(self, request: OutboundRequest, *, limits: OutboundLimits | None = None) -> OutboundResponse:
        return OutboundResponse(self.status, (), self.said.encode(), False, 0.1, request.url)


class TestDiscord:
    def test_a_message_is_sent_and_written_over(self, server):
        courier, place = discord(server), discord_place(server)

        first = courier.carry(place, CONTENT, errand())
        again = courier.carry(place, CONTENT, errand(edits=first.ref))

        assert first.ref == again.ref
        assert [told.method for told in server.chat.told] == ["POST", "PATCH"]
        assert list(server.chat.messages) == [first.ref]

    def test_the_address_is_a_secret_and_only_its_end_is_shown(self, server):
        place = discord_place(server)

        assert (place.settings, place.hint) == ({}, "wwww")
        assert "wwww" not in repr(place).replace("hint='wwww'", "")

    def test_threads_are_kept(self, server):
        place = discord(server).clean({"webhook_url": f"{server.discord_url}?thread_id=123456789"})
        discord(server).carry(place, CONTENT, errand())

        assert server.chat.told[0].path == f"{HOOK}?thread_id=123456789&wait=true"

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "discord.com/api/webhooks/123456/" + "w" * 60,
            "https://discord.com.evil.example/api/webhooks/123456/" + "w" * 60,
            "https://evil.example/api/webhooks/123456/" + "w" * 60,
            "https://discord.com@127.0.0.1/api/webhooks/123456/" + "w" * 60,
            "https://discord.com/api/webhooks/123456",
            "https://discord.com/api/webhooks/../../users/@me",
            "http://discord.com/api/webhooks/123456/" + "w" * 60,
            "https://discord.com/api/webhooks/123456/" + "w" * 60 + "\r\nX: y",
            "https://[::1/api/webhooks/123456/" + "w" * 60,
            "https://discord.com/api/webhooks/123456/" + "w" * 60 + "?thread_id=../x",
            "file:///etc/passwd",
        ],
    )
    def test_other_addresses_are_refused_with_what_one_looks_like(self, server, url):
        with pytest.raises(ChannelInvalid, match=r"discord\.com/api/webhooks") as caught:
            discord(server).clean({"webhook_url": url})

        assert caught.value.field == "webhook_url"

    def test_an_empty_address_leaves_what_was_sealed(self, server):
        place = discord_place(server)

        assert discord(server).clean({"webhook_url": ""}, before=place) == place

    def test_asked_to_wait_it_says_for_how_long(self, server):
        server.chat.plan.append(Way.LIMITED)
        server.chat.retry_after = 7.5

        failure = failure_of(discord(server), discord_place(server))

        assert (failure.fate, failure.rest) == (Fate.LATER, timedelta(seconds=7.5))

    def test_no_wait_is_longer_than_an_hour(self, server):
        server.chat.plan.append(Way.LIMITED)
        server.chat.retry_after = 90_000

        assert failure_of(discord(server), discord_place(server)).rest == timedelta(hours=1)

    @pytest.mark.parametrize(
        ("way", "fate"),
        [
            (Way.BROKEN, Fate.LATER),
            (Way.MOVED, Fate.LATER),
            (Way.UNKNOWN, Fate.BROKEN),
            (Way.UNAUTHORIZED, Fate.BROKEN),
            (Way.FORBIDDEN, Fate.BROKEN),
        ],
    )
    def test_refusals_say_what_to_do_and_hold_no_token(self, server, way, fate):
        server.chat.plan.append(way)

        failure = failure_of(discord(server), discord_place(server))

        assert failure.fate is fate
        assert "wwww" not in failure.message

    @pytest.mark.parametrize(
        ("wish", "rest"),
        [
            ("1" + "0" * 400, timedelta(hours=1)),
            ("Infinity", timedelta(hours=1)),
            ("1e308", timedelta(hours=1)),
            ("NaN", timedelta(minutes=1)),
            ("-5", timedelta(minutes=1)),
            ('"soon"', timedelta(minutes=1)),
        ],
    )
    def test_a_wish_that_is_no_time_is_bounded(self, wish, rest):
        answer = Answering(429, f'{{"retry_after": {wish}}}')

        failure = failure_of(DiscordCourier(answer), Place({}, "123456789012345678/" + "w" * 68))

        assert (failure.fate, failure.rest) == (Fate.LATER, rest)

    @pytest.mark.parametrize("code", [220001, 160005, 50083])
    def test_where_no_message_can_arrive_is_broken_for_good(self, code):
        answer = Answering(400, f'{{"message": "No.", "code": {code}}}')

        failure = failure_of(DiscordCourier(answer), Place({}, "123456789012345678/" + "w" * 68))

        assert failure.fate is Fate.BROKEN

    def test_nobody_is_followed(self, server):
        server.chat.plan.append(Way.MOVED)
        server.chat.moved_to = f"{server.url}/elsewhere"

        failure_of(discord(server), discord_place(server))

        assert len(server.chat.told) == 1

    def test_an_endless_answer_is_read_no_further_than_needed(self, server):
        server.chat.plan.append(Way.HUGE)

        receipt = discord(server).carry(discord_place(server), CONTENT, errand())

        assert (receipt.ref, len(server.chat.messages)) == (None, 1)

    def test_a_message_that_was_deleted_cannot_be_written_over(self, server):
        assert failure_of(discord(server), discord_place(server), edits="900000000000000999").fate is Fate.GONE

    def test_a_webhook_that_was_deleted_is_not_taken_for_a_message(self, server):
        place = Place({}, "999999999999/" + "x" * 60)

        assert failure_of(discord(server), place, edits="1").fate is Fate.BROKEN


class TestTelegram:
    def test_a_message_is_sent_and_written_over(self, server):
        courier, place = telegram(server), telegram_place(server)

        first = courier.carry(place, CONTENT, errand())
        same = courier.carry(place, CONTENT, errand(edits=first.ref))

        assert first.ref == same.ref == "100"
        assert server.chat.messages["100"]["parse_mode"] == "HTML"

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"token": "wrong", "chat_id": CHAT}, "token"),
            ({"token": BOT, "chat_id": "my chat"}, "chat_id"),
            ({"token": BOT, "chat_id": ""}, "chat_id"),
            ({"token": BOT + "\r\n", "chat_id": "x y"}, "chat_id"),
            ({"token": BOT + "/../x", "chat_id": CHAT}, "token"),
            ({"token": BOT, "chat_id": CHAT, "topic_id": "one"}, "topic_id"),
        ],
    )
    def test_what_cannot_be_a_bot_or_a_chat_is_refused_by_field(self, server, given, field):
        with pytest.raises(ChannelInvalid) as caught:
            telegram(server).clean(given)

        assert caught.value.field == field

    def test_the_token_is_kept_when_only_the_chat_changes(self, server):
        place = telegram(server).clean({"token": "", "chat_id": "@ops_room"}, before=telegram_place(server))

        assert (place.secret, place.settings) == (BOT, {"chat_id": "@ops_room"})

    def test_a_wrong_token_says_whom_to_ask(self, server):
        failure = failure_of(telegram(server), Place({"chat_id": CHAT}, "999999999:" + "z" * 35))

        assert failure.fate is Fate.BROKEN
        assert "@BotFather" in failure.message
        assert "zzzz" not in failure.message

    def test_a_blocked_bot_is_broken_for_good(self, server):
        server.chat.plan.append(Way.FORBIDDEN)

        failure = failure_of(telegram(server), telegram_place(server))

        assert (failure.fate, "blocked" in failure.message) == (Fate.BROKEN, True)

    @pytest.mark.parametrize(
        "words",
        [
            "Bad Request: not enough rights to send text messages to the chat",
            "Bad Request: need administrator rights in the channel chat",
            "Bad Request: CHAT_WRITE_FORBIDDEN",
        ],
    )
    def test_a_bot_without_rights_is_broken_for_good(self, words):
        answer = Answering(400, f'{{"ok": false, "description": "{words}"}}')

        assert failure_of(TelegramCourier(answer), Place({"chat_id": CHAT}, BOT)).fate is Fate.BROKEN

    def test_a_number_that_no_message_has_is_not_kept(self):
        answer = Answering(200, f'{{"ok": true, "result": {{"message_id": {"9" * 300}}}}}')

        receipt = TelegramCourier(answer).carry(Place({"chat_id": CHAT}, BOT), CONTENT, errand())

        assert receipt.ref is None

    def test_a_chat_that_there_is_not(self, server):
        assert failure_of(telegram(server), Place({"chat_id": "-1"}, BOT)).fate is Fate.BROKEN

    def test_asked_to_wait_it_says_for_how_long(self, server):
        server.chat.plan.append(Way.LIMITED)
        server.chat.retry_after = 31

        assert failure_of(telegram(server), telegram_place(server)).rest == timedelta(seconds=31)

    def test_a_message_that_was_deleted_cannot_be_written_over(self, server):
        assert failure_of(telegram(server), telegram_place(server), edits="5").fate is Fate.GONE

    def test_an_answer_that_nobody_can_read_leaves_open_what_became_of_it(self, server):
        server.chat.plan.append(Way.HUGE)

        assert failure_of(telegram(server), telegram_place(server)).fate is Fate.DOUBTFUL
