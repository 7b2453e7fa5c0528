"""The site of the demo's shop, as Google Analytics counts it. Pure: the same day has the same figures at every look."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from demo.truth import DAYS_AHEAD, DAYS_BEFORE
from tests.fakes.providers.faults import Fault
from tests.fakes.providers.ga4.fake import Ga4Fake
from tests.fakes.providers.ga4.truth import LateVisits, Property, Visits
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.google.keys import READER
from tests.fakes.providers.wire import Answer, Call

SITE_ID, SITE, ZONE = "4500", "Demo Outdoor Website", "Europe/Berlin"
# The days before the demo began, and the one of its beginning, of which Google comes to hold small numbers back.
ODD_DAYS = 5
LARGE = frozenset({"Organic Search", "Direct"})
_CENT = Decimal("0.01")
_WEEK = (0.96, 0.93, 0.95, 1.0, 1.06, 1.18, 1.22)  # from Monday on


@dataclass(frozen=True)
class Channel:
    """Where people come from: how many on a usual day, and how many of them buy."""

    name: str
    sessions: int
    buyer_share: float


CHANNELS = (
    Channel("Organic Search", 1_450, 0.021),
    Channel("Direct", 620, 0.027),
    Channel("Paid Social", 480, 0.016),
    Channel("Email", 210, 0.043),
    Channel("Referral", 130, 0.012),
    Channel("Unassigned", 25, 0.0),
)


class LiveSite(Property):
    """A property whose day of today is only as far as the clock is."""

    def seen(self, since: date, until: date, now: datetime) -> Iterator[tuple[date, str, Visits]]:
        """What is known now; of today the part that has passed."""
        local = now.astimezone(ZoneInfo(self.zone))
        share = (local - datetime.combine(local.date(), time(), local.tzinfo)) / timedelta(days=1)
        for day, channel, visits in super().seen(since, until, now):
            shown = part_of(visits, share) if day == local.date() else visits
            if not shown.is_nothing:
                yield day, channel, shown


class DemoGa4(Ga4Fake):
    """Google Analytics with the site of the demo. What it is depends on when the demo began.

    Of the days about its beginning it hands out everything once, and then holds small numbers back to protect people,
    as it may do: most channels are missing, and what comes is marked.
    """

    scenarios: tuple[str, ...] = ("demo",)

    def __init__(self, begun: datetime, google: GoogleFake) -> None:
        super().__init__(google)
        self._begun = begun
        # The dimensions of reports that were handed out whole.
        self._told: set[int] = set()

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """What Google says of the site, without what it holds back."""
        answer = super().answer(call, fault, now)
        if answer.status != 200 or self.route_of(call) != "report":
            return answer
        asked, said = json.loads(call.text), json.loads(answer.body)
        begun = self._begun.astimezone(ZoneInfo(ZONE)).date()
        odd = {f"{begun - timedelta(days=away):%Y%m%d}" for away in range(ODD_DAYS)}
        (days,) = asked["dateRanges"]
        level = len(asked["dimensions"])
        is_told, is_newest = level in self._told, days["endDate"] >= f"{begun}"
        if is_newest:
            self._told.add(level)
        rows = said.get("rows", [])
        if not is_told or not any(_texts(row)[0] in odd for row in rows):
            return answer
        kept = [row for row in rows if _texts(row)[0] not in odd or _texts(row)[1] in ("", *LARGE)]
        metadata = said["metadata"] | {"subjectToThresholding": True}
        return Answer.of_json(said | {"rows": kept, "rowCount": len(kept), "metadata": metadata})

    def build(self, scenario: str, now: datetime) -> dict[str, Property]:
        """One property."""
        begun, today = (each.astimezone(ZoneInfo(ZONE)).date() for each in (self._begun, now))
        return {SITE_ID: make_site(begun, today)}


def _texts(row: dict[str, Any]) -> tuple[str, str]:
    """Day and channel of a row; the whole property's is empty."""
    day, *channel = (each["value"] for each in row["dimensionValues"])
    return day, channel[0] if channel else ""


def make_site(begun: date, today: date) -> LiveSite:
    """The property with all its days, some that are to come included: nobody sees them before they are there."""
    site = LiveSite(SITE_ID, ZONE, "EUR", {READER})
    for away in range(-DAYS_BEFORE, (today - begun).days + DAYS_AHEAD + 1):
        day = begun + timedelta(days=away)
        for channel in CHANNELS:
            site.visits[day, channel.name] = _visits(channel, day)
    return site


def part_of(visits: Visits, share: float) -> Visits:
    """So much of a day. People who buy are counted whole."""
    purchases = int(visits.purchases * share)
    revenue = visits.revenue * purchases / visits.purchases if visits.purchases else visits.revenue
    return Visits(
        sessions=int(visits.sessions * share),
        users=int(visits.users * share),
        key_events=int(visits.key_events * share),
        purchases=purchases,
        revenue=revenue.quantize(_CENT),
    )


def _visits(channel: Channel, day: date) -> Visits:
    chance = Random(f"{channel.name} {day}")  # noqa: S311 - nobody is to be kept from guessing it
    sessions = int(channel.sessions * _WEEK[day.weekday()] * chance.uniform(0.85, 1.15))
    purchases = int(sessions * channel.buyer_share * chance.uniform(0.7, 1.3))
    return Visits(
        sessions=sessions,
        users=int(sessions * chance.uniform(0.78, 0.88)),
        key_events=purchases + int(sessions * chance.uniform(0.03, 0.05)),
        purchases=purchases,
        revenue=Decimal(sum(chance.uniform(29, 249) for _ in range(purchases))).quantize(_CENT),
        late=(LateVisits(1, sessions=chance.randint(0, 9)), LateVisits(chance.randint(2, 8), key_events=1)),
    )
