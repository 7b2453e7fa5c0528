"""Landing a window: exactly what was fetched is in the table then, whatever was there before."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.core.ids import new_id
from app.core.scopes import ENGINE
from app.jobs.kinds.base import AttemptLost
from app.runs import ledger
from app.runs.holding import hold_run
from app.syncs.connections import AccountChanged, ConnectionEnded, ConnectionNotFound
from app.syncs.figures import LARGEST, Figure, FigureInvalid, Metric, QualityFlag, exact
from app.syncs.landing import PIECE
from app.syncs.models import Connection, LandedEntity, LandedFigure
from app.syncs.put_rows import BATCH
from app.syncs.streams import Doubt, StreamNotFound, call_normal, promise
from app.syncs.volume import FEWEST, Band
from app.syncs.writing import NewerFigures
from tests.database.kpi_world import FETCHED, FIRST, REACH, RUN, KpiWorld, figures, truth
from tests.factories.figures import campaign, figure
from tests.factories.work import make_job, make_run
from tests.fakes.database import OpenDatabase

LATER = FETCHED + timedelta(hours=1)
SECOND = FIRST + timedelta(days=1)
THIRD = FIRST + timedelta(days=2)


@pytest.fixture
def connections() -> int:
    """Somebody looks while something is landed."""
    return 2


@pytest.fixture
def world(database: OpenDatabase) -> KpiWorld:
    return KpiWorld.make(database)


def without(fetched: list[Figure], *, entity_id: str, day: date | None = None) -> list[Figure]:
    return [one for one in fetched if not (one.entity.id == entity_id and day in (None, one.day))]


class TestAWindow:
    def test_is_in_the_table_as_it_was_fetched(self, world: KpiWorld):
        landed = world.land(world.window(figures()))

        assert world.table() == truth(figures())
        assert (landed.rows_seen, landed.appeared, landed.changed, landed.vanished) == (12, 12, 0, 0)

    def test_says_where_each_figure_is_from(self, world: KpiWorld):
        world.land(world.window(figures(days=1, campaigns=1), mapping_version=3))

        row = world.rows(LandedFigure)[0]
        assert (row.run_id, row.fetched_at, row.api_version, row.mapping_version) == (RUN, FETCHED, "v26.0", 3)

    def test_changes_and_logs_nothing_the_second_time(self, world: KpiWorld):
        world.land(world.window(figures()))
        before = world.everything()

        again = world.land(world.window(figures()), run_id=new_id())
        fetched_anew = world.land(world.window(figures(), fetched_at=LATER), run_id=new_id())

        assert (again.rows_changed, fetched_anew.rows_changed) == (0, 0)
        assert world.everything() == before

    def test_that_was_landed_twice_is_one_landing(self, world: KpiWorld):
        for _ in range(2):
            world.land(world.window(figures()))

        assert len(world.landings()) == 1

    def test_of_many_figures_is_landed_in_pieces(self, world: KpiWorld):
        many = figures(days=40, campaigns=90)
        assert len(many) > PIECE > BATCH

        landed = world.land(world.window(many, days=40))

        assert landed.appeared == len(many)
        assert world.table() == truth(many)

    def test_leaves_other_days_metrics_and_levels_alone(self, world: KpiWorld):
        world.land(world.window(figures()))

        world.land(world.window([], first=THIRD, days=1, fetched_at=LATER))
        world.land(world.window([], stream=REACH, fetched_at=LATER))

        assert world.table() == truth(figures(days=2))

    def test_is_nobody_elses(self, world: KpiWorld):
        other = KpiWorld.make(world.database)

        other.land(world.window(figures(spend="1")))
        world.land(world.window(figures()))

        foreign = KpiWorld(world.database, world.organization_id, other.connection_id)
        with pytest.raises(ConnectionNotFound):
            foreign.land(world.window(figures()))
        assert other.table() == truth(figures(spend="1"))


class TestNumbers:
    @pytest.mark.parametrize(
        "said",
        ["0.1", "0.000001", "-0.000001", "19.989999999999998", "8999999999999.999999", "-12.5", "0", "1e3"],
    )
    def test_come_back_to_the_last_digit(self, world: KpiWorld, said: str):
        value = exact(said)
        one = figure(FIRST, campaign("1"), Metric.SPEND, str(value))

        world.land(world.window([one]))

        assert world.table()["spend", FIRST, "1"] == (value, "EUR")

    def test_are_whole_numbers_in_the_database(self, world: KpiWorld):
        world.land(world.window([figure(FIRST, campaign("1"), Metric.SPEND, str(LARGEST))]))

        with world.database.reading(world.scope) as session:
            stored = session.execute(text("SELECT value FROM kpi_figures")).scalar_one()
        assert stored == int(LARGEST) * 1_000_000
        assert isinstance(stored, int)

    @pytest.mark.parametrize(("currency", "value"), [("JPY", "1234567"), ("KWD", "1.234")])
    def test_have_the_places_of_their_currency(self, database: OpenDatabase, currency: str, value: str):
        world = KpiWorld.make(database, currency=currency)
        one = figure(FIRST, campaign("1"), Metric.SPEND, value, currency)

        world.land(world.window([one], currency=currency))

        assert world.table()["spend", FIRST, "1"] == (Decimal(value), currency)


class TestWhatChanged:
    def test_of_complete_days_is_logged_from_what_to_what(self, world: KpiWorld):
        world.land(world.window(figures()))
        corrected = [*without(figures(), entity_id="0", day=SECOND), figure(SECOND, campaign("0"), Metric.SPEND, "99")]
        run_id = new_id()

        landed = world.land(world.window(corrected, fetched_at=LATER), run_id=run_id)

        assert (landed.appeared, landed.changed, landed.vanished) == (0, 1, 1)
        assert world.changes() == [
            ("clicks", SECOND, "0", Decimal(10), None),
            ("spend", SECOND, "0", Decimal("12.97"), Decimal(99)),
        ]
        assert world.table() == truth(corrected)

    def test_of_days_under_way_is_no_news(self, world: KpiWorld):
        today = date(2026, 11, 20)
        world.land(world.window(figures(days=2, first=date(2026, 11, 19)), first=date(2026, 11, 19), days=2))

        grown = figures(days=2, first=date(2026, 11, 19), spend="20")
        landed = world.land(world.window(grown, first=date(2026, 11, 19), days=2, fetched_at=LATER))

        assert landed.changed == 4
        assert {day for _, day, *_ in world.changes()} == {today - timedelta(days=1)}

    def test_of_flags_alone_is_written_and_not_logged(self, world: KpiWorld):
        world.land(world.window(figures()))

        flags = frozenset({QualityFlag.SAMPLED})
        landed = world.land(world.window(figures(), fetched_at=LATER, flags=flags))

        assert landed.changed == 12
        assert world.changes() == []
        assert {row.flags for row in world.rows(LandedFigure)} == {"sampled"}

    def test_keeps_when_it_first_came(self, world: KpiWorld):
        world.land(world.window(figures()))
        world.land(world.window(figures(spend="5"), fetched_at=LATER))

        spend = [row for row in world.rows(LandedFigure) if row.metric == "spend"]
        assert {row.first_landed_at for row in spend} == {FETCHED + timedelta(minutes=1)}
        assert {row.changed_at for row in spend} == {LATER + timedelta(minutes=1)}


class TestWhatVanished:
    def test_is_kept_and_counts_no_more(self, world: KpiWorld):
        world.land(world.window(figures()))
        left = without(figures(), entity_id="1")

        landed = world.land(world.window(left, fetched_at=LATER))

        assert landed.vanished == 6
        assert world.table() == truth(left)
        assert len(world.rows(LandedFigure)) == 12

    def test_vanishes_once(self, world: KpiWorld):
        world.land(world.window(figures()))
        left = without(figures(), entity_id="1")
        world.land(world.window(left, fetched_at=LATER))
        before = world.everything()

        landed = world.land(world.window(left, fetched_at=LATER + timedelta(hours=1)))

        assert landed.rows_changed == 0
        assert world.everything() == before

    def test_comes_back(self, world: KpiWorld):
        world.land(world.window(figures()))
        world.land(world.window(without(figures(), entity_id="1"), fetched_at=LATER))

        landed = world.land(world.window(figures(), fetched_at=LATER + timedelta(hours=1)))

        assert landed.appeared == 6
        assert world.table() == truth(figures())
        assert ("clicks", FIRST, "1", None, Decimal(1)) in world.changes()


class TestALoss:
    @pytest.mark.parametrize("left", [[], without(figures(), entity_id="0")[:5]])
    def test_of_most_figures_is_not_believed(self, world: KpiWorld, left: list[Figure]):
        world.land(world.window(figures()))

        landed = world.land(world.window(left, fetched_at=LATER))

        assert (landed.vanished, landed.doubt, landed.is_newly_doubted) == (0, Doubt.LOSS, True)
        assert world.table() == truth(figures())

    def test_is_told_once_until_all_is_there_again(self, world: KpiWorld):
        fetches = [figures(), [], [], figures(), []]

        told = [
            world.land(world.window(fetched, fetched_at=FETCHED + timedelta(hours=hour))).is_newly_doubted
            for hour, fetched in enumerate(fetches)
        ]

        assert told == [False, True, False, False, True]

    def test_completes_no_day(self, world: KpiWorld):
        world.land(world.window(figures()))
        wider = world.window([], days=10, fetched_at=LATER)

        assert world.land(wider).data_through == THIRD

    def test_still_lands_what_did_come(self, world: KpiWorld):
        world.land(world.window(figures()))
        one = figure(FIRST, campaign("0"), Metric.SPEND, "77")

        world.land(world.window([one], fetched_at=LATER))

        assert world.table()["spend", FIRST, "0"] == (Decimal(77), "EUR")

    def test_is_believed_for_a_day_once_somebody_calls_it_normal(self, world: KpiWorld):
        world.land(world.window(figures()))
        world.land(world.window([], fetched_at=LATER))
        says_so = call(world, LATER)

        landed = world.land(world.window([], fetched_at=LATER + timedelta(hours=1)))

        assert says_so is Doubt.LOSS
        assert (landed.vanished, landed.doubt) == (12, None)
        assert world.table() == {}

    def test_is_not_believed_when_the_day_is_over(self, world: KpiWorld):
        world.land(world.window(figures()))
        world.land(world.window([], fetched_at=LATER))
        call(world, LATER)

        landed = world.land(world.window([], fetched_at=LATER + timedelta(hours=25)))

        assert landed.doubt is Doubt.LOSS


def call(world: KpiWorld, now: datetime) -> Doubt | None:
    with world.database.transaction(world.scope) as session:
        return call_normal(
            session,
            organization_id=world.organization_id,
            connection_id=world.connection_id,
            stream="campaigns",
            now=now,
        )


class TestVolume:
    def land_times(self, world: KpiWorld, times: int, *, after: int = 0) -> list[Doubt | None]:
        """60 rows, so many times."""
        moments = [FETCHED + timedelta(hours=after + number) for number in range(times)]
        return [world.land(world.window(figures(campaigns=10), fetched_at=at)).doubt for at in moments]

    def grown(self, world: KpiWorld, hour: int) -> tuple[Doubt | None, bool, Band | None]:
        """Twice as many."""
        at = FETCHED + timedelta(hours=hour)
        landed = world.land(world.window(figures(campaigns=20), fetched_at=at))
        return landed.doubt, landed.is_newly_doubted, landed.usual

    def test_is_not_judged_before_eight_comparable_landings(self, world: KpiWorld):
        self.land_times(world, FEWEST - 1)

        assert self.grown(world, 100) == (None, False, None)

    def test_out_of_the_usual_band_is_told_once(self, world: KpiWorld):
        self.land_times(world, FEWEST)

        assert self.grown(world, 100) == (Doubt.VOLUME, True, Band(48, 72))
        assert self.grown(world, 101) == (Doubt.VOLUME, False, Band(48, 72))

    def test_that_is_usual_again_is_told_again_when_it_goes(self, world: KpiWorld):
        self.land_times(world, FEWEST)
        self.grown(world, 100)
        assert self.land_times(world, 1, after=101) == [None]

        assert self.grown(world, 102)[:2] == (Doubt.VOLUME, True)

    def test_is_learnt_anew_once_somebody_calls_it_normal(self, world: KpiWorld):
        self.land_times(world, FEWEST)
        self.grown(world, 100)

        says_so = call(world, FETCHED + timedelta(hours=101))

        assert says_so is Doubt.VOLUME
        assert [self.grown(world, 102 + number)[0] for number in range(FEWEST)] == [None] * FEWEST
        assert self.grown(world, 200) == (None, False, Band(96, 144))

    def test_of_windows_of_another_length_is_another_thing(self, world: KpiWorld):
        self.land_times(world, FEWEST)

        landed = world.land(
            world.window(figures(days=6, campaigns=10), days=6, fetched_at=FETCHED + timedelta(hours=100))
        )

        assert (landed.doubt, landed.usual) == (None, None)

    def test_the_landing_keeps_what_was_usual(self, world: KpiWorld):
        self.land_times(world, FEWEST)
        self.grown(world, 100)

        last = max(world.landings(), key=lambda landing: landing.fetched_at)
        assert (last.rows_seen, last.usual_low, last.usual_high, last.doubt) == (120, 48, 72, "volume")

    def test_old_landings_are_forgotten(self, world: KpiWorld):
        self.land_times(world, 2)

        self.land_times(world, 1, after=24 * 101)

        assert len(world.landings()) == 1


class TestFencing:
    def test_older_answers_never_overwrite_newer_ones(self, world: KpiWorld):
        world.land(world.window(figures(), fetched_at=LATER))
        before = world.everything()

        with pytest.raises(NewerFigures):
            world.land(world.window(figures(spend="1")))

        assert world.everything() == before

    def test_newer_answers_that_said_the_same_count_too(self, world: KpiWorld):
        world.land(world.window(figures()))
        world.land(world.window(figures(), fetched_at=LATER))

        with pytest.raises(NewerFigures):
            world.land(world.window(figures(spend="1"), fetched_at=LATER - timedelta(minutes=1)))

        assert world.table() == truth(figures())

    def test_older_answers_of_other_days_are_welcome(self, world: KpiWorld):
        world.land(world.window(figures(days=1, first=THIRD), first=THIRD, days=1, fetched_at=LATER))

        world.land(world.window(figures(days=2), days=2))

        assert len(world.table()) == 12

    def test_older_answers_bring_no_old_names_back(self, world: KpiWorld):
        new, old = campaign("1", "New"), campaign("1", "Old")
        newer = [figure(THIRD, new, Metric.CLICKS, 1)]
        world.land(world.window(newer, first=THIRD, days=1, fetched_at=LATER))

        world.land(world.window([figure(FIRST, old, Metric.CLICKS, 1)], days=1))

        assert [row.name for row in world.rows(LandedEntity)] == ["New"]

    def test_a_run_that_lost_its_lease_lands_nothing(self, world: KpiWorld):
        with world.database.transaction() as session:
            job = make_job(session, world.organization_id)
            run_id = make_run(session, job, now=FETCHED)
        with world.database.transaction(ENGINE) as session:
            ledger.start(session, run_id=run_id, worker="w", lease_until=LATER, now=FETCHED)

        def hold(token: int) -> None:
            world.land(
                world.window(figures(days=token), days=token),
                run_id=run_id,
                hold_run=lambda session: hold_run(session, run_id=run_id, token=token),
            )

        hold(1)
        with pytest.raises(AttemptLost):
            hold(2)

        assert world.table() == truth(figures(days=1))


class TestTheAccount:
    def test_tells_its_zone_and_currency_with_the_first_landing(self, database: OpenDatabase):
        world = KpiWorld.make(database, zone=None, currency=None)

        world.land(world.window(figures()))

        (connection,) = world.rows(Connection)
        assert (connection.zone, connection.currency) == ("Europe/Riga", "EUR")

    @pytest.mark.parametrize("other", [{"zone": "UTC"}, {"currency": None}])
    def test_that_changed_is_not_mixed_with_what_it_was(self, world: KpiWorld, other: dict[str, str]):
        clicks = [one for one in figures() if one.metric is Metric.CLICKS]

        with pytest.raises(AccountChanged, match="Europe/Riga, EUR"):
            world.land(world.window(clicks, **other))

        assert world.table() == {}

    def test_that_was_disconnected_lands_no_more(self, database: OpenDatabase):
        world = KpiWorld.make(database, state="disconnected")

        with pytest.raises(ConnectionEnded):
            world.land(world.window(figures()))


class TestNames:
    def test_change_in_one_place_and_move_no_figure(self, world: KpiWorld):
        world.land(world.window([figure(FIRST, campaign("1", "Old"), Metric.CLICKS, 1)]))

        landed = world.land(world.window([figure(FIRST, campaign("1", "New"), Metric.CLICKS, 1)], fetched_at=LATER))

        assert landed.rows_changed == 0
        assert [row.name for row in world.rows(LandedEntity)] == ["New"]

    def test_may_be_anything(self, world: KpiWorld):
        name = "=cmd 🙂 \x00" + "ä" * 500

        world.land(world.window([figure(FIRST, campaign("1", name), Metric.CLICKS, 1)]))

        assert world.rows(LandedEntity)[0].name == ("=cmd 🙂 " + "ä" * 500)[:400]


def test_a_figure_that_came_twice_lands_nothing(world: KpiWorld) -> None:
    with pytest.raises(FigureInvalid, match="twice"):
        world.land(world.window([*figures(), figures()[0]]))

    assert world.table() == {}


class TestPromises:
    def keep(self, session: Session, world: KpiWorld, minute: int | None) -> None:
        promise(
            session,
            organization_id=world.organization_id,
            connection_id=world.connection_id,
            stream="campaigns",
            minute=minute,
        )

    def test_are_kept_with_the_stream(self, world: KpiWorld):
        world.land(world.window(figures()))

        with world.database.transaction(world.scope) as session:
            self.keep(session, world, 420)

        assert world.stream().promised_minute == 420

    def test_are_of_what_was_landed(self, world: KpiWorld):
        with pytest.raises(StreamNotFound), world.database.transaction(world.scope) as session:
            self.keep(session, world, 420)

    def test_nothing_is_normal_of_what_was_never_landed(self, world: KpiWorld):
        with pytest.raises(StreamNotFound):
            call(world, FETCHED)


def test_nobody_waits_for_a_landing_to_point_at_its_connection(world: KpiWorld) -> None:
    """A page that counts, and another row that names the connection, come through while one is landed."""
    with world.database.transaction(world.scope) as session:
        world.land_in(session, world.window(figures()))

        with world.database.reading(world.scope) as other:
            seen = other.scalar(select(func.count()).select_from(LandedFigure))

    assert seen == 0
