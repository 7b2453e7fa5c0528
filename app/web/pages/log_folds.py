"""Long tracebacks in a log: what lies between the first line of one and its error can be folded away. Pure."""

import re
from collections.abc import Sequence

# Fewer lines than that are read faster than unfolded.
FEWEST_FOLDED = 6
_BEGIN = re.compile(r"([ \t]{0,80})Traceback \(most recent call last\):\s{0,80}")
# “ValueError: no such shop”, “requests.exceptions.HTTPError: 404”, “Stop”.
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,200}(?::|\s{0,80}$)")
_BECAUSE = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


def find_folds(texts: Sequence[str]) -> list[range]:
    """The places between the first and the last line of each long traceback; those of one error after another are one.

    One without its end, because that is not written yet or lies on another page, is left as it is.
    """
    found, at = [], 0
    while at < len(texts):
        end = _end_of(texts, at)
        if end is not None and end - at > FEWEST_FOLDED:
            found.append(range(at + 1, end))
        at = at + 1 if end is None else end + 1
    return found


def _end_of(texts: Sequence[str], begin: int) -> int | None:
    """Where the traceback that begins here has its last line."""
    start = _BEGIN.fullmatch(texts[begin])
    if start is None:
        return None
    end, at, indent = None, begin + 1, start[1]
    while at < len(texts):
        if texts[at].startswith((f"{indent} ", f"{indent}\t")):
            at += 1
            continue
        if not (texts[at].startswith(indent) and _ERROR.match(texts[at][len(indent) :])):
            return end
        end, following = at, _following(texts, at + 1)
        if following is None:
            return end
        at = following + 1
    return end


def _following(texts: Sequence[str], at: int) -> int | None:
    """Where the traceback begins that another one led to."""
    at = _behind_blanks(texts, at)
    if at >= len(texts) or texts[at].strip() not in _BECAUSE:
        return None
    at = _behind_blanks(texts, at + 1)
    return at if at < len(texts) and _BEGIN.fullmatch(texts[at]) else None


def _behind_blanks(texts: Sequence[str], at: int) -> int:
    while at < len(texts) and not texts[at].strip():
        at += 1
    return at
