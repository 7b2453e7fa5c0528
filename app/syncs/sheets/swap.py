"""The two requests that make and take away the hidden tab of a push. Each is done as a whole, or not at all. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.syncs.sheets.a1 import Box
from app.syncs.sheets.book import Tab
from app.syncs.sheets.marks import BUILDING, OURS, BuildingMark, TabMark, building_title
from app.syncs.sheets.table import Extent, PushTable


def prepare_requests(
    leftovers: Iterable[Tab], building: int, extent: Extent, *, job: str, book: str
) -> list[dict[str, Any]]:
    """Take away the hidden tabs that pushes left that were broken off, and make another one.

    So a push that was held up cannot end any more once another has begun: the tab that it wants to paste is gone.
    """
    grid = {"rowCount": extent.around.bottom, "columnCount": extent.around.right}
    properties = {"sheetId": building, "title": building_title(building), "hidden": True, "gridProperties": grid}
    return [
        *({"deleteSheet": {"sheetId": tab.id}} for tab in leftovers),
        {"addSheet": {"properties": properties}},
        _mark(building, BUILDING, BuildingMark(job, building, book).text),
    ]


def swap_requests(
    tab: Tab | None, building: int, live: int, title: str, table: PushTable, *, job: str, wanted: str
) -> list[dict[str, Any]]:
    """Everything that makes the tab `live` say what the hidden one says."""
    now = table.extent
    mark = TabMark.of(table, job=job, sheet=live, tab=wanted)
    requests = [_made(live, title, now)] if tab is None else list(_fitted(tab, title, now))
    for box in (now.table, now.info):
        paste = {"source": box.grid(building), "destination": box.grid(live)}
        requests.append({"copyPaste": {**paste, "pasteType": "PASTE_VALUES", "pasteOrientation": "NORMAL"}})
    if tab is None or tab.mark is None:
        requests.append(_mark(live, OURS, mark.text))
    else:
        requests += [_emptied(live, box) for box in left_over(tab.mark.extent, now, tab)]
        lookup = {"developerMetadataLookup": {"metadataId": tab.mark_id}}
        value = {"metadataValue": mark.text}
        update = {"dataFilters": [lookup], "developerMetadata": value, "fields": "metadataValue"}
        requests.append({"updateDeveloperMetadata": update})
    return [*requests, {"deleteSheet": {"sheetId": building}}]


def left_over(before: Extent, now: Extent, tab: Tab) -> Iterator[Box]:
    """What was ours and is not any more, as far as the tab has such cells: below, right, and where the two cells were.

    The new cells are in none of them.
    """
    old = before.table
    yield from _within(tab, Box(now.table.bottom, 0, old.bottom, old.right))
    right = Box(0, now.table.right, min(old.bottom, now.table.bottom), old.right)
    for box in (right, before.info):
        # Where the two cells are now may be what was a column before.
        for row in (Box(box.top, box.left, 1, box.right), Box(max(box.top, 1), box.left, box.bottom, box.right)):
            for column in range(row.left, row.right):
                one = Box(row.top, column, row.bottom, column + 1)
                if not one.is_empty and not now.holds((one.top, one.left)):
                    yield from _within(tab, one)


def _within(tab: Tab, box: Box) -> Iterator[Box]:
    """Somebody may have taken rows or columns away that were ours."""
    found = Box(box.top, box.left, min(box.bottom, tab.rows), min(box.right, tab.columns))
    if not found.is_empty:
        yield found


def _made(live: int, title: str, extent: Extent) -> dict[str, Any]:
    # Not all rows of a tab can be frozen.
    grid = {"rowCount": max(extent.around.bottom, 2), "columnCount": extent.around.right, "frozenRowCount": 1}
    return {"addSheet": {"properties": {"sheetId": live, "title": title, "gridProperties": grid}}}


def _fitted(tab: Tab, title: str, extent: Extent) -> Iterator[dict[str, Any]]:
    """The tab, as large as is needed and called as is wanted. It never becomes smaller: others may use the rest."""
    around = extent.around
    if tab.rows < around.bottom or tab.columns < around.right:
        grid = {"rowCount": max(tab.rows, around.bottom), "columnCount": max(tab.columns, around.right)}
        fields = "gridProperties.rowCount,gridProperties.columnCount"
        properties = {"sheetId": tab.id, "gridProperties": grid}
        yield {"updateSheetProperties": {"properties": properties, "fields": fields}}
    if tab.title != title:
        yield {"updateSheetProperties": {"properties": {"sheetId": tab.id, "title": title}, "fields": "title"}}


def _emptied(live: int, box: Box) -> dict[str, Any]:
    return {"updateCells": {"range": box.grid(live), "fields": "userEnteredValue"}}


def _mark(sheet: int, key: str, value: str) -> dict[str, Any]:
    # For whoever has the spreadsheet: the project of the service account may change with its key.
    mark = {"metadataKey": key, "metadataValue": value, "location": {"sheetId": sheet}, "visibility": "DOCUMENT"}
    return {"createDeveloperMetadata": {"developerMetadata": mark}}
