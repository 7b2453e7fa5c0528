"""Help: the keys of every page, the first steps again, and where the docs are. Opens over any page."""

from flask import Response

from app.web.blueprint import web
from app.web.permissions import route
from app.web.responses import page, wants_dialog

# Keys that work on every page, in words; those behind g are told by the menu itself. keys/ does what is said here.
KEYS = (
    ("?", "Show this help"),
    ("/", "Search this page"),
    ("n", "New: whatever this page makes"),
    ("j or ↓, k or ↑", "Next row, row before"),
    ("Enter", "Open the row"),
    ("x, Shift x", "Tick the row; all rows from the last one ticked"),
    ("a", "Tick all rows of the page, or none"),
    ("b", "To the buttons for what is ticked"),
    (".", "Menu of the row"),
    ("e", "Edit the row, or what the page shows; next error of a log"),
    ("[ and ]", "Run, page or day before; the next one"),
    ("f", "Follow the log, or stop"),
    ("t", "Times: by your clock, the schedule's, or in UTC"),
    ("p", "Pause and resume live updates"),
    ("Esc", "Close or leave"),
)


@route(web, "/help", signed_in=True)
def help_page() -> Response:
    """The page, or its part for the dialog."""
    return page("help/_help.html" if wants_dialog() else "help/index.html", keys=KEYS)
