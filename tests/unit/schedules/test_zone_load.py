"""How many start in an hour is what the shared fire times say, however the groups are laid out."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from app.schedules.clock_changes import ClockChange
from app.schedules.day_minutes import minutes_of, read_minutes
from app.schedules.fire_times import fire_times
from app.schedules.rhythm_rows import stored_rhythm
from app.schedules.zone_load import HOUR, Group, zone_load
from app.schedules.zones import find_zone

A_MOMENT = timedelta(microseconds=1)
TEXTS = (
    "0 0 * * *", "30 9 * * *", "*/15 * * * *", "* * * * *", "59 23 * * *", "0 9 * * 1-5", "30 0 1 * *", "15 23 * * 0",
    "0 0 13 * 5", "45 8-18 29 2 *", "0 2 * * *", "30 1 * * 0",
)  # fmt: skip
ZONES = ("UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu")
# Around changes of the clocks of these zones, and of whole and half hours far from any.
HOURS = st.integers(0, 24 * 500).map(lambda hour: datetime(2026, 10, 20, tzinfo=UTC) + timedelta(hours=hour))


def group(text: str, zone: str, count: int) -> Group:
    says: dict[str, Any] = {
        "cron": text, "timezone": zone, "spread_key": "", "clock_change": ClockChange.ONCE.value, "has_seconds": False,
        "starts_at": None, "ends_at": None,
    }  # fmt: skip
    row = cast("RowMapping", says)
    return Group(row, count, read_minutes(minutes_of(stored_rhythm(row))), text.split()[2:] == ["*", "*", "*"])


class TestAnHour:
    @given(
        st.lists(st.tuples(st.sampled_from(TEXTS), st.integers(1, 9)), max_size=8),
        st.sampled_from(ZONES),
        HOURS,
        st.sampled_from((0, 30, 45)),
    )
    def test_has_as_many_starts_as_the_rhythms_have(
        self, says: list[tuple[str, int]], zone: str, hour: datetime, minutes: int
    ) -> None:
        start = hour + timedelta(minutes=minutes)
        groups = [group(text, zone, count) for text, count in says]
        expected: Counter[int] = Counter()
        for each in groups:
            for at in fire_times(each.rhythm(), after=start - A_MOMENT, until=start + HOUR - A_MOMENT, limit=60):
                expected[(at - start) // timedelta(minutes=1)] += each.count
        found = zone_load(find_zone(zone), groups).count_hour(start)
        assert found == [expected[minute] for minute in range(60)]
