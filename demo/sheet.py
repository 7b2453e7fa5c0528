"""The spreadsheet of the demo: a fake of Google Sheets that also shows what stands in it, as a page."""

import html
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.google.keys import READER
from tests.fakes.providers.sheets.book import Book, Tab
from tests.fakes.providers.sheets.fake import SheetsFake
from tests.fakes.providers.wire import Answer, Call

SCENARIO = "demo"
SPREADSHEET = "1DemoOutdoorKpis00000000000000000000000000aa"
TITLE, OWN_TAB = "Demo Outdoor KPIs", "Our notes"
# More than anybody reads.
_MOST_ROWS = 500
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:14px system-ui;margin:1rem;color-scheme:light dark}}table{{border-collapse:collapse}}
td{{border:1px solid #8886;padding:.2rem .5rem}}tr:first-child{{font-weight:600}}</style>
<h1>{title}</h1><p>A fake of Google Sheets on this machine. Reload to see what was pushed.</p>{tabs}"""


class DemoSheets(SheetsFake):
    """One spreadsheet, with a tab of its owner's. What is pushed into it lasts until the demo ends."""

    scenarios: tuple[str, ...] = (SCENARIO,)

    def build(self, scenario: str) -> dict[str, Book]:
        """The spreadsheet as its owner made it."""
        own = Tab(0, OWN_TAB)
        own.cells = {(0, 0): "Belfry makes tabs of its own, and leaves this one alone."}
        return {SPREADSHEET: Book(SPREADSHEET, TITLE, tabs=[own], editors={READER})}

    def route_of(self, call: Call) -> str:
        """What a browser asks for is a route of its own."""
        return "page" if call.method == "GET" and call.path == f"/d/{SPREADSHEET}" else super().route_of(call)

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """The page, or what Google would say."""
        if self.route_of(call) != "page":
            return super().answer(call, fault, now)
        book = self.books[SPREADSHEET]
        tabs = "".join(_shown(tab) for tab in book.tabs if not tab.is_hidden)
        return Answer.of_html(200, _PAGE.format(title=html.escape(book.title), tabs=tabs))


def _shown(tab: Tab) -> str:
    return f"<h2>{html.escape(tab.title)}</h2><table>{''.join(_rows(tab.table()[:_MOST_ROWS]))}</table>"


def _rows(rows: list[list[Any]]) -> Iterator[str]:
    for row in rows:
        yield "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>"
