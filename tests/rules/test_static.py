"""Rules for what the browser loads: vendored files as published, colours in one place, small scripts and styles."""

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from app.web.assets import read_assets

STATIC = Path(__file__).parents[2] / "static"
STYLES = sorted((STATIC / "css").rglob("*.css"))
SCRIPTS = sorted((STATIC / "js").rglob("*.js"))
LOADED_BEFORE_PAINT = {"theme.js"}  # on its own in the head, so not part of the concatenated app.js
LATER = ["bulk", "dialog", "form", "keys", "log", "run", "table", "zone"]  # bundles that come with what needs them
COLOUR = re.compile(
    r"#[0-9a-fA-F]{3,8}\b(?!\s*\{)|\b(?:rgb|rgba|hsl|hsla|hwb|lab|lch|oklab|oklch|light-dark)\(|"
    r":[^;{}]*\b(?:white|black|red|green|blue|gray|grey|orange|yellow)\b(?![-\w])"
)
TEXT_PAIRS = [
    *((text, ground) for text in ("text", "muted", "link") for ground in ("bg", "surface", "sunken", "hover")),
    *((f"{state}-text", f"{state}-tint") for state in ("ok", "run", "wait", "warn", "fail")),
    ("on-primary", "primary"),
    ("on-primary", "primary-hover"),
    ("toast-text", "toast-bg"),
    ("toast-link", "toast-bg"),
    *(("heat-text", f"heat-{step}") for step in range(4)),
    *(("heat-text-strong", f"heat-{step}") for step in (4, 5)),
]


def manifest(kind: str) -> list[str]:
    return (STATIC / kind / "manifest.txt").read_text().split()


def luminance(colour: str) -> float:
    digits = "".join(2 * digit for digit in colour) if len(colour) == 3 else colour
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def token(name: str, theme: int) -> str:
    """The hex digits of a colour token in the light (0) or the dark (1) theme."""
    value = re.search(rf"--{name}: ([^;]+);", (STATIC / "css" / "tokens.css").read_text())
    assert value, f"no token --{name}"
    colours = re.findall(r"#([0-9a-fA-F]+)", value[1])
    return str(colours[min(theme, len(colours) - 1)])


@pytest.mark.parametrize("folder", [STATIC / "vendor", Path(__file__).parents[1] / "vendor"], ids=["page", "tests"])
def test_vendored_files_have_the_published_checksums(folder: Path) -> None:
    readme = (folder / "README.md").read_text()
    stated = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", readme, flags=re.MULTILINE))

    found = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "README.md"
    }

    assert found == stated


@pytest.mark.parametrize("path", STYLES, ids=lambda path: str(path.name))
def test_colour_values_stand_only_in_the_tokens(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)

    found = COLOUR.findall(text)

    assert bool(found) == (path.name == "tokens.css")


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS, ids=str)
def test_text_can_be_read_on_its_ground(text: str, ground: str, theme: int) -> None:
    ratio = contrast(token(text, theme), token(ground, theme))

    assert ratio >= 4.5


def loaded_by_a_page(suffix: str) -> list[bytes]:
    """What the layout makes a browser load, as it is served."""
    names = re.findall(
        r"(?:src|href)=\"{{ asset\('([^']+)'\)", (STATIC.parent / "templates" / "layouts" / "base.html").read_text()
    )
    served = read_assets(STATIC)
    return [served[name].content for name in names if name.endswith(suffix)]


@pytest.mark.parametrize(("suffix", "files", "kilobytes"), [(".css", 1, 12), (".js", 3, 20)])
def test_what_a_page_loads_stays_within_its_budget(suffix: str, files: int, kilobytes: int) -> None:
    # As it travels, compressed; of the scripts htmx takes 13 KB.
    sizes = [len(gzip.compress(content, 9)) for content in loaded_by_a_page(suffix)]

    assert len(sizes) == files
    assert sum(sizes) <= kilobytes * 1024


@pytest.mark.parametrize(
    ("bundle", "kilobytes"),
    [
        ("bulk.js", 0.6),
        ("dialog.js", 1.25),
        ("form.js", 3.5),
        ("keys.js", 1.75),
        ("log.js", 1.5),
        ("run.js", 0.6),
        ("table.js", 1.5),
        ("zone.js", 1.5),
    ],
)
def test_what_a_part_of_a_page_loads_besides_stays_within_its_budget(bundle: str, kilobytes: float) -> None:
    content = read_assets(STATIC)[bundle].content

    assert len(gzip.compress(content, 9)) <= kilobytes * 1024


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_no_text_of_a_script_goes_over_a_line(path: Path) -> None:
    # Comment lines and indentation are not served, and must not be part of a text.
    uneven = [line for line in path.read_text().splitlines() if line.count("`") % 2]

    assert uneven == []


@pytest.mark.parametrize("bundle", ["app.js", *(f"{name}.js" for name in LATER)])
def test_comments_and_indentation_are_not_served(bundle: str) -> None:
    lines = read_assets(STATIC)[bundle].content.splitlines()

    assert [line for line in lines if line != line.strip() or line.startswith(b"//")] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_a_script_is_one_short_behaviour_that_leaves_no_globals(path: Path) -> None:
    lines = path.read_text().splitlines()
    code = [line for line in lines if not line.startswith("//")]

    assert len(lines) <= 60
    assert lines[0].startswith("// ")
    assert (code[0], code[-1]) == ("(() => {", "})();")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.name))
def test_a_script_needs_nothing_the_content_policy_forbids(path: Path) -> None:
    found = re.findall(r"\beval\(|new Function|innerHTML|setAttribute\(\"style|\.style\b", path.read_text())

    assert found == []


def test_the_manifests_list_every_file_once() -> None:
    styles = sorted(str(path.relative_to(STATIC / "css")) for path in STYLES)
    scripts = sorted(path.name for path in SCRIPTS if path.name not in LOADED_BEFORE_PAINT)

    assert sorted(manifest("css")) == styles
    assert sorted(manifest("js") + [script for name in LATER for script in manifest(f"js/{name}")]) == scripts


def test_tokens_come_first_and_utilities_last() -> None:
    listed = manifest("css")

    assert (listed[0], listed[-1]) == ("tokens.css", "utilities.css")


def test_icons_drawn_by_the_style_are_those_that_templates_leave_to_it() -> None:
    style = read_assets(STATIC)["app.css"].content.decode()
    left_to_it = re.search(r"BY_STYLE = \[([^\]]+)\]", (STATIC.parent / "templates/macros/ui.html").read_text())

    assert left_to_it is not None
    drawn = re.findall(r'\[data-icon="([a-z-]+)"\] { --icon: url\("data:image/svg\+xml,<svg [^"]+</svg>"\); }', style)
    assert drawn == re.findall(r'"([a-z-]+)"', left_to_it[1])
