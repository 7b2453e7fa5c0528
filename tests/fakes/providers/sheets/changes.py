"""The requests of spreadsheets.batchUpdate: applied all together, in their order, or not at all."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from tests.fakes.providers.sheets.book import MOST_CELLS, BadRequest, Book, Box, Mark, Tab

_NOT_TWICE = 'A sheet with the name "{}" already exists. Please enter another name.'


def apply_all(book: Book, requests: list[dict[str, Any]]) -> tuple[Book, list[dict[str, Any]]]:
    """The spreadsheet after all of them, and what each answers. Raises BadRequest; then the book is what it was."""
    if not requests:
        raise BadRequest("Must specify at least one request.")
    changed, replies = deepcopy(book), []
    for number, request in enumerate(requests):
        ((name, said),) = request.items()
        if name not in _KINDS:
            raise BadRequest(f"Invalid JSON payload received. Unknown name \"{name}\" at 'requests[{number}]'")
        try:
            replies.append(_KINDS[name](changed, said))
        except BadRequest as error:
            raise BadRequest(f"Invalid requests[{number}].{name}: {error}") from None
    if not any(not tab.is_hidden for tab in changed.tabs):
        raise BadRequest("You can't remove all the visible sheets in a document.")
    return changed, replies


def _add_sheet(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    properties = said.get("properties", {})
    grid = properties.get("gridProperties", {})
    tab = Tab(
        properties.get("sheetId", max((tab.id for tab in book.tabs), default=0) + 1),
        properties.get("title", f"Sheet{len(book.tabs) + 1}"),
        grid.get("rowCount", 1_000),
        grid.get("columnCount", 26),
        properties.get("hidden", False),
        grid.get("frozenRowCount", 0),
    )
    if any(other.id == tab.id for other in book.tabs):
        raise BadRequest(f"Sheet with id {tab.id} already exists.")
    _refuse_taken(book, tab)
    if tab.frozen_rows >= tab.rows:
        raise BadRequest("You can't freeze all visible rows on the sheet.")
    book.tabs.append(tab)
    _refuse_too_many(book, "addSheet")
    return {"addSheet": {"properties": tab.properties}}


def _delete_sheet(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    book.tabs.remove(book.by_id(said["sheetId"]))
    return {}


def _update_properties(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    properties = said["properties"]
    tab = book.by_id(properties["sheetId"])
    grid = properties.get("gridProperties", {})
    for name in said["fields"].split(","):
        match name:
            case "title":
                tab.title = properties["title"]
                _refuse_taken(book, tab)
            case "hidden":
                tab.is_hidden = properties["hidden"]
            case "gridProperties.rowCount":
                tab.rows = grid["rowCount"]
            case "gridProperties.columnCount":
                tab.columns = grid["columnCount"]
            case "gridProperties.frozenRowCount":
                tab.frozen_rows = grid["frozenRowCount"]
            case _:
                raise BadRequest(f"Unknown field {name}")
    tab.cells = {place: cell for place, cell in tab.cells.items() if place[0] < tab.rows and place[1] < tab.columns}
    _refuse_too_many(book, "resize")
    return {}


def _append_dimension(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    tab = book.by_id(said["sheetId"])
    if said["dimension"] == "ROWS":
        tab.rows += said["length"]
    else:
        tab.columns += said["length"]
    _refuse_too_many(book, "append")
    return {}


def _copy_paste(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    if said.get("pasteType") != "PASTE_VALUES":
        raise BadRequest("The fake pastes values alone.")
    source, from_box = _grid(book, said["source"])
    target, to_box = _grid(book, said["destination"])
    if (to_box.bottom - to_box.top, to_box.right - to_box.left) != (
        from_box.bottom - from_box.top,
        from_box.right - from_box.left,
    ):
        raise BadRequest("The fake pastes onto as many cells as it copies.")
    for row in range(from_box.bottom - from_box.top):
        for column in range(from_box.right - from_box.left):
            cell = source.cells.get((from_box.top + row, from_box.left + column))
            target.put((to_box.top + row, to_box.left + column), cell)
    return {}


def _update_cells(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    if said["fields"] != "userEnteredValue" or "rows" in said:
        raise BadRequest("The fake empties cells alone.")
    tab, box = _grid(book, said["range"])
    tab.clear(box)
    return {}


def _create_mark(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    wanted = said["developerMetadata"]
    mark = Mark(
        wanted.get("metadataId", book.next_mark),
        wanted["metadataKey"],
        wanted.get("metadataValue", ""),
        wanted["visibility"],
    )
    if any(each.id == mark.id for each in _marks(book)):
        raise BadRequest(f"Developer metadata with id {mark.id} already exists.")
    book.next_mark = max(book.next_mark, mark.id) + 1
    place = wanted["location"]
    holder = book.marks if place.get("spreadsheet") else book.by_id(place["sheetId"]).marks
    holder.append(mark)
    return {"createDeveloperMetadata": {"developerMetadata": {"metadataId": mark.id}}}


def _update_mark(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    if said["fields"] != "metadataValue":
        raise BadRequest("The fake changes values of marks alone.")
    found = _looked_up(book, [each["developerMetadataLookup"] for each in said["dataFilters"]])
    for mark in found:
        mark.value = said["developerMetadata"]["metadataValue"]
    return {"updateDeveloperMetadata": {"developerMetadata": [{"metadataId": mark.id} for mark in found]}}


def _delete_mark(book: Book, said: dict[str, Any]) -> dict[str, Any]:
    for mark in _looked_up(book, [said["dataFilter"]["developerMetadataLookup"]]):
        for holder in (book.marks, *(tab.marks for tab in book.tabs)):
            if mark in holder:
                holder.remove(mark)
    return {}


def _looked_up(book: Book, lookups: list[dict[str, Any]]) -> list[Mark]:
    found = [mark for mark in _marks(book) if any(mark.id == lookup.get("metadataId") for lookup in lookups)]
    if not found:
        raise BadRequest("No developer metadata matches the filter.")
    return found


def _marks(book: Book) -> list[Mark]:
    return [*book.marks, *(mark for tab in book.tabs for mark in tab.marks)]


def _grid(book: Book, said: dict[str, Any]) -> tuple[Tab, Box]:
    tab = book.by_id(said["sheetId"])
    box = Box(
        said.get("startRowIndex", 0),
        said.get("startColumnIndex", 0),
        said.get("endRowIndex", tab.rows),
        said.get("endColumnIndex", tab.columns),
    )
    if box.bottom > tab.rows or box.right > tab.columns or box.top >= box.bottom or box.left >= box.right:
        raise BadRequest(f"Range exceeds grid limits. Max rows: {tab.rows}, max columns: {tab.columns}")
    return tab, box


def _refuse_taken(book: Book, tab: Tab) -> None:
    if any(other is not tab and other.title.casefold() == tab.title.casefold() for other in book.tabs):
        raise BadRequest(_NOT_TWICE.format(tab.title))


def _refuse_too_many(book: Book, what: str) -> None:
    if book.cells > MOST_CELLS:
        raise BadRequest(
            f"This action would increase the number of cells in the workbook above the limit of {MOST_CELLS} cells."
        )


_KINDS: dict[str, Callable[[Book, dict[str, Any]], dict[str, Any]]] = {
    "addSheet": _add_sheet,
    "deleteSheet": _delete_sheet,
    "updateSheetProperties": _update_properties,
    "appendDimension": _append_dimension,
    "copyPaste": _copy_paste,
    "updateCells": _update_cells,
    "createDeveloperMetadata": _create_mark,
    "updateDeveloperMetadata": _update_mark,
    "deleteDeveloperMetadata": _delete_mark,
}
