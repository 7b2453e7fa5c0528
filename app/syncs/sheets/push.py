"""Puts a table into a tab of its own, so that whoever looks sees the old one or the new one, and never a part.

The rows are written into a hidden tab first, in chunks. Then one request pastes their values over the tab, empties what
lies below, marks what stands there now and takes the hidden tab away: the service does all of a request or nothing.
A request that was sent twice, or that somebody else was faster than, finds things changed: then it is looked again.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.sheets.a1 import Box, values_of
from app.syncs.sheets.book import Book, Tab, book_path, read_book
from app.syncs.sheets.cells import decode_row, read_row
from app.syncs.sheets.claims import find_tab, refuse_crowded, refuse_no_room
from app.syncs.sheets.dialect import Calls
from app.syncs.sheets.marks import TabMark, building_title
from app.syncs.sheets.refusals import STALE
from app.syncs.sheets.standing import Standing, compare
from app.syncs.sheets.swap import prepare_requests, swap_requests
from app.syncs.sheets.table import PushTable

CHUNK_ROWS = 5_000
# The service recommends to send no more than two million bytes at once.
CHUNK_BYTES = 2_000_000
# Of answers: what stands there is read in larger parts.
READ_CELLS = 200_000
MOST_ROUNDS = 3


@dataclass
class Pushed:
    """What a push found and did. `cells_changed` counts those that say something else than before."""

    book: str
    tab: str
    rows: int
    cells_changed: int = 0
    is_new: bool = False
    # Somebody had changed cells of ours since the push before.
    was_edited: bool = False


@dataclass
class SheetPush:
    """One push of a job into one spreadsheet. `number` tells it from other pushes of the same job."""

    client: Calls
    spreadsheet_id: str
    job: str
    title: str
    number: str
    # Of jobs that left hidden tabs here: those that push to this spreadsheet no more. Nobody else would take them away.
    no_more: Callable[[frozenset[str]], frozenset[str]] = lambda jobs: frozenset()
    _round: int = field(default=0, init=False)
    _seen: TabMark | None = field(default=None, init=False)

    def push(self, table: PushTable) -> Pushed:
        """Make the tab say what the table says. Raises SyncFailed and ReadStopped; then it says what it said before.

        Where it says so already, nothing is written.
        """
        while True:
            self._round += 1
            try:
                return self._push(table)
            except SyncFailed as error:
                if error.trouble.code != STALE:
                    raise
                if self._round == MOST_ROUNDS:
                    raise _keeps_changing(error) from None
                self.client.watch.log("The spreadsheet was changed meanwhile. Looking again.")

    def _push(self, table: PushTable) -> Pushed:
        book = read_book(self.client, self.spreadsheet_id)
        tab = find_tab(book, job=self.job, title=self.title)
        self._refuse_faster(tab, table)
        standing = self._standing(tab, table)
        done = Pushed(
            book.title, self.title if tab is None else tab.title, len(table.rows), standing.cells_changed,
            tab is None, standing.was_edited,
        )  # fmt: skip
        leftovers = book.building_for({self.job, *self._no_more(book)})
        if standing.is_up_to_date and not self._is_to_be_renamed(tab):
            if leftovers:
                self._change([{"deleteSheet": {"sheetId": one.id}} for one in leftovers])
            return done
        refuse_no_room(book, tab, table.extent, leftovers)
        done.tab = self._write(book, tab, table, leftovers)
        return done

    def _no_more(self, book: Book) -> frozenset[str]:
        others = book.building - {self.job}
        return self.no_more(others) if others else others

    def _refuse_faster(self, tab: Tab | None, table: PushTable) -> None:
        """Raises SyncFailed when another push of the job has written the tab since this one began.

        Only one of them has the run, and it reads the figures anew when it tries again.
        """
        mark = None if tab is None else tab.mark
        if self._round == 1:
            self._seen = mark
        elif mark is not None and mark != self._seen and mark.checksum != table.checksum:
            words = "Another push of the same job wrote the tab meanwhile. Nothing was pushed."
            raise failed(TroubleClass.TRANSIENT, words)

    def _is_to_be_renamed(self, tab: Tab | None) -> bool:
        return tab is not None and tab.mark is not None and tab.mark.tab != self.title

    def _standing(self, tab: Tab | None, table: PushTable) -> Standing:
        """What stands in our cells now, and how it differs. Raises SyncFailed for headings that somebody changed."""
        if tab is None or tab.mark is None:
            return Standing(cells_changed=table.extent.table.cells + table.extent.info.cells)
        before, now = tab.mark.extent, table.extent
        around = Box(0, 0, max(before.rows, now.rows) + 1, max(before.info.right, now.info.right))
        seen = Box(0, 0, min(around.bottom, tab.rows), min(around.right, tab.columns))
        rows = iter(()) if seen.is_empty else self._read(tab, seen)
        found = compare(rows, tab.mark, table)
        refuse_crowded(found, tab.mark, now, tab.title)
        return found

    def _read(self, tab: Tab, seen: Box) -> Iterator[list[Any]]:
        """The rows of some cells, each as wide as they are."""
        step = max(1, READ_CELLS // seen.width)
        for top in range(seen.top, seen.bottom, step):
            part = Box(top, seen.left, min(top + step, seen.bottom), seen.right)
            path = f"{book_path(self.spreadsheet_id)}/values/{quote(part.range_of(tab.title), safe='')}"
            said = self.client.get(path, {"valueRenderOption": "UNFORMATTED_VALUE", "majorDimension": "ROWS"})
            rows = said.get("values", [])
            for number in range(part.bottom - part.top):
                row = rows[number] if number < len(rows) else []
                yield decode_row(read_row(row, seen.width))

    def _write(self, book: Book, tab: Tab | None, table: PushTable, leftovers: tuple[Tab, ...]) -> str:
        """Prepare it in a tab of its own, and swap. Returns what the tab is called then."""
        building = self._new_id(book)
        self._change(prepare_requests(leftovers, building, table.extent, job=self.job, book=self.spreadsheet_id))
        # Not before the hidden tab is there: it is the time that stands in the spreadsheet.
        info = table.info(self.client.watch.now())
        for data in _chunks(table, building_title(building), info):
            self._put(data)
        live = tab.id if tab is not None else self._new_id(book, building)
        title = self.title if tab is None or self._is_to_be_renamed(tab) else tab.title
        self._change(swap_requests(tab, building, live, title, table, job=self.job, wanted=self.title))
        return title

    def _put(self, data: list[dict[str, Any]]) -> None:
        """Write values. Sent twice, they are the same values. Raises SyncFailed when fewer were written than sent."""
        path = f"{book_path(self.spreadsheet_id)}/values:batchUpdate"
        # RAW keeps a text a text: names are written by strangers, and one may look like a formula.
        said = self.client.post_json(path, {"valueInputOption": "RAW", "data": data})
        sent = sum(len(one["values"]) for one in data)
        full = sum(1 for one in data for row in one["values"] for cell in row if cell != "")
        if said.get("totalUpdatedRows") != sent or _whole(said.get("totalUpdatedCells")) < full:
            words = "Google Sheets took fewer cells than it was sent. The tab was left as it was."
            raise failed(TroubleClass.TRANSIENT, words)

    def _change(self, requests: list[dict[str, Any]]) -> None:
        self.client.post_json(f"{book_path(self.spreadsheet_id)}:batchUpdate", {"requests": requests})

    def _new_id(self, book: Book, *others: int) -> int:
        """An id that no tab has, chosen here: whoever sends the same request twice makes no second tab."""
        taken = {tab.id for tab in book.tabs} | set(others)
        seed, turn = f"{self.job} {self.number} {self._round} {len(others)}", 0
        while True:
            found = int.from_bytes(hashlib.sha256(f"{seed} {turn}".encode()).digest()[:4]) & 0x7FFFFFFF
            if found and found not in taken:
                return found
            turn += 1


def _chunks(table: PushTable, title: str, info: list[str]) -> Iterator[list[dict[str, Any]]]:
    """All values, in parts that the service takes. What is last of them says that the rest is there: the checksum."""
    lines, top = table.lines(), 0
    while top < len(lines):
        bottom, size = top, 0
        while bottom < len(lines) and bottom - top < CHUNK_ROWS:
            size += len(lines[bottom].encode())
            if size > CHUNK_BYTES and bottom > top:
                break
            bottom += 1
        rows = [decode_row(line) for line in lines[top:bottom]]
        data = [values_of(title, Box(top, 0, bottom, table.extent.columns), rows)]
        if bottom == len(lines):
            data.append(values_of(title, table.extent.info, [info]))
        yield data
        top = bottom


def _keeps_changing(error: SyncFailed) -> SyncFailed:
    words = f"The spreadsheet was changed again and again while it was pushed to. {error.message}"
    return failed(TroubleClass.TRANSIENT, words)


def _whole(said: Any) -> int:
    return said if isinstance(said, int) else -1
