"""The fake of Meta, and readers of it, for tests that compare what was read with the truth."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.syncs.calls.client import ServiceClient
from app.syncs.days import DayRange
from app.syncs.figures import FetchedWindow, Stream
from app.syncs.meta.accounts import read_account
from app.syncs.meta.dialect import MetaDialect
from app.syncs.meta.reader import MetaReader
from app.syncs.meta.rows import CAMPAIGNS
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.scenarios import EU, TOKEN
from tests.fakes.providers.world import World
from tests.fakes.watch import FakeWatch

NOVEMBER = DayRange(date(2026, 11, 1), date(2026, 11, 19))
FOUR_WEEKS = DayRange(date(2026, 10, 24), date(2026, 11, 20))

# Day, level, id, metric, value and currency.
Said = tuple[str, str, str, str, Decimal, str | None]


@dataclass
class Reading:
    """A read that can be made, and what it did to the world."""

    world: World
    watch: FakeWatch
    client: ServiceClient
    reader: MetaReader

    def read(self, days: DayRange = NOVEMBER) -> list[FetchedWindow]:
        return list(self.reader.read(days))

    @property
    def routes(self) -> list[str]:
        """What was asked since the account was looked at."""
        return [asked.route for asked in self.world.asked if asked.route != "account"]


def make_client(world: World, watch: FakeWatch, *, token: str = TOKEN, **more: object) -> ServiceClient:
    return ServiceClient(
        base_url=f"{BASE}/meta/v26.0",
        sender=InsideClient(world),
        dialect=MetaDialect(),
        watch=watch,
        headers=(("Authorization", f"Bearer {token}"),),
        secrets=(token,),
        chance=lambda: 0.5,
        **more,
    )


def make_reading(
    world: World, *, account: str = EU, stream: Stream = CAMPAIGNS, page_rows: int = 500, watch: FakeWatch | None = None
) -> Reading:
    watch = watch or FakeWatch(world)
    client = make_client(world, watch)
    reader = MetaReader(client, read_account(client, account), stream, "v26.0", page_rows=page_rows)
    return Reading(world, watch, client, reader)


def said(windows: Iterable[FetchedWindow]) -> list[Said]:
    """Everything that windows say, sorted; twice when they say it twice."""
    return sorted(
        (figure.day.isoformat(), figure.entity.level.value, figure.entity.id, figure.metric.value, figure.value,
         figure.currency)
        for window in windows for figure in window.figures
    )  # fmt: skip


def truth(
    world: World, days: DayRange = NOVEMBER, *, account: str = EU, level: str = "campaign", provider: str = "meta"
) -> list[Said]:
    """What a read without a mistake says."""
    found = world.oracle(
        provider, account=account, level=level, since=days.first.isoformat(), until=days.last.isoformat()
    )
    return sorted(
        (each["day"], each["level"], each["entity_id"], each["metric"], Decimal(each["value"]), each["currency"])
        for each in found
    )
