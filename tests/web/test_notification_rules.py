"""The pages of rules: sentences, the form with its preview, snooze, undo."""

import html
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.notifications.models import Channel, Rule
from app.tenants.models import AuditEntry
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

NEW = "/notifications/rules/new"
UNTOLD = "Nobody is told about failures."


def add_channel(session: Session, organization_id: UUID, now, name: str = "#data") -> UUID:
    moments = {"created_at": now, "updated_at": now}
    channel = Channel(
        id=new_id(), organization_id=organization_id, name=name, kind="webhook", settings={}, state="on", **moments
    )
    session.add(channel)
    session.flush()
    return channel.id


@pytest.fixture
def channel(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        return add_channel(session, organization_id, clock.moment)


def said(channel: UUID, **more: object) -> dict[str, object]:
    fields = {"scope_kind": "organization", "types": ["run_failed"], "channel_ids": [str(channel)]}
    return {**fields, "after_failures": "1", "cooldown_minutes": "60", "tells_recovery": "y", **more}


def rules(browser: Browser) -> list[Rule]:
    with browser.application.extensions[EXTENSION].database.reading() as session:
        return list(session.scalars(select(Rule).where(Rule.deleted_at.is_(None)).order_by(Rule.created_at)))


def add(browser: Browser, channel: UUID, **more: object) -> UUID:
    answer = browser.send(NEW, said(channel, **more))
    assert answer.status_code == 303, html.unescape(answer.text)
    return rules(browser)[-1].id


def shown(browser: Browser, path: str = "/notifications") -> str:
    return html.unescape(browser.visit(path).text)


class TestTheList:
    def test_says_a_rule_as_a_sentence(self, owner: Browser, channel: UUID):
        add(owner, channel, scope_kind="tag", scope_name="revenue", after_failures="2")

        text = shown(owner)

        assert "When a schedule tagged revenue fails 2 times in a row, tell #data; again when it recovers." in text
        assert UNTOLD not in text

    def test_says_that_nobody_is_told_without_a_rule(self, owner: Browser, channel: UUID):
        assert "No rule in use tells a channel in use of failed runs." in shown(owner)

    def test_switches_a_rule(self, owner: Browser, channel: UUID):
        rule_id = add(owner, channel)

        owner.send(f"/notifications/rules/{rule_id}/enabled", {"enabled": "no"})

        assert not rules(owner)[0].is_enabled
        assert UNTOLD in shown(owner)

    def test_lets_a_viewer_read_and_change_nothing(self, owner: Browser, viewer: Browser, channel: UUID):
        add(owner, channel)

        assert viewer.send(NEW, said(channel)).status_code == 403
        assert viewer.visit(NEW).status_code == 403


class TestTheForm:
    def test_begins_with_what_most_want(self, owner: Browser, channel: UUID):
        text = shown(owner, NEW)

        assert f'checked id="channel_ids-0" name="channel_ids" type="checkbox" value="{channel}"' in text
        assert text.count('name="types"') > 10

    def test_finds_a_schedule_by_its_name(self, owner: Browser, channel: UUID, database: OpenDatabase):
        with database.transaction() as session:
            schedule = make_schedule(session, make_job(session, owner.organization_id), name="Nightly")
            schedule_id = schedule.id

        rule_id = add(owner, channel, scope_kind="schedule", scope_name="nightly")

        assert rules(owner)[0].scope_value == str(schedule_id)
        assert 'value="Nightly"' in shown(owner, f"/notifications/rules/{rule_id}")

    def test_asks_which_one_a_part_of_several_names_means(self, owner: Browser, channel: UUID, database: OpenDatabase):
        with database.transaction() as session:
            job = make_job(session, owner.organization_id)
            for name in ("Nightly one", "Nightly two"):
                make_schedule(session, job, name=name)

        unclear = owner.send(NEW, said(channel, scope_kind="schedule", scope_name="nightly"))

        assert unclear.status_code == 422
        assert "Several schedules have “nightly” in their name. Give its id." in unclear.text

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            ({"types": []}, "types"),
            ({"types": ["nothing"]}, "types"),
            ({"channel_ids": []}, "channel_ids"),
            ({"channel_ids": ["x"]}, "channel_ids"),
            ({"after_failures": "0"}, "after_failures"),
            ({"after_failures": "many"}, "after_failures"),
            ({"cooldown_minutes": "-1"}, "cooldown_minutes"),
            ({"scope_kind": "schedule", "scope_name": "Nothing"}, "scope_name"),
            ({"scope_kind": "schedule"}, "scope_name"),
            ({"scope_kind": "job", "scope_name": "{{ 7 * 7 }}"}, "scope_name"),
            ({"scope_kind": "weather"}, "scope_kind"),
        ],
    )
    def test_says_at_its_field_what_is_wrong(self, owner: Browser, channel: UUID, wrong, field):
        answer = owner.send(NEW, said(channel, **wrong))

        assert answer.status_code == 422
        assert f'id="{field}-error"' in answer.text
        assert rules(owner) == []

    def test_of_a_channel_of_another_organization_is_refused(
        self, owner: Browser, stranger: Browser, channel: UUID, database: OpenDatabase, clock: ManualClock
    ):
        answer = stranger.send(NEW, said(channel))

        assert answer.status_code == 422
        assert rules(owner) == []

    def test_makes_one_with_a_channel(self, owner: Browser):
        owner.send("/notifications/channels/new/webhook", {"url": "https://example.com/", "tells_everything": "y"})

        assert "When anything goes wrong, tell Webhook; again when it recovers." in shown(owner)


