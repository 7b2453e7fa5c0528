"""Streams become lines, and many lines become a log of limited size."""

import pytest

from app.jobs.kinds.base import Level
from app.jobs.kinds.code.output import HEAD_BYTES, HEAD_LINES, TAIL_BYTES, TAIL_LINES, BoundedLog, LineBuffer


def written(*batches: list[bytes]) -> list[str]:
    lines: list[str] = []
    log = BoundedLog(lambda text, _level: lines.append(text))
    for batch in batches:
        log.add(batch)
    log.close()
    return lines


class TestLineBuffer:
    @pytest.mark.parametrize("size", [1, 2, 5, 100])
    def test_lines_do_not_depend_on_how_the_stream_is_cut(self, size: int) -> None:
        stream = b"one\n\ntwo three\nfour"
        buffer = LineBuffer(longest=100)

        found = [line for at in range(0, len(stream), size) for line in buffer.feed(stream[at : at + size])]

        assert found + buffer.finish() == [b"one", b"", b"two three", b"four"]

    @pytest.mark.parametrize("size", [3, 64])
    def test_a_long_line_is_cut_and_says_so(self, size: int) -> None:
        stream = b"0123456789abc\nshort\n"
        buffer = LineBuffer(longest=10)

        found = [line for at in range(0, len(stream), size) for line in buffer.feed(stream[at : at + size])]

        assert [line.decode() for line in found] == ["0123456789 … (3 bytes cut)", "short"]


class TestBoundedLog:
    def test_what_fits_is_handed_on_at_once(self) -> None:
        lines: list[str] = []
        log = BoundedLog(lambda text, _level: lines.append(text))

        log.add([b"a", b"b"])

        assert lines == ["a", "b"]

    def test_no_line_is_left_out_below_the_limit(self) -> None:
        lines = written([b"x"] * (HEAD_LINES + TAIL_LINES))

        assert lines == ["x"] * (HEAD_LINES + TAIL_LINES)

    @pytest.mark.parametrize("batch", [1, 7, 10_000])
    def test_the_count_of_lines_left_out_is_exact(self, batch: int) -> None:
        total = [str(number).encode() for number in range(5_000)]

        lines = written(*[total[at : at + batch] for at in range(0, len(total), batch)])

        assert lines[HEAD_LINES].startswith("… 3,000 lines left out")
        assert lines[HEAD_LINES + 1 :] == [str(number) for number in range(4_500, 5_000)]

    def test_long_lines_count_by_their_bytes(self) -> None:
        lines = written([b"y" * 8_192] * 1_000)

        assert sum(len(line) for line in lines if line.startswith("y")) <= HEAD_BYTES + TAIL_BYTES

    def test_bytes_that_are_no_text_count_as_what_is_stored_for_them(self) -> None:
        lines = written([b"\xff" * 8_000] * 1_000)

        assert sum(len(line.encode()) for line in lines) < 2**20

    def test_levels_are_kept(self) -> None:
        levels: list[Level] = []
        log = BoundedLog(lambda _text, level: levels.append(level))

        log.add([b"a"], Level.ERROR)

        assert levels == [Level.ERROR]
