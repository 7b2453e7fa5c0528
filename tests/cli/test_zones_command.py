"""`belfry zones`: finding a time zone without a browser."""

from typing import Any

import pytest
from click.testing import CliRunner

from app.cli.root import belfry
from app.core.errors import Invalid


def find(*words: str) -> Any:
    # It needs no installation: the zone of a new one is chosen before there is any.
    return CliRunner().invoke(belfry, ["zones", *words])


class TestZones:
    def test_are_found_by_their_old_name(self) -> None:
        result = find("calcutta")

        assert result.exit_code == 0, result.output
        assert "Asia/Kolkata  Kolkata  India" in result.stdout
        assert "Asia/Calcutta is now Asia/Kolkata" in result.stdout

    def test_are_told_to_programs(self) -> None:
        result = find("+5:30", "--json")

        assert '"name": "Asia/Kolkata"' in result.stdout
        assert '"utc_offset": "+05:30"' in result.stdout

    def test_are_the_common_ones_and_more_without_a_search(self) -> None:
        lines = find().stdout.splitlines()

        assert (lines[0].split()[0], lines[1].split()[0], len(lines)) == ("ZONE", "UTC", 31)

    def test_that_nobody_knows_are_said_to_be_missing(self) -> None:
        assert find("xyzzy").stdout.startswith("No time zone is found by “xyzzy”.")

    def test_are_not_looked_for_by_a_whole_page(self) -> None:
        assert isinstance(find("x" * 61).exception, Invalid)


@pytest.mark.parametrize("words", [("--", "-3:30"), ("utc-3:30",)])
def test_an_offset_may_begin_with_a_minus(words: tuple[str, ...]) -> None:
    assert "America/St_Johns" in find(*words).stdout
