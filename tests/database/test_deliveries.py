"""Messages on a real database: claimed by one, sent once, tried again, given up, and moved to another channel."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.core.ids import new_id
from app.core.scopes import Scope
from app.events.models import Event
from app.notifications.channel_changes import switch_channel
from app.notifications.claiming import backoff, claim_next
from app.notifications.couriers.errands import Fate, NotDelivered, Receipt
from app.notifications.last_resort import NAME
from app.notifications.models import Channel, Delivery, NotifySettings
from app.notifications.outbox import put_test
from app.notifications.outcomes import note_sent
from app.notifications.types import ChannelKind, DeliveryKind
from app.tenants.models import AuditEntry
from app.vault.models import Secret
from tests.database.post_office import PostOffice, broken, doubtful, later
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.vault import SEALER


@pytest.fixture
def office(database: OpenDatabase, clock: ManualClock) -> PostOffice:
    return PostOffice(database, clock)


def states(office: PostOffice, channel_id) -> list[str]:
    return [row.state for row in office.rows(channel_id)]


class TestSending:
    def test_what_waits_is_sent_once_in_its_order(self, office):
        channel = office.channel()
        first, second = office.put(channel, title="one"), office.put(channel, title="two")
        office.send()
        office.send()

        assert [content.title for _, content, _ in office.courier.carried] == ["one", "two"]
        assert office.row(first).words.startswith("Delivered to “#data” in")
        assert office.channel_row(channel).last_ok_at == office.clock.moment
        assert office.row(second).provider_ref == "2"

    def test_each_try_of_a_message_has_its_id_for_a_key(self, office):
        channel = office.channel(kind=ChannelKind.WEBHOOK)
        delivery = office.put(channel)
        office.hook.script = [doubtful()]
        office.send()
        office.pass_time(minutes=1)
        office.send()

        assert [errand.key for _, _, errand in office.hook.carried] == [str(delivery)] * 2
        assert office.row(delivery).maybe_twice is False

    def test_nobody_else_takes_what_one_is_sending(self, office):
        channel = office.channel()
        office.put(channel)
        office.put(channel)
        claim = claimed(office)

        assert office.due() == []
        assert claimed(office, due=claim) is None

    def test_facts_that_cannot_be_read_stop_no_others(self, office):
        channel = office.channel()
        bad, good = office.put(channel), office.put(channel)
        with office.database.transaction() as session:
            session.get_one(Delivery, bad).facts = {"type": "party"}
        office.send()
        office.pass_time(minutes=1)
        office.send()

        assert (office.row(bad).state, office.row(good).state) == ("given_up", "sent")

    def test_ones_own_text_is_used(self, office):
        channel = office.channel()
        office.put(channel)
        texts = {"run_failed": {"title": "Look at {{title}}", "body": ""}}
        with office.database.transaction() as session:
            session.add(NotifySettings(organization_id=office.here, texts=texts, updated_at=office.clock.moment))
        office.send()

        assert office.courier.carried[0][1].title == "Look at Ads failed"


class TestTurns:
    def test_one_with_very_much_to_say_hides_no_other(self, office, monkeypatch):
        monkeypatch.setattr("app.notifications.claiming.MOST_CHANNELS_IN_A_ROUND", 3)
        long_ago = office.clock.moment - timedelta(hours=1)
        first = office.channel("#first")
        for _ in range(70):
            office.put(first, at=long_ago)
        neighbour = PostOffice(office.database, office.clock, email="bo@example.com")
        late = neighbour.channel()
        neighbour.put(late)

        assert {due.channel_id for due in office.due()} == {first, late}

    def test_each_organization_has_its_turn_before_the_second_channel_of_any(self, office, monkeypatch):
        monkeypatch.setattr("app.notifications.claiming.MOST_CHANNELS_IN_A_ROUND", 3)
        long_ago = office.clock.moment - timedelta(hours=1)
        many = [office.channel(f"#{number}") for number in range(5)]
        for number, channel in enumerate(many):
            office.put(channel, at=long_ago + timedelta(minutes=number))
        neighbour = PostOffice(office.database, office.clock, email="bo@example.com")
        late = neighbour.channel()
        neighbour.put(late)

        assert [due.channel_id for due in office.due()] == [many[0], late, many[1]]


class TestIncidents:
    def test_the_newer_news_are_written_over_the_message(self, office):
        channel, incident = office.channel(), new_id()
        office.put(channel, incident_id=incident)
        office.send()
        office.put(channel, DeliveryKind.UPDATED, incident_id=incident)
        office.send()

        assert [errand.edits for _, _, errand in office.courier.carried] == [None, "1"]

    def test_a_reminder_and_the_end_are_new_messages(self, office):
        channel, incident = office.channel(), new_id()
        for kind in (DeliveryKind.OPENED, DeliveryKind.REMINDER, DeliveryKind.RECOVERED):
            office.put(channel, kind, incident_id=incident)
            office.send()

        assert [errand.edits for _, _, errand in office.courier.carried] == [None, None, None]

    def test_a_message_that_was_deleted_there_is_told_anew(self, office):
        channel, incident = office.channel(), new_id()
        office.put(channel, incident_id=incident)
        office.send()
        delivery = office.put(channel, DeliveryKind.UPDATED, incident_id=incident)
        office.courier.script = [NotDelivered("It is not there.", fate=Fate.GONE)]
        office.send()
        office.send()

        assert [errand.edits for _, _, errand in office.courier.carried] == [None, None]
        assert office.row(delivery).state == "sent"

    def test_where_nothing_can_be_written_over_only_new_messages_are_sent(self, office):
        channel, incident = office.channel(kind=ChannelKind.WEBHOOK), new_id()
        office.put(channel, incident_id=incident)
        office.send()
        office.put(channel, DeliveryKind.UPDATED, incident_id=incident)
        office.send()

        assert states(office, channel) == ["sent", "suppressed"]

    def test_after_a_silence_each_incident_is_told_as_it_stands(self, office):
        channel, incident = office.channel(), new_id()
        office.courier.script = [later()]
        office.put(channel, incident_id=incident, title="failed")
        office.send()
        for kind, title in ((DeliveryKind.UPDATED, "still"), (DeliveryKind.RECOVERED, "works again")):
            office.pass_time(minutes=10)
            office.put(channel, kind, incident_id=incident, title=title)
        office.pass_time(hours=1)
        office.send()

        assert [content.title for _, content, _ in office.courier.carried] == ["works again"]
        assert states(office, channel) == ["suppressed", "suppressed", "sent"]


class TestFailing:
    def test_it_is_tried_again_and_its_channel_rests(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        office.courier.script = [later()]
        office.send()

        row = office.row(delivery)
        assert (row.state, row.tries, row.last_error) == ("failed", 1, "It is down.")
        assert office.channel_row(channel).last_error == "It is down."
        assert office.due() == []
        office.pass_time(minutes=1)
        office.send()
        assert office.row(delivery).state == "sent"

    def test_a_wish_to_be_left_alone_holds_for_all_of_the_channel(self, office):
        channel = office.channel()
        office.courier.script = [later(rest=timedelta(minutes=20))]
        office.put(channel)
        office.send()
        office.put(channel)
        office.pass_time(minutes=19)
        assert office.due() == []

        office.pass_time(minutes=2)
        office.send()

        assert states(office, channel) == ["sent", "sent"]

    def test_others_go_on_while_one_channel_is_down(self, office):
        down, up = office.channel("#down"), office.channel("#up", ChannelKind.WEBHOOK)
        office.put(down)
        office.put(up)
        office.courier.script = [later()]
        office.send()

        assert (states(office, down), states(office, up)) == (["failed"], ["sent"])

    def test_a_message_that_fails_by_itself_does_not_hold_the_others_up(self, office):
        channel = office.channel()
        bad, good = office.put(channel), office.put(channel)
        office.courier.script = [later()]
        office.send()
        for _ in range(3):
            office.pass_time(seconds=31)
            office.courier.script = []
            office.send()

        assert (office.row(bad).state, office.row(good).state) == ("sent", "sent")

    def test_after_a_day_it_is_given_up_and_says_why(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        for _ in range(80):
            office.courier.script = [later()]
            office.send()
            office.pass_time(minutes=31)

        row = office.row(delivery)
        assert row.state == "given_up"
        assert row.last_error == "It could not be delivered within 24 hours. It is down."

    def test_pauses_grow_to_half_an_hour_and_are_spread(self):
        waits = [backoff(tries).total_seconds() for tries in (1, 2, 5, 40)]

        assert 4 <= waits[0] <= 6 < 8 <= waits[1] <= 12
        assert 64 <= waits[2] <= 96
        assert 1_440 <= waits[3] <= 2_160

    def test_what_is_refused_is_not_tried_again(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        office.courier.script = [NotDelivered("Too long.", fate=Fate.REFUSED)]
        office.send()
        office.pass_time(hours=1)

        assert (office.due(), office.row(delivery).state) == ([], "given_up")

    def test_a_defect_of_ours_is_told_like_any_failure(self, office):
        channel = office.channel()
        office.put(channel)
        office.courier.script = [ZeroDivisionError()]
        sent = office.send()

        assert sent[0].words == "It could not be sent (ZeroDivisionError)."


class TestNobodyKnows:
    def test_what_was_not_answered_is_sent_once_more_and_marked(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        office.courier.script = [doubtful()]
        office.send()
        office.pass_time(minutes=1)
        office.send()

        row = office.row(delivery)
        assert (row.state, row.maybe_twice, len(office.courier.carried)) == ("sent", True, 2)

    def test_it_is_never_sent_a_third_time(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        office.courier.script = [doubtful(), doubtful(), doubtful()]
        for _ in range(5):
            office.send()
            office.pass_time(minutes=5)

        assert (office.row(delivery).state, len(office.courier.carried)) == ("given_up", 2)

    def test_a_sender_that_died_is_followed_by_another(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        claimed(office)
        office.pass_time(minutes=2)
        office.send()

        row = office.row(delivery)
        assert (row.state, row.maybe_twice, row.tries) == ("sent", True, 2)

    def test_with_a_key_it_is_sent_until_it_arrives_and_never_marked(self, office):
        channel = office.channel(kind=ChannelKind.WEBHOOK)
        delivery = office.put(channel)
        for _ in range(4):
            claimed(office)
            office.pass_time(minutes=2)
        office.send()

        assert (office.row(delivery).state, office.row(delivery).maybe_twice) == ("sent", False)

    def test_whoever_comes_back_late_changes_nothing(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        late = claimed(office)
        office.pass_time(minutes=2)
        office.send()

        with office.database.transaction(Scope.tenant(office.here)) as session:
            took = note_sent(session, claim=late, receipt=Receipt("late", "99"), now=office.clock.moment)
        assert (took, office.row(delivery).provider_ref) == (False, "1")


class TestBroken:
    @pytest.fixture
    def two(self, office) -> tuple:
        channel, stand_in = office.channel("#data"), office.channel("#ops", ChannelKind.WEBHOOK, is_fallback=True)
        office.put(channel, title="one")
        office.put(channel, title="two")
        office.courier.script = [broken()]
        office.send()
        office.send()
        return channel, stand_in

    def test_it_is_switched_off_and_said_so_elsewhere(self, office, two):
        channel, _ = two

        told = [content.title for _, content, _ in office.hook.carried]
        assert sorted(told) == ["The channel “#data” does not work any more", "one", "two"]
        assert office.channel_row(channel).state == "broken"
        assert states(office, channel) == ["suppressed", "suppressed"]

    def test_it_is_one_audit_row_and_one_event(self, office, two):
        with office.database.reading() as session:
            audit = session.scalars(select(AuditEntry).where(AuditEntry.action == "channel.broken")).all()
            events = session.scalars(select(Event).where(Event.kind == "channel.broken")).all()

        assert (len(audit), len(events), audit[0].actor_label) == (1, 1, "Belfry")

    def test_what_comes_later_is_told_elsewhere_as_well(self, office, two):
        channel, _ = two
        office.put(channel, title="three")
        office.send()
        office.send()

        assert office.hook.carried[-1][1].title == "three"

    def test_what_the_other_one_tells_anyhow_is_not_told_there_twice(self, office):
        channel, stand_in = office.channel("#data"), office.channel("#ops", ChannelKind.WEBHOOK)
        for one in (channel, stand_in):
            delivery = office.put(one, title="both")
            with office.database.transaction() as session:
                session.execute(update(Delivery).where(Delivery.id == delivery).values(key="incident:0:opened"))
        office.courier.script = [broken()]
        office.send()
        office.send()

        told = [content.title for _, content, _ in office.hook.carried]
        assert sorted(told) == ["The channel “#data” does not work any more", "both"]

    def test_the_log_says_which_were_too_many_to_be_told_elsewhere(self, office):
        channel, _ = office.channel("#data"), office.channel("#ops", ChannelKind.WEBHOOK)
        old = office.put(channel, title="old", at=office.clock.moment - timedelta(minutes=5))
        others = [office.put(channel) for _ in range(20)]
        office.courier.script = [later(), broken()]
        office.send()
        office.pass_time(minutes=1)
        office.send()

        assert "told only the 20 newest messages" in office.row(old).last_error
        assert {office.row(one).last_error for one in others} == {"Told by “#ops” instead: its channel is broken."}

    def test_what_cannot_be_read_goes_over_as_it_is(self, office):
        channel, stand_in = office.channel("#data"), office.channel("#ops", ChannelKind.WEBHOOK)
        office.put(channel, title="one")
        bad = office.put(channel, title="two")
        with office.database.transaction() as session:
            session.execute(update(Delivery).where(Delivery.id == bad).values(facts={"type": "what"}))
        office.courier.script = [broken()]
        office.send()
        office.send()

        assert office.channel_row(channel).state == "broken"
        assert [content.title for _, content, _ in office.hook.carried][-1] == "one"
        assert "given_up" in states(office, stand_in)

    def test_without_another_it_waits_until_the_channel_is_used_again(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        office.courier.script = [broken()]
        office.send()
        office.pass_time(hours=2)
        office.send()
        with office.database.transaction(Scope.tenant(office.here)) as session:
            switch_channel(session, actor=office.member.actor, channel_id=channel, is_on=True, now=office.clock.moment)
        office.send()

        assert office.row(delivery).state == "sent"

    def test_without_another_admins_are_told_by_mail_where_there_is_a_mail_server(self, office):
        office.dispatch = replace(office.dispatch, can_mail=True)
        channel = office.channel(kind=ChannelKind.WEBHOOK)
        office.put(channel, title="one")
        office.hook.script = [broken()]
        office.send()

        with office.database.reading() as session:
            made = session.scalars(select(Channel).where(Channel.id != channel)).one()
            audit = session.scalars(select(AuditEntry.summary).where(AuditEntry.subject_id == made.id)).one()
        assert (made.name, made.kind, made.settings) == (NAME, "email", {"addresses": office.member.email})
        told = {row.facts["title"] for row in office.rows(made.id)}
        assert told == {"The channel “#data” does not work any more", "one"}
        assert audit == f"Made the channel “{NAME}”: no other tells that “#data” is broken"

    def test_admins_who_want_no_mail_get_none(self, office):
        office.dispatch = replace(office.dispatch, can_mail=True)
        channel, mail = office.channel(kind=ChannelKind.WEBHOOK), office.channel(NAME)
        with office.database.transaction(Scope.tenant(office.here)) as session:
            switch_channel(session, actor=office.member.actor, channel_id=mail, is_on=False, now=office.clock.moment)
        office.put(channel)
        office.hook.script = [broken()]
        office.send()

        assert states(office, channel) == ["failed"]

    def test_admins_whose_addresses_are_what_broke_get_no_mail(self, office):
        office.dispatch = replace(office.dispatch, can_mail=True)
        channel = office.channel(kind=ChannelKind.EMAIL)
        with office.database.transaction() as session:
            session.get_one(Channel, channel).settings = {"addresses": office.member.email}
        office.put(channel)
        office.courier.script = [broken()]
        office.send()

        assert states(office, channel) == ["failed"]

    def test_a_secret_that_is_gone_breaks_the_channel(self, office):
        channel = office.channel()
        office.put(channel)
        with office.database.transaction() as session:
            session.query(Secret).delete()
        office.send()

        assert "secret again" in office.channel_row(channel).last_error

    def test_what_a_test_finds_of_one_that_is_off_is_its_last_error(self, office):
        channel = office.channel()
        with office.database.transaction(Scope.tenant(office.here)) as session:
            actor, now = office.member.actor, office.clock.moment
            switch_channel(session, actor=actor, channel_id=channel, is_on=False, now=now)
            claim = put_test(session, actor=actor, sealer=SEALER, channel_id=channel, now=now)
        office.courier.script = [broken()]
        office.dispatch.send_claimed(claim)

        row = office.channel_row(channel)
        assert (row.state, row.last_error, row.last_error_at) == ("off", "It is gone.", office.clock.moment)

    def test_what_waits_for_a_channel_that_is_off_is_not_sent(self, office):
        channel = office.channel()
        delivery = office.put(channel)
        with office.database.transaction(Scope.tenant(office.here)) as session:
            switch_channel(session, actor=office.member.actor, channel_id=channel, is_on=False, now=office.clock.moment)
        late = office.put(channel)
        office.send()

        assert {office.row(delivery).state, office.row(late).state} == {"suppressed"}


def claimed(office: PostOffice, *, due=None):
    """Take the next message and do nothing with it, as a sender that dies at once. `due`: of a claim's channel."""
    due = due or office.due()[0]
    with office.database.transaction(Scope.tenant(office.here)) as session:
        return claim_next(session, due=due, couriers=office.dispatch.couriers, sealer=SEALER, now=office.clock.moment)
