"""The pages of channels, with chats that answer inside of the process."""

import html
import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.config import Settings
from app.core.db import Database
from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.notifications.channel_changes import UNDO, open_place
from app.notifications.channel_desk import MOST_AT_ONCE, ChannelDesk
from app.notifications.models import Channel, Delivery
from app.tenants.models import AuditEntry
from tests.factories.notifications import make_channel, make_rule
from tests.fakes.chat.inside import inside_couriers
from tests.fakes.chat.server import HOOK, Chat, Way
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

NEW = "/notifications/channels/new"
DISCORD = f"https://discord.com{HOOK}"
UNTOLD = "Nobody is told about failures."


@pytest.fixture
def chat() -> Chat:
    return Chat()


@pytest.fixture(autouse=True)
def _desk(app: Flask, settings: Settings, database: Database, clock: ManualClock, chat: Chat) -> None:
    found = ChannelDesk(settings, database, clock, lambda _settings: inside_couriers(chat))
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], channels=found)


def add(browser: Browser, name: str = "#data", **more: str) -> UUID:
    """A channel for Discord, made by its form."""
    answer = browser.send(f"{NEW}/discord", {"name": name, "webhook_url": DISCORD, "tells_everything": "y", **more})
    assert answer.status_code == 303, answer.text
    return ids(browser)[-1]


def ids(browser: Browser) -> list[UUID]:
    with browser.application.extensions[EXTENSION].database.reading() as session:
        query = select(Channel.id).where(Channel.deleted_at.is_(None)).order_by(Channel.created_at, Channel.id)
        return list(session.scalars(query))


def shown(browser: Browser, path: str = "/notifications") -> str:
    return html.unescape(browser.visit(path).text)


class TestTheList:
    def test_says_that_nobody_is_told_and_offers_the_kinds(self, owner: Browser):
        text = shown(owner)

        assert UNTOLD in text
        assert f'href="{NEW}/telegram"' in text

    def test_shows_a_channel_and_nothing_secret(self, owner: Browser):
        add(owner)

        text = shown(owner)

        assert UNTOLD not in text
        assert "#data" in text
        assert "…wwww" in text
        assert "w" * 20 not in text

    def test_says_again_that_nobody_is_told_while_all_are_off(self, owner: Browser):
        owner.send(f"/notifications/channels/{add(owner)}/enabled", {"enabled": "no"})

        assert UNTOLD in shown(owner)

    def test_lets_a_viewer_look_and_says_why_no_more(self, owner: Browser, viewer: Browser):
        text = shown(viewer)

        assert "Your role here is viewer" in text
        assert viewer.send(f"{NEW}/discord", {"webhook_url": DISCORD}).status_code == 403

    def test_is_in_the_menu(self, owner: Browser):
        assert 'href="/notifications"' in owner.visit("/schedules").text


class TestAWebhook:
    def test_gets_a_key_of_its_own_only_while_it_is_new(self, database: Database, owner: Browser):
        with database.transaction() as session:
            channel_id = make_channel(session, owner.organization_id)

        made, kept = "Empty: one is made, and shown once.", "Leave it empty to keep the one that is there."
        assert [words in shown(owner, f"{NEW}/webhook") for words in (made, kept)] == [True, False]
        assert [words in shown(owner, f"/notifications/channels/{channel_id}") for words in (made, kept)] == [
            False,
            True,
        ]


class TestTheForm:
    def test_of_a_kind_that_there_is_not_is_not_found(self, owner: Browser):
        assert owner.visit(f"{NEW}/pigeon").status_code == 404

    def test_says_at_its_field_what_is_wrong_and_keeps_the_rest(self, owner: Browser):
        answer = owner.send(f"{NEW}/telegram", {"name": "Ops", "token": "1234567890:AA" + "b" * 33, "chat_id": "here"})

        assert answer.status_code == 422
        assert 'id="chat_id-error"' in answer.text
        assert 'value="Ops"' in answer.text
        assert "AAbbb" not in answer.text

    def test_calls_a_channel_without_a_name_as_its_kind(self, owner: Browser):
        add(owner, name="")

        assert ">Discord<" in shown(owner)

    def test_refuses_a_name_that_is_taken(self, owner: Browser):
        add(owner)

        answer = owner.send(f"{NEW}/discord", {"name": "#data", "webhook_url": DISCORD})

        assert answer.status_code == 409
        assert "Another channel is called “#data”" in answer.text

    @pytest.mark.parametrize("url", ["http://127.0.0.1/hook", "http://169.254.169.254/", "gopher://example.com/"])
    def test_refuses_an_address_inside_the_network(self, owner: Browser, url):
        answer = owner.send(f"{NEW}/webhook", {"name": "Hook", "url": url})

        assert answer.status_code == 422
        assert 'id="url-error"' in answer.text

    def test_says_that_mail_needs_a_server(self, owner: Browser):
        answer = owner.send(f"{NEW}/email", {"name": "Mail", "addresses": "ops@example.com"})

        assert "BELFRY_SMTP_HOST" in answer.text

    def test_keeps_a_secret_that_is_left_empty(self, owner: Browser, chat: Chat):
        channel_id = add(owner)

        answer = owner.send(f"/notifications/channels/{channel_id}", {"name": "#ops", "webhook_url": ""})
        owner.send(f"/notifications/channels/{channel_id}/test")

        assert answer.status_code == 303
        assert len(chat.messages) == 1
        assert "#ops" in shown(owner, f"/notifications/channels/{channel_id}")

    def test_makes_one_the_fallback_and_no_other(self, owner: Browser):
        add(owner, is_fallback="y")
        add(owner, name="#ops", is_fallback="y")

        with owner.application.extensions[EXTENSION].database.reading() as session:
            assert session.scalars(select(Channel.name).where(Channel.is_fallback)).all() == ["#ops"]


