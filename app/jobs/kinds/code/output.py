"""Output of any size becomes a log of limited size: long lines are cut, of many the first and last are kept. Pure."""

from collections import deque
from collections.abc import Callable, Sequence

from app.core.text import storable
from app.jobs.kinds.base import Level

LONGEST_LINE = 8_192
# Together 2,000 lines or 1 MiB of one attempt. The beginning is shown as it comes, the end once it is known.
HEAD_LINES = 1_500
HEAD_BYTES = 786_432
TAIL_LINES = 500
TAIL_BYTES = 262_144

_ENCODING = "utf-8"


class LineBuffer:
    """Cuts a stream into lines. Of a line that is too long the beginning is kept, and how much went is said."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._open = bytearray()
        self._cut = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """The lines that this piece completes."""
        first, *others = piece.split(b"\n")
        self._add(first)
        if not others:
            return []
        *whole, rest = others
        lines = [self._take()]
        # Most lines lie within one piece and need no buffer.
        lines += [line if len(line) <= self._longest else self._shorten(line) for line in whole]
        self._add(rest)
        return lines

    def finish(self) -> list[bytes]:
        """The last line, if the stream ended within one."""
        return [self._take()] if self._open else []

    def _shorten(self, line: bytes) -> bytes:
        self._add(line)
        return self._take()

    def _add(self, part: bytes) -> None:
        room = self._longest - len(self._open)
        self._open += part[:room]
        self._cut += max(0, len(part) - room)

    def _take(self) -> bytes:
        line = bytes(self._open) + (f" … ({self._cut:,} bytes cut)".encode() if self._cut else b"")
        self._open.clear()
        self._cut = 0
        return line


class BoundedLog:
    """Hands lines on until the limit; after that remembers the last ones and counts the rest."""

    def __init__(self, write: Callable[[str, Level], None]) -> None:
        self._write = write
        self._lines = 0
        self._bytes = 0
        self._tail: deque[tuple[bytes, Level]] = deque(maxlen=TAIL_LINES)
        self._left_out = 0

    def add(self, lines: Sequence[bytes], level: Level = Level.INFO) -> None:
        """Take lines, in their order."""
        fitting = self._fitting(lines)
        for line in lines[:fitting]:
            self._hand_on(line, level)
        rest = len(lines) - fitting
        if rest:
            # Of a flood only its end is looked at, so that its size costs next to nothing.
            kept = lines[fitting:][-TAIL_LINES:]
            self._left_out += rest - len(kept) + max(0, len(self._tail) + len(kept) - TAIL_LINES)
            self._tail.extend((line, level) for line in kept)

    def close(self) -> None:
        """Hand on the last lines, behind one that says how many were left out."""
        size = sum(_stored_bytes(line) for line, _ in self._tail)
        while size > TAIL_BYTES:
            line, _ = self._tail.popleft()
            size -= _stored_bytes(line)
            self._left_out += 1
        if self._left_out:
            text = f"… {self._left_out:,} lines left out: a log keeps the first and the last ones of an attempt."
            self._write(text, Level.WARNING)
        for line, level in self._tail:
            self._hand_on(line, level)
        self._tail.clear()

    def _fitting(self, lines: Sequence[bytes]) -> int:
        """How many of the lines belong to the beginning. Once one does not, none ever does again."""
        if self._tail:
            return 0
        for index, line in enumerate(lines):
            size = _stored_bytes(line)
            if self._lines >= HEAD_LINES or self._bytes + size > HEAD_BYTES:
                return index
            self._lines += 1
            self._bytes += size
        return len(lines)

    def _hand_on(self, line: bytes, level: Level) -> None:
        self._write(storable(line.decode(_ENCODING, "replace")).rstrip("\r"), level)


def _stored_bytes(line: bytes) -> int:
    # What is no text becomes three bytes for each of its own.
    return len(line) if line.isascii() else len(line.decode(_ENCODING, "replace").encode(_ENCODING))
