"""What a data page reads: series, sums, movements and every figure, exact on both engines."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.core.ids import new_id
from app.syncs.days import DayRange
from app.syncs.figure_sources import first_days, list_sources
from app.syncs.figures import LARGEST, Entity, Level, Metric, QualityFlag
from app.syncs.movements import list_entity_movements, list_movements
from app.syncs.periods import Grain
from app.syncs.series import (
    EntitySum,
    NotAdditive,
    PointState,
    Series,
    Wanted,
    each_figure,
    list_entities,
    read_data_through,
    read_previous,
    read_series,
)
from app.syncs.stream_rows import list_landings, list_streams
from app.syncs.streams import Doubt
from tests.database.kpi_world import FETCHED, FIRST, REACH, RUN, KpiWorld, figures
from tests.factories.figures import campaign, days_from, figure, make_connection
from tests.fakes.database import OpenDatabase

LATER = FETCHED + timedelta(hours=1)


@pytest.fixture
def world(database: OpenDatabase) -> KpiWorld:
    return KpiWorld.make(database)


def series(world: KpiWorld, wanted: Wanted, *, lookback_days: int = 28) -> list[Series]:
    with world.database.reading(world.scope) as session:
        return read_series(session, wanted, lookback_days=lookback_days)


def values(world: KpiWorld, wanted: Wanted) -> list[Decimal | None]:
    (only,) = series(world, wanted)
    return [point.value for point in only.points]


def entities(world: KpiWorld, wanted: Wanted, limit: int = 10) -> list[EntitySum]:
    with world.database.reading(world.scope) as session:
        return list_entities(session, wanted, limit=limit)


def beside(world: KpiWorld, **columns: object) -> KpiWorld:
    """Another connection of the same organization."""
    with world.database.transaction() as session:
        made = make_connection(session, world.organization_id, name=new_id().hex, **columns)
    return KpiWorld(world.database, world.organization_id, made.id)


class TestSeries:
    def test_adds_up_all_of_a_day_to_the_cent(self, world: KpiWorld):
        world.land(world.window(figures(campaigns=3)))

        (only,) = series(world, world.wanted())

        assert [point.value for point in only.points] == [Decimal("35.94"), Decimal("38.94"), Decimal("41.94")]
        assert (only.currency, only.total) == ("EUR", Decimal("116.82"))

    def test_loses_nothing_of_small_and_of_negative_parts(self, world: KpiWorld):
        parts = ["-0.7", "-0.000001", "0.000002", "1.5", "-2.2"]
        world.land(world.window([figure(FIRST, campaign(str(n)), Metric.SPEND, part) for n, part in enumerate(parts)]))

        assert values(world, world.wanted(days=1)) == [Decimal("-1.399999")]

    def test_is_exact_where_64_bits_are_too_few(self, world: KpiWorld):
        many = [figure(FIRST, campaign(str(n)), Metric.SPEND, str(LARGEST)) for n in range(20)]
        world.land(world.window(many))

        assert values(world, world.wanted(days=1)) == [20 * LARGEST]

    def test_can_be_of_one_entity(self, world: KpiWorld):
        world.land(world.window(figures()))

        assert values(world, world.wanted(entity_id="1", days=1)) == [Decimal("11.98")]

    def test_counts_nothing_that_vanished(self, world: KpiWorld):
        world.land(world.window(figures()))
        world.land(world.window([one for one in figures() if one.entity.id == "0"], fetched_at=LATER))

        assert values(world, world.wanted(days=1)) == [Decimal("11.97")]

    def test_has_weeks_and_months(self, world: KpiWorld):
        world.land(world.window(figures(days=19, campaigns=1), days=19))
        clicks = {grain: values(world, world.wanted(Metric.CLICKS, days=19, grain=grain)) for grain in Grain}

        # The 1st of November 2026 is a Sunday.
        assert clicks[Grain.WEEK] == [0, 280, 770, 660]
        assert clicks[Grain.MONTH] == [1710]

    def test_of_two_currencies_is_two(self, world: KpiWorld):
        other = beside(world, currency="JPY")
        world.land(world.window(figures(days=1, campaigns=1)))
        yen = [figure(FIRST, campaign("9"), Metric.SPEND, "1500", "JPY")]
        other.land(other.window(yen, currency="JPY"))
        both = Wanted(
            world.organization_id, (world.connection_id, other.connection_id), Metric.SPEND, DayRange(FIRST, FIRST)
        )

        assert [(one.currency, one.total) for one in series(world, both)] == [
            ("EUR", Decimal("11.97")),
            ("JPY", Decimal(1500)),
        ]

    def test_of_two_connections_in_one_currency_is_their_sum(self, world: KpiWorld):
        other = beside(world)
        for each in (world, other):
            each.land(each.window(figures(days=1, campaigns=1)))
        both = Wanted(
            world.organization_id, (world.connection_id, other.connection_id), Metric.SPEND, DayRange(FIRST, FIRST)
        )

        assert values(world, both) == [Decimal("23.94")]

    def test_shows_nothing_of_somebody_else(self, world: KpiWorld):
        other = KpiWorld.make(world.database)
        other.land(other.window(figures()))
        stolen = Wanted(world.organization_id, (other.connection_id,), Metric.SPEND, DayRange(FIRST, FIRST))

        assert series(world, stolen) == []
        assert entities(world, stolen) == []


class TestStates:
    def test_say_what_is_complete_and_what_may_still_be_corrected(self, world: KpiWorld):
        first = date(2026, 11, 16)
        world.land(world.window(figures(days=5, campaigns=1, first=first), first=first, days=5))
        wanted = Wanted(
            world.organization_id, (world.connection_id,), Metric.CLICKS, DayRange(first, date(2026, 11, 21))
        )

        (only,) = series(world, wanted, lookback_days=2)

        final, settling, provisional = PointState.FINAL, PointState.SETTLING, PointState.PROVISIONAL
        states = [final, final, settling, settling, provisional, provisional]
        assert [point.state for point in only.points] == states
        assert [point.value for point in only.points] == [0, 10, 20, 30, 40, None]

    def test_a_complete_day_without_figures_is_zero(self, world: KpiWorld):
        lone = [figure(FIRST, campaign("1"), Metric.CLICKS, 5)]
        world.land(world.window(lone))

        assert values(world, world.wanted(Metric.CLICKS)) == [5, 0, 0]

    def test_the_slowest_connection_says_how_far_the_data_goes(self, world: KpiWorld):
        other = beside(world)
        world.land(world.window(figures()))
        both = Wanted(
            world.organization_id, (world.connection_id, other.connection_id), Metric.SPEND, DayRange(FIRST, FIRST)
        )
        with world.database.reading(world.scope) as session:
            before = read_data_through(session, both)
        other.land(other.window(figures(days=2), days=2))
        with world.database.reading(world.scope) as session:
            after = read_data_through(session, both)

        assert (before, after) == (None, FIRST + timedelta(days=1))


class TestComparison:
    def test_is_with_as_many_days_just_before(self, world: KpiWorld):
        world.land(world.window(figures(days=6, campaigns=1), days=6))
        last_three = Wanted(
            world.organization_id,
            (world.connection_id,),
            Metric.CLICKS,
            DayRange(FIRST + timedelta(days=3), FIRST + timedelta(days=5)),
        )

        with world.database.reading(world.scope) as session:
            (before,) = read_previous(session, last_three, lookback_days=28)

        assert [point.value for point in before.points] == [0, 10, 20]


class TestReach:
    @pytest.fixture
    def reached(self, world: KpiWorld) -> KpiWorld:
        account = Entity(Level.ACCOUNT, "", "Acme EU")
        world.land(world.window([figure(day, account, Metric.REACH, 100) for day in days_from(FIRST, 3)], stream=REACH))
        return world

    def test_is_shown_by_day_and_never_added_up(self, reached: KpiWorld):
        (only,) = series(reached, reached.wanted(Metric.REACH, level=Level.ACCOUNT))

        assert [point.value for point in only.points] == [100, 100, 100]
        assert only.total is None

    def test_of_weeks_of_campaigns_and_of_several_accounts_is_refused(self, reached: KpiWorld):
        both = Wanted(
            reached.organization_id,
            (reached.connection_id, new_id()),
            Metric.REACH,
            DayRange(FIRST, FIRST),
            level=Level.ACCOUNT,
        )
        by_week = reached.wanted(Metric.REACH, level=Level.ACCOUNT, grain=Grain.WEEK)

        for wanted in (both, by_week, reached.wanted(Metric.REACH)):
            with pytest.raises(NotAdditive, match="counts people"):
                series(reached, wanted)

    def test_of_entities_is_told_of_one_day_alone(self, reached: KpiWorld):
        account = reached.wanted(Metric.REACH, level=Level.ACCOUNT)

        with pytest.raises(NotAdditive):
            entities(reached, account)
        assert [one.value for one in entities(reached, reached.wanted(Metric.REACH, level=Level.ACCOUNT, days=1))] == [
            100
        ]


class TestEntities:
    def test_come_with_their_names_the_largest_first(self, world: KpiWorld):
        world.land(world.window(figures(campaigns=3)))

        found = entities(world, world.wanted(), limit=2)

        assert [(one.entity_id, one.name, one.value) for one in found] == [
            ("2", "Campaign 2", Decimal("38.97")),
            ("1", "Campaign 1", Decimal("38.94")),
        ]


class TestMovements:
    @pytest.fixture
    def moved(self, world: KpiWorld) -> KpiWorld:
        world.land(world.window(figures(campaigns=3)))
        changed = [one for one in figures(campaigns=3) if one.entity.id != "2" or one.day != FIRST]
        changed = [one for one in changed if not (one.metric is Metric.SPEND and one.entity.id == "0")]
        changed += [figure(day, campaign("0"), Metric.SPEND, "20.5") for day in days_from(FIRST, 2)]
        changed.append(figure(FIRST + timedelta(days=2), campaign("0"), Metric.SPEND, "13.97"))
        world.land(world.window(changed, fetched_at=LATER))
        return world

    def test_say_by_how_much_each_day_moved(self, moved: KpiWorld):
        with moved.database.reading(moved.scope) as session:
            found = list_movements(session, moved.wanted(), limit=10)

        # 20.5 for 11.97 and nothing for 11.99; 20.5 for 12.97.
        assert [(one.day, one.delta, one.figures, one.currency) for one in found] == [
            (FIRST + timedelta(days=1), Decimal("7.53"), 1, "EUR"),
            (FIRST, Decimal("-3.46"), 2, "EUR"),
        ]
        assert {one.at for one in found} == {LATER + timedelta(minutes=1)}

    def test_equal_what_the_sums_differ_by(self, moved: KpiWorld):
        untouched = KpiWorld.make(moved.database)
        untouched.land(untouched.window(figures(campaigns=3)))

        before, after = values(untouched, untouched.wanted()), values(moved, moved.wanted())

        with moved.database.reading(moved.scope) as session:
            deltas = {one.day: one.delta for one in list_movements(session, moved.wanted(), limit=10)}
        assert [(now or 0) - (was or 0) for was, now in zip(before, after, strict=True)] == [
            deltas.get(day, 0) for day in days_from(FIRST, 3)
        ]

    def test_say_what_they_are_made_of(self, moved: KpiWorld):
        with moved.database.reading(moved.scope) as session:
            *_, first_day = list_movements(session, moved.wanted(), limit=10)
            found = list_entity_movements(session, moved.wanted(), movement=first_day, limit=10)

        assert [(one.name, one.old_value, one.new_value, one.delta) for one in found] == [
            ("Campaign 2", Decimal("11.99"), None, Decimal("-11.99")),
            ("Campaign 0", Decimal("11.97"), Decimal("20.5"), Decimal("8.53")),
        ]

    def test_begin_at_an_instant(self, moved: KpiWorld):
        with moved.database.reading(moved.scope) as session:
            found = list_movements(session, moved.wanted(), since=LATER + timedelta(minutes=2), limit=10)

        assert found == []


def test_each_figure_comes_once_however_many_are_read_at_a_time(world: KpiWorld) -> None:
    other = beside(world)
    for each in (world, other):
        each.land(each.window(figures(campaigns=3)))
    both = Wanted(
        world.organization_id,
        (world.connection_id, other.connection_id),
        Metric.SPEND,
        DayRange(FIRST, FIRST + timedelta(days=2)),
    )

    with world.database.reading(world.scope) as session:
        found = list(each_figure(session, both, batch=4))

    keys = [(row.connection_id, row.day, row.entity_id) for row in found]
    assert keys == sorted(set(keys))
    assert len(keys) == 18
    assert {row.name for row in found} == {"Campaign 0", "Campaign 1", "Campaign 2"}


class TestStreams:
    def test_say_how_far_they_have_come_and_what_is_odd(self, world: KpiWorld):
        KpiWorld.make(world.database).land(world.window(figures()))
        world.land(world.window(figures()))
        world.land(world.window([], fetched_at=LATER))

        with world.database.reading(world.scope) as session:
            (row,) = list_streams(session, organization_id=world.organization_id)

        assert (row.connection, row.service, row.zone, row.name) == ("Acme EU", "meta", "Europe/Riga", "campaigns")
        assert (row.data_through, row.fetched_at) == (FIRST + timedelta(days=2), LATER)
        assert (row.doubt, row.doubted_since) == (Doubt.LOSS, LATER + timedelta(minutes=1))

    def test_of_other_connections_are_not_listed(self, world: KpiWorld):
        world.land(world.window(figures()))

        with world.database.reading(world.scope) as session:
            rows = list_streams(session, organization_id=world.organization_id, connection_ids=[new_id()])

        assert rows == []

    def test_have_landings_the_newest_first(self, world: KpiWorld):
        world.land(world.window(figures(), flags=frozenset({QualityFlag.SAMPLED})))
        world.land(world.window(figures(), fetched_at=LATER))

        with world.database.reading(world.scope) as session:
            newest, oldest = list_landings(
                session,
                organization_id=world.organization_id,
                connection_id=world.connection_id,
                stream="campaigns",
                limit=5,
            )

        assert (newest.fetched_at, newest.rows_seen, newest.rows_changed, newest.flags) == (LATER, 12, 12, ())
        assert (oldest.run_id, oldest.rows_changed, oldest.usual, oldest.doubt) == (RUN, 12, None, None)
        assert oldest.flags == ("sampled",)


class TestSources:
    def test_are_those_of_one_organization_with_their_streams(self, world: KpiWorld):
        KpiWorld.make(world.database)
        world.land(world.window(figures()))

        with world.database.reading(world.scope) as session:
            [found] = list_sources(session, organization_id=world.organization_id)

        assert found.id == world.connection_id
        assert [stream.name for stream in found.streams] == ["campaigns"]

    def test_know_the_first_day_of_what_landed_and_of_nothing_else(self, world: KpiWorld):
        world.land(world.window(figures()))
        here = {"organization_id": world.organization_id, "connection_ids": [world.connection_id]}

        with world.database.reading(world.scope) as session:
            found = first_days(session, **here, level=Level.CAMPAIGN, metric=Metric.SPEND)
            nothing = first_days(session, **here, level=Level.CAMPAIGN, metric=Metric.REACH)

        assert (found, nothing) == ({world.connection_id: FIRST}, {})

    def test_have_entities_of_each_currency_apart(self, world: KpiWorld):
        other = beside(world, currency="JPY")
        world.land(world.window(figures(days=1, campaigns=3)))
        yen = [figure(FIRST, campaign(str(n)), Metric.SPEND, 1000 + n, "JPY") for n in range(3)]
        other.land(other.window(yen, currency="JPY"))
        ids = (world.connection_id, other.connection_id)
        both = Wanted(world.organization_id, ids, Metric.SPEND, DayRange(FIRST, FIRST))

        with world.database.reading(world.scope) as session:
            first, rest = list_entities(session, both, limit=2), list_entities(session, both, limit=2, skip=2)

        assert [(one.currency, one.entity_id) for one in first] == [
            ("EUR", "2"), ("EUR", "1"), ("JPY", "2"), ("JPY", "1"),
        ]  # fmt: skip
        assert [(one.currency, one.entity_id) for one in rest] == [("EUR", "0"), ("JPY", "0")]
