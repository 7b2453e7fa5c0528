"""Makes a screenshot a third of its size: 256 colours, those it has most of and those most unlike them."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB = 3
_COLOURS = 256
# The others are kept for what is small and has a colour of its own.
_MOST_OF = 192


def smaller(png: bytes) -> bytes:
    """The same picture, as good as. Takes what Chromium writes: 8 bits each of red, green and blue."""
    header, pixels = _read(png)
    palette, nearest = _palette(Counter(pixels))
    places = {colour: palette.index(near) for colour, near in nearest.items()}
    width = struct.unpack(">I", header[:4])[0]
    numbers = bytes(map(places.__getitem__, pixels))
    rows = b"".join(b"\0" + numbers[begin : begin + width] for begin in range(0, len(numbers), width))
    parts = {b"IHDR": header[:9] + b"\x03" + header[10:], b"PLTE": b"".join(palette), b"IDAT": zlib.compress(rows, 9)}
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in (parts | {b"IEND": b""}).items())


def _palette(counts: Counter[bytes]) -> tuple[list[bytes], dict[bytes, bytes]]:
    """The colours to keep, and for each colour the nearest of them."""
    palette: list[bytes] = []
    nearest = dict.fromkeys(counts, b"")
    away = dict.fromkeys(counts, float("inf"))
    for number in range(min(_COLOURS, len(counts))):
        by = counts.__getitem__ if number < _MOST_OF else away.__getitem__
        palette.append(max((colour for colour in counts if away[colour] > 0), key=by))
        for colour in counts:
            found = _distance(palette[-1], colour)
            if found < away[colour]:
                nearest[colour], away[colour] = palette[-1], found
    return palette, nearest


def _read(png: bytes) -> tuple[bytes, list[bytes]]:
    chunks = list(_chunks(png))
    header = chunks[0][1]
    width, height, depth, kind = struct.unpack(">IIBB", header[:10])
    if (depth, kind) != (8, 2):
        raise ValueError("this is not the kind of PNG that Chromium writes")
    raw = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
    length, before, pixels = width * _RGB, bytearray(width * _RGB), []
    for begin in range(0, height * (length + 1), length + 1):
        before = _unfiltered(raw[begin], bytearray(raw[begin + 1 : begin + 1 + length]), before)
        pixels += [bytes(before[place : place + _RGB]) for place in range(0, length, _RGB)]
    return header, pixels


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_SIGNATURE)
    while place < len(png):
        length = struct.unpack(">I", png[place : place + 4])[0]
        yield png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        place += 12 + length


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _unfiltered(kind: int, row: bytearray, above: bytearray) -> bytearray:
    for place in range(len(row)) if kind else ():
        left, corner = (row[place - _RGB], above[place - _RGB]) if place >= _RGB else (0, 0)
        up = above[place]
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        row[place] = (row[place] + guess) & 255
    return row


def _paeth(left: int, up: int, corner: int) -> int:
    """As the format has it: which of the three is nearest to left + up - corner."""
    sum_of_them = left + up - corner
    return min((left, up, corner), key=lambda one: abs(sum_of_them - one))


def _distance(one: bytes, other: bytes) -> int:
    return sum((here - there) ** 2 for here, there in zip(one, other, strict=True))
