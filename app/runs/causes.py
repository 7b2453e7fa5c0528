"""The cause of a failure: what stays the same of its error from one run to the next, as a short mark. Pure."""

import hashlib
import re

CAUSE_LENGTH = 16
# More than that of an error only says where it happened.
_READ = 1_000
_LINE = 300

_ID = "⟨id⟩"
_TIME = "⟨time⟩"
_NUMBER = "#"
_QUOTED = "“…”"

# In this order: what is more special comes first, or a part of it would be taken for something else.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"[a-z][a-z0-9+.-]{1,20}://([^\s/?#\"'”]{1,200})[^\s\"'”]{0,800}", re.IGNORECASE), r"⟨address⟩ \1"),
    (re.compile(r"[^\s@]{1,100}@[^\s@]{1,100}\.[a-z]{2,20}", re.IGNORECASE), "⟨email⟩"),
    (re.compile(r"“[^”]{0,500}”|«[^»]{0,500}»|`[^`]{0,500}`|\"[^\"]{0,500}\""), _QUOTED),
    # An apostrophe within a word quotes nothing.
    (re.compile(r"(?<![\w'])'[^']{0,500}'(?!\w)"), _QUOTED),
    # A worker's name, as in “Worker shop-1:4711:9f3a2b stopped reporting”.
    (re.compile(r"[^\s:]{1,255}:\d{1,10}:[0-9a-f]{6}\b"), "⟨worker⟩"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE), _ID),
    (
        re.compile(r"\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?"),
        _TIME,
    ),
    (re.compile(r"\b\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?\b"), _TIME),
    # Ids and tokens: letters and digits in one word, long enough to be no word of a language.
    (re.compile(r"\b(?:0x[0-9a-f]{1,40}|(?=[\w-]{0,200}\d)(?=[\w-]{0,200}[a-z_])[\w-]{8,200})\b", re.IGNORECASE), _ID),
)
# What a service calls its errors is what tells them apart; any other number is chance.
_CODE = re.compile(
    r"(?P<before>\((?:#|code )|\b(?:http|status|code|errno|error|answered|returned|exit status|signal)[ :=#]{1,3})"
    r"(?P<code>-?\d{1,6})\b|(?P<number>\d+(?:[.,]\d+)*)",
    re.IGNORECASE,
)
_GAVE_UP = re.compile(r"^.{1,260}? gave it up after \d+ of \d+ tries\. ")
_SPACE = re.compile(r"\s+")


def cause_words(error: str | None) -> str:
    """The first line of an error without its numbers, ids, times and quoted parts."""
    text = _GAVE_UP.sub("", (error or "")[:_READ].strip())
    line = _SPACE.sub(" ", next(iter(text.splitlines()), ""))[:_LINE]
    for pattern, instead in _RULES:
        line = pattern.sub(instead, line)
    return _CODE.sub(_keep_code, line).strip()


def cause_of(error: str | None) -> str:
    """The mark that errors of one cause share: sixteen letters and digits."""
    # Not a secret: it only has to differ where the words do.
    return hashlib.blake2b(cause_words(error).casefold().encode("utf-8", "replace"), digest_size=8).hexdigest()


def is_cause(text: str) -> bool:
    """Whether this can be such a mark."""
    return re.fullmatch(rf"[0-9a-f]{{{CAUSE_LENGTH}}}", text) is not None


def _keep_code(found: re.Match[str]) -> str:
    return _NUMBER if found["number"] else found[0]