class TestThePreview:
    @pytest.fixture
    def failures(self, database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            schedule = make_schedule(session, job, name="Nightly")
            make_failed(session, job, now=clock.moment - timedelta(days=2), schedule_id=schedule.id)

    def test_says_what_would_have_been_sent_and_saves_nothing(self, owner: Browser, channel: UUID, failures: None):
        answer = owner.send(NEW, said(channel, preview="yes"))

        assert "In the last 7 days this would have sent" in answer.text
        assert "no message" not in answer.text
        assert rules(owner) == []

    def test_is_there_for_a_rule_that_is_saved(self, owner: Browser, channel: UUID):
        text = shown(owner, f"/notifications/rules/{add(owner, channel)}?preview=yes")

        assert "In the last 7 days this would have sent no messages." in text

    def test_names_what_the_past_does_not_tell(self, owner: Browser, channel: UUID):
        answer = owner.send(NEW, said(channel, types=["run_failed", "late"], preview="yes"))

        assert "The past does not tell: A run is late." in answer.text


class TestWhatCanBeDone:
    def test_a_snooze_begins_and_ends(self, owner: Browser, channel: UUID, clock: ManualClock):
        rule_id = add(owner, channel)

        owner.send(f"/notifications/rules/{rule_id}/snooze", {"hours": "24"})
        snoozed = shown(owner)
        owner.send(f"/notifications/rules/{rule_id}/snooze")

        assert "Snoozed" in snoozed
        assert rules(owner)[0].snoozed_until is None

    @pytest.mark.parametrize("hours", ["9999", "-1", "1e3", "²", "0"])
    def test_a_snooze_is_one_of_those_offered(self, owner: Browser, channel: UUID, hours):
        rule_id = add(owner, channel)

        answer = owner.send(f"/notifications/rules/{rule_id}/snooze", {"hours": hours})

        assert answer.status_code == 303
        assert rules(owner)[0].snoozed_until is None

    def test_a_deletion_is_undone(self, owner: Browser, channel: UUID):
        rule_id = add(owner, channel)

        owner.send(f"/notifications/rules/{rule_id}/deletion")
        gone = shown(owner)
        owner.send(f"/notifications/rules/{rule_id}/restoration")

        assert f"/notifications/rules/{rule_id}/restoration" in gone
        assert [rule.id for rule in rules(owner)] == [rule_id]

    def test_each_is_in_the_audit(self, owner: Browser, channel: UUID):
        rule_id = add(owner, channel)
        owner.send(f"/notifications/rules/{rule_id}", said(channel, after_failures="3"))
        owner.send(f"/notifications/rules/{rule_id}/enabled", {"enabled": "no"})
        owner.send(f"/notifications/rules/{rule_id}/snooze", {"hours": "1"})
        owner.send(f"/notifications/rules/{rule_id}/deletion")

        with owner.application.extensions[EXTENSION].database.reading() as session:
            mine = AuditEntry.subject_id == rule_id
            actions = session.scalars(select(AuditEntry.action).where(mine).order_by(AuditEntry.id)).all()
        assert actions == [f"rule.{one}" for one in ("added", "changed", "switched_off", "snoozed", "deleted")]
