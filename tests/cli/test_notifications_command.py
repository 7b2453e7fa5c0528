"""`belfry notifications` and `belfry maintenance`."""

from app.notifications.telling_settings import SettingsInvalid, WindowInvalid
from tests.cli.conftest import Terminal


def test_quiet_hours_are_changed_and_what_is_not_named_stays(terminal: Terminal) -> None:
    words = ("--zone", "Europe/Riga", "--quiet", "22:00-07:00", "--let-through", "stuck")
    terminal.json("notifications", "change", *words)
    terminal.json("notifications", "change", "--zone", "UTC")

    facts = terminal.json("notifications", "show")
    assert (facts["zone"], facts["quiet"], facts["let_through"]) == ("UTC", "22:00-07:00", ["stuck"])
    assert terminal.json("notifications", "change", "--quiet", "none")["quiet"] is None


def test_half_of_quiet_hours_is_refused(terminal: Terminal) -> None:
    assert isinstance(terminal.run("notifications", "change", "--quiet", "22:00").exception, SettingsInvalid)


def test_maintenance_is_planned_and_ended(terminal: Terminal) -> None:
    made = terminal.run("maintenance", "add", "2090-01-01T10:00", "2090-01-01T12:00", "--about", "tag", "--which", "x")
    (row,) = terminal.json("maintenance", "list")
    ended = terminal.run("maintenance", "end", row["id"])

    assert (made.output.strip(), row["from"], row["about"]) == (row["id"], "2090-01-01T10:00:00Z", "tag")
    assert (ended.output, terminal.json("maintenance", "list")) == ("Ended.\n", [])


def test_maintenance_backwards_is_refused(terminal: Terminal) -> None:
    result = terminal.run("maintenance", "add", "2090-01-01T10:00", "2090-01-01T09:00")

    assert isinstance(result.exception, WindowInvalid)
