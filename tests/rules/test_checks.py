"""The table of checks and the browser tests that name them agree."""

import ast
import re
from collections import defaultdict
from pathlib import Path

from app.core.paths import ROOT

JOURNEYS = ROOT / "tests" / "journeys"
PAGE = ROOT / "docs" / "checks.md"
CHECK = r"A\d\d"


def read_tests(path: Path) -> dict[str, str]:
    """The tests of a file by their names, each with what its docstring begins with."""
    tree = ast.parse(path.read_text())
    owners = [("", tree), *((f"{node.name}::", node) for node in tree.body if isinstance(node, ast.ClassDef))]
    return {
        f"{path.relative_to(JOURNEYS)}::{owner}{node.name}": (ast.get_docstring(node) or "").partition("\n")[0]
        for owner, holder in owners
        for node in holder.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def checks_named_in_tests() -> dict[str, set[str]]:
    found = defaultdict(set)
    for path in JOURNEYS.rglob("test_*.py"):
        for name, words in read_tests(path).items():
            named = re.match(rf"{CHECK}(?:, {CHECK})*(?=: )", words)
            for check in re.findall(CHECK, named[0] if named else ""):
                found[check].add(name)
    return found


def checks_named_on_the_page() -> dict[str, set[str]]:
    rows = re.findall(rf"^\| ({CHECK}) \|.*\| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    return {check: set(re.findall(r"`([^`]+)`", tests)) for check, tests in rows}


def test_every_check_has_its_tests_and_every_test_its_check() -> None:
    assert checks_named_on_the_page() == checks_named_in_tests()
