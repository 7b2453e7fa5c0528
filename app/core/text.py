"""Text from outside, made fit to be stored."""


def storable(text: str) -> str:
    """The text without what a database cannot hold: NUL bytes, which PostgreSQL refuses, and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
