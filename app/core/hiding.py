"""Takes secrets out of texts that people see, however an answer spells them. Pure."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator
from html import escape
from urllib.parse import quote, quote_plus

from app.core.names import without_controls

HIDDEN = "•••"
# Shorter values are no secrets, and hiding them would tear holes into every sentence.
SHORTEST_HIDDEN = 4
_SCHEMES = {"bearer", "basic", "token"}

Cleaner = Callable[[str], str]


def make_cleaner(values: Iterable[str]) -> Cleaner:
    """What makes a text fit to be shown: without control characters and without these values."""
    plain = {text for value in values for text in (value, _credential(value)) if len(text) >= SHORTEST_HIDDEN}
    # The longest first: a shorter one may be a part of it, and would leave the rest behind.
    spellings = sorted({spelling for text in plain for spelling in _spellings(text)}, key=len, reverse=True)

    def clean(text: str) -> str:
        # Control characters go first, or one in the middle of a value would keep it from being found.
        shown = without_controls(text)
        for spelling in spellings:
            shown = shown.replace(spelling, HIDDEN)
        return shown

    return clean


def _credential(value: str) -> str:
    """The value without the name of its scheme: servers often repeat only the rest."""
    scheme, _, credential = value.partition(" ")
    return credential.strip() if scheme.lower() in _SCHEMES else value


def _spellings(text: str) -> Iterator[str]:
    sent = text.encode("latin-1", "replace")
    yield text
    # A server that takes what was sent for UTF-8.
    yield sent.decode("utf-8", "replace")
    yield escape(text)
    for encoded in (text, sent):
        yield quote(encoded, safe="")
        yield quote(encoded)
        yield quote_plus(encoded)
    for octets in (text.encode("utf-8", "replace"), sent):
        for spelled in (b64encode(octets), urlsafe_b64encode(octets)):
            # The padding gives nothing away, and is often left out.
            yield spelled.decode("ascii").rstrip("=")
    for in_json in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield in_json
        # Some languages escape the slash as well.
        yield in_json.replace("/", "\\/")
