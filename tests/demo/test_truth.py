"""The accounts of the demo: always the same, whenever it is started, and never ahead of the clock."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from demo.provider import NEW_UK_TOKEN, SCENARIO, TOKENS, DemoMeta, Shop
from demo.truth import EU, LINES, PLANS, UK, US, Plan, make_account
from tests.fakes.clock import utc
from tests.fakes.providers.wire import Call
from tests.fakes.providers.world import World

BEGUN = utc("2026-11-20 12:00")
DAY = date(2026, 11, 20)


@pytest.fixture
def meta() -> DemoMeta:
    return DemoMeta(BEGUN)


@pytest.fixture
def world(meta: DemoMeta) -> World:
    return World(meta, Shop(), now=BEGUN)


def ask(world: World, plan: Plan, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return world.answer(Call.of("GET", f"/meta/v26.0/act_{plan.id}?fields=name", headers)).status


class TestFigures:
    def test_are_the_same_whenever_the_fake_is_started(self) -> None:
        early, late = (World(DemoMeta(BEGUN), now=BEGUN + timedelta(days=days)) for days in (0, 90))
        early.advance(days=90)

        query = {"account": EU.id, "since": "2026-12-01", "until": "2027-02-18"}
        assert early.oracle("meta", **query) == late.oracle("meta", **query) != []

    def test_fill_the_days_that_a_first_sync_reads(self) -> None:
        account = make_account(EU, DAY, DAY)

        days = {day for day, _, _ in account.seen(DAY - timedelta(days=89), DAY, BEGUN)}
        assert len(days) == 90

    @pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.currency)
    def test_can_be_true(self, plan: Plan) -> None:
        for delivery in make_account(plan, DAY, DAY).deliveries.values():
            assert delivery.impressions >= delivery.reach >= 0
            assert delivery.impressions >= delivery.clicks >= delivery.link_clicks >= delivery.purchases >= 0
            assert delivery.seen_after(28).spend >= 0
            assert (delivery.purchases == 0) == (delivery.value == 0)

    def test_of_today_grow_with_the_day(self) -> None:
        account = make_account(EU, DAY, DAY)

        def spent(clock: str) -> Decimal:
            return sum((each.spend for _, _, each in account.seen(DAY, DAY, utc(clock))), Decimal(0))

        assert 0 < spent("2026-11-20 06:00") < spent("2026-11-20 18:00") < spent("2026-11-21 06:00")

    def test_of_tomorrow_are_not_known(self) -> None:
        assert not list(make_account(EU, DAY, DAY).seen(DAY + timedelta(days=1), DAY + timedelta(days=9), BEGUN))

    def test_belong_to_campaigns_that_begin_and_end(self) -> None:
        names = {campaign.name for _, campaign, _ in make_account(EU, DAY, DAY).seen(DAY, DAY, BEGUN)}

        assert names == {line.name for line in LINES if line.last is None or line.last >= 0}


class TestLogins:
    def test_read_one_account_each(self, world: World) -> None:
        assert [ask(world, plan, TOKENS[plan.id]) for plan in PLANS] == [200] * 3
        assert ask(world, US, TOKENS[EU.id]) == 400

    def test_are_refused_once_they_are_taken_back(self, world: World, meta: DemoMeta) -> None:
        meta.take_back(TOKENS[UK.id])

        assert ask(world, UK, TOKENS[UK.id]) == 400
        assert ask(world, UK, NEW_UK_TOKEN) == 200

    def test_of_the_american_account_ends_within_a_week(self, world: World) -> None:
        world.advance(days=7)

        assert ask(world, US, TOKENS[US.id]) == 400
        assert ask(world, EU, TOKENS[EU.id]) == 200

    def test_are_good_again_in_a_fake_that_begins_anew(self, world: World) -> None:
        world.reset(SCENARIO)

        assert ask(world, EU, TOKENS[EU.id]) == 200


class TestTheShop:
    def test_is_down_at_every_third_question_for_prices(self, world: World) -> None:
        assert [world.answer(Call("GET", "/shop/prices")).status for _ in range(6)] == [200, 200, 503] * 2

    def test_has_orders_and_knows_nothing_else(self, world: World) -> None:
        assert world.answer(Call("GET", "/shop/orders")).status == 200
        assert world.answer(Call("GET", "/shop/stock")).status == 404
