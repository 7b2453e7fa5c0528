"""Where the keys that seal come from: the environment, or a file that is looked at again when it changes."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from app.core.config import Settings
from app.core.key_files import change_key_file, make_key_file
from app.core.sealing import KEY_BYTES, KeyRing, SealingKey
from app.core.setting_reader import SettingInvalid

FILE_NAME = "vault_keys"
# Fewer different bytes than this were typed or counted, not thrown.
FEWEST_DIFFERENT_BYTES = 12
FILE_HEADING = "# Keys that seal secrets, one on each line. The first seals, all of them open. Keep a copy elsewhere.\n"
_HOW_TO = "Make one with: belfry keys new"


class VaultKeysMissing(SettingInvalid):
    """This installation has to be given keys, and was given none."""


class VaultKeyInvalid(SettingInvalid):
    """Something that was given as a key is none. The message says where it stands, never what it is."""


def new_key() -> str:
    """A key as it is written into the environment or a file."""
    # Padding adds nothing but signs that a shell or a .env file could take for its own.
    return secrets.token_urlsafe(KEY_BYTES)


def parse_keys(texts: Iterable[str], *, source: str) -> tuple[SealingKey, ...]:
    """The keys in their order, each once. `source` is named when one of them is none. Raises VaultKeyInvalid."""
    found = {text: _parse(text, f"Key {number} in {source}") for number, text in enumerate(texts, start=1)}
    keys = tuple(dict.fromkeys(found.values()))
    if len({key.id for key in keys}) < len(keys):
        raise VaultKeyInvalid(f"Two keys in {source} happen to have the same id. Replace one. {_HOW_TO}")
    return keys


def _parse(text: str, place: str) -> SealingKey:
    try:
        material = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, NotBase64):
        material = b""
    # Decoding passes over signs it does not know; a key with a typing mistake would be another key.
    if len(material) != KEY_BYTES or urlsafe_b64encode(material).decode("ascii").rstrip("=") != text.rstrip("="):
        raise VaultKeyInvalid(f"{place} is no key. {_HOW_TO}")
    if len(set(material)) < FEWEST_DIFFERENT_BYTES:
        raise VaultKeyInvalid(f"{place} is too simple. {_HOW_TO}")
    return SealingKey(material)


class GivenKeys:
    """Keys from the environment: what a process was started with, until it is started again."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._texts = texts

    @cached_property
    def _keys(self) -> tuple[SealingKey, ...]:
        return parse_keys(self._texts, source="BELFRY_VAULT_KEYS")

    def all_keys(self) -> tuple[SealingKey, ...]:
        if not self._texts:
            raise VaultKeysMissing(
                "BELFRY_VAULT_KEYS is not set. Secrets are sealed with its keys, and production and installations "
                "on PostgreSQL or Redis do not start without them, because all processes need the same ones. "
                f"{_HOW_TO}. BELFRY_VAULT_KEYS_FILE may name a file that holds them instead."
            )
        return self._keys

    def find(self, key_id: str) -> SealingKey | None:
        return next((key for key in self.all_keys() if key.id == key_id), None)


class KeyFile:
    """Keys from a file. A change of it is noticed at the next sealing, so that a new key needs no restart."""

    def __init__(self, path: Path, *, is_made: bool) -> None:
        self.path = path
        self._is_made = is_made
        # What the file looked like and what was in it, in one value: threads see both change together.
        self._read: tuple[object, tuple[SealingKey, ...]] = (None, ())

    def all_keys(self) -> tuple[SealingKey, ...]:
        look = self._look()
        seen, keys = self._read
        if seen != look:
            keys = self._parse()
            self._read = (look, keys)
        return keys

    def find(self, key_id: str) -> SealingKey | None:
        # What was read opens most; the file is asked only for a key that came meanwhile.
        known = next((key for key in self._read[1] if key.id == key_id), None)
        if known is not None:
            return known
        try:
            return next((key for key in self.all_keys() if key.id == key_id), None)
        except SettingInvalid:
            # A file that is away or half written for a moment holds no such key now; what needs it can wait.
            return None

    def add(self, text: str) -> None:
        """Put a key before the others, so that it seals from now on."""
        change_key_file(self.path, lambda content: _with_first(content, text))

    def remove(self, key_id: str) -> None:
        """Take a key out, for good."""
        change_key_file(self.path, lambda content: _without(content, key_id, source=str(self.path)))

    def unchanged_seconds(self, now: float) -> float:
        """For how long the file has been as it is."""
        return now - self.path.stat().st_mtime

    def _look(self) -> object:
        try:
            if self._is_made and not self.path.exists():
                make_key_file(self.path, f"{FILE_HEADING}{new_key()}\n")
            state = self.path.stat()
        except OSError as error:
            raise self._unreadable(error) from error
        # It is replaced as a whole, so even two changes within one tick of the clock differ in the inode.
        return state.st_mtime_ns, state.st_ino, state.st_size

    def _parse(self) -> tuple[SealingKey, ...]:
        try:
            texts = read_key_lines(self.path)
        except OSError as error:
            raise self._unreadable(error) from error
        if not texts:
            raise VaultKeysMissing(f"The file of keys {self.path} holds no key. {_HOW_TO}")
        return parse_keys(texts, source=str(self.path))

    def _unreadable(self, error: OSError) -> VaultKeysMissing:
        return VaultKeysMissing(f"The file of keys {self.path} cannot be read: {error.strerror}. {_HOW_TO}")


def read_key_lines(path: Path) -> list[str]:
    """The keys in a file as they are written there; what begins with # says something about them."""
    return [line.strip() for line in path.read_text(errors="replace").splitlines() if _is_key(line)]


def _is_key(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _with_first(content: str, text: str) -> str:
    lines = content.splitlines()
    first = next((number for number, line in enumerate(lines) if _is_key(line)), len(lines))
    return "\n".join([*lines[:first], text, *lines[first:]]) + "\n"


def _without(content: str, key_id: str, *, source: str) -> str:
    def is_it(line: str) -> bool:
        return _is_key(line) and parse_keys([line.strip()], source=source)[0].id == key_id

    return "".join(f"{line}\n" for line in content.splitlines() if not is_it(line))


def key_ring(settings: Settings) -> KeyRing:
    """The keys of an installation. Nothing is read or refused before one is asked for."""
    return key_file(settings) or GivenKeys(settings.vault_keys)


def key_file(settings: Settings) -> KeyFile | None:
    """The file that holds the keys; None where they are given in the environment, or have to be."""
    if settings.vault_keys_file is not None:
        return KeyFile(settings.vault_keys_file, is_made=False)
    if settings.vault_keys or settings.is_production or not settings.is_embedded:
        return None
    return KeyFile(settings.data_dir / FILE_NAME, is_made=True)
