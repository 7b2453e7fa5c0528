"""What a person may say about themselves."""

import pytest

from app.tenants.people import PersonInvalid, clean_email, clean_name, clean_timezone, offered_timezones


class TestEmail:
    def test_is_trimmed_and_in_lower_case(self) -> None:
        assert clean_email(" Ada@Example.COM ") == "ada@example.com"

    @pytest.mark.parametrize(
        "value",
        ["", "ada", "@example.com", "ada@", "a b@example.com", "ada@exa\nmple.com", "a@b@c", f"{'a' * 250}@b.de"],
    )
    def test_is_refused(self, value: str) -> None:
        with pytest.raises(PersonInvalid):
            clean_email(value)


class TestName:
    def test_is_trimmed(self) -> None:
        assert clean_name(" Ada Lovelace ") == "Ada Lovelace"

    @pytest.mark.parametrize("value", ["", "  ", "x" * 121, "Ada\nLovelace", "Ada\x00", "\x1b[2J", "Ada\u202e"])
    def test_is_refused(self, value: str) -> None:
        with pytest.raises(PersonInvalid):
            clean_name(value)


class TestTimezone:
    @pytest.mark.parametrize("value", ["UTC", "Europe/Riga", "America/Argentina/Buenos_Aires", "CET", "Etc/GMT+5"])
    def test_is_any_iana_name(self, value: str) -> None:
        assert clean_timezone(value) == value

    @pytest.mark.parametrize("value", ["", "europe/riga", "Mars/Olympus", "../../etc/passwd", "localtime", "+02:00"])
    def test_is_nothing_else(self, value: str) -> None:
        with pytest.raises(PersonInvalid):
            clean_timezone(value)

    def test_offers_places_with_utc_first(self) -> None:
        assert offered_timezones()[:2] == ("UTC", "Africa/Abidjan")
