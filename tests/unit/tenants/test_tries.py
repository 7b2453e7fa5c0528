"""What counts as one place when tries are counted, and how a wait is told."""

from datetime import timedelta

import pytest

from app.tenants.tries import TooManyTries, network_of


class TestNetworkOf:
    @pytest.mark.parametrize(
        ("address", "network"),
        [
            ("203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("not an address", "unknown"),
        ],
    )
    def test_is_what_one_guesser_can_choose_from(self, address: str, network: str) -> None:
        assert network_of(address) == network


class TestTooManyTries:
    @pytest.mark.parametrize(
        ("wait", "words", "seconds"),
        [
            (timedelta(milliseconds=10), "Try again in 1 s.", 1),
            (timedelta(seconds=29.5), "Try again in 30 s.", 30),
            (timedelta(seconds=61), "Try again in 2 min.", 61),
        ],
    )
    def test_rounds_the_wait_up(self, wait: timedelta, words: str, seconds: int) -> None:
        refused = TooManyTries(wait)

        assert refused.message.endswith(words)
        assert refused.wait_seconds == seconds
