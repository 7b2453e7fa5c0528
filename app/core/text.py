"""Text from outside, made fit to be stored or shown."""

_LONGEST_QUOTED = 40


def storable(text: str) -> str:
    """The text without what a database cannot hold: NUL bytes, which PostgreSQL refuses, and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def quoted(text: str) -> str:
    """A value out of an address or a command, in quotes: its beginning, without what could not be shown."""
    clean = "".join(letter for letter in text if letter.isprintable()).strip()
    return f"“{clean[:_LONGEST_QUOTED]}…”" if len(clean) > _LONGEST_QUOTED else f"“{clean}”"
