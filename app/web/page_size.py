"""How many rows a page of a list has. Chosen below a list, kept by the browser."""

from flask import session

SIZES = (25, 50, 100, 200)
USUAL_SIZE = 50
_KEY = "rows"


def rows_per_page() -> int:
    """What this browser chose, or fifty."""
    chosen = session.get(_KEY)
    return chosen if chosen in SIZES else USUAL_SIZE


def choose_rows_per_page(text: str) -> None:
    """Keep a choice in this browser. What is none of the sizes leaves it as it is."""
    sizes = {str(size): size for size in SIZES}
    if text in sizes:
        session[_KEY] = sizes[text]
