"""How much of an account's hourly quota is used, as headers of every answer say it."""

import json
from collections import deque
from datetime import datetime, timedelta
from math import ceil

_HOUR = timedelta(hours=1)


class Quota:
    """Counts the calls for one account within the last hour, refused ones too: errors cost quota."""

    def __init__(self, per_hour: int) -> None:
        self._per_hour = per_hour
        self._calls: deque[datetime] = deque()

    def count(self, now: datetime) -> None:
        self._forget(now)
        self._calls.append(now)

    def is_over(self, now: datetime) -> bool:
        self._forget(now)
        return len(self._calls) > self._per_hour

    def percent(self, now: datetime) -> int:
        self._forget(now)
        return min(100, len(self._calls) * 100 // self._per_hour)

    def minutes_to_regain(self, now: datetime) -> int:
        """Until the oldest call is forgotten; 0 while calls are left."""
        if not self.is_over(now):
            return 0
        return max(1, ceil((self._calls[0] + _HOUR - now) / timedelta(minutes=1)))

    def _forget(self, now: datetime) -> None:
        while self._calls and self._calls[0] + _HOUR <= now:
            self._calls.popleft()


def usage_headers(account_id: str, *, percent: int, regain_minutes: int = 0) -> tuple[tuple[str, str], ...]:
    """All that Meta sends. Of the several entries only one is about insights, and it is not the first."""
    tier = {"ads_api_access_tier": "standard_access"}
    quiet = {"type": "ads_management", "call_count": 1, "total_cputime": 1, "total_time": 1}
    insights = {"type": "ads_insights", "call_count": percent, "total_cputime": percent // 4, "total_time": 3}
    business = {
        account_id: [
            quiet | {"estimated_time_to_regain_access": 0} | tier,
            insights | {"estimated_time_to_regain_access": regain_minutes} | tier,
        ]
    }
    return (
        ("X-Business-Use-Case-Usage", json.dumps(business)),
        ("X-App-Usage", json.dumps({"call_count": 1, "total_time": 1, "total_cputime": 1})),
        ("X-Ad-Account-Usage", json.dumps({"acc_id_util_pct": percent / 10, "reset_time_duration": 0} | tier)),
        ("X-FB-Ads-Insights-Throttle", json.dumps({"app_id_util_pct": 1.0, "acc_id_util_pct": percent / 10} | tier)),
    )
