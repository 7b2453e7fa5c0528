"""What a person may say about themselves: address, name, time zone. Pure; passwords are in passwords.py."""

import re
from functools import cache
from zoneinfo import available_timezones

from app.core.errors import Invalid
from app.core.names import has_unshowable

LONGEST_EMAIL = 254
LONGEST_NAME = 120
# Whether an address exists, only a message to it can tell; this catches slips of the hand and control characters.
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+", re.ASCII)


class PersonInvalid(Invalid):
    """A field about a person cannot be accepted."""


def clean_email(value: str) -> str:
    """The address as it is stored: trimmed and in lower case. Raises PersonInvalid."""
    email = value.strip().lower()
    if len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise PersonInvalid("Enter an e-mail address, for example ada@example.com.", field="email")
    return email


def clean_name(value: str) -> str:
    """The name as it is stored. Raises PersonInvalid."""
    name = value.strip()
    if not name:
        raise PersonInvalid("Enter your name.", field="name")
    if len(name) > LONGEST_NAME:
        raise PersonInvalid(f"The name is too long. Use at most {LONGEST_NAME} characters.", field="name")
    if has_unshowable(name):
        raise PersonInvalid("The name contains a character that cannot be shown. Type it again.", field="name")
    return name


def clean_timezone(value: str) -> str:
    """An IANA name. Raises PersonInvalid."""
    if value not in known_timezones():
        raise PersonInvalid("Choose a time zone from the list, for example Europe/Riga.", field="timezone")
    return value


@cache
def known_timezones() -> frozenset[str]:
    """Every IANA name this machine knows. Reading the list takes milliseconds, so it is read once."""
    return frozenset(available_timezones() - {"localtime", "Factory"})


@cache
def offered_timezones() -> tuple[str, ...]:
    """The names a form offers, sorted: places, and UTC first."""
    places = sorted(name for name in known_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return ("UTC", *places)
