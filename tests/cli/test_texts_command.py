"""`belfry texts`."""

from pathlib import Path

import pytest

from app.notifications.messages.texts import TextInvalid
from tests.cli.conftest import Terminal

ONE = "run_failed"


def test_is_changed_shown_and_reset(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "body").write_text("Because:\n{{error}}\n")
    terminal.json("texts", "change", ONE, "--title", "{{job}} is down", "--body-file", str(tmp_path / "body"))
    terminal.json("texts", "change", ONE, "--title", "{{job}} is down!")

    shown = terminal.run("texts", "show", ONE).output
    listed = {one["type"]: one["own"] for one in terminal.json("texts", "list")}
    reset = [terminal.run("texts", "reset", ONE).output for _ in range(2)]

    assert shown == "{{job}} is down!\n\nBecause:\n{{error}}\n"
    assert (listed[ONE], listed["late"], "again" in reset[0], "already" in reset[1]) == (True, False, True, True)
    assert "standard" in terminal.run("texts", "show", ONE).output


@pytest.mark.parametrize(
    ("form", "words"), [("text", "<b>Meta"), ("mail", "&lt;b&gt;Meta"), ("discord", "\\\\<b\\\\>Meta")]
)
def test_preview_shows_each_form_as_it_is_sent(terminal: Terminal, form: str, words: str) -> None:
    result = terminal.run("texts", "preview", ONE, "--body", "<b>{{job}}", "--form", form)

    assert (words in result.stdout, "made up" in result.stderr) == (True, True)
    assert not terminal.json("texts", "show", ONE)["own"]


def test_names_are_listed(terminal: Terminal) -> None:
    assert "{{last_success}}" in terminal.run("texts", "variables").stdout


def test_refuses_what_there_is_not(terminal: Terminal) -> None:
    assert isinstance(terminal.run("texts", "change", ONE, "--title", "{{jobb}}").exception, TextInvalid)
    assert terminal.run("texts", "change", "nonsense", "--title", "x").exit_code == 2
    assert terminal.run("texts", "change", ONE, "--body", "x", "--body-file", "-").exit_code == 2
    assert terminal.run("texts", "change", ONE, "--body-file", "/nowhere/at/all").exit_code == 2
