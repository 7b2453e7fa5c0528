"""Properties with weeks of visits. Without a pattern that adding, rounding or mixing up columns would leave alone."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.fakes.providers.ga4.truth import LateVisits, Property, Visits
from tests.fakes.providers.google.keys import OTHER_READER, READER

BERLIN, TOKYO = "310001", "310002"
CHANNELS = ("(not set)", "(other)", "Direct", "Email", '=HYPERLINK("x")', "Soziales 🏖️")
DAYS = 30


def build(scenario: str, now: datetime) -> dict[str, Property]:
    """The properties of a scenario, with figures up to the last day that the clock can reach in a test."""
    return _BUILDERS[scenario](now)


def _two_properties(now: datetime) -> dict[str, Property]:
    """S2: euros in Berlin, over the night in which the clocks go back, and yen in Tokyo."""
    made = (
        Property(BERLIN, "Europe/Berlin", "EUR", {READER, OTHER_READER}),
        Property(TOKYO, "Asia/Tokyo", "JPY", {READER}),
    )
    for found in made:
        _fill(found, now, CHANNELS)
    return {found.id: found for found in made}


def _many_rows(now: datetime) -> dict[str, Property]:
    """S4: twenty thousand rows, for as many days and channels."""
    found = Property(BERLIN, "Europe/Berlin", "EUR", {READER})
    _fill(found, now, tuple(f"Channel {number:03}" for number in range(450)))
    return {found.id: found}


_BUILDERS: dict[str, Callable[[datetime], dict[str, Property]]] = {"S2": _two_properties, "S4": _many_rows}
NAMES = tuple(_BUILDERS)


def _fill(found: Property, now: datetime, channels: tuple[str, ...]) -> None:
    today = found.today(now)
    # Days to come are there as well: they show once the clock has reached them.
    days = [today + timedelta(days=after) for after in range(-DAYS + 1, DAYS // 2)]
    for number, day in enumerate(days):
        for place, channel in enumerate(channels):
            # Some channels bring nobody on some days: the wire then has no row.
            if (number + place) % 8 != 5:
                found.visits[day, channel] = _visits(day, place, found)


def _visits(day: date, place: int, found: Property) -> Visits:
    seed = day.toordinal() * 131 + place * 7_919 + int(found.id)
    sessions = 3 + seed * 6_007 % 2_003
    # Nobody buys anything on Mondays.
    purchases = 0 if day.weekday() == 0 else seed % 5
    return Visits(
        sessions=sessions,
        users=1 + sessions * 4 // 5,
        key_events=seed * 17 % 23,
        purchases=purchases,
        revenue=_money(purchases * (1_999 + seed % 701), found.currency),
        late=(
            LateVisits(1, sessions=seed % 7, revenue=_money(seed % 3 * 1_250, found.currency)),
            LateVisits(2, sessions=seed % 2, key_events=1),
            LateVisits(8, key_events=seed % 3),
        ),
    )


def _money(minor: int, currency: str) -> Decimal:
    return Decimal(minor) if currency == "JPY" else Decimal(minor) / 100
