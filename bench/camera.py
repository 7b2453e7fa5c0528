"""Takes pictures of pages: light, dark, as on a phone, and as somebody sees them who tells fewer colours apart."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page

from bench.small_png import smaller

WIDE, PHONE = {"width": 1360, "height": 850}, {"width": 360, "height": 740}
# What Chromium calls them, and what the pictures are called.
VISIONS = {"deuteranopia": "deuteranopia", "achromatopsia": "grey"}
# As much of a long page as anybody looks at.
LONGEST = 2_600
# A picture that is still being drawn is none.
SETTLE_MS = 300

Prepare = Callable[[Page], object]


def nothing(_page: Page) -> None:
    """Take the page as it comes."""


@dataclass(frozen=True)
class Shot:
    """A page to take: its address, whom it is for (by email, or nobody) and what is done to it first."""

    name: str
    path: str
    who: str = "ana@example.com"
    prepare: Prepare = nothing


class Camera:
    """Takes pictures of one installation. Everybody signs in once."""

    def __init__(
        self, browser: Browser, address: str, folder: Path, *, password: str, before: Callable[[], object]
    ) -> None:
        """`before` is called before each picture."""
        self._browser, self._address, self._folder = browser, address, folder
        self._password, self._before = password, before
        self._signed_in: dict[str, Any] = {}

    def read(self, path: str, find: Callable[[Page], str], *, who: str = "ana@example.com") -> str:
        """What a page says, to go on from there."""
        context = self._context(who)
        page = context.new_page()
        page.goto(f"{self._address}{path}")
        found = find(page)
        context.close()
        return found

    def take(
        self, shot: Shot, *, name: str = "", part: str = "", is_dark: bool = False, size: dict[str, int] = WIDE
    ) -> None:
        """A small picture of what the window shows, or of one part of the page in full."""
        page = self._open(shot, is_dark=is_dark, size=size)
        shown: Page | Locator = page.locator(part) if part else page
        (self._folder / f"{name or shot.name}.png").write_bytes(smaller(shown.screenshot()))
        page.context.close()

    def take_all(self, shot: Shot) -> None:
        """In both themes at both widths, the whole page; the wide ones also as people see them without all colours."""
        for size, width in ((WIDE, ""), (PHONE, "-phone")):
            for is_dark in (False, True):
                page = self._open(shot, is_dark=is_dark, size=size)
                self._write(page, f"{shot.name}{width}{'-dark' if is_dark else ''}")
                if size is WIDE:
                    devtools = page.context.new_cdp_session(page)
                    for vision, word in VISIONS.items():
                        devtools.send("Emulation.setEmulatedVisionDeficiency", {"type": vision})
                        self._write(page, f"{shot.name}-{word}{'-dark' if is_dark else ''}")
                page.context.close()

    def _write(self, page: Page, name: str) -> None:
        """As long as the page is, unless a dialog lies over it."""
        width = page.viewport_size["width"] if page.viewport_size else 0
        is_open = page.evaluate("document.querySelector('dialog').open")
        height = page.evaluate("Math.max(innerHeight, document.documentElement.scrollHeight)")
        clip: Any = None if is_open else {"x": 0, "y": 0, "width": width, "height": min(height, LONGEST)}
        page.screenshot(path=self._folder / f"{name}.png", full_page=not is_open, clip=clip)

    def _open(self, shot: Shot, *, is_dark: bool, size: dict[str, int]) -> Page:
        self._before()
        page = self._context(shot.who, is_dark=is_dark, size=size).new_page()
        page.goto(f"{self._address}{shot.path}")
        shot.prepare(page)
        page.wait_for_timeout(SETTLE_MS)
        return page

    def _context(self, who: str, *, is_dark: bool = False, size: dict[str, int] = WIDE) -> BrowserContext:
        if who and who not in self._signed_in:
            self._signed_in[who] = self._sign_in(who)
        return self._browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            color_scheme="dark" if is_dark else "light",
            timezone_id="Europe/Berlin",
            storage_state=self._signed_in.get(who),
        )

    def _sign_in(self, who: str) -> Any:
        context = self._context("")
        page = context.new_page()
        page.goto(f"{self._address}/login")
        page.get_by_label("Email").fill(who)
        page.get_by_label("Password").fill(self._password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self._address}/")
        found = context.storage_state()
        context.close()
        return found
