"""Channels and texts on a real database: made, changed, switched, deleted and brought back."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.notifications.channel_changes import (
    MOST_CHANNELS,
    UNDO,
    ChannelDraft,
    ChannelNameTaken,
    TooManyChannels,
    change_channel,
    choose_fallback,
    delete_channel,
    forget_channels,
    load_channel,
    make_channel,
    open_place,
    restore_channel,
    switch_channel,
)
from app.notifications.channel_rows import ChannelNotFound, get_channel, list_channels
from app.notifications.couriers.errands import Place
from app.notifications.messages.texts import MessageText, TextInvalid
from app.notifications.messages.writing import Press
from app.notifications.text_changes import forget_text, own_texts, save_text
from app.notifications.text_preview import preview_text
from app.notifications.types import ChannelKind, ChannelState, NotificationType
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from app.vault.models import Secret
from tests.factories.tenants import make_member
from tests.fakes.clock import utc
from tests.fakes.vault import SEALER

NOW = utc("2027-01-05 12:00")
PRESS = Press("https://belfry.example")
FAILED = NotificationType.RUN_FAILED


@pytest.fixture
def admin(session: Session) -> Actor:
    return make_member(session, role=Role.ADMIN).actor


def draft(name: str = "#data", secret: str = "first-secret-first-secret", **more) -> ChannelDraft:
    return ChannelDraft(name, ChannelKind.DISCORD, Place({}, secret, secret[-4:]), **more)


def make(session: Session, admin: Actor, *args, **more):
    return make_channel(session, actor=admin, sealer=SEALER, draft=draft(*args, **more), now=NOW)


def seen(session: Session, admin: Actor, channel_id):
    session.flush()
    return get_channel(session, organization_id=admin.organization_id, channel_id=channel_id)


class TestMaking:
    def test_what_is_secret_lies_in_the_vault_alone(self, session, admin):
        channel_id = make(session, admin)

        row = load_channel(session, organization_id=admin.organization_id, channel_id=channel_id)
        assert open_place(session, sealer=SEALER, channel=row).secret == "first-secret-first-secret"
        assert (row.settings, row.secret_hint, row.state) == ({}, "cret", "on")

    def test_two_cannot_have_one_name(self, session, admin):
        make(session, admin)

        with pytest.raises(ChannelNameTaken):
            make(session, admin)

    def test_nobody_has_more_than_anybody_needs(self, session, admin):
        for number in range(MOST_CHANNELS):
            make(session, admin, f"#{number}")

        with pytest.raises(TooManyChannels):
            make(session, admin, "#one-too-many")

    def test_an_operator_may_not(self, session, admin):
        operator = make_member(
            session, organization_id=admin.organization_id, role=Role.OPERATOR, email="op@example.com"
        ).actor

        with pytest.raises(PermissionMissing):
            make(session, operator)

    def test_every_change_is_in_the_audit_without_the_secret(self, session, admin):
        channel_id = make(session, admin)
        here = {"actor": admin, "channel_id": channel_id, "now": NOW}
        change_channel(session, sealer=SEALER, draft=draft("#ops", "second-secret-second"), **here)
        switch_channel(session, is_on=False, **here)
        switch_channel(session, is_on=True, **here)
        delete_channel(session, **here)
        restore_channel(session, **here)

        session.flush()
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        verbs = [row.action.removeprefix("channel.") for row in rows]
        assert sorted(verbs) == ["changed", "created", "deleted", "disabled", "enabled", "restored"]
        assert "secret-second" not in repr([(row.summary, row.changes) for row in rows])


class TestChanging:
    def test_another_secret_takes_the_place_of_the_first(self, session, admin):
        channel_id = make(session, admin)
        change_channel(
            session, actor=admin, sealer=SEALER, channel_id=channel_id, draft=draft(secret="second-secret-2nd"), now=NOW
        )

        row = load_channel(session, organization_id=admin.organization_id, channel_id=channel_id)
        assert open_place(session, sealer=SEALER, channel=row).secret == "second-secret-2nd"
        assert len(session.scalars(select(Secret)).all()) == 1

    def test_there_is_one_fallback_at_most(self, session, admin):
        first, second = make(session, admin, "#a", is_fallback=True), make(session, admin, "#b", is_fallback=True)
        assert (seen(session, admin, first).is_fallback, seen(session, admin, second).is_fallback) == (False, True)

        choose_fallback(session, actor=admin, channel_id=first, now=NOW)

        assert [row.is_fallback for row in list_channels(session, organization_id=admin.organization_id)] == [
            True,
            False,
        ]

    def test_a_change_ends_that_it_is_broken(self, session, admin):
        channel_id = make(session, admin)
        row = load_channel(session, organization_id=admin.organization_id, channel_id=channel_id)
        row.state, row.broken_at = "broken", NOW
        session.flush()

        change_channel(
            session, actor=admin, sealer=SEALER, channel_id=channel_id, draft=draft(secret="another-secret-xy"), now=NOW
        )

        assert seen(session, admin, channel_id).state is ChannelState.ON

    def test_of_strangers_nothing_is_changed(self, session, admin):
        channel_id = make(session, admin)
        stranger = make_member(session, role=Role.ADMIN, email="eve@example.com").actor

        with pytest.raises(ChannelNotFound):
            delete_channel(session, actor=stranger, channel_id=channel_id, now=NOW)


class TestDeleting:
    def test_it_can_be_brought_back_for_a_week_with_its_secret(self, session, admin):
        channel_id = make(session, admin)
        delete_channel(session, actor=admin, channel_id=channel_id, now=NOW)
        restore_channel(session, actor=admin, channel_id=channel_id, now=NOW + timedelta(days=6))

        row = load_channel(session, organization_id=admin.organization_id, channel_id=channel_id)
        assert open_place(session, sealer=SEALER, channel=row).secret == "first-secret-first-secret"

    def test_after_that_its_secret_is_erased(self, session, admin):
        channel_id = make(session, admin)
        delete_channel(session, actor=admin, channel_id=channel_id, now=NOW)

        forgotten = [
            forget_channels(session, organization_id=admin.organization_id, now=NOW + UNDO + shift)
            for shift in (-timedelta(hours=1), timedelta(hours=1))
        ]

        assert forgotten == [0, 1]
        assert session.scalars(select(Secret)).all() == []
        with pytest.raises(ChannelNotFound):
            restore_channel(session, actor=admin, channel_id=channel_id, now=NOW + UNDO + timedelta(hours=1))


class TestTexts:
    def test_a_text_is_kept_until_it_is_taken_back(self, session, admin):
        here = {"actor": admin, "type_": FAILED, "now": NOW}
        save_text(session, text=MessageText("{{job}} is down", ""), **here)
        kept = own_texts(session, organization_id=admin.organization_id)

        assert kept == {FAILED: MessageText("{{job}} is down", "")}
        assert [forget_text(session, **here), forget_text(session, **here)] == [True, False]
        session.flush()
        assert own_texts(session, organization_id=admin.organization_id) == {}

    def test_unknown_names_are_not_kept(self, session, admin):
        with pytest.raises(TextInvalid, match="jobb"):
            save_text(session, actor=admin, type_=FAILED, text=MessageText("{{jobb}}", ""), now=NOW)

    def test_a_preview_shows_made_up_facts(self, session, admin):
        text = MessageText("{{job}}: {{nth}}", "{{7*7}}")

        found = preview_text(session, actor=admin, type_=FAILED, text=text, press=PRESS, now=NOW)

        assert (found.content.title, found.content.body) == ("Meta ads: 2", "{{7*7}}")
        assert (found.is_example, found.values["job"]) == (True, "Meta ads")
