"""Passwords: which are accepted, how they are hashed and checked. Pure; who may try how often is in sign_in.py."""

import unicodedata
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.core.errors import Invalid

MIN_CHARACTERS = 8
MAX_CHARACTERS = 1024

# OWASP's smallest recommended argon2id: about 25 ms and 19 MiB for each hash.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
# A flood of sign-ins may take two cores and 38 MiB, and waits for the rest.
_HASHING = BoundedSemaphore(2)
_COMMON_FILE = Path(__file__).with_name("common_passwords.txt")


class PasswordRefused(Invalid):
    """The password is too short, too long or too easy to guess."""


def check_password(password: str, *, email: str = "", field: str = "password") -> None:
    """Raises PasswordRefused unless it may be used for a new password."""
    if len(password) < MIN_CHARACTERS:
        raise PasswordRefused(f"Use at least {MIN_CHARACTERS} characters.", field=field)
    if len(password) > MAX_CHARACTERS:
        raise PasswordRefused(f"Use at most {MAX_CHARACTERS} characters.", field=field)
    plain = password.strip().lower()
    if plain == email.strip().lower():
        raise PasswordRefused("Do not use your e-mail address as the password.", field=field)
    if plain in _common_passwords() or len(set(plain)) == 1:
        raise PasswordRefused("This is one of the passwords that are guessed first. Choose another.", field=field)


def hash_password(password: str) -> str:
    """What is stored. Takes a moment: never call it inside a transaction that has already written."""
    with _HASHING:
        return _HASHER.hash(_comparable(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Whether it is the right one. Without a stored hash the answer is no, after the same work."""
    known = _unknown_hash() if stored is None else stored
    if len(password) > MAX_CHARACTERS:
        return False
    try:
        with _HASHING:
            return _HASHER.verify(known, _comparable(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(stored: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def _comparable(password: str) -> str:
    # The same letters typed on another system may arrive as other code points.
    return unicodedata.normalize("NFKC", password)


@cache
def _unknown_hash() -> str:
    return _HASHER.hash("an account that does not exist")


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(_COMMON_FILE.read_text().split())
