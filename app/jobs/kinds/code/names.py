"""How jobs, groups and schedules in code may be called. Pure."""

import re

from app.jobs.kinds.code.said import is_a, plain

NAME_RULE = "Use small letters, digits, hyphens and underscores, a letter first, 64 characters at most."
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def is_name(text: object) -> bool:
    """Whether something in code may be called so."""
    return is_a(text, str) and _NAME.fullmatch(plain(text)) is not None
