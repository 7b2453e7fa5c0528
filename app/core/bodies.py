"""Collects the body of an answer up to a limit, unpacked and with bombs defused. Reads no sockets."""

import zlib
from typing import BinaryIO

_GZIP = 16 + zlib.MAX_WBITS
_PLAIN_ENCODINGS = frozenset({"", "identity"})
_GZIP_ENCODINGS = frozenset({"gzip", "x-gzip"})


class BodyUnreadable(Exception):
    """The body is damaged, or packed in a way that was not asked for."""


class BoundedBody:
    """Takes pieces off the wire and keeps at most `max_bytes` of what they unpack to, in memory or in a file."""

    def __init__(self, encoding: str, *, max_bytes: int, into: BinaryIO | None = None) -> None:
        encoding = encoding.strip().lower()
        if encoding not in _PLAIN_ENCODINGS | _GZIP_ENCODINGS:
            raise BodyUnreadable(f"packed as {encoding[:40]!r}, which was not asked for")
        self._max_bytes = max_bytes
        self._inflater = zlib.decompressobj(_GZIP) if encoding in _GZIP_ENCODINGS else None
        self._kept = bytearray()
        self._into = into
        self._size = 0
        self._wire_bytes = 0

    @property
    def is_truncated(self) -> bool:
        """Whether more came than is kept: there is no point in reading on."""
        # The wire counts too: a packed stream can be endless and unpack to nothing.
        return self._size > self._max_bytes or self._wire_bytes > self._max_bytes

    @property
    def _room(self) -> int:
        # One byte more than the limit tells "exactly full" from "more came".
        return self._max_bytes + 1 - self._size

    def add(self, piece: bytes) -> None:
        """Take the next piece. Raises BodyUnreadable when it does not unpack."""
        self._wire_bytes += len(piece)
        if self._inflater is None:
            self._keep(piece[: self._room])
        else:
            self._inflate(piece)

    def _inflate(self, packed: bytes) -> None:
        assert self._inflater is not None
        while packed and self._room > 0:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(_GZIP)
            try:
                # Never more than there is room for: 1 MB of gzip can hold 1 GB.
                self._keep(self._inflater.decompress(packed, self._room))
            except zlib.error as exc:
                raise BodyUnreadable("damaged: it does not unpack") from exc
            # A file may consist of several members, padded with zeros at its end.
            packed = self._inflater.unused_data.lstrip(b"\0")

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._into is None:
            self._kept += piece
        else:
            self._into.write(piece)

    def content(self) -> bytes:
        """What was kept in memory. Raises BodyUnreadable when a packed body stopped in the middle."""
        is_cut = self._inflater is not None and self._wire_bytes > 0 and not self._inflater.eof
        if is_cut and not self.is_truncated:
            raise BodyUnreadable("incomplete")
        return bytes(self._kept[: self._max_bytes])
