"""Key files of service accounts that open nothing but the fakes. Their `token_uri` is the trap of all such files."""

import json
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_FILE = Path(__file__).parent / "reader.json"
KEY_FILE = _FILE.read_text()
READER: str = json.loads(KEY_FILE)["client_email"]
OTHER_READER = "other@belfry-fake.iam.gserviceaccount.com"
STRANGER = "stranger@belfry-fake.iam.gserviceaccount.com"
PRIVATE_KEY: str = json.loads(KEY_FILE)["private_key"]
# What must turn up in no log, message or table: the whole, and a line of it.
SECRETS = (PRIVATE_KEY, PRIVATE_KEY.splitlines()[3])


@cache
def public_key() -> RSAPublicKey:
    """What the signatures of all accounts of the fake are checked with."""
    key = load_pem_private_key(PRIVATE_KEY.encode(), password=None).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def key_file(email: str, **changed: str) -> str:
    """The key file of another account, with whatever is to be different in it."""
    return json.dumps(json.loads(KEY_FILE) | {"client_email": email} | changed)
