"""Says what is secret, and takes it out of what anybody is shown: the audit, parameters and results of runs. Pure.

Commands never write a secret into the audit; this is for the one that does by mistake, and for what people type into
names and notes. Everything that shows, compares or searches what a run was told asks here, and nowhere else.
"""

import re
from functools import lru_cache
from typing import Any

MASK = "••••••"
_SECRET_WORDS = {"token", "authorization", "auth", "cookie", "cookies", "bearer", "pin", "pwd"}
# Wherever they stand in a name: “dbpassword”, “PGPASSWORD”, “accesstoken”. Nothing harmless is called so.
_SECRET_PARTS = re.compile(
    r"passw(or)?d|passphrase|secret|credential|apikey|(access|auth|refresh|bearer|api)[ _-]?token", re.IGNORECASE
)
# A key by itself names many harmless things; these open something.
_SECRET_KEYS = re.compile(r"(api|access|private|secret|signing|sealing|encryption|client)[ _-]?key", re.IGNORECASE)
_LONGEST_KNOWN = 100
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAMED_VALUE = re.compile(r"""(["']?)([A-Za-z][\w-]{0,63})\1(\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;&}"']+)""")
# Tokens of ours, what follows “Bearer”, and the password in an address.
_PLAIN = (
    (re.compile(r"belfry_[a-z0-9]{8}_[\w-]{16,}", re.ASCII), MASK),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {MASK}"),
    (re.compile(r"(://[^\s/:@]*):[^\s/@]+@"), rf"\1:{MASK}@"),
)


def masked(field: str, value: Any) -> Any:
    """The value of a field without secrets, whatever it is made of."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret(field):
        return MASK
    if isinstance(value, dict):
        return {str(name): masked(_called(value, str(name)), each) for name, each in value.items()}
    if isinstance(value, list):
        return [masked(field, each) for each in value]
    return masked_text(value) if isinstance(value, str) else value


def _called(pair: dict[Any, Any], name: str) -> str:
    """What a value of an object goes by: of a pair such as a header it is the name beside it."""
    return str(pair["name"]) if name == "value" and isinstance(pair.get("name"), str) else name


def masked_text(text: str) -> str:
    """A text without what it says of passwords, tokens and keys."""
    for pattern, instead in _PLAIN:
        text = pattern.sub(instead, text)
    # Looked for at every letter, it takes long, and few texts have what stands between a name and its value.
    return _NAMED_VALUE.sub(_masked_pair, text) if ":" in text or "=" in text else text


def is_secret(name: str) -> bool:
    """Whether something that is called so is nobody's business."""
    return _is_secret(name) if len(name) <= _LONGEST_KNOWN else _is_secret.__wrapped__(name)


# The same few names come again and again.
@lru_cache(maxsize=4_096)
def _is_secret(name: str) -> bool:
    words = [word.lower() for word in _WORD.findall(name)]
    # “api_tokens” opens something; “tokens_used” counts something else.
    if words[-1:] == ["tokens"] or not _SECRET_WORDS.isdisjoint(words):
        return True
    return any(pattern.search(name) for pattern in (_SECRET_PARTS, _SECRET_KEYS))


def _masked_pair(found: re.Match[str]) -> str:
    quote, name, between, value = found.groups()
    if not is_secret(name):
        return found[0]
    mask = f"{value[0]}{MASK}{value[0]}" if value[0] in "\"'" else MASK
    return f"{quote}{name}{quote}{between}{mask}"
