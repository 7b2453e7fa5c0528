"""Seals texts with AES-256-GCM, each for one place alone. Where the keys come from is the business of keys.py."""

import hashlib
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import astuple, dataclass, field
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import Conflict, Unavailable

VERSION = "v1"
KEY_BYTES = 32
# What AES-GCM is made for. Chosen by chance; good for four thousand million texts per key.
_NONCE_BYTES = 12
_KEY_ID_CHARACTERS = 8
_BROKEN = "A sealed value cannot be opened: it was changed, or moved from the place it was sealed for. Enter it again."


class KeyUnknown(Unavailable):
    """It was sealed with a key that this installation does not have. `key_id` names that key."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"A value is sealed with the key {key_id}, which this process does not have. "
            "Add that key to its keys; belfry keys status shows which there are."
        )
        self.key_id = key_id


class SealBroken(Conflict):
    """It was changed, or it lies somewhere else than where it was sealed for."""


@dataclass(frozen=True)
class SealingKey:
    """A key, known by an id that gives nothing of it away."""

    material: bytes = field(repr=False)

    @property
    def id(self) -> str:
        return hashlib.sha256(b"belfry vault key\0" + self.material).hexdigest()[:_KEY_ID_CHARACTERS]


class KeyRing(Protocol):
    """The keys of an installation. The first seals, all of them open."""

    def all_keys(self) -> tuple[SealingKey, ...]:
        """The keys as they are now; never none."""

    def find(self, key_id: str) -> SealingKey | None:
        """The key of that id, also when it was added a moment ago."""


@dataclass(frozen=True)
class SealContext:
    """The place a text is sealed for: it opens nowhere else."""

    organization_id: UUID
    secret_id: UUID
    owner_kind: str
    owner_id: UUID
    field: str

    def words(self) -> list[str]:
        return [str(part) for part in astuple(self)]


@dataclass(frozen=True)
class Sealed:
    """A sealed text, `v1.<key id>.<base64url>`."""

    text: str
    key_id: str


@dataclass(frozen=True)
class Sealer:
    """Seals and opens with the keys of a ring."""

    ring: KeyRing

    @property
    def newest_key_id(self) -> str:
        """The id of the key that seals now."""
        return self.ring.all_keys()[0].id

    def seal(self, text: str, context: SealContext) -> Sealed:
        """Seal a text for one place. Sealing it again gives another text."""
        key = self.ring.all_keys()[0]
        head = f"{VERSION}.{key.id}"
        nonce = os.urandom(_NONCE_BYTES)
        # The place lies inside, where nobody can rewrite it; the version and the key outside are vouched for as well.
        content = json.dumps([*context.words(), text]).encode("ascii")
        body = nonce + AESGCM(key.material).encrypt(nonce, content, head.encode("ascii"))
        return Sealed(f"{head}.{urlsafe_b64encode(body).decode('ascii')}", key.id)

    def open(self, sealed: str, context: SealContext) -> str:
        """The text, if it was sealed for this place. Raises KeyUnknown or SealBroken; neither says what is in it."""
        head, key_id, body = _parts_of(sealed)
        key = self.ring.find(key_id)
        if key is None:
            raise KeyUnknown(key_id)
        # Nothing is chained: the errors below carry what they could not read.
        try:
            content = AESGCM(key.material).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], head.encode())
        except (InvalidTag, ValueError):
            raise SealBroken(_BROKEN) from None
        *place, text = json.loads(content)
        if place != context.words():
            raise SealBroken(_BROKEN)
        return str(text)


def _parts_of(sealed: str) -> tuple[str, str, bytes]:
    version, _, rest = sealed.partition(".")
    key_id, _, body = rest.partition(".")
    try:
        if version != VERSION or not body.isascii():
            raise ValueError(version)
        octets = urlsafe_b64decode(body)
    except (ValueError, NotBase64):
        raise SealBroken(_BROKEN) from None
    # Base64 can be spelled in several ways; only the one that was written is taken.
    if urlsafe_b64encode(octets).decode("ascii") != body or len(octets) <= _NONCE_BYTES:
        raise SealBroken(_BROKEN)
    return f"{version}.{key_id}", key_id, octets
