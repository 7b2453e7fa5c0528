"""How single settings are read: each takes a text and gives its value. Raises ValueError for what is none."""

import re
from pathlib import Path
from zoneinfo import available_timezones

from app.core.service_urls import postgres_address
from app.core.urls import parse_target

MIN_SECRET_CHARACTERS = 32


def postgres_or_none(value: str) -> str | None:
    return postgres_address(value) if value else None


def file_or_none(base: Path, value: str, *, is_alone: bool) -> Path | None:
    if value and not is_alone:
        raise ValueError(value)
    return base / value if value else None


def address(value: str) -> tuple[str, int]:
    host, _, port = value.rpartition(":")
    if not host or not 0 < int(port) < 65_536:
        raise ValueError(value)
    return host, int(port)


def web_url(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError(value)
    return value.rstrip("/")


def secret(value: str) -> str | None:
    if value and len(value) < MIN_SECRET_CHARACTERS:
        raise ValueError("too short")
    return value or None


def heartbeat_or_none(value: str) -> str | None:
    """An address of the operator's, also without encryption: it is in no secret that anything comes through."""
    if not value:
        return None
    parse_target(value)
    return value


def graph_version(value: str) -> str:
    if not re.fullmatch(r"v[0-9]{1,3}\.[0-9]", value):
        raise ValueError(value)
    return value


def shopify_version(value: str) -> str:
    if not re.fullmatch(r"20[0-9]{2}-(01|04|07|10)", value):
        raise ValueError(value)
    return value


def digits_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[0-9]{1,40}", value):
        raise ValueError(value)
    return value or None


def app_secret_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[0-9A-Za-z]{16,128}", value):
        raise ValueError("no secret of an app")
    return value or None


def host_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.:-]{0,252}", value):
        raise ValueError(value)
    return value or None


def mail_address_or_none(value: str) -> str | None:
    if value and not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}", value):
        raise ValueError(value)
    return value or None


def zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError(value)
    return value
