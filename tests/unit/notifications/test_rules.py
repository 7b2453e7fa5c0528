"""What a rule speaks of, what keeps it from speaking, and how it says itself."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from app.notifications.cases import About
from app.notifications.rules import HeldBy, RuleTerms, Silence, Window, speaks_of, what_holds
from app.notifications.sentences import ordinal, say_rule
from app.notifications.types import DEFAULT_TYPES, NotificationType, ScopeKind
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
FAILED = NotificationType.RUN_FAILED
RULE = RuleTerms(
    UUID(int=1), UUID(int=2), frozenset({FAILED}), ScopeKind.TAG, "revenue", 2, True, timedelta(hours=1), (),
)  # fmt: skip
ABOUT = About(["s1"], ["j1"], ["revenue"], ["meta"])


class TestRules:
    @pytest.mark.parametrize(
        ("kind", "value", "does"),
        [
            (ScopeKind.ORGANIZATION, None, True),
            (ScopeKind.SCHEDULE, "s1", True),
            (ScopeKind.SCHEDULE, "s2", False),
            (ScopeKind.JOB, "j1", True),
            (ScopeKind.TAG, "costs", False),
            (ScopeKind.SERVICE, "meta", True),
            (ScopeKind.SERVICE, None, False),
        ],
    )
    def test_speak_of_what_lies_in_their_scope(self, kind: ScopeKind, value: str | None, does: bool):
        rule = replace(RULE, scope_kind=kind, scope_value=value)

        assert speaks_of(rule, {FAILED}, ABOUT, in_a_row=2) is does

    def test_wait_for_failures_in_a_row_and_for_nothing_else(self):
        rule = replace(RULE, types=frozenset({FAILED, NotificationType.LATE}))

        assert not speaks_of(rule, {FAILED}, ABOUT, in_a_row=1)
        assert speaks_of(rule, {NotificationType.LATE}, ABOUT, in_a_row=1)

    def test_that_are_off_or_not_about_it_say_nothing(self):
        assert not speaks_of(replace(RULE, is_enabled=False), {FAILED}, ABOUT, in_a_row=9)
        assert not speaks_of(RULE, {NotificationType.STUCK}, ABOUT, in_a_row=9)

    def test_are_held_by_what_lasts_longest(self):
        window = Window(NOW, NOW + timedelta(hours=3))
        silence = Silence(windows=(window,))

        hold = what_holds(RULE, silence, FAILED, now=NOW, told_at=NOW)

        assert hold is not None
        assert (hold.by, hold.until) == (HeldBy.MAINTENANCE, window.ends_at)

    def test_are_held_by_the_cooldown_until_it_is_over(self):
        told_at = NOW - timedelta(minutes=59)

        hold = what_holds(RULE, Silence(), FAILED, now=NOW, told_at=told_at)

        assert hold is not None
        assert (hold.by, hold.until) == (HeldBy.COOLDOWN, NOW + timedelta(minutes=1))
        assert what_holds(RULE, Silence(), FAILED, now=hold.until, told_at=told_at) is None


class TestSentences:
    def test_say_what_is_watched_and_who_is_told(self):
        said = say_rule(RULE, channels=["#data"])

        assert said == ("When a schedule tagged revenue fails 2 times in a row, tell #data; again when it recovers.")

    def test_name_several_things_and_channels(self):
        types = frozenset({FAILED, NotificationType.LATE, NotificationType.STUCK})
        rule = replace(RULE, types=types, after_failures=1, tells_recovery=False, cooldown=timedelta(minutes=90))

        said = say_rule(rule, channels=["#data", "Ops", "ana@example.com"])

        assert said == (
            "When a schedule tagged revenue fails, is late or is stuck, tell #data, Ops and ana@example.com. "
            "The same cause is told at most once in 90 minutes."
        )

    def test_say_in_short_that_it_is_about_everything(self):
        rule = replace(RULE, types=DEFAULT_TYPES, scope_kind=ScopeKind.ORGANIZATION, scope_value=None)

        assert say_rule(rule, channels=["Ops"]).startswith("When anything goes wrong (failures from the 2nd in a row),")

    def test_say_that_nobody_is_told(self):
        assert say_rule(RULE, channels=[]).endswith("fails 2 times in a row, tell nobody.")

    def test_count_in_order(self):
        assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 21, 112)] == [
            "1st", "2nd", "3rd", "4th", "11th", "12th", "21st", "112th",
        ]  # fmt: skip
