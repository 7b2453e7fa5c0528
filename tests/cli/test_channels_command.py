"""`belfry channels`, against chats on a port of this machine. No secret stands in the arguments."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.root import belfry
from app.notifications.channel_rows import ChannelNotFound
from tests.cli.conftest import Terminal
from tests.fakes.chat.server import BOT, CHAT, HOOK, Chat, ChatServer, Way


@pytest.fixture(autouse=True)
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    with ChatServer() as server:
        monkeypatch.setenv("BELFRY_DISCORD_BASE_URL", server.url)
        monkeypatch.setenv("BELFRY_TELEGRAM_BASE_URL", server.url)
        yield server.chat


@pytest.fixture
def bot(tmp_path: Path) -> str:
    (tmp_path / "bot").write_text(f"{BOT}\n")
    return f"token={tmp_path / 'bot'}"


@pytest.fixture
def ops(terminal: Terminal, bot: str) -> str:
    words = ("channels", "add", "telegram", "Ops", "--set", f"chat_id={CHAT}", "--secret-file", bot)
    return str(terminal.json(*words)["channel"])


class TestChannels:
    def test_are_listed_without_their_secrets(self, terminal: Terminal, ops: str) -> None:
        (row,) = terminal.json("channels", "list")

        assert (row["id"], row["name"], row["kind"], row["state"]) == (ops, "Ops", "telegram", "on")
        assert BOT not in terminal.run("channels", "show", ops).output

    def test_ask_for_a_secret_without_showing_it(self, terminal: Terminal) -> None:
        hook = f"https://discord.com{HOOK}"

        result = CliRunner().invoke(belfry, ("channels", "add", "discord", "#data"), input=f"{hook}\n")

        assert result.exit_code == 0, result.output
        assert "w" * 20 not in result.output

    def test_are_tested(self, terminal: Terminal, ops: str, chat: Chat) -> None:
        assert "Delivered to “Ops”" in terminal.run("channels", "test", ops).stdout
        chat.plan.append(Way.FORBIDDEN)

        refused = terminal.run("channels", "test", ops)

        assert refused.exit_code == 1
        assert terminal.json("channels", "show", ops)["state"] == "broken"

    def test_change_and_keep_what_is_not_named(self, terminal: Terminal, ops: str) -> None:
        terminal.run("channels", "change", ops, "--name", "Night", "--set", "topic_id=7", "--fallback")

        found = terminal.json("channels", "show", ops)
        assert (found["name"], found["fallback"]) == ("Night", True)
        assert found["settings"] == {"chat_id": CHAT, "topic_id": "7"}

    def test_are_switched_deleted_and_restored(self, terminal: Terminal, ops: str) -> None:
        terminal.run("channels", "disable", ops)
        assert terminal.json("channels", "show", ops)["state"] == "off"
        terminal.run("channels", "enable", ops)
        assert "belfry channels restore" in terminal.run("channels", "delete", ops).stdout
        assert isinstance(terminal.run("channels", "test", ops).exception, ChannelNotFound)
        terminal.run("channels", "restore", ops)

        assert [row["state"] for row in terminal.json("channels", "list")] == ["on"]

    def test_have_kinds_with_fields(self, terminal: Terminal) -> None:
        assert "chat_id" in terminal.run("channels", "kinds").stdout

    @pytest.mark.parametrize("words", [("--set", "chat_id"), ("--secret-file", "token=/nowhere/at/all")])
    def test_say_what_cannot_be_read(self, terminal: Terminal, words: tuple[str, ...]) -> None:
        assert terminal.run("channels", "add", "telegram", "Ops", *words).exit_code == 2


def test_a_signing_key_is_printed_once(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("https://hooks.example.com/told")
    made = terminal.json("channels", "add", "webhook", "Ours", "--secret-file", f"url={tmp_path / 'url'}")

    shown = terminal.run("channels", "show", made["channel"]).output
    renewed = terminal.run("channels", "new-key", made["channel"])

    assert (len(made["signing_key"]) >= 32, made["signing_key"] in shown) == (True, False)
    assert len(renewed.stdout.strip()) >= 32
    assert renewed.stdout.strip() != made["signing_key"]
