"""When a schedule runs at another time than usual by the clock of whoever looks at it."""

import pytest

from app.schedules.fire_times import fire_times, rhythm
from app.schedules.viewer_notes import viewer_notes
from app.schedules.zones import find_zone
from tests.fakes.clock import utc

NOW = utc("2026-11-21 15:00")
APART = "New York and Berlin change on different dates"


def notes_of(cron: str, zone: str, viewer: str) -> tuple[str, ...]:
    return viewer_notes(rhythm(cron, timezone=zone), viewer_zone=viewer, now=NOW)


def test_the_weeks_between_two_changes_are_named_with_both_times() -> None:
    found = notes_of("30 2 * * *", "America/New_York", "Europe/Berlin")

    assert found == (
        f"15–27 Mar 2027: 07:30 your time instead of 08:30 ({APART}).",
        f"31 Oct – 6 Nov 2027: 07:30 your time instead of 08:30 ({APART}).",
    )


def test_the_named_days_are_exactly_those_of_the_other_time() -> None:
    when = rhythm("30 2 * * *", timezone="America/New_York")

    fires = fire_times(when, after=utc("2027-03-01 00:00"), until=utc("2027-04-30 00:00"), limit=100)

    seen = [at.astimezone(find_zone("Europe/Berlin").tzinfo) for at in fires]
    # On 14 March the run itself is moved, which has a note of its own.
    early = [at.date().isoformat() for at in seen if f"{at:%H:%M}" == "07:30"]
    assert (early[0], early[-1], len(early)) == ("2027-03-15", "2027-03-27", 13)


def test_several_times_of_day_are_said_by_their_distance() -> None:
    found = notes_of("30 6,18 * * *", "America/New_York", "Europe/Berlin")

    assert found[0] == f"14–27 Mar 2027: 1 h earlier than usual by your clock ({APART})."


def test_a_zone_that_never_changes_is_named_as_the_one_that_stays() -> None:
    found = notes_of("30 2 * * *", "Asia/Kolkata", "Europe/Berlin")

    reason = "the clocks of Berlin change, those of Kolkata do not"
    assert found == (f"28 Mar – 30 Oct 2027: 23:00 your time instead of 22:00 ({reason}).",)


def test_during_a_short_spell_the_rest_of_the_year_is_the_usual() -> None:
    when = rhythm("30 2 * * *", timezone="America/New_York")

    found = viewer_notes(when, viewer_zone="Europe/Berlin", now=utc("2027-03-20 12:00"))

    assert found[0] == f"21–27 Mar 2027: 07:30 your time instead of 08:30 ({APART})."


def test_half_a_year_of_summer_time_is_one_spell() -> None:
    when = rhythm("0 12 * * *", timezone="UTC")

    found = viewer_notes(when, viewer_zone="America/New_York", now=utc("2027-01-20 12:00"))

    assert found[0].startswith("14 Mar – 6 Nov 2027: 08:00 your time instead of 07:00")
    assert len(found) == 1


@pytest.mark.parametrize(
    ("cron", "zone", "viewer"),
    [
        ("30 2 * * *", "Europe/Berlin", "Europe/Berlin"),
        ("30 2 * * *", "Europe/Berlin", "Europe/Paris"),
        ("30 2 * * *", "UTC", "Asia/Kolkata"),
        ("30 2 * * *", "UTC", "Mars/Olympus"),
        # None of its runs lies in those weeks.
        ("0 6 1 6 *", "America/New_York", "Europe/Berlin"),
        ("*/15 * * * *", "America/New_York", "Europe/Berlin"),
        ("@manually", "America/New_York", "Europe/Berlin"),
    ],
)
def test_nothing_is_said_where_both_clocks_stay_as_far_apart(cron: str, zone: str, viewer: str) -> None:
    assert notes_of(cron, zone, viewer) == ()


def test_a_spell_whose_end_is_too_far_off_has_none() -> None:
    when = rhythm("0 12 * * *", timezone="UTC")

    found = viewer_notes(when, viewer_zone="America/New_York", now=utc("2026-02-01 13:00"))

    assert [note.partition(":")[0] for note in found] == ["2 Feb – 7 Mar 2026", "From 1 Nov 2026 on"]
