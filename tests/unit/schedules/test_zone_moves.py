"""What another time zone does to a schedule's runs, in one sentence."""

import pytest

from app.schedules.zone_moves import zone_move
from tests.fakes.clock import utc

NOW = utc("2026-11-20 20:34")


@pytest.mark.parametrize(
    ("cron", "was", "zone", "sentence"),
    [
        ("30 2 * * *", "America/New_York", "Europe/Berlin", "Still 02:30, now Berlin time: 6 h earlier."),
        ("30 2 * * *", "Europe/Berlin", "America/New_York", "Still 02:30, now New York time: 6 h later."),
        ("0 6,18 * * 1", "UTC", "Asia/Kolkata", "Still 06:00 and 18:00, now Kolkata time: 5 h 30 min earlier."),
        ("0 */2 * * *", "UTC", "Asia/Tokyo", "Still the same times of day, now Tokyo time: 9 h earlier."),
        # at the same instants on either clock
        ("0 */3 * * *", "UTC", "Asia/Tokyo", ""),
        ("*/15 * * * *", "Europe/Berlin", "Asia/Tokyo", ""),
        ("30 2 * * *", "Europe/Berlin", "Europe/Paris", ""),
        ("30 2 * * *", "Europe/Berlin", "Europe/Berlin", ""),
        ("30 2 * * *", "", "Europe/Berlin", ""),
        ("30 2 * * *", "Mars/Olympus", "Europe/Berlin", ""),
        ("@manually", "UTC", "Europe/Berlin", ""),
        ("60 * * * *", "UTC", "Europe/Berlin", ""),
    ],
)
def test_a_move_keeps_the_wall_times_and_says_by_how_much_the_runs_move(
    cron: str, was: str, zone: str, sentence: str
) -> None:
    said = zone_move(cron, timezone=zone, timezone_was=was, spread_key="", now=NOW)

    assert said == sentence


def test_a_run_that_the_clocks_push_over_their_gap_is_not_taken_for_its_time() -> None:
    now = utc("2027-03-28 00:00")

    said = zone_move("30 2 * * *", timezone="Europe/Berlin", timezone_was="UTC", spread_key="", now=now)

    assert said == "Still 02:30, now Berlin time: 2 h earlier."
