"""Reads the key file of a Google service account that somebody uploaded. Pure.

The file names addresses as well, such as `token_uri`. They are dropped: who may write them could have this server call
any machine.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.syncs.signs.sign import LONGEST_SECRET, SecretInvalid

_KEPT = ("type", "project_id", "private_key_id", "private_key", "client_email")
_NEEDED = ("private_key_id", "private_key", "client_email")
_TYPE = "service_account"
_LONGEST_TEXT = 300
_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,128}@[A-Za-z0-9.-]{1,128}", re.ASCII)
_AGAIN = "Make a JSON key for a service account in the Google Cloud console, and give the whole file."


@dataclass(frozen=True)
class ServiceKey:
    """A key of a service account. `client_email` is who it signs in as; people grant rights to that address."""

    client_email: str
    private_key_id: str
    project_id: str
    private_key: str = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown, as a whole and line by line: an answer may have torn it apart."""
        lines = [line for line in self.private_key.splitlines() if line and not line.startswith("-----")]
        return (self.private_key, "".join(lines), *lines)


def clean_key_file(text: str) -> str:
    """What is sealed of a key file: what signing in needs, always written alike. Raises SecretInvalid."""
    said = _content(text)
    _refuse_other_files(said)
    missing = [name for name in _NEEDED if not _is_text(said.get(name))]
    if missing:
        raise _wrong(f"This key file lacks {' and '.join(f'“{name}”' for name in missing)}. {_AGAIN}")
    if not _ADDRESS.fullmatch(str(said["client_email"])):
        raise _wrong(f"The “client_email” in this file is no address. {_AGAIN}")
    _refuse_other_keys(str(said["private_key"]))
    return json.dumps({name: said[name] for name in _KEPT if _is_text(said.get(name))}, sort_keys=True)


def read_key(secret: str) -> ServiceKey:
    """The key that `clean_key_file` made a text of."""
    said = json.loads(secret)
    return ServiceKey(said["client_email"], said["private_key_id"], said.get("project_id", ""), said["private_key"])


def hint_of_key(secret: str) -> str | None:
    """The last letters of the key's id, by which Google lists it; no part of the key itself."""
    return read_key(secret).private_key_id[-4:]


def _content(text: str) -> Mapping[str, Any]:
    if not text.strip():
        raise _wrong("Choose the key file, or paste what is in it.")
    if len(text) > LONGEST_SECRET:
        raise _wrong(f"This is too long for a key file. {_AGAIN}")
    try:
        said = json.loads(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        raise _wrong(f"This is not the JSON of a key file. {_AGAIN}") from None
    if not isinstance(said, dict):
        raise _wrong(f"This is JSON, but no key file. {_AGAIN}")
    return said


def _refuse_other_files(said: Mapping[str, Any]) -> None:
    """Google hands out several files that look alike. Raises SecretInvalid for the others."""
    if "installed" in said or "web" in said:
        raise _wrong(f"This is an OAuth client, and not the key of a service account. {_AGAIN}")
    kind = said.get("type")
    if kind != _TYPE:
        named = f"of the type “{kind[:40]}”" if isinstance(kind, str) and kind else "without a type"
        raise _wrong(f"This is a file {named}, and not the key of a service account. {_AGAIN}")


def _refuse_other_keys(pem: str) -> None:
    # Whoever only looks at pages loads none of this.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The error may quote the key.
        raise _wrong(f"The “private_key” in this file cannot be read; perhaps a part is missing. {_AGAIN}") from None
    if not isinstance(key, RSAPrivateKey):
        raise _wrong(f"The “private_key” in this file is no RSA key. {_AGAIN}")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and (len(value) <= _LONGEST_TEXT or value.startswith("-----"))


def _wrong(message: str) -> SecretInvalid:
    return SecretInvalid(message, field="token")