class TestATest:
    def test_shows_beside_its_channel_what_came_of_it(self, owner: Browser, chat: Chat):
        answer = owner.send(f"/notifications/channels/{add(owner)}/test")

        assert "tested=" in answer.headers["Location"]
        assert "Delivered to “#data” in" in shown(owner, answer.headers["Location"])
        assert len(chat.messages) == 1

    def test_shows_what_the_service_said(self, owner: Browser, chat: Chat):
        channel_id = add(owner)
        chat.plan.append(Way.UNKNOWN)

        answer = owner.send(f"/notifications/channels/{channel_id}/test")
        text = shown(owner, answer.headers["Location"])

        assert "Discord does not know this webhook any more" in text
        assert "Does not work" in text

    def test_leads_a_script_to_the_same_page(self, owner: Browser):
        answer = owner.send(f"/notifications/channels/{add(owner)}/test", htmx=True)

        assert "tested=" in answer.headers["HX-Redirect"]

    def test_of_another_organization_is_not_shown(self, owner: Browser, stranger: Browser):
        answer = owner.send(f"/notifications/channels/{add(owner)}/test")

        assert "Delivered" not in shown(stranger, answer.headers["Location"])

    @pytest.mark.parametrize("text", ["", "x", "%00", "0" * 5000, "00000000-0000-0000-0000-000000000000"])
    def test_that_nobody_sent_is_not_shown(self, owner: Browser, text):
        assert owner.visit(f"/notifications?tested={text}").status_code in {200, 400}

    def test_waits_for_others_who_test(self, app: Flask, owner: Browser):
        desk, channel_id = app.extensions[EXTENSION].channels, add(owner)
        with ExitStack() as others:
            for _ in range(MOST_AT_ONCE):
                assert others.enter_context(desk._turns.taken(new_id()))
            owner.send(f"/notifications/channels/{channel_id}/test")

        assert "Several channels are being tested" in shown(owner)


class TestDeleting:
    def test_can_be_undone(self, owner: Browser):
        channel_id = add(owner)

        owner.send(f"/notifications/channels/{channel_id}/deletion")
        gone = shown(owner)
        owner.send(f"/notifications/channels/{channel_id}/restoration")

        assert f"/notifications/channels/{channel_id}/restoration" in gone
        assert ids(owner) == [channel_id]

    def test_is_over_after_a_week(self, owner: Browser, clock: ManualClock):
        channel_id = add(owner)
        owner.send(f"/notifications/channels/{channel_id}/deletion")
        owner.visit("/notifications")
        clock.advance(days=8)

        with owner.application.extensions[EXTENSION].database.transaction() as session:
            session.get_one(Channel, channel_id).deleted_at = clock.moment - UNDO - timedelta(minutes=1)

        assert "Recently deleted" not in shown(owner)

    def test_stops_what_waits(self, owner: Browser):
        channel_id = add(owner)

        owner.send(f"/notifications/channels/{channel_id}/enabled", {"enabled": "no"})

        with owner.application.extensions[EXTENSION].database.reading() as session:
            assert session.scalars(select(Delivery.state).where(Delivery.state == "pending")).all() == []


