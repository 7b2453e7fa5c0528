"""The keys of an installation: given in the environment, or made on the first embedded start."""

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from app.core.config import MIN_SECRET_CHARACTERS, SettingInvalid, Settings

KEY_FILE = "secret_key"
# Fewer different characters than this is a word somebody typed, not a key.
FEWEST_DIFFERENT_CHARACTERS = 12


def with_secret_key(settings: Settings) -> Settings:
    """Settings whose secret key is set. Raises SettingInvalid where a key has to be given and is not, or is weak."""
    if settings.secret_key is not None:
        if settings.is_production and len(set(settings.secret_key)) < FEWEST_DIFFERENT_CHARACTERS:
            raise SettingInvalid(
                "BELFRY_SECRET_KEY is too simple for production. Use the output of: "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        return settings
    if settings.is_production or not settings.is_embedded:
        raise SettingInvalid(
            "BELFRY_SECRET_KEY is not set. Production does not start without it. Use the output of: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return replace(settings, secret_key=_stored_key(settings.data_dir / KEY_FILE))


def _stored_key(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make_key(path)
    key = path.read_text(errors="replace").strip()
    if len(key) < MIN_SECRET_CHARACTERS:
        raise SettingInvalid(
            f"The key in {path} is incomplete. Delete that file and start again: a new key is made, "
            "and everybody has to sign in again."
        )
    return key


def _make_key(path: Path) -> None:
    # Written aside and then linked: whoever sees the file sees all of it. Of two first starts at once, one wins.
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}-")
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
