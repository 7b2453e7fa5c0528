"""Tags as they are stored: free words on schedules, cleaned so that one word has one spelling. Pure."""

from collections.abc import Iterable

from app.core.errors import Invalid

MOST_TAGS, LONGEST_TAG = 12, 32
_BESIDES = set("-_.:")


class TagInvalid(Invalid):
    """A tag that cannot be, with what to write instead."""

    def __init__(self, message: str) -> None:
        super().__init__(message, field="tags")


def clean_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, trimmed, in lower case and in order; what is empty is left out. Raises TagInvalid."""
    found = sorted({clean_tag(tag) for tag in tags if tag.strip()})
    if len(found) > MOST_TAGS:
        raise TagInvalid(f"A schedule has at most {MOST_TAGS} tags. This has {len(found)}.")
    return tuple(found)


def clean_tag(tag: str) -> str:
    """One tag as it is stored. Raises TagInvalid."""
    if len(tag) > 2 * LONGEST_TAG:
        raise TagInvalid(f"A tag has at most {LONGEST_TAG} characters. “{tag[:LONGEST_TAG]}…” has {len(tag):,}.")
    cleaned = tag.strip().lower()
    if len(cleaned) > LONGEST_TAG:
        raise TagInvalid(f"A tag has at most {LONGEST_TAG} characters. “{cleaned}” has {len(cleaned)}.")
    if not all(char.isalnum() or char in _BESIDES for char in cleaned):
        shown = "".join(char for char in cleaned if char.isprintable())
        raise TagInvalid(f"A tag has letters, digits and - _ . : alone. “{shown}” has something else.")
    return cleaned


def read_tags(text: str) -> tuple[str, ...]:
    """Tags as somebody types them in one line, with commas or spaces between them. Raises TagInvalid."""
    return clean_tags(text.replace(",", " ").split())
