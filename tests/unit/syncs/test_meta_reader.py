"""Reading Meta: exact to the cent, whatever the shape in which the answer comes."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.syncs.calls.client import ReadStopped
from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.days import DayRange
from app.syncs.figures import QualityFlag
from app.syncs.meta.accounts import read_accounts
from app.syncs.meta.days import LOOKBACK_DAYS, lost_to_meta, meta_windows
from app.syncs.meta.rows import ACCOUNT, CAMPAIGNS
from tests.fakes.providers.meta.fake import MetaFake
from tests.fakes.providers.meta.scenarios import EU, JP
from tests.fakes.providers.world import World
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.meta_world import FOUR_WEEKS, NOVEMBER, Reading, make_reading, said, truth

# All forty days of the scenario, in Berlin and in Tokyo.
ALL = DayRange(date(2026, 10, 12), date(2026, 11, 20))


class TestTwoAccounts:
    @pytest.mark.parametrize("account", [EU, JP])
    @pytest.mark.parametrize("stream", [CAMPAIGNS, ACCOUNT], ids=lambda stream: stream.name)
    def test_are_read_to_the_cent(self, world, account, stream):
        windows = make_reading(world, account=account, stream=stream).read(ALL)

        assert said(windows) == truth(world, ALL, account=account, level=stream.level.value)

    def test_are_each_in_their_currency_and_zone(self, world):
        found = {
            (window.zone, window.currency)
            for account in (EU, JP)
            for window in make_reading(world, account=account).read()
        }

        assert found == {("Europe/Berlin", "USD"), ("Asia/Tokyo", "JPY")}

    def test_keep_names_as_they_are(self, world):
        names = {figure.entity.name for window in make_reading(world).read() for figure in window.figures}

        assert {"=cmd|' /C calc'!A0", "Sommer 🏖️ \u202eSale", "N" * 300} == names

    def test_come_in_windows_of_four_weeks_and_today_oldest_first(self, reading):
        windows = reading.read(ALL)

        assert [(window.first_day, window.last_day) for window in windows] == [
            (date(2026, 10, 12), date(2026, 11, 9)), (date(2026, 11, 10), date(2026, 11, 20)),
        ]  # fmt: skip

    def test_are_found_with_the_sign_in(self, reading):
        assert [account.id for account in read_accounts(reading.client)] == [EU, JP]


class TestPurchases:
    def test_count_once_whatever_names_they_have(self, world, reading):
        counted = sum(value for *_, metric, value, _ in said(reading.read()) if metric == "purchases")

        assert counted == sum(value for *_, metric, value, _ in truth(world) if metric == "purchases") > 0

    def test_are_zero_and_not_missing_on_a_day_without(self, reading):
        zeros = [each for each in said(reading.read()) if each[3] == "purchases" and each[4] == 0]

        assert zeros


class TestRestatement:
    def test_is_read_again_for_28_days(self, world, reading):
        reading.read(FOUR_WEEKS)
        for days in (5, 12, 20):
            day = (date(2026, 11, 20) - timedelta(days=days)).isoformat()
            world.mutate("meta", account=EU, campaign=f"{EU}02", day=day, spend="7.77", purchases=1, value="19.90")

        assert said(make_reading(world).read(FOUR_WEEKS)) == truth(world, FOUR_WEEKS)

    def test_that_takes_a_row_away_leaves_none(self, world):
        day = next(each[0] for each in truth(world) if each[2] == f"{EU}01")
        world.mutate("meta", account=EU, campaign=f"{EU}01", day=day, removed=True)

        found = said(make_reading(world).read())

        assert found == truth(world)
        assert (day, f"{EU}01") not in {(each[0], each[2]) for each in found}

    def test_of_a_name_changes_no_id(self, world):
        world.mutate("meta", account=EU, campaign=f"{EU}01", name="Renamed")

        names = {figure.entity.id: figure.entity.name for figure in make_reading(world).read()[0].figures}

        assert names[f"{EU}01"] == "Renamed"


class TestDaysToRead:
    TODAY = date(2026, 11, 20)

    def test_reach_28_days_behind_the_watermark(self):
        windows = meta_windows(date(2026, 11, 19), today=self.TODAY)

        assert (windows[0].first, windows[-1].last) == (date(2026, 10, 23), self.TODAY)
        assert (date(2026, 11, 19) - windows[0].first).days + 1 == LOOKBACK_DAYS

    def test_make_up_for_a_long_pause_and_look_back_from_before_it(self):
        windows = meta_windows(date(2026, 8, 1), today=self.TODAY)

        assert (windows[0].first, windows[-1].last) == (date(2026, 7, 5), self.TODAY)
        assert max(window.days for window in windows) == 29

    def test_of_a_new_connection_are_ninety_and_today(self):
        assert sum(window.days for window in meta_windows(None, today=self.TODAY)) == 91

    def test_never_begin_before_what_meta_keeps(self):
        assert meta_windows(date(2015, 1, 1), today=self.TODAY)[0].first == date(2023, 11, 1)

    @pytest.mark.parametrize(
        ("reached", "lost"),
        [
            (None, None),
            (date(2026, 11, 19), None),
            (date(2023, 10, 31), None),
            (date(2023, 10, 30), DayRange(date(2023, 10, 31), date(2023, 10, 31))),
            (date(2022, 1, 10), DayRange(date(2022, 1, 11), date(2023, 10, 31))),
        ],
    )
    def test_are_lost_that_meta_keeps_no_more(self, reached, lost):
        assert lost_to_meta(reached, today=self.TODAY) == lost

    def test_end_today_although_the_watermark_is_ahead(self):
        assert meta_windows(date(2027, 3, 1), today=self.TODAY)[-1].last == self.TODAY

    @pytest.mark.parametrize("today", [date(2026, 1, 31), date(2026, 12, 31), date(2028, 2, 29)])
    def test_are_found_on_every_day_of_the_year(self, today):
        assert meta_windows(date(2010, 1, 1), today=today)[0].first.day == 1


class TestPages:
    def test_are_all_read(self, world):
        reading = make_reading(world, page_rows=7)

        assert said(reading.read()) == truth(world)
        assert len(reading.routes) == -(-len(truth(world)) // 7 // 7)

    def test_that_are_empty_in_the_middle_end_nothing(self, world):
        world.fail("meta", "empty_page_with_next", match={"route": "insights", "nth": 2})

        assert said(make_reading(world, page_rows=7).read()) == truth(world)

    def test_that_are_shorter_than_asked_for_end_nothing(self, world):
        world.fail("meta", "truncated_page", match={"route": "insights", "nth": 2})

        assert said(make_reading(world, page_rows=7).read()) == truth(world)

    def test_that_come_twice_count_once_and_are_flagged(self, world):
        world.fail("meta", "duplicate_page", match={"route": "insights", "nth": 2})

        windows = make_reading(world, page_rows=7).read()

        flagged = [figure for figure in windows[0].figures if QualityFlag.DUPLICATE_PAGE in figure.flags]
        assert (said(windows), len(flagged)) == (truth(world), 7 * 7)

    def test_in_another_order_say_the_same(self, world):
        world.fail("meta", "reordered", times=None, match={"route": "insights"})

        assert said(make_reading(world, page_rows=7).read()) == truth(world)

    def test_that_lead_nowhere_end_the_read(self, world):
        world.fail("meta", "duplicate_page", variant="same_after", match={"route": "insights", "nth": 2})
        reading = make_reading(world, page_rows=7)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, len(reading.routes)) == (TroubleClass.TRANSIENT, 2)

    def test_of_another_version_are_read_as_far_as_they_are_known(self, world):
        world.fail("meta", "schema_drift", times=None, match={"route": "insights"})

        assert said(make_reading(world, page_rows=7).read()) == truth(world)

    def test_are_asked_for_by_the_cursor_and_with_the_token_in_the_header(self, world):
        make_reading(world, page_rows=7).read()

        assert {asked.auth for asked in world.asked} == {"bearer"}


class TestTooLarge:
    def too_large(self, world: World, **size: int) -> None:
        """Neither a direct answer nor a report of more than this."""
        world.fail("meta", "too_large", times=None, match={"route": "insights"}, **size)
        world.fail("meta", "async_failed", times=None, **size)

    @pytest.mark.parametrize("variant", ["1504018", "1504038", "1487534", "1"])
    def test_a_direct_answer_becomes_a_report(self, world, variant):
        world.fail("meta", "too_large", variant=variant, match={"route": "insights"})
        reading = make_reading(world)

        assert said(reading.read()) == truth(world)
        assert reading.routes == ["insights", "report_start", "report_status", "report_status", "report_rows"]

    @pytest.mark.parametrize(("days_over", "sizes"), [(7, [7, 7, 7, 7]), (1, [1] * 28)])
    def test_a_window_becomes_smaller_ones_oldest_first(self, world, days_over, sizes):
        self.too_large(world, days_over=days_over)

        windows = make_reading(world).read(FOUR_WEEKS)

        assert [(window.last_day - window.first_day).days + 1 for window in windows] == sizes
        assert windows == sorted(windows, key=lambda window: window.first_day)
        assert said(windows) == truth(world, FOUR_WEEKS)

    @pytest.mark.parametrize("size", [{"campaigns_over": 1, "fields_over": 1}, {"fields_over": 1}])
    @pytest.mark.parametrize("stream", [CAMPAIGNS, ACCOUNT], ids=lambda stream: stream.name)
    def test_a_day_is_taken_apart_and_put_together_again(self, world, size, stream):
        days = DayRange(date(2026, 11, 17), date(2026, 11, 19))
        self.too_large(world, days_over=0, **size)

        windows = make_reading(world, stream=stream).read(days)

        assert said(windows) == truth(world, days, level=stream.level.value)
        assert len(windows) == 3

    def test_what_cannot_be_made_smaller_ends_the_read(self, world):
        self.too_large(world, days_over=0)
        reading = make_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read(DayRange(date(2026, 11, 19), date(2026, 11, 19)))

        assert failed.value.trouble_class is TroubleClass.TOO_LARGE

    def test_what_came_before_is_whole(self, world):
        reading, whole = make_reading(world), []
        self.too_large(world, days_over=7)
        world.fail("meta", "expired_token", match={"route": "report_start", "nth": 4})

        with pytest.raises(SyncFailed):
            # Keeps what came before the error.
            whole.extend(reading.reader.read(FOUR_WEEKS))

        landed = DayRange(whole[0].first_day, whole[-1].last_day)
        assert said(whole) == truth(world, landed)
        assert 0 < landed.days < 28


class TestReports:
    @pytest.fixture
    def read(self, world: World) -> Callable[[], Reading]:
        """Reads what needs a report."""

        def read() -> Reading:
            world.fail("meta", "too_large", times=None, match={"route": "insights"})
            reading = make_reading(world, page_rows=20)
            assert said(reading.read()) == truth(world)
            return reading

        return read

    def test_that_take_longer_are_looked_at_less_often(self, world, read):
        world.fail("meta", "async_running", polls=6)

        assert read().watch.pauses == [10, 20, 40, 60, 60, 60, 60]

    def test_that_are_not_found_at_once_are_looked_at_again(self, world, read):
        world.fail("meta", "async_missing_once")

        assert read().routes.count("report_start") == 1

    @pytest.mark.parametrize("fault", [{"fault": "async_skipped"}, {"fault": "async_failed", "code": 2, "subcode": 99}])
    def test_that_fail_once_are_ordered_again(self, world, read, fault):
        world.fail("meta", **fault)

        assert read().routes.count("report_start") == 2

    def test_that_fail_twice_are_made_smaller(self, world):
        world.fail("meta", "too_large", times=None, match={"route": "insights"})
        world.fail("meta", "async_failed", times=2, code=2, subcode=99)

        windows = make_reading(world).read(FOUR_WEEKS)

        assert (said(windows), len(windows)) == (truth(world, FOUR_WEEKS), 4)

    def test_that_never_end_are_given_up(self, world):
        world.fail("meta", "too_large", match={"route": "insights"})
        world.fail("meta", "async_stuck")
        reading = make_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert failed.value.trouble_class is TroubleClass.TRANSIENT
        assert sum(reading.watch.pauses) <= 1_800

    def test_without_rows_are_an_empty_window(self, world):
        world.fail("meta", "too_large", match={"route": "insights"})
        world.fail("meta", "async_empty")

        assert [window.figures for window in make_reading(world).read()] == [()]

    def test_that_name_an_unknown_trouble_end_the_read(self, world):
        world.fail("meta", "too_large", match={"route": "insights"})
        world.fail("meta", "async_failed", code=3_999, subcode=1)

        with pytest.raises(SyncFailed, match="3999/1") as failed:
            make_reading(world).read()

        assert failed.value.trouble_class is TroubleClass.INTERNAL


class TestManyRows:
    def test_are_read_whole(self):
        world = World(MetaFake())
        world.reset("S4")
        days = DayRange(date(2026, 11, 11), date(2026, 11, 20))

        windows = make_reading(world).read(days)

        assert said(windows) == truth(world, days)
        assert len(windows[0].figures) > 30_000


class TestStopping:
    def test_takes_effect_before_the_next_call(self, world):
        reading = make_reading(world, page_rows=7, watch=FakeWatch(world, calls=3))

        with pytest.raises(ReadStopped):
            reading.read()

        assert len(world.asked) == 3


def test_sums_are_exact(world, reading):
    spent = sum((value for *_, metric, value, _ in said(reading.read(NOVEMBER)) if metric == "spend"), Decimal(0))

    assert f"{spent:f}" == f"{sum(value for *_, metric, value, _ in truth(world) if metric == 'spend'):f}"
