"""What a search finds in what a run was to do: its values and the names of its parameters, and nothing masked.

The database is not asked whether a definition holds a text: it knows nothing of masks, and whatever it answers, how
much of it there is and how long that takes would tell what is behind one.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from app.jobs.kinds.definitions import without_chosen
from app.tenants.audit_masks import MASK, masked

# Between two texts: nobody searches for what cannot be shown, so nothing is found that is half in one of them.
_BETWEEN = "\n"


def seen_text(stored: str | None) -> str:
    """What people see of a definition, without capitals; it is given as JSON. Nothing of one that cannot be read."""
    try:
        definition = json.loads(stored or "")
        if not isinstance(definition, dict):
            return ""
        seen = _texts(masked("", without_chosen(definition)))
        return _BETWEEN.join(text.replace(MASK, _BETWEEN) for text in seen).casefold()
    except (ValueError, RecursionError):
        return ""


class SeenTexts:
    """What is seen of definitions by their digests: few are distinct, and telling what is seen of one takes long.

    Those that were asked for last are kept, up to so many characters. For all threads of a process.
    """

    def __init__(self, *, most: int) -> None:
        self._most, self._size = most, 0
        self._lock = threading.Lock()
        self._texts = OrderedDict[bytes, str]()

    def get(self, digest: bytes) -> str | None:
        """What is seen of one; None where it is not kept."""
        with self._lock:
            text = self._texts.get(digest)
            if text is not None:
                self._texts.move_to_end(digest)
            return text

    def keep(self, digest: bytes, text: str) -> None:
        """Keep one, and forget those that nobody asked for since."""
        with self._lock:
            self._forget(digest)
            self._texts[digest] = text
            self._size += _weight(digest, text)
            while self._size > self._most:
                self._forget(next(iter(self._texts)))

    def _forget(self, digest: bytes) -> None:
        text = self._texts.pop(digest, None)
        if text is not None:
            self._size -= _weight(digest, text)


def _weight(digest: bytes, text: str) -> int:
    return len(digest) + len(text)


def _texts(definition: dict[str, Any]) -> Iterator[str]:
    for name, value in definition.items():
        # The names of everything else are Belfry's own, and every run of a kind has them.
        yield from _inner(value, has_own_names=name == "arguments")


def _inner(value: Any, *, has_own_names: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if has_own_names:
                yield str(name)
            yield from _inner(each, has_own_names=has_own_names)
    elif isinstance(value, list):
        for each in value:
            yield from _inner(each, has_own_names=has_own_names)
    elif value is not None:
        yield value if isinstance(value, str) else json.dumps(value)
