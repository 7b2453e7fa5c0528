"""What a spreadsheet says of itself: its tabs, how large they are, and the marks that we left on them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.syncs.calls.troubles import TroubleClass, failed
from app.syncs.sheets.dialect import Calls
from app.syncs.sheets.marks import BUILDING, OURS, BuildingMark, TabMark

_FIELDS = (
    "spreadsheetId,properties(title,timeZone),sheets(properties(sheetId,title,sheetType,gridProperties("
    "rowCount,columnCount)),developerMetadata(metadataId,metadataKey,metadataValue))"
)


@dataclass(frozen=True)
class Tab:
    """One tab. `mark_id` is of our mark on it, and `building_for` the job whose push is prepared in it."""

    id: int
    title: str
    rows: int
    columns: int
    mark: TabMark | None = None
    mark_id: int | None = None
    building_for: str | None = None

    @property
    def cells(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True)
class Book:
    """A spreadsheet as it was when it was asked."""

    title: str
    tabs: tuple[Tab, ...]

    def called(self, title: str) -> Tab | None:
        """The tab of a title."""
        return next((tab for tab in self.tabs if is_same_title(tab.title, title)), None)

    def made_for(self, job: str) -> Tab | None:
        """The tab that we made for a job, under whatever name it has now. A copy that somebody made is none."""
        mine = (tab for tab in self.tabs if tab.mark is not None and tab.mark.job == job and tab.mark.sheet == tab.id)
        return next(mine, None)

    @property
    def building(self) -> frozenset[str]:
        """The jobs of which there are hidden tabs: they push at this moment, or were broken off."""
        return frozenset(tab.building_for for tab in self.tabs if tab.building_for is not None)

    def building_for(self, jobs: Collection[str]) -> tuple[Tab, ...]:
        """What pushes of some jobs have left that were broken off."""
        return tuple(tab for tab in self.tabs if tab.building_for in jobs)


def is_same_title(one: str, other: str) -> bool:
    """Whether there is room for only one of two titles: two tabs may not differ in upper and lower case alone."""
    return one.casefold() == other.casefold()


def book_path(spreadsheet_id: str) -> str:
    """The address of a spreadsheet, below the service's."""
    return f"/v4/spreadsheets/{quote(spreadsheet_id, safe='')}"


def read_book(client: Calls, spreadsheet_id: str) -> Book:
    """Ask a spreadsheet about itself. Raises SyncFailed."""
    said = client.get(book_path(spreadsheet_id), {"fields": _FIELDS})
    try:
        title = said["properties"]["title"]
        tabs = tuple(_tab(one, spreadsheet_id) for one in said.get("sheets", []))
    except (KeyError, TypeError, ValueError) as error:
        words = "What Google Sheets says of the spreadsheet cannot be understood. Nothing was pushed."
        raise failed(TroubleClass.INTERNAL, words) from error
    return Book(str(title), tabs)


def _tab(said: Mapping[str, Any], book: str) -> Tab:
    properties = said["properties"]
    id_, title = int(properties["sheetId"]), str(properties["title"])
    # A tab that is one large chart has no cells.
    grid = properties.get("gridProperties", {})
    marks = {one.get("metadataKey"): one for one in said.get("developerMetadata", [])}
    ours, building = marks.get(OURS), marks.get(BUILDING)
    return Tab(
        id_,
        title,
        int(grid.get("rowCount", 0)),
        int(grid.get("columnCount", 0)),
        None if ours is None else TabMark.read(str(ours.get("metadataValue", ""))),
        None if ours is None else int(ours["metadataId"]),
        None if building is None else _building_for(str(building.get("metadataValue", "")), id_, title, book),
    )


def _building_for(text: str, id_: int, title: str, book: str) -> str | None:
    """The job of a hidden tab that we made. A copy that somebody made of one is theirs, whatever mark came with it."""
    mark = BuildingMark.read(text, title=title, book=book)
    return mark.job if mark is not None and (mark.sheet, mark.book) == (id_, book) else None
