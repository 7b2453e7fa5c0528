"""How much of its service's quota a connection has used, and whether the rest is enough for what is planned."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select, update

from app.ops.quota_runway import QuotaRunway, read_quota
from app.runs.models import Attempt
from app.schedules.models import Schedule
from tests.database.ga4_syncs import GA4
from tests.database.shop_world import SHOP
from tests.database.sync_world import SyncWorld
from tests.factories.work import make_organization
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.ga4.scenarios import BERLIN
from tests.unit.syncs.ga4_world import google_world


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


def quota(syncs: SyncWorld) -> QuotaRunway | None:
    here = {"organization_id": syncs.organization_id, "connection_id": syncs.connection_id}
    with syncs.database.reading(syncs.scope) as session:
        return read_quota(session, **here, now=syncs.world.now)


def tell(syncs: SyncWorld, first: int, then: int) -> None:
    """What the service says of its quota with the account, and then with every answer about figures."""
    for route, percent in (("account", first), ("insights", then)):
        syncs.world.fail("meta", "near_limit", percent=percent, times=None, match={"route": route})


def schedule(syncs: SyncWorld, cron: str) -> None:
    with syncs.database.transaction() as session:
        session.execute(update(Schedule).values(cron=cron))


def clock(moment: datetime) -> str:
    return f"{moment:%H:%M}"


class TestUsed:
    def test_is_nothing_before_the_service_told_of_it(self, syncs: SyncWorld) -> None:
        assert quota(syncs) is None

    def test_is_what_the_service_said_last(self, syncs: SyncWorld) -> None:
        tell(syncs, 10, 74)
        syncs.sync()

        found = quota(syncs)

        assert found is not None
        assert (found.used_percent, found.as_of) == (Decimal("74.0"), syncs.world.now)
        assert found.refills_at == syncs.world.now + timedelta(hours=1)

    def test_is_free_again_after_an_hour(self, syncs: SyncWorld) -> None:
        tell(syncs, 10, 10)
        syncs.sync()
        syncs.world.advance(seconds=3_600)

        found = quota(syncs)

        assert found is not None
        assert found.words(clock).endswith("it is free again.")

    def test_of_a_day_returns_at_midnight_in_california(self, database: OpenDatabase) -> None:
        syncs = SyncWorld(database, google_world(), GA4)
        found_property = syncs.world.provider("ga4").properties[BERLIN]
        # Of the quota of the day more is used than of any other.
        found_property.tokens_per_day = 120_000
        schedule(syncs, "0 * * * *")
        syncs.sync()

        found = quota(syncs)

        assert found is not None
        midnight = datetime(2026, 11, 21, tzinfo=ZoneInfo("America/Los_Angeles"))
        assert found.refills_at == midnight
        # At noon in London one begins every hour, the last one as it returns.
        assert (found.planned, found.runs_dry_at) == (20, None)

    def test_of_a_shop_is_free_again_in_seconds(self, database: OpenDatabase) -> None:
        shops = SyncWorld(database, of=SHOP)
        shops.sync_at_last()

        found = quota(shops)

        assert found is not None
        assert 0 < found.used_percent <= 100
        assert timedelta() < found.refills_at - found.as_of <= timedelta(seconds=20)

    def test_that_was_told_before_there_were_quotas_of_a_day_is_one_of_an_hour(self, syncs: SyncWorld) -> None:
        tell(syncs, 10, 74)
        run = syncs.sync()
        with syncs.database.transaction() as session:
            attempt = session.scalars(select(Attempt).where(Attempt.run_id == run.id)).one()
            told = {name: value for name, value in attempt.result["quota"].items() if name != "refills_at"}
            attempt.result = {**attempt.result, "quota": told}

        found = quota(syncs)

        assert found is not None
        assert found.refills_at == found.as_of + timedelta(hours=1)

    def test_is_told_of_no_other_connection_and_to_no_other_organization(self, syncs: SyncWorld) -> None:
        syncs.sync()
        with syncs.database.transaction() as session:
            stranger = make_organization(session, "Other")
        other = syncs.connect("2002")
        syncs.schedule_for(other)

        with syncs.database.reading() as session:
            found = [
                read_quota(session, organization_id=organization, connection_id=connection, now=syncs.world.now)
                for organization, connection in ((syncs.organization_id, other), (stranger, syncs.connection_id))
            ]

        assert found == [None, None]

    def test_costs_two_statements(self, syncs: SyncWorld) -> None:
        syncs.sync()
        here = {"organization_id": syncs.organization_id, "connection_id": syncs.connection_id}
        asked: list[str] = []

        with syncs.database.transaction() as session:
            event.listen(session.get_bind(), "before_cursor_execute", lambda *said: asked.append(said[2]))
            read_quota(session, **here, now=syncs.world.now)

        assert len([one for one in asked if "jobs" in one or "attempts" in one]) == 2


class TestForecast:
    def test_says_that_it_lasts(self, syncs: SyncWorld) -> None:
        tell(syncs, 10, 11)
        syncs.sync()
        schedule(syncs, "*/30 * * * *")

        found = quota(syncs)

        assert found is not None
        assert (found.planned, found.runs_dry_at) == (2, None)
        assert "Until then 2 syncs are planned" in found.words(clock)

    def test_says_when_it_does_not(self, syncs: SyncWorld) -> None:
        # One more is all that is left for.
        tell(syncs, 20, 60)
        syncs.sync()
        schedule(syncs, "*/20 * * * *")

        found = quota(syncs)

        assert found is not None
        assert found.cost_percent == Decimal("40.0")
        assert found.runs_dry_at is not None
        assert "not enough for the sync at" in found.words(clock)

    def test_names_no_sync_where_none_is_planned(self, syncs: SyncWorld) -> None:
        syncs.sync()
        schedule(syncs, "0 3 * * *")

        found = quota(syncs)

        assert found is not None
        assert found.words(clock).endswith("Until then no sync is planned.")

    def test_is_not_spoilt_by_a_schedule_that_cannot_be_read(self, syncs: SyncWorld) -> None:
        syncs.sync()
        schedule(syncs, "nonsense")

        found = quota(syncs)

        assert found is not None
        assert found.planned == 0

    def test_says_until_when_the_account_takes_no_calls(self, syncs: SyncWorld) -> None:
        syncs.world.fail("meta", "rate_limit_hint", regain=12, times=1, match={"route": "insights"})
        run = syncs.sync()

        found = quota(syncs)

        assert found is not None
        assert (found.rests_until, found.used_percent) == (run.ready_at, Decimal("100.0"))
        assert "The account takes no calls until" in found.words(clock)
