"""How jobs, groups and schedules in code may be called. Pure."""

import re

NAME_RULE = "Use small letters, digits, hyphens and underscores, a letter first, 64 characters at most."
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def is_name(text: object) -> bool:
    """Whether something in code may be called so."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None
