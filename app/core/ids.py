"""Identifiers: sortable by the time they were made, unguessable enough for a URL; and secret tokens."""

import hashlib
import secrets
import time
import uuid

# The layout of RFC 9562's version 7: 48 bits of Unix milliseconds, then the version, the variant and chance.
_RANDOM_BITS = 80
_VERSION = 0x7 << 76
_VARIANT = 0x2 << 62
_VERSION_MASK = 0xF << 76
_VARIANT_MASK = 0x3 << 62


def new_id() -> uuid.UUID:
    """A UUID of version 7: new rows land at the end of an index, on both database engines."""
    value = (time.time_ns() // 1_000_000) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    value = value & ~_VERSION_MASK | _VERSION
    return uuid.UUID(int=value & ~_VARIANT_MASK | _VARIANT)


def new_token() -> str:
    """A secret of 256 bits that is safe in a URL."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a secret token. A fast hash is enough: the token itself cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
