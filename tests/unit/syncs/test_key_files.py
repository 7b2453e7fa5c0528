"""What is taken for the key of a service account, and what is said of everything else."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.syncs.signs.ga4 import clean_property_id
from app.syncs.signs.key_files import clean_key_file, hint_of_key, read_key
from app.syncs.signs.sign import LONGEST_SECRET, AccountIdInvalid, SecretInvalid
from tests.fakes.providers.google.keys import KEY_FILE, PRIVATE_KEY, READER

WHOLE = json.loads(KEY_FILE)


def changed(**fields: object) -> str:
    return json.dumps({name: value for name, value in (WHOLE | fields).items() if value is not None})


def other_key() -> str:
    made = generate_private_key(SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class TestAKeyFile:
    def test_is_kept_without_the_addresses_in_it(self) -> None:
        kept = json.loads(clean_key_file(KEY_FILE))

        assert set(kept) == {"type", "project_id", "private_key_id", "private_key", "client_email"}
        assert "169.254.169.254" not in clean_key_file(KEY_FILE)

    def test_is_the_same_however_it_is_written_and_however_often(self) -> None:
        spelled = "\ufeff  " + json.dumps(dict(reversed(WHOLE.items())), indent=7) + "\n"

        assert clean_key_file(spelled.strip(" ")) == clean_key_file(clean_key_file(KEY_FILE))

    def test_says_who_it_signs_in_as_and_shows_nothing_of_the_key(self) -> None:
        secret = clean_key_file(KEY_FILE)
        key = read_key(secret)

        assert (key.client_email, hint_of_key(secret)) == (READER, "4567")
        assert PRIVATE_KEY.splitlines()[3] not in repr(key)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "Choose the key file"),
            ("{", "not the JSON of a key file"),
            ("[" * 10_000, "not the JSON of a key file"),
            ("[1]", "no key file"),
            (json.dumps({"installed": {"client_id": "1"}}), "an OAuth client"),
            (json.dumps({"web": {"client_id": "1"}}), "an OAuth client"),
            (changed(type="authorized_user"), "of the type “authorized_user”"),
            (changed(type=None), "without a type"),
            (changed(type=7), "without a type"),
            (changed(client_email=None), "lacks “client_email”"),
            (changed(private_key="", private_key_id=None), "lacks “private_key_id” and “private_key”"),
            (changed(client_email="a b@c"), "is no address"),
            (changed(client_email="x" * 301), "lacks “client_email”"),
            (changed(private_key=PRIVATE_KEY[:400]), "cannot be read"),
            (changed(private_key=PRIVATE_KEY.replace("PRIVATE", "PUBLIC")), "cannot be read"),
            (changed(private_key=other_key()), "no RSA key"),
            (changed(more="x" * LONGEST_SECRET), "too long"),
        ],
    )
    def test_that_is_none_is_refused_with_what_is_wrong(self, text: str, words: str) -> None:
        with pytest.raises(SecretInvalid) as refused:
            clean_key_file(text)

        assert words in refused.value.message
        assert refused.value.field == "token"
        assert PRIVATE_KEY[100:160] not in refused.value.message


class TestAPropertyId:
    @pytest.mark.parametrize("said", ["310001", " properties/310001 "])
    def test_is_a_number(self, said: str) -> None:
        assert clean_property_id(said) == "310001"

    @pytest.mark.parametrize("said", ["G-ABC123", "g-abc123", "UA-1234-1", "GT-ABC", "AW-123"])
    def test_is_none_of_the_ids_of_tags(self, said: str) -> None:
        with pytest.raises(AccountIdInvalid, match="is the id of a tag or a stream"):
            clean_property_id(said)

    @pytest.mark.parametrize("said", ["", "１２３", "12/../3", "1" * 21, "-1", "act_1"])
    def test_is_nothing_else(self, said: str) -> None:
        with pytest.raises(AccountIdInvalid, match="consists of digits"):
            clean_property_id(said)
