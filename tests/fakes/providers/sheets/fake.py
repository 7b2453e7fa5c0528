"""Google Sheets v4 as far as tabs, values and marks go: who may ask, what is answered, what is refused."""

import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.sheets import refusals, scenarios
from tests.fakes.providers.sheets.book import BadRequest, Book, Box, Formula, Tab, read_cell, refuse_outside
from tests.fakes.providers.sheets.changes import apply_all
from tests.fakes.providers.wire import Answer, Call

LARGEST_BODY = 10_485_760
PER_MINUTE = 60
_ROUTES = (
    ("POST", r"/v4/spreadsheets/(?P<book>[^/:]+):batchUpdate", "batch_update"),
    ("POST", r"/v4/spreadsheets/(?P<book>[^/:]+)/values:batchUpdate", "values_batch_update"),
    ("POST", r"/v4/spreadsheets/(?P<book>[^/:]+)/values:batchClear", "values_batch_clear"),
    ("POST", r"/v4/spreadsheets/(?P<book>[^/:]+)/values/(?P<range>[^/]+):append", "values_append"),
    ("PUT", r"/v4/spreadsheets/(?P<book>[^/:]+)/values/(?P<range>[^/]+)", "values_update"),
    ("GET", r"/v4/spreadsheets/(?P<book>[^/:]+)/values/(?P<range>[^/]+)", "values_get"),
    ("GET", r"/v4/spreadsheets/(?P<book>[^/:]+)", "get"),
)
_READS = {"get", "values_get"}
SCOPE = "https://www.googleapis.com/auth/spreadsheets"
# Whose e-mail an access token of a scope is of, or None for one that is good for nothing.
EmailOf = Callable[[str | None, str, datetime], str | None]


class SheetsFake:
    """Some spreadsheets. `email_of` says whose a token is: the fake that gives tokens out knows."""

    name = "sheets"
    scenarios: tuple[str, ...] = scenarios.NAMES

    def __init__(self, email_of: EmailOf) -> None:
        self.books: dict[str, Book] = {}
        self._email_of = email_of
        self._asked: dict[tuple[str, str, str], int] = {}

    def reset(self, scenario: str, now: datetime) -> None:
        self.books = self.build(scenario)
        self._asked.clear()

    def build(self, scenario: str) -> dict[str, Book]:
        """The spreadsheets of a scenario. A fake with scenarios of its own has its own."""
        return scenarios.build(scenario)

    def route_of(self, call: Call) -> str:
        return self._find(call)[0]

    def meets(self, fault: Fault, call: Call) -> bool:
        """Only values can be taken in part, and only writing is refused to those who may look."""
        route = self.route_of(call)
        if fault.fault == "truncated_page":
            return route.startswith("values_") and route not in _READS
        return route not in _READS or fault.options.get("variant") != "writes"

    def mutate(self, change: dict[str, Any], now: datetime) -> None:
        """Somebody types into a cell: `book`, `tab`, `cell` such as B7, `text` as it is typed. Or renames a tab."""
        book = self.books[change["book"]]
        tab = book.tab(change["tab"])
        if "new_title" in change:
            tab.title = change["new_title"]
            return
        _, box = book.place(f"'{tab.title.replace(chr(39), chr(39) * 2)}'!{change['cell']}")
        tab.put((box.top, box.left), read_cell(change["text"], "USER_ENTERED"))

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        """What stands in a tab: each row as a dictionary of column letters."""
        tab = self.books[query["book"]].tab(query["tab"])
        return [{_letter(column): cell for column, cell in enumerate(row)} for row in tab.table()]

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """What Google would say, or what the fault makes of it. Every call counts, refused or not."""
        route, found = self._find(call)
        refusal = refusals.refusal_of(fault, is_write=route not in _READS) if fault else None
        try:
            return refusal or self._true_answer(route, found, call, fault, now)
        except BadRequest as error:
            return refusals.google_error(400, str(error))

    def _true_answer(self, route: str, found: dict[str, str], call: Call, fault: Fault | None, now: datetime) -> Answer:
        person = self._email_of(call.bearer, SCOPE, now)
        if person is None:
            return refusals.unauthenticated()
        kind = "Read" if route in _READS else "Write"
        if self._is_over_quota(person, kind, now):
            return refusals.too_many(kind)
        if len(call.body) > LARGEST_BODY:
            raise BadRequest(f"Request payload size exceeds the limit: {LARGEST_BODY} bytes.")
        book = self.books.get(found.get("book", ""))
        if book is None or book.is_trashed:
            return refusals.not_found()
        if person not in book.editors and (kind == "Write" or person not in book.viewers):
            return refusals.denied()
        said = json.loads(call.body) if call.body else {}
        handlers: dict[str, Callable[[], Any]] = {
            "get": lambda: _described(book, call),
            "values_get": lambda: _values(book, unquote(found["range"]), call),
            "values_update": lambda: self._update(book, [{**said, "range": unquote(found["range"])}], call, fault),
            "values_batch_update": lambda: self._update_many(book, said, fault),
            "values_batch_clear": lambda: _clear(book, said),
            "values_append": lambda: _append(book, unquote(found["range"]), said, call),
            "batch_update": lambda: self._change(book, said),
        }
        if route not in handlers:
            return refusals.not_found()
        return Answer.of_json(handlers[route]())

    def _is_over_quota(self, person: str, kind: str, now: datetime) -> bool:
        key = person, kind, now.strftime("%Y-%m-%d %H:%M")
        self._asked[key] = self._asked.get(key, 0) + 1
        return self._asked[key] > PER_MINUTE

    def _change(self, book: Book, said: dict[str, Any]) -> dict[str, Any]:
        self.books[book.id], replies = apply_all(book, said.get("requests", []))
        return {"spreadsheetId": book.id, "replies": replies}

    def _update(self, book: Book, data: list[dict[str, Any]], call: Call, fault: Fault | None) -> dict[str, Any]:
        option = call.query.get("valueInputOption")
        return {"spreadsheetId": book.id} | _write(book, data, option, fault)[0]

    def _update_many(self, book: Book, said: dict[str, Any], fault: Fault | None) -> dict[str, Any]:
        responses = _write(book, said["data"], said.get("valueInputOption"), fault)
        totals = {
            f"totalUpdated{name}": sum(each[f"updated{name}"] for each in responses)
            for name in ("Rows", "Columns", "Cells")
        }
        return {"spreadsheetId": book.id, **totals, "responses": responses}

    def _find(self, call: Call) -> tuple[str, dict[str, str]]:
        for method, pattern, route in _ROUTES:
            found = re.fullmatch(pattern, call.path)
            if found and method == call.method:
                return route, found.groupdict()
        return "unknown", {}


