"""The keys of an installation: given in the environment, or made on the first embedded start."""

import secrets
from dataclasses import replace
from pathlib import Path

from app.core.config import Settings
from app.core.key_files import make_key_file
from app.core.key_rings import key_ring
from app.core.setting_reader import SettingInvalid
from app.core.setting_values import MIN_SECRET_CHARACTERS

KEY_FILE = "secret_key"
# Fewer different characters than this is a word somebody typed, not a key.
FEWEST_DIFFERENT_CHARACTERS = 12


def with_keys(settings: Settings) -> Settings:
    """Settings whose secret key is set, of an installation that has keys to seal with. Raises SettingInvalid."""
    ready = with_secret_key(settings)
    if ready.secret_key in ready.vault_keys:
        raise SettingInvalid("BELFRY_SECRET_KEY and BELFRY_VAULT_KEYS hold the same key. Give each its own.")
    key_ring(ready).all_keys()
    return ready


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
    if not path.exists():
        make_key_file(path, secrets.token_urlsafe(48))
    key = path.read_text(errors="replace").strip()
    if len(key) < MIN_SECRET_CHARACTERS:
        raise SettingInvalid(
            f"The key in {path} is incomplete. Delete that file and start again: a new key is made, "
            "and everybody has to sign in again."
        )
    return key
