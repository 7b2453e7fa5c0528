"""`belfry rules`: what is told."""

from pathlib import Path

import pytest

from app.cli.rules import ChannelUnclear
from app.notifications.rule_changes import RuleNotFound
from app.notifications.scope_names import ScopeUnclear
from tests.cli.conftest import Terminal
from tests.fakes.chat.server import HOOK


@pytest.fixture(autouse=True)
def channel(terminal: Terminal, tmp_path: Path) -> str:
    (tmp_path / "hook").write_text(f"https://discord.com{HOOK}")
    words = ("channels", "add", "discord", "#data", "--secret-file", f"webhook_url={tmp_path / 'hook'}")
    return str(terminal.json(*words)["channel"])


@pytest.fixture
def rule(terminal: Terminal) -> str:
    words = ("--about", "tag=revenue", "--when", "run_failed", "--after", "2", "--tell", "#data")
    return str(terminal.json("rules", "add", *words)["rule"])


class TestRules:
    def test_are_sentences(self, terminal: Terminal, rule: str) -> None:
        told = "When a schedule tagged revenue fails 2 times in a row, tell #data; again when it recovers."

        assert told in terminal.run("rules", "list").stdout

    def test_change_and_keep_what_is_not_named(self, terminal: Terminal, rule: str) -> None:
        terminal.run("rules", "change", rule, "--no-recovery")

        (row,) = terminal.json("rules", "list")
        assert row["rule"] == "When a schedule tagged revenue fails 2 times in a row, tell #data."

    def test_are_previewed(self, terminal: Terminal, rule: str) -> None:
        words = "In the last 7 days this would have sent no messages."

        assert words in terminal.run("rules", "preview", rule).stdout
        assert words in terminal.run("rules", "preview", "--tell", "#data").stdout

    def test_are_switched_snoozed_deleted_and_restored(self, terminal: Terminal, rule: str) -> None:
        terminal.run("rules", "disable", rule)
        assert not terminal.json("rules", "list")[0]["enabled"]
        terminal.run("rules", "enable", rule)
        assert "It tells nothing until" in terminal.run("rules", "snooze", rule, "24").stdout
        assert "It tells again." in terminal.run("rules", "snooze", rule, "0").stdout
        assert "belfry rules restore" in terminal.run("rules", "delete", rule).stdout
        assert isinstance(terminal.run("rules", "disable", rule).exception, RuleNotFound)
        terminal.run("rules", "restore", rule)

        assert [row["id"] for row in terminal.json("rules", "list")] == [rule]

    def test_say_what_is_not_there(self, terminal: Terminal) -> None:
        nobody = terminal.run("rules", "add", "--tell", "#nobody")
        nothing = terminal.run("rules", "add", "--tell", "#data", "--about", "job=Nothing")

        assert isinstance(nobody.exception, ChannelUnclear)
        assert isinstance(nothing.exception, ScopeUnclear)

    def test_have_types(self, terminal: Terminal) -> None:
        assert "run_failed" in terminal.run("rules", "types").stdout
