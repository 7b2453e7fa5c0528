"""Until when a login and a quota last."""

from datetime import datetime, timedelta

import pytest

from app.syncs.runway import PlannedUse, Quota, days_left, runs_dry_at, warning_to_tell
from tests.fakes.clock import utc

NOW = utc("2026-11-20 12:00")


def in_(**amount: float) -> datetime:
    return NOW + timedelta(**amount)


class TestExpiry:
    @pytest.mark.parametrize(
        ("expires_at", "left"), [(in_(days=14), 14), (in_(days=6, hours=23), 6), (in_(hours=5), 0), (in_(hours=-1), -1)]
    )
    def test_is_so_many_whole_days_away(self, expires_at: datetime, left: int):
        assert days_left(expires_at, now=NOW) == left

    @pytest.mark.parametrize(
        ("expires_at", "told", "warning"),
        [
            (in_(days=15), None, None),
            (in_(days=14), None, 14),
            (in_(days=14), 14, None),
            (in_(days=7), 14, 7),
            (in_(days=2), 14, 3),  # nobody looked for some days
            (in_(days=2), 3, None),
            (in_(hours=20), 3, 1),
            (in_(seconds=0), 1, 0),
            (in_(days=-5), None, 0),
            (in_(days=-5), 0, None),
        ],
    )
    def test_is_warned_of_once_for_each_step(self, expires_at: datetime, told: int | None, warning: int | None):
        assert warning_to_tell(expires_at, now=NOW, told=told) == warning


class TestQuota:
    QUOTA = Quota(limit=200_000, left=10_000, filled_at=in_(hours=12))

    def test_lasts_when_the_plan_asks_for_no_more_than_is_left(self):
        planned = [PlannedUse(in_(hours=1), 10_000), PlannedUse(in_(hours=12), 1), PlannedUse(in_(hours=-1), 1)]

        assert self.QUOTA.used == 190_000
        assert runs_dry_at(self.QUOTA, planned, now=NOW) is None

    def test_runs_dry_with_the_use_that_is_too_much(self):
        planned = [PlannedUse(in_(hours=3), 4_000), PlannedUse(in_(hours=1), 4_000), PlannedUse(in_(hours=2), 4_000)]

        assert runs_dry_at(self.QUOTA, planned, now=NOW) == in_(hours=3)

    def test_is_dry_now_when_nothing_is_left(self):
        assert runs_dry_at(Quota(100, 0, in_(hours=1)), [], now=NOW) == NOW
        assert runs_dry_at(Quota(100, 0, NOW), [], now=NOW) is None
