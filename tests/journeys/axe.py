"""What axe-core finds wrong with a page, in words."""

from functools import cache

from playwright.sync_api import Page

from app.core.paths import ROOT

_SCRIPT = ROOT / "tests" / "vendor" / "axe-core-4.14.1" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# The script of a page may not be added to by another one, so it is evaluated by the browser itself.
_RUN = "rules => axe.run(document, {runOnly: rules}).then(found => found.violations)"


def violations(page: Page) -> list[str]:
    """One line for each element with which something is wrong."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_source())
    found = page.evaluate(_RUN, _RULES)
    return [f"{one['id']}: {node['html'][:200]} – {node['failureSummary']}" for one in found for node in one["nodes"]]


@cache
def _source() -> str:
    return _SCRIPT.read_text()
