"""Which tab a push may write, and whether there is room. Never one that somebody else made or uses. Pure."""

from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass
from app.syncs.sheets.a1 import cell_name
from app.syncs.sheets.book import Book, Tab
from app.syncs.sheets.marks import TabMark
from app.syncs.sheets.standing import Standing
from app.syncs.sheets.table import Extent

MOST_CELLS = 10_000_000
TAKEN = "tab_taken"
CROWDED = "cell_in_the_way"
FULL = "full"


def find_tab(book: Book, *, job: str, title: str) -> Tab | None:
    """The tab of a job, or None where it has to be made. Raises SyncFailed for a title that another tab has."""
    mine, called = book.made_for(job), book.called(title)
    is_free = called is None or (mine is not None and called.id == mine.id)
    # Under the name that somebody gave it meanwhile it goes on, whatever else is called so now.
    is_settled = mine is not None and mine.mark is not None and mine.mark.tab == title
    if is_free or is_settled:
        return mine
    whose = "another push" if called is not None and called.mark is not None else "somebody else"
    words = (
        f"“{book.title}” has a tab “{title}” that {whose} made, and Belfry writes over none. Choose another name for "
        "the tab of this push, or rename or delete that one."
    )
    raise SyncFailed(Trouble(TroubleClass.SETUP_ERROR, words, TAKEN))


def refuse_crowded(found: Standing, mark: TabMark, now: Extent, title: str) -> None:
    """Raises SyncFailed for a cell that somebody filled where the table is to grow to."""
    if found.crowd is None:
        return
    row, column, said = found.crowd
    words = (
        f"{cell_name(row, column)} of “{title}” holds “{said}”, which somebody wrote where Belfry's table is to grow "
        "to. Nothing was pushed. Move it to another tab."
    )
    raise SyncFailed(Trouble(TroubleClass.SETUP_ERROR, words, CROWDED))


def refuse_no_room(book: Book, tab: Tab | None, extent: Extent, leftovers: tuple[Tab, ...]) -> None:
    """Raises SyncFailed when the spreadsheet would have too many cells while the push is prepared."""
    needed = extent.around
    rest = sum(one.cells for one in book.tabs if one not in leftovers and (tab is None or one.id != tab.id))
    rows, columns = (0, 0) if tab is None else (tab.rows, tab.columns)
    live = max(rows, needed.bottom) * max(columns, needed.right)
    if rest + live + needed.cells > MOST_CELLS:
        words = (
            f"“{book.title}” has no room: a spreadsheet has at most {MOST_CELLS:,} cells, and a push needs its own "
            f"twice while it is prepared ({needed.cells:,}). Push fewer days, or to another spreadsheet."
        )
        raise SyncFailed(Trouble(TroubleClass.SETUP_ERROR, words, FULL))
