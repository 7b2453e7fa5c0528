"""The fakes of Google, and readers of a property, for tests that compare what was read with the truth."""

from dataclasses import dataclass, field
from datetime import date

from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.ga4.door import Ga4Door
from app.syncs.ga4.properties import Property, PropertyCalls
from app.syncs.ga4.reader import Ga4Reader
from app.syncs.ga4.rows import CHANNELS
from app.syncs.signs.key_files import clean_key_file
from tests.fakes.providers.ga4.fake import Ga4Fake
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.fakes.providers.google.fake import GoogleFake
from tests.fakes.providers.google.keys import KEY_FILE
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.world import START, World
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.meta_world import Said
from tests.unit.syncs.meta_world import truth as truth_of

SECRET = clean_key_file(KEY_FILE)
# Over the night in which the clocks of Berlin go back.
AUTUMN = DayRange(date(2026, 10, 22), date(2026, 11, 19))


def google_world(now=START) -> World:
    google = GoogleFake()
    return World(Ga4Fake(google), google, now=now)


def door_of(world: World, **more: object) -> Ga4Door:
    return Ga4Door(f"{BASE}/ga4", f"{BASE}/google/token", InsideClient(world), chance=lambda: 0.5, **more)


@dataclass
class PropertyReading:
    """A read that can be made, and what it did to the world."""

    world: World
    watch: FakeWatch
    calls: PropertyCalls
    reader: Ga4Reader
    begun: int = field(init=False)

    def __post_init__(self) -> None:
        self.begun = len(self.world.asked)

    def read(self, days: DayRange = AUTUMN) -> list[FetchedWindow]:
        return list(self.reader.read(days))

    @property
    def routes(self) -> list[str]:
        """What was asked since the property was looked at."""
        return [asked.route for asked in self.world.asked[self.begun :]]


def open_reading(
    world: World,
    *,
    account: str = BERLIN,
    stream: Stream = CHANNELS,
    page_rows: int = 10_000,
    door: Ga4Door | None = None,
) -> PropertyReading:
    watch = FakeWatch(world)
    calls = (door or door_of(world)).calls(SECRET, account, watch=watch)
    found: Property = calls.glance().found
    return PropertyReading(world, watch, calls, Ga4Reader(calls, found, stream, page_rows))


def truth(world: World, days: DayRange = AUTUMN, *, account: str = BERLIN, level: str = "channel") -> list[Said]:
    return truth_of(world, days, account=account, level=level, provider="ga4")
