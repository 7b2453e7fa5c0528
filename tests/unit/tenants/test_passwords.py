"""Passwords: what is accepted, what is stored, and that checking takes the same work for nobody."""

import pytest
from argon2 import PasswordHasher, extract_parameters

from app.tenants.passwords import (
    PasswordRefused,
    check_password,
    hash_password,
    needs_rehash,
    verify_password,
)


class TestCheckPassword:
    @pytest.mark.parametrize("password", ["eight ch", "x y" * 300, "пароль-длинный", "🔑🔒🗝️ key ring"])
    def test_takes_anything_long_that_is_not_guessed_first(self, password: str) -> None:
        check_password(password)

    @pytest.mark.parametrize(
        ("password", "message"),
        [
            ("seven77", "at least 8"),
            ("", "at least 8"),
            ("x" * 1025, "at most 1024"),
            ("password", "guessed first"),
            ("PassWord1", "guessed first"),
            (" qwertyuiop ", "guessed first"),
            ("zzzzzzzzzz", "guessed first"),
            ("Ada@Example.com", "e-mail address"),
        ],
    )
    def test_refuses(self, password: str, message: str) -> None:
        with pytest.raises(PasswordRefused, match=message):
            check_password(password, email="ada@example.com")

    def test_names_the_field(self) -> None:
        with pytest.raises(PasswordRefused) as refused:
            check_password("short", field="new_password")

        assert refused.value.field == "new_password"


class TestHash:
    def test_is_argon2id_of_the_agreed_cost(self) -> None:
        found = extract_parameters(hash_password("quiet-harbour-42"))

        assert found.type.name == "ID"
        assert (found.memory_cost, found.time_cost, found.parallelism) == (19_456, 2, 1)

    def test_differs_for_the_same_password(self) -> None:
        assert hash_password("quiet-harbour-42") != hash_password("quiet-harbour-42")

    def test_keeps_every_character(self) -> None:
        stored = hash_password("a" * 72 + "-one")

        assert verify_password(stored, "a" * 72 + "-one")
        assert not verify_password(stored, "a" * 72 + "-two")

    def test_reads_the_same_letters_of_another_system(self) -> None:
        assert verify_password(hash_password("café-harbour"), "cafe\u0301-harbour")

    @pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$broken"])
    def test_that_is_none_fits_nothing(self, stored: str | None) -> None:
        assert not verify_password(stored, "an account that does not exist")

    def test_asks_to_be_renewed_when_it_was_cheaper(self) -> None:
        assert needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("quiet-harbour-42"))
        assert not needs_rehash(hash_password("quiet-harbour-42"))
