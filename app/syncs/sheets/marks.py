"""The marks on tabs that say whose they are. They lie in the spreadsheet, where people do not see them. Pure."""

import json
import re
from dataclasses import dataclass
from typing import Any

from app.syncs.sheets.table import Extent, PushTable

OURS = "belfry.push"
BUILDING = "belfry.building"
_LONGEST_TITLE = 100
_BUILDING_TITLE = re.compile(r"Belfry is preparing \(([0-9a-f]{8})\)")


@dataclass(frozen=True)
class TabMark:
    """What is known of a tab that we made: for which job, under which name, and what was put there last.

    Changed in the same request as the cells are, so that it always speaks of what stands there.
    """

    job: str
    sheet: int
    tab: str
    headings: tuple[str, ...]
    rows: int
    checksum: str

    @classmethod
    def of(cls, table: PushTable, *, job: str, sheet: int, tab: str) -> "TabMark":
        return cls(job, sheet, tab, table.headings, len(table.rows), table.checksum)

    @property
    def extent(self) -> Extent:
        return Extent(len(self.headings), self.rows)

    @property
    def text(self) -> str:
        said = {
            "job": self.job, "sheet": self.sheet, "tab": self.tab, "headings": list(self.headings),
            "rows": self.rows, "checksum": self.checksum,
        }  # fmt: skip
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, text: str) -> "TabMark | None":
        """What `text` wrote. None for what cannot be read: then nobody knows whose the tab is, and it is not ours."""
        try:
            said: dict[str, Any] = json.loads(text)
            headings = tuple(map(str, said["headings"]))
            rows, sheet = int(said["rows"]), int(said["sheet"])
            found = cls(str(said["job"]), sheet, str(said["tab"]), headings, rows, str(said["checksum"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return found if headings and rows >= 0 else None


@dataclass(frozen=True)
class BuildingMark:
    """On the hidden tab of a push: for which job it is, and which tab of which spreadsheet bears this very mark.

    A copy that somebody makes, of the tab or of the spreadsheet, has the mark of the original: it names another one.
    """

    job: str
    sheet: int
    book: str

    @property
    def text(self) -> str:
        return json.dumps({"job": self.job, "sheet": self.sheet, "book": self.book}, separators=(",", ":"))

    @classmethod
    def read(cls, text: str, *, title: str, book: str) -> "BuildingMark | None":
        """What `text` wrote. None for what cannot be read: then the tab is left to whoever made it.

        Earlier versions wrote the job alone; of theirs the title says which tab it was made for.
        """
        try:
            said: Any = json.loads(text)
            return cls(str(said["job"]), int(said["sheet"]), str(said["book"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            found = _BUILDING_TITLE.fullmatch(title)
            return None if found is None else cls(text, int(found[1], 16), book)


def building_title(number: int) -> str:
    """What the tab is called in which a push is prepared. Hidden, and gone with the push."""
    return f"Belfry is preparing ({number:08x})"


def refuse_title(title: str) -> str | None:
    """Why a tab cannot be called so; None where it can."""
    if not title.strip():
        return "Say what the tab is called."
    if len(title) > _LONGEST_TITLE:
        return f"The name of a tab has at most {_LONGEST_TITLE} characters."
    if title != title.strip() or not title.isprintable():
        return "The name of a tab has no space around it, and no line break."
    return None
