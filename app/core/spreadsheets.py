"""What a file of comma-separated values may hold, so that a spreadsheet that opens it runs nothing. Pure."""

# What makes a spreadsheet take a cell for a formula.
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """The text of a cell; one that would be a formula begins with an apostrophe."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_SIGNS) else text
