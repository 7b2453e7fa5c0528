"""Identifiers: sortable by the time they were made, unguessable enough for a URL; and secret tokens."""

import hashlib
import os
import secrets
import threading
import time
import uuid
from datetime import datetime

# The layout of RFC 9562's version 7: 48 bits of Unix milliseconds, then the version, the variant and chance.
_RANDOM_BITS = 74
_LOW_BITS = 62
_VERSION = 0x7 << 76
_VARIANT = 0x2 << _LOW_BITS
# Where several ids are made in one millisecond each lies a random step above the one before (the RFC's "monotonic
# random"): in order as they were made, and no easier to guess. The first leaves room for all that may follow.
_FIRST_BITS = _RANDOM_BITS - 1
_STEP_BITS = 48


class _Ids:
    """The ids that one process makes: each sorts behind those that it made before in the same millisecond."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = -1
        self._chance = 0

    def take(self, millisecond: int) -> uuid.UUID:
        with self._lock:
            if millisecond == self._millisecond:
                self._chance += 1 + secrets.randbits(_STEP_BITS)
            else:
                self._millisecond, self._chance = millisecond, secrets.randbits(_FIRST_BITS)
            high, low = divmod(self._chance, 1 << _LOW_BITS)
        return uuid.UUID(int=millisecond << 80 | _VERSION | high << 64 | _VARIANT | low)


_IDS = _Ids()
# A process that is split off while a thread holds the lock would wait for ever: it starts with ids of its own.
os.register_at_fork(after_in_child=_IDS.forget)


def new_id() -> uuid.UUID:
    """A UUID of version 7: new rows land at the end of an index, on both database engines."""
    return _IDS.take(time.time_ns() // 1_000_000)


def first_id_of(moment: datetime) -> uuid.UUID:
    """The smallest id that `new_id` could make from an instant on: those before it are smaller."""
    return uuid.UUID(int=int(moment.timestamp() * 1_000) << 80 | _VERSION | _VARIANT)


def new_token() -> str:
    """A secret of 256 bits that is safe in a URL."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a secret token. A fast hash is enough: the token itself cannot be guessed."""
    return hashlib.sha256(token.encode()).hexdigest()