def _described(book: Book, call: Call) -> dict[str, Any]:
    if "fields" not in call.query:
        raise BadRequest("The fake wants to know which fields are asked for.")
    tabs = []
    for tab in book.tabs:
        said: dict[str, Any] = {"properties": tab.properties}
        if tab.marks and "developerMetadata" in call.query["fields"]:
            said["developerMetadata"] = [
                {
                    "metadataId": mark.id,
                    "metadataKey": mark.key,
                    "metadataValue": mark.value,
                    "location": {"locationType": "SHEET", "sheetId": tab.id},
                    "visibility": mark.visibility,
                }
                for mark in tab.marks
            ]
        tabs.append(said)
    properties = {"title": book.title, "timeZone": book.zone, "locale": "en_US"}
    return {"spreadsheetId": book.id, "properties": properties, "sheets": tabs}


def _values(book: Book, range_: str, call: Call) -> dict[str, Any]:
    tab, box = book.place(range_)
    if box.top >= tab.rows or box.left >= tab.columns:
        refuse_outside(tab, box, range_)
    is_formatted = call.query.get("valueRenderOption", "FORMATTED_VALUE") == "FORMATTED_VALUE"
    rows = tab.shown(box, is_formatted=is_formatted)
    return {"range": range_, "majorDimension": "ROWS"} | ({"values": rows} if rows else {})


def _write(
    book: Book, data: list[dict[str, Any]], option: str | None, fault: Fault | None = None
) -> list[dict[str, Any]]:
    """All of it or nothing."""
    if option not in {"RAW", "USER_ENTERED"}:
        raise BadRequest("'valueInputOption' is required but not specified")
    wanted = [(each["range"], *book.place(each["range"]), each.get("values", [])) for each in data]
    for range_, tab, box, rows in wanted:
        refuse_outside(tab, box, range_)
        if len(rows) > box.bottom - box.top or any(len(row) > box.right - box.left for row in rows):
            raise BadRequest(f"Requested writing within range [{range_}], but tried writing to more cells.")
    found = []
    is_cut = fault is not None and fault.fault == "truncated_page"
    for range_, tab, box, all_rows in wanted:
        rows = all_rows[: len(all_rows) // 2] if is_cut else all_rows
        cells = 0
        for row, values in enumerate(rows):
            for column, value in enumerate(values):
                if value is not None:
                    tab.put((box.top + row, box.left + column), read_cell(value, option))
                    cells += 1
        widest = max(map(len, rows), default=0)
        found.append(
            {"updatedRange": range_, "updatedRows": len(rows), "updatedColumns": widest, "updatedCells": cells}
        )
    return found


def _clear(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    places = [book.place(range_) for range_ in said["ranges"]]
    for tab, box in places:
        tab.clear(box)
    return {"spreadsheetId": book.id, "clearedRanges": said["ranges"]}


def _append(book: Book, range_: str, said: dict[str, Any], call: Call) -> dict[str, Any]:
    """Behind the table that the service thinks it sees near the range, and from that table's first column."""
    tab, box = book.place(range_)
    top, left = _after_table(tab, box)
    rows = said.get("values", [])
    tab.rows = max(tab.rows, top + len(rows))
    widest = max(map(len, rows), default=1)
    target = f"'{tab.title}'!{_letter(left)}{top + 1}:{_letter(left + widest - 1)}{top + max(1, len(rows))}"
    (updates,) = _write(book, [{"range": target, "values": rows}], call.query.get("valueInputOption"))
    return {"spreadsheetId": book.id, "tableRange": range_, "updates": updates}


def _after_table(tab: Tab, box: Box) -> tuple[int, int]:
    """A table is what hangs together with the first cell of the range that is not empty."""
    inside = sorted(place for place in tab.cells if place in box)
    if not inside:
        return box.top, box.left
    table, waiting = set(), [inside[0]]
    while waiting:
        row, column = waiting.pop()
        if (row, column) in table:
            continue
        table.add((row, column))
        around = [(row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        waiting += [place for place in around if place in tab.cells]
    return max(row for row, _ in table) + 1, min(column for _, column in table)


def _letter(column: int) -> str:
    letters, rest = "", column + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        letters = chr(65 + digit) + letters
    return letters


def formulas_of(tab: Tab) -> list[str]:
    """The formulas of a tab: what is computed because somebody wrote it so."""
    return [cell.text for cell in tab.cells.values() if isinstance(cell, Formula)]
