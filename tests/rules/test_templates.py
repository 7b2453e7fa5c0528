"""Rules for templates: short, self-describing, nothing the content policy forbids, a token in every form."""

import re
from pathlib import Path

import pytest
from jinja2 import Environment

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SPRITE = (ROOT / "static" / "icons" / "sprite.svg").read_text()
BANNED = {
    "|safe switches escaping off": r"\|\s*safe\b",
    "style attributes are blocked by the content policy": r"\sstyle\s*=",
    "<style> is blocked by the content policy": r"<style\b",
    "hx-on needs eval": r"\bhx-on\b",
    "js: values need eval": r"[\"'{,\s](?:js|javascript):",
    "inline scripts are blocked by the content policy": r"<script(?![^>]*\ssrc=)",
    "inline handlers are blocked by the content policy": r"<[a-z][^>]*\son[a-z]+\s*=",
    "hx-trigger filters need eval": r"hx-trigger[\"']?\s*[=:]\s*(?:\"[^\"]*\[|'[^']*\[)",
    "autoescape must stay on": r"{%-?\s*autoescape",
}
every_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))


def markup(path: Path) -> str:
    """The template without its comments, which may name what is banned."""
    return re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL)


def tags(path: Path, names: str) -> list[str]:
    return re.findall(rf"<(?:{names})\b[^>]*>", markup(path))


@every_template
def test_a_template_parses(path: Path) -> None:
    tree = Environment(autoescape=True).parse(path.read_text())

    assert tree.body


@every_template
@pytest.mark.parametrize("pattern", BANNED.values(), ids=BANNED.keys())
def test_a_template_needs_nothing_forbidden(path: Path, pattern: str) -> None:
    found = re.search(pattern, markup(path), flags=re.IGNORECASE)

    assert found is None


@every_template
def test_every_form_that_posts_carries_a_token(path: Path) -> None:
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", markup(path), flags=re.DOTALL | re.IGNORECASE)

    without = [form for form in forms if "csrf_token" not in form]

    assert without == []


@every_template
def test_a_comment_on_top_names_the_inputs(path: Path) -> None:
    text = path.read_text().lstrip()

    assert text.startswith("{#")


@every_template
def test_a_template_is_short_enough_to_read(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert len(lines) <= 120


@every_template
def test_table_parts_say_their_role(path: Path) -> None:
    # Rows turn into cards on narrow screens, and a changed display takes the table semantics away.
    without = [tag for tag in tags(path, "table|thead|tbody|tr|td|th") if " role=" not in tag]

    assert without == []


@every_template
def test_every_icon_named_in_a_template_is_in_the_sprite(path: Path) -> None:
    named = re.findall(r"\bicon\(\"([a-z-]+)\"|sprite\.svg'\) }}#([a-z-]+)", markup(path))

    missing = [name for pair in named for name in pair if name and f'id="{name}"' not in SPRITE]

    assert missing == []
