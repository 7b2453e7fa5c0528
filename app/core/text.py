"""Text from outside, made fit to be stored or shown."""

from app.core.names import visible

_LONGEST_QUOTED = 40


def storable(text: str) -> str:
    """The text without what a database cannot hold: NUL bytes, which PostgreSQL refuses, and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def first_words(text: str | None, *, longest: int = 100) -> str:
    """The first line that says something, cut at a word, with what could steer who reads it written out."""
    line = visible((text or "").strip().partition("\n")[0].strip())
    if len(line) <= longest:
        return line
    start = line[:longest].rpartition(" ")[0]
    # An endless word, such as an address, is cut in its middle: without it little would be left.
    return (start if len(start) > longest // 2 else line[:longest]) + "…"


def quoted(text: str) -> str:
    """A value out of an address or a command, in quotes: its beginning, without what could not be shown."""
    clean = "".join(letter for letter in text if letter.isprintable()).strip()
    return f"“{clean[:_LONGEST_QUOTED]}…”" if len(clean) > _LONGEST_QUOTED else f"“{clean}”"
