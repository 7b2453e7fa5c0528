"""Keys for tests, and what seals with them."""

from base64 import urlsafe_b64encode

from app.core.key_rings import GivenKeys
from app.core.sealing import Sealer


def vault_key(number: int) -> str:
    """A key as it is written into the environment."""
    return urlsafe_b64encode(bytes((number + place) % 256 for place in range(32))).decode("ascii").rstrip("=")


VAULT_KEY = vault_key(1)


def sealer_with(*keys: str) -> Sealer:
    """Seals with the first key, opens with all."""
    return Sealer(GivenKeys(keys))


SEALER = sealer_with(VAULT_KEY)
