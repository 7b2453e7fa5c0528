"""The spreadsheets that the fake of Google Sheets has, and who may do what with them."""

from tests.fakes.providers.google.keys import OTHER_READER, READER
from tests.fakes.providers.sheets.book import Book, Tab

# The service accounts that write.
BOT, OTHER_BOT = READER, OTHER_READER
BOOK = "1BelfryMarketingKpis0000000000000000000000aa"
SHARED_BOOK = "1BelfrySharedByTwo000000000000000000000000bb"
VIEW_BOOK = "1BelfryOnlyToLookAt00000000000000000000000cc"
NAMES = ("S1", "S5")


def build(scenario: str) -> dict[str, Book]:
    """S1 has a book with a tab of its owner's; in S5 two organizations push to one that both may change."""
    own = Tab(0, "Notes")
    own.cells = {(0, 0): "What we planned", (1, 0): 42.0}
    books = [
        Book(BOOK, "Marketing KPIs", tabs=[own], editors={BOT}),
        Book(SHARED_BOOK, "Shared by two", zone="America/New_York", tabs=[Tab(0, "Sheet1")], editors={BOT, OTHER_BOT}),
        Book(VIEW_BOOK, "Only to look at", tabs=[Tab(0, "Sheet1")], viewers={BOT}),
    ]
    return {book.id: book for book in books}
