"""What an address asks of a log: which lines, and where among them. What cannot be read is left out."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.text import storable
from app.jobs.kinds.base import Level
from app.runs.filters import LONGEST_SEARCH
from app.runs.logs import LogFilter

# The columns hold 32 bits.
_HIGHEST_NUMBER = 2**31 - 2


@dataclass(frozen=True)
class LogQuery:
    """Which lines, and one of three places: before a number, after one, or around one. 0 where it is not said."""

    wanted: LogFilter
    before: int
    after: int
    line: int

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> "LogQuery":
        return cls(
            _filter_of(args),
            before=number_of(args.get("before", "")),
            after=number_of(args.get("after", "")),
            line=number_of(args.get("line", "")),
        )

    @property
    def is_end(self) -> bool:
        """Whether the end of the log is asked for."""
        return not (self.before or self.after or self.line)


def filter_args(wanted: LogFilter) -> dict[str, str]:
    """The query string's parts of a filter, to build a link from."""
    pairs = {
        "level": wanted.level.value if wanted.level is not Level.INFO else "",
        "q": wanted.text,
        "case": "ignore" if wanted.text and wanted.ignores_case else "",
    }
    return {name: value for name, value in pairs.items() if value}


def number_of(text: str) -> int:
    """The number of a line; 0 for what is none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= 10
    return min(int(text), _HIGHEST_NUMBER) if is_number else 0


def _filter_of(args: Mapping[str, str]) -> LogFilter:
    level = args.get("level", "")
    return LogFilter(
        level=Level(level) if level in set(Level) else Level.INFO,
        # Letter by letter, blanks at the ends included, as grep does.
        text=storable(args.get("q", ""))[:LONGEST_SEARCH],
        ignores_case=args.get("case") == "ignore",
    )