class TestTheAudit:
    def test_tells_each_thing_that_was_done(self, owner: Browser):
        channel_id = add(owner)
        owner.send(f"/notifications/channels/{channel_id}", {"name": "#ops"})
        for step, fields in (("test", {}), ("enabled", {"enabled": "no"}), ("enabled", {"enabled": "yes"})):
            owner.send(f"/notifications/channels/{channel_id}/{step}", fields)
        owner.send(f"/notifications/channels/{channel_id}/deletion")

        with owner.application.extensions[EXTENSION].database.reading() as session:
            actions = session.scalars(
                select(AuditEntry.action).where(AuditEntry.subject_id == channel_id).order_by(AuditEntry.id)
            ).all()
        done = ["created", "changed", "tested", "disabled", "enabled", "deleted"]
        assert actions == [f"channel.{each}" for each in done]

    def test_leads_to_the_channel(self, owner: Browser):
        channel_id = add(owner)

        assert f'href="/notifications/channels/{channel_id}"' in owner.visit("/audit").text


def test_a_channel_that_no_rule_tells_by_says_so(owner: Browser, database: Database) -> None:
    with database.transaction() as session:
        channel_id = make_channel(session, owner.organization_id, name="#data")
        make_channel(session, owner.organization_id, name="#spare", is_fallback=True)
    before = owner.visit("/notifications").text
    with database.transaction() as session:
        make_rule(session, owner.organization_id, channel_id)

    assert (before.count("No rule tells by it."), "No rule tells by it." in owner.visit("/notifications").text) == (
        1,
        False,
    )


def test_a_channel_that_does_not_work_says_who_is_told_instead(
    owner: Browser, database: Database, clock: ManualClock
) -> None:
    with database.transaction() as session:
        make_channel(session, owner.organization_id, name="#data", state="broken", broken_at=clock.moment)
    alone = owner.visit("/notifications").text
    with database.transaction() as session:
        make_channel(session, owner.organization_id, name="#newer", last_ok_at=clock.moment)
        make_channel(session, owner.organization_id, name="#spare", is_fallback=True)

    assert "Nothing stands in for it." in alone
    assert "#spare is told instead." in owner.visit("/notifications").text


class TestTheSigningKey:
    """Of a webhook: one that Belfry makes is shown to who made it, once."""

    HOOK = {"name": "Ours", "url": "https://hooks.example.com/told?token=secret"}

    def key_in(self, text: str) -> str:
        return text.partition('id="key" value="')[2].partition('"')[0]

    def make(self, browser: Browser) -> tuple[UUID, str]:
        answer = browser.send(f"{NEW}/webhook", self.HOOK)
        assert answer.status_code == 200, answer.text
        return ids(browser)[-1], self.key_in(answer.text)

    def test_is_shown_when_it_is_made_and_never_again(self, owner: Browser, database: Database):
        channel_id, key = self.make(owner)

        here = f"/notifications/channels/{channel_id}"
        again = owner.send(f"{NEW}/webhook", self.HOOK)
        pages = [owner.visit(path).text for path in ("/notifications", here, f"{here}/signing-key", "/audit")]
        with database.reading() as session:
            said = [str((entry.summary, entry.changes)) for entry in session.scalars(select(AuditEntry))]
        assert (len(key) >= 32, again.status_code) == (True, 409)
        assert not any(key in text for text in (*pages, again.text, *said))

    def test_of_ones_own_is_not_shown(self, owner: Browser):
        answer = owner.send(f"{NEW}/webhook", {**self.HOOK, "signing_key": "0123456789abcdef"})

        assert (answer.status_code, "0123456789abcdef" in answer.text) == (303, False)

    def test_is_made_anew_once_for_each_question(self, owner: Browser, database: Database):
        channel_id, first = self.make(owner)
        here = f"/notifications/channels/{channel_id}"
        before = owner.visit(here).text

        made = owner.send(f"{here}/signing-key", {"once": "a" * 43})
        repeated = owner.send(f"{here}/signing-key", {"once": "a" * 43})

        second = self.key_in(made.text)
        assert "New signing key" in before
        assert (made.status_code, repeated.status_code, len(second) >= 32, second != first) == (200, 303, True, True)
        assert self.key_of(owner, channel_id) == second
        with database.reading() as session:
            actions = list(session.scalars(select(AuditEntry.action).where(AuditEntry.action == "channel.rekeyed")))
        assert actions == ["channel.rekeyed"]

    def test_is_of_a_webhook_alone_and_for_admins(self, owner: Browser, operator: Browser, stranger: Browser):
        here = f"/notifications/channels/{add(owner)}/signing-key"

        refused = owner.send(here)

        assert (owner.visit(here).status_code, refused.status_code) == (404, 303)
        assert [operator.send(here).status_code, stranger.send(here).status_code] == [403, 404]

    def key_of(self, browser: Browser, channel_id: UUID) -> str:
        """What the next message is signed with."""
        runtime = browser.application.extensions[EXTENSION]
        with runtime.database.transaction() as session:
            channel = session.get_one(Channel, channel_id)
            return str(json.loads(open_place(session, sealer=runtime.channels.sealer, channel=channel).secret)["key"])
