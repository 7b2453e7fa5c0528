"""What looks like a secret is taken out of the audit before anybody sees it."""

from typing import Any

import pytest

from app.tenants.audit_masks import MASK, is_secret, masked, masked_text


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            "password", "api_key", "apiKey", "clientSecret", "ACCESS_TOKEN", "x-api-key", "Authorization", "passwords",
            "api_tokens", "tokens", "dbpassword", "PGPASSWORD", "accesstoken", "refreshToken", "pwd", "auth",
            "basic_auth", "long_" * 30 + "password",
        ],
    )  # fmt: skip
    def test_of_secrets_are_known(self, name: str):
        assert is_secret(name)

    @pytest.mark.parametrize(
        "name",
        [
            "spread_key",
            "tries",
            "name",
            "cron",
            "retry_not_on",
            "keyboard",
            "tokens_per",
            "author",
            "shipping",
            "compass",
            "long_" * 30,
        ],
    )
    def test_of_other_things_are_left_alone(self, name: str):
        assert not is_secret(name)


class TestValues:
    @pytest.mark.parametrize(
        ("field", "value", "expected"),
        [
            ("password", ["old", "new"], MASK),
            ("password", None, None),
            ("headers", {"Authorization": "Bearer x", "Accept": "*/*"}, {"Authorization": MASK, "Accept": "*/*"}),
            ("tries", [3, 5], [3, 5]),
            ("tags", [["a"], ["a", "b"]], [["a"], ["a", "b"]]),
        ],
    )
    def test_of_secrets_are_masked_however_deep(self, field: str, value: Any, expected: Any):
        assert masked(field, value) == expected


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("https://ada:pw@example.com/x", f"https://ada:{MASK}@example.com/x"),
            ("Bearer abcdefgh.ijkl", f"Bearer {MASK}"),
            ('with {"api_key": "a\\"b", "rows": 3}', f'with {{"api_key": "{MASK}", "rows": 3}}'),
            ("password=hunter2&x=1", f"password={MASK}&x=1"),
            ("belfry_m8j9wk7q_0123456789abcdefghij", MASK),
        ],
    )
    def test_lose_what_opens_something(self, text: str, expected: str):
        assert masked_text(text) == expected

    @pytest.mark.parametrize(
        "text",
        ["Changed job “Secret santa”", "cron: 0 2 * * * → 30 2 * * *", "https://example.com:8080/x", "a=1, b: 2"],
    )
    def test_keep_everything_else(self, text: str):
        assert masked_text(text) == text
