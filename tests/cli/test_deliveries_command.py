"""`belfry deliveries`: what was told, and sending it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.notifications.channel_rows import ChannelNotFound
from tests.cli.conftest import Terminal
from tests.fakes.chat.server import HOOK, ChatServer


@pytest.fixture(autouse=True)
def channel(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "hook").write_text(f"https://discord.com{HOOK}")
    with ChatServer() as server:
        monkeypatch.setenv("BELFRY_DISCORD_BASE_URL", server.url)
        words = ("channels", "add", "discord", "#data", "--secret-file", f"webhook_url={tmp_path / 'hook'}")
        yield str(terminal.json(*words)["channel"])


class TestDeliveries:
    def test_are_listed_and_sent_again(self, terminal: Terminal, channel: str) -> None:
        terminal.run("channels", "test", channel)
        (row,) = terminal.json("deliveries", "list", "--channel", channel)

        result = terminal.run("deliveries", "resend", row["id"])

        assert (row["channel"], row["state"]) == ("#data", "sent")
        assert "It is sent again" in result.stdout
        assert sorted(one["state"] for one in terminal.json("deliveries", "list")) == ["pending", "sent"]

    def test_that_are_not_there_are_not_sent(self, terminal: Terminal) -> None:
        absent = "00000000-0000-0000-0000-000000000000"

        assert isinstance(terminal.run("deliveries", "resend", absent).exception, ChannelNotFound)
        assert "Nothing was told" in terminal.run("deliveries", "list").stdout
