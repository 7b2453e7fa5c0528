"""The documentation keeps up with the code."""

import re

import click

from app.cli.root import belfry
from app.core.paths import ROOT

DOCS = ROOT / "docs"
CODE = [*(ROOT / "app").rglob("*.py"), *(ROOT / "deploy").rglob("*.py")]


def settings_in_code() -> set[str]:
    names = {name for path in CODE for name in re.findall(r'"(BELFRY_[A-Z_]+)"', path.read_text())}
    # Handed from the supervisor to its children; nobody sets it.
    return names - {"BELFRY_SUPERVISOR_PID"}


def commands(group: click.Group, prefix: str = "belfry") -> set[str]:
    found = set()
    context = click.Context(group)
    for name in group.list_commands(context):
        command, words = group.get_command(context, name), f"{prefix} {name}"
        assert command is not None
        found |= commands(command, words) if isinstance(command, click.Group) else {words}
    return found


class TestDocs:
    def test_have_a_row_for_every_setting_and_for_no_other(self) -> None:
        rows = set(re.findall(r"^\| `(BELFRY_[A-Z_]+)`", (DOCS / "settings.md").read_text(), re.MULTILINE))

        assert rows == settings_in_code()

    def test_have_a_row_for_every_command(self) -> None:
        rows = set(
            re.findall(r"^\| `(belfry [a-z -]+?)(?: [A-Z].*)?` \|", (DOCS / "commands.md").read_text(), re.MULTILINE)
        )

        assert rows == commands(belfry)

    def test_link_only_to_what_exists(self) -> None:
        pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")]

        broken = [
            f"{page.name}: {link}"
            for page in pages
            for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
            if not (page.parent / link).exists()
        ]

        assert broken == []
