"""As whom pages are shown: in both themes, on a wide screen and on a phone."""

from typing import Literal

import pytest
from playwright.sync_api import Page

WIDE, PHONE = 1360, 360
THEMES = pytest.mark.parametrize("theme", ["light", "dark"])
WIDTHS = pytest.mark.parametrize("width", [WIDE, PHONE])
Theme = Literal["light", "dark"]


def show(page: Page, theme: Theme = "light", width: int = WIDE) -> None:
    """Show this page and those that follow so."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)


def is_too_wide(page: Page) -> bool:
    """Whether the page has to be moved sideways to see all of it."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))
