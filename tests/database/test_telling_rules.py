"""Rules as people make them, quiet hours, maintenance, the preview and the daily summary."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.scopes import ENGINE, Scope
from app.events.service import Topic, append_event
from app.notifications import rule_changes, telling_settings
from app.notifications.history import Preview, preview_rule
from app.notifications.incident_models import Incident
from app.notifications.models import Channel, NotifySettings, Telling
from app.notifications.rule_changes import RuleDraft, RuleInvalid, RuleNotFound
from app.notifications.rule_rows import list_rules, list_windows, read_settings
from app.notifications.telling_settings import (
    SettingsDraft,
    SettingsInvalid,
    WindowDraft,
    WindowInvalid,
    add_window,
    end_window,
    save_settings,
)
from app.notifications.tidying import tidy
from app.runs.models import RunHour
from app.schedules.policies import GapReason
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import AuditEntry
from app.tenants.roles import Role
from tests.database.telling_world import TellingWorld
from tests.factories.notifications import make_channel
from tests.factories.work import actor_in, make_gap, make_organization
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase


@pytest.fixture
def world(database: OpenDatabase) -> TellingWorld:
    return TellingWorld(database)


@pytest.fixture
def actor(world: TellingWorld) -> Actor:
    return actor_in(world.organization_id, Role.ADMIN)


def sentences(session: Session, world: TellingWorld) -> list[str]:
    return [row.sentence for row in list_rules(session, organization_id=world.organization_id)]


class TestRules:
    def test_are_made_changed_switched_snoozed_deleted_and_brought_back(
        self, world: TellingWorld, actor: Actor
    ) -> None:  # fmt: skip
        it: dict[str, Any] = {"actor": actor, "now": world.clock.moment}
        with world.database.transaction(Scope.tenant(world.organization_id)) as session:
            draft = RuleDraft([world.channel_id], scope_kind="schedule", scope_value=str(world.schedule.id))
            rule_id = rule_changes.add_rule(session, draft=draft, **it)
            changed = RuleDraft([world.channel_id], ["run_failed"], "tag", " Revenue ", after_failures=2)
            rule_changes.change_rule(session, rule_id=rule_id, draft=changed, **it)
            assert rule_changes.switch_rule(session, rule_id=rule_id, is_enabled=False, **it)
            assert not rule_changes.switch_rule(session, rule_id=rule_id, is_enabled=False, **it)
            until = world.clock.moment + timedelta(days=1)
            rule_changes.snooze_rule(session, rule_id=rule_id, until=until, **it)
            rule_changes.delete_rule(session, rule_id=rule_id, **it)
            assert len(sentences(session, world)) == 1
            rule_changes.restore_rule(session, rule_id=rule_id, **it)

            said = sentences(session, world)[-1]
            actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.at, AuditEntry.id)).all()

        assert said.startswith("When a schedule tagged revenue fails 2 times in a row, tell Channel ")
        assert set(actions) == {
            "rule.added", "rule.changed", "rule.switched_off", "rule.snoozed", "rule.deleted", "rule.restored",
        }  # fmt: skip

    @pytest.mark.parametrize(
        "wrong",
        [
            {"types": []},
            {"types": ["run_failed", "sunshine"]},
            {"types": ["daily_summary"]},
            {"after_failures": 0},
            {"cooldown_minutes": -1},
            {"channel_ids": []},
            {"channel_ids": [new_id()]},
            {"scope_kind": "planet"},
            {"scope_kind": "schedule", "scope_value": "'; DROP TABLE runs"},
            {"scope_kind": "job", "scope_value": str(new_id())},
            {"scope_kind": "tag", "scope_value": "a b"},
            {"scope_kind": "service", "scope_value": ""},
        ],
    )
    def test_that_cannot_be_are_refused(self, world: TellingWorld, actor: Actor, wrong: dict[str, Any]) -> None:
        draft = RuleDraft(**({"channel_ids": [world.channel_id]} | wrong))

        with world.database.transaction() as session, pytest.raises(Invalid):
            rule_changes.add_rule(session, actor=actor, draft=draft, now=world.clock.moment)

    def test_tell_no_channel_of_others(self, world: TellingWorld, actor: Actor) -> None:
        with world.database.transaction() as session:
            other = make_organization(session, name="Other")
            foreign = make_channel(session, other)
        with world.database.transaction() as session, pytest.raises(RuleInvalid):
            rule_changes.add_rule(session, actor=actor, draft=RuleDraft([foreign]), now=world.clock.moment)
        it = {"actor": actor_in(other), "rule_id": world.rule_id, "now": world.clock.moment}
        with world.database.transaction() as session, pytest.raises(RuleNotFound):
            rule_changes.delete_rule(session, **it)

    def test_are_for_admins(self, world: TellingWorld) -> None:
        operator = actor_in(world.organization_id, Role.OPERATOR)

        with world.database.transaction() as session, pytest.raises(PermissionMissing):
            rule_changes.delete_rule(session, actor=operator, rule_id=world.rule_id, now=world.clock.moment)


class TestSettings:
    def test_are_kept(self, world: TellingWorld, actor: Actor) -> None:
        ids = [world.channel_id]
        draft = SettingsDraft("europe/riga", 22 * 60, 7 * 60, ["stuck"], 8 * 60, ids)
        with world.database.transaction(Scope.tenant(world.organization_id)) as session:
            for _ in range(2):
                telling_settings.save_settings(session, actor=actor, draft=draft, now=world.clock.moment)

            row = read_settings(session, organization_id=world.organization_id)

        assert (row.zone, row.quiet_from, row.quiet_until, row.summary_minute) == ("Europe/Riga", 1320, 420, 480)
        assert (row.quiet_lets_through, row.summary_channel_ids) == (("stuck",), (world.channel_id,))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"quiet_from": 60},
            {"quiet_from": 60, "quiet_until": 60},
            {"quiet_from": -1, "quiet_until": 60},
            {"summary_minute": 1440},
            {"summary_minute": 60},
            {"quiet_lets_through": ["sunshine"]},
        ],
    )
    def test_that_cannot_be_are_refused(self, world: TellingWorld, actor: Actor, wrong: dict[str, Any]) -> None:
        draft = SettingsDraft(**({"zone": "UTC"} | wrong))
        with world.database.transaction() as session, pytest.raises(SettingsInvalid):
            telling_settings.save_settings(session, actor=actor, draft=draft, now=world.clock.moment)

    def test_of_maintenance_are_shown_until_they_end(self, world: TellingWorld, actor: Actor) -> None:
        now = world.clock.moment
        here = {"organization_id": world.organization_id}
        with world.database.transaction() as session:
            draft = WindowDraft(now, now + timedelta(hours=2), "schedule", str(world.schedule.id), "New  disks")
            window_id = telling_settings.add_window(session, actor=actor, draft=draft, now=now)
            (row,) = list_windows(session, now=now, **here)
            assert (row.scope_name, row.reason, row.made_by) == ("Orders", "New disks", "ana@example.com")
            telling_settings.end_window(session, actor=actor, window_id=window_id, now=now)
            assert list_windows(session, now=now, **here) == []

    def test_of_maintenance_end_after_they_begin(self, world: TellingWorld, actor: Actor) -> None:
        now = world.clock.moment
        for begin, end in ((0, 0), (2, 1), (-3, -2), (0, 24 * 40)):
            draft = WindowDraft(now + timedelta(hours=begin), now + timedelta(hours=end))
            with world.database.transaction() as session, pytest.raises(WindowInvalid):
                telling_settings.add_window(session, actor=actor, draft=draft, now=now)


class TestPreviews:
    def preview(self, world: TellingWorld, **changes: Any) -> Preview:
        actor = actor_in(world.organization_id)
        with world.database.transaction(Scope.tenant(world.organization_id)) as session:
            draft = RuleDraft(**({"channel_ids": [world.channel_id]} | changes))
            terms = rule_changes.terms_of_draft(session, actor=actor, draft=draft)
            return preview_rule(session, rule=terms, now=world.clock.moment)

    def test_count_what_was_really_sent(self, world: TellingWorld) -> None:
        really = 0
        for minutes, succeeds in ((0, 0), (5, 0), (90, 1), (30, 0), (10, 1), (200, 0), (20, 1), (300, 0), (700, 0)):
            really += sum(kind != "updated" for kind, _ in world.say(minutes=minutes))
            (world.succeed if succeeds else world.fail)()
            really += sum(kind != "updated" for kind, _ in world.say(seconds=1))
            world.sent()

        assert self.preview(world).messages == really
        assert self.preview(world).words == f"In the last 7 days this would have sent {really} messages."

    def test_say_that_nothing_would_have_been_sent(self, world: TellingWorld) -> None:
        world.fail()

        assert self.preview(world, scope_kind="tag", scope_value="costs").words == (
            "In the last 7 days this would have sent no messages."
        )
        assert self.preview(world, after_failures=2).messages == 0

    def test_look_no_further_back(self, world: TellingWorld) -> None:
        world.fail()
        world.succeed()
        world.clock.advance(days=8)

        assert self.preview(world).messages == 0

    def test_say_what_they_leave_out(self, world: TellingWorld) -> None:
        found = self.preview(world, types=["run_failed", "run_succeeded", "rate_limited"])

        assert {type_.value for type_ in found.left_out} == {"run_succeeded", "rate_limited"}

    def test_say_that_more_happened_than_they_look_at(self, world: TellingWorld) -> None:
        world.append("connection.refused", new_id(), topic=Topic.CONNECTIONS, reason="Revoked")
        assert not self.preview(world).is_cut
        with world.database.transaction() as session:
            here = {"organization_id": world.organization_id, "topic": Topic.SCHEDULES, "kind": "schedule.edited"}
            for _ in range(250):
                append_event(session, **here, subject_id=world.schedule.id, now=world.clock.moment)

        assert self.preview(world).is_cut

    def test_count_what_happened_to_connections(self, world: TellingWorld) -> None:
        world.append("connection.refused", new_id(), topic=Topic.CONNECTIONS, reason="Revoked")

        assert self.preview(world).incidents == 1


class TestSummaries:
    @pytest.fixture
    def settled(self, world: TellingWorld, actor: Actor) -> TellingWorld:
        # At 8:00 in Riga, which is 6:00 UTC in winter and 5:00 in summer. It is 14:00 there.
        draft = SettingsDraft("Europe/Riga", summary_minute=8 * 60, summary_channel_ids=[world.channel_id])
        with world.database.transaction() as session:
            telling_settings.save_settings(session, actor=actor, draft=draft, now=world.clock.moment)
        return world

    def test_begin_at_the_next_hour(self, settled: TellingWorld) -> None:
        assert settled.say() == []
        settled.clock.moment = utc("2027-01-06 05:59:59")
        assert settled.say() == []

        assert settled.say(seconds=1) == [("summary", "No run ended")]
        assert settled.say(hours=5) == []

    def test_tell_figures_and_what_is_open(self, settled: TellingWorld) -> None:
        settled.fail()
        settled.say()
        ends = {"succeeded": 7, "retried": 2, "failed": 1, "missed": 0, "skipped": 3, "cancelled": 0}
        hour = int(utc("2027-01-05 20:00").timestamp()) // 3600
        with settled.database.transaction() as session:
            here = {"organization_id": settled.organization_id, "subject_id": settled.organization_id}
            session.add(RunHour(hour=hour, **ends, **here))
            session.add(RunHour(hour=hour - 24, **(ends | {"failed": 100}), **here))
        settled.clock.moment = utc("2027-01-06 06:00")

        (facts,) = [facts for facts in settled.tell() if facts.kind.value == "summary"]

        assert facts.title == "2 failed and 0 missed, 9 succeeded"
        assert facts.lines[0] == "Succeeded: 9, of these after a retry: 2"
        assert facts.lines[-1] == "Open: Orders failed, 1 times"

    def test_come_once_a_day_over_changes_of_the_clock(self, settled: TellingWorld) -> None:
        found = []
        settled.clock.moment = utc("2027-03-26 00:00")
        settled.say()
        for _ in range(24 * 4 * 2):
            if settled.say(minutes=30):
                found.append(f"{settled.clock.moment:%d %H:%M}")
        settled.clock.moment = utc("2027-10-30 00:00")
        settled.say()
        for _ in range(24 * 2 * 2):
            if settled.say(minutes=30):
                found.append(f"{settled.clock.moment:%d %H:%M}")

        assert found == ["26 06:00", "27 06:00", "28 05:00", "29 05:00", "30 05:00", "31 06:00"]

    def test_of_a_broken_channel_are_told_by_what_stands_in(self, settled: TellingWorld) -> None:
        with settled.database.transaction() as session:
            session.get_one(Channel, settled.channel_id).state = "broken"
            instead = make_channel(session, settled.organization_id, is_fallback=True)
        settled.clock.moment = utc("2027-01-06 06:00")

        assert settled.say() == [("summary", "No run ended")]
        assert [row.channel_id for row in settled.deliveries()] == [instead]

    def test_of_a_channel_that_stands_in_for_another_one_are_one(self, settled: TellingWorld) -> None:
        with settled.database.transaction() as session:
            session.get_one(Channel, settled.channel_id).state = "broken"
            instead = make_channel(session, settled.organization_id, is_fallback=True)
            settings = session.get_one(NotifySettings, settled.organization_id)
            settings.summary_channel_ids = [str(settled.channel_id), str(instead)]
        settled.clock.moment = utc("2027-01-06 06:00")

        assert len(settled.tell()) == 1

    def test_count_slots_that_nobody_executed_and_what_ended_just_now(self, settled: TellingWorld) -> None:
        settled.clock.moment = utc("2027-01-06 05:30")
        settled.fail()
        with settled.database.transaction() as session:
            # Two of them lie before the day that is told of.
            first, last = utc("2027-01-05 04:00"), utc("2027-01-05 10:00")
            make_gap(session, settled.schedule, first, last, slots=7)
            wanted = utc("2027-01-05 18:00"), utc("2027-01-05 21:00")
            make_gap(session, settled.schedule, *wanted, slots=4, reason=GapReason.PAUSED)
        settled.clock.moment = utc("2027-01-06 06:00")

        (facts,) = [facts for facts in settled.tell() if facts.kind.value == "summary"]

        assert facts.title == "1 failed and 5 missed, 0 succeeded"
        assert "Missed: 5" in facts.lines

    def test_of_days_without_anybody_are_one(self, settled: TellingWorld) -> None:
        assert len(settled.tell(days=5)) == 1


class TestEndingEarly:
    def test_of_a_snooze_tells_what_is_open_at_once(self, world: TellingWorld, actor: Actor) -> None:
        until = world.clock.moment + timedelta(days=3)
        change(world, lambda session: snooze(session, world, actor, until))
        world.fail()
        assert world.say() == []
        change(world, lambda session: snooze(session, world, actor, None))

        assert world.say(seconds=1) == [("opened", "Orders failed")]

    def test_of_maintenance_tells_what_is_open_at_once(self, world: TellingWorld, actor: Actor) -> None:
        now = world.clock.moment
        draft = WindowDraft(now, now + timedelta(days=1))
        window_id = change(world, lambda session: add_window(session, actor=actor, draft=draft, now=now))
        world.clock.advance(minutes=1)
        world.fail()
        assert world.say() == []
        change(world, lambda session: end_window(session, actor=actor, window_id=window_id, now=world.clock.moment))

        assert world.say(seconds=1) == [("opened", "Orders failed")]

    def test_of_quiet_hours_tells_what_is_open_at_once(self, world: TellingWorld, actor: Actor) -> None:
        quiet = SettingsDraft("UTC", quiet_from=11 * 60, quiet_until=20 * 60)
        change(world, lambda session: save_settings(session, actor=actor, draft=quiet, now=world.clock.moment))
        world.fail()
        assert world.say() == []
        loud = SettingsDraft("UTC")
        change(world, lambda session: save_settings(session, actor=actor, draft=loud, now=world.clock.moment))

        assert world.say(seconds=1) == [("opened", "Orders failed")]


def change(world: TellingWorld, command: Callable[[Session], Any]) -> Any:
    with world.database.transaction(Scope.tenant(world.organization_id)) as session:
        return command(session)


def snooze(session: Session, world: TellingWorld, actor: Actor, until: datetime | None) -> None:
    rule_changes.snooze_rule(session, actor=actor, rule_id=world.rule_id, until=until, now=world.clock.moment)


class TestTidying:
    def test_forgets_what_rules_told_that_are_no_more(self, world: TellingWorld, actor: Actor) -> None:
        world.fail()
        world.say()
        now = world.clock.moment
        delete = rule_changes.delete_rule
        change(world, lambda session: delete(session, actor=actor, rule_id=world.rule_id, now=now))
        world.succeed()
        world.say()
        world.clock.advance(days=100)

        with world.database.transaction(ENGINE) as session:
            tidy(session, now=world.clock.moment)
        with world.database.reading() as session:
            assert session.scalars(select(Telling.cause_key)).all() == []

    def test_deletes_what_is_old_and_nothing_that_is_open(self, world: TellingWorld) -> None:
        world.fail()
        world.say()
        world.succeed()
        world.say()
        world.fail(error="Another cause")
        world.say()
        world.clock.advance(days=100)

        with world.database.transaction(ENGINE) as session:
            assert tidy(session, now=world.clock.moment) > 0
        with world.database.reading() as session:
            states = session.scalars(select(Incident.state)).all()

        assert (states, world.deliveries()) == (["open"], [])
