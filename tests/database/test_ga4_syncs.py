"""Google Analytics through real runs: what happened on the site is in the table then, to the cent, whatever the clocks
do, and what may not be the whole truth says so."""

from datetime import datetime, timedelta

import pytest

from app.syncs.models import FigureChange, LandedFigure
from tests.database.ga4_syncs import GA4
from tests.database.sync_world import SyncWorld
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.ga4.scenarios import BERLIN, TOKYO
from tests.unit.syncs.ga4_world import google_world


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database, google_world(), GA4)


def at(syncs: SyncWorld, moment: datetime) -> None:
    syncs.world.advance(seconds=(moment - syncs.world.now).total_seconds())


class TestARun:
    @pytest.mark.parametrize("account", [BERLIN, TOKYO])
    def test_lands_all_that_is_true_and_nothing_else(self, syncs, account) -> None:
        connection_id = syncs.connect(account) if account == TOKYO else syncs.connection_id

        run = syncs.sync(connection_id=str(connection_id))

        assert (run.state, run.error) == ("succeeded", None)
        assert syncs.table(connection_id) == syncs.oracle(account)

    def test_reports_what_it_saw_and_what_that_cost(self, syncs) -> None:
        run = syncs.sync()

        report = syncs.report(run.id)
        assert (report["rows_seen"], report["rows_changed"]) == (len(syncs.oracle()),) * 2
        assert (report["requests"], report["data_through"]) == (len(syncs.routes), "2026-11-19")
        assert (report["zone"], report["currency"]) == ("Europe/Berlin", "EUR")
        assert report["quota"]["used_percent"] > 0

    def test_again_changes_nothing(self, syncs) -> None:
        syncs.sync()
        before = syncs.everything()

        run = syncs.sync()

        assert syncs.report(run.id)["rows_changed"] == 0
        assert syncs.everything() == before

    def test_tells_of_its_quota_what_it_knows(self, syncs) -> None:
        syncs.world.provider("ga4").properties[BERLIN].tokens_per_hour = 4_000

        run = syncs.sync_at_last()

        assert (run.state, syncs.table()) == ("succeeded", syncs.oracle())


class TestTheNightInWhichTheClocksGoBack:
    @pytest.fixture
    def syncs(self, database: OpenDatabase) -> SyncWorld:
        return SyncWorld(database, google_world(utc("2026-10-23 12:00")), GA4)

    def test_moves_no_visit_to_another_day(self, syncs) -> None:
        """Each time just before and after midnight in Berlin, and once a week all that still moved."""
        for moment in (
            "2026-10-23 21:59", "2026-10-23 22:01", "2026-10-24 21:59", "2026-10-24 22:01", "2026-10-25 00:30",
            "2026-10-25 01:30", "2026-10-25 22:30", "2026-10-25 23:01",
        ):  # fmt: skip
            at(syncs, utc(moment))
            assert syncs.sync().state == "succeeded"
            # What is moved for longer than four days is looked for when a week is complete.
            assert {row for row in syncs.table() if row[3] != "key_events"} == {
                row for row in syncs.oracle() if row[3] != "key_events"
            }

        assert syncs.table() == syncs.oracle()
        days = {row[0] for row in syncs.table()}
        assert {"2026-10-24", "2026-10-25", "2026-10-26"} <= days

    def test_is_a_day_like_any_other_in_its_window(self, syncs) -> None:
        at(syncs, utc("2026-10-26 12:00"))

        syncs.sync()

        sizes = {(each.last_day - each.first_day).days + 1 for each in syncs.landings()}
        assert (sizes, syncs.report(syncs.sync().id)["data_through"]) == ({30, 1}, "2026-10-25")


class TestTwoWeeks:
    def test_are_looked_back_once_a_week_and_four_days_else(self, syncs) -> None:
        spans = []
        for _ in range(4):
            run = syncs.sync()
            mine = [each for each in syncs.landings() if each.run_id == run.id and each.stream == "account"]
            spans.append(sum((each.last_day - each.first_day).days + 1 for each in mine))
            syncs.world.advance(hours=24)

        # From a Friday on: the day that is new, today, and the look-back.
        assert spans == [91, 6, 6, 16]

    def test_are_looked_back_later_where_the_day_of_it_was_missed(self, syncs) -> None:
        syncs.sync()
        syncs.world.advance(hours=24 * 5)

        run = syncs.sync()

        mine = [each for each in syncs.landings() if each.run_id == run.id and each.stream == "account"]
        assert sum((each.last_day - each.first_day).days + 1 for each in mine) == 14 + 6


class TestLateData:
    def test_changes_what_changed_and_keeps_what_it_was(self, syncs) -> None:
        syncs.sync()
        syncs.world.mutate("ga4", property=BERLIN, day="2026-11-19", channel="Email", sessions=5, users=1)
        syncs.world.mutate("ga4", property=BERLIN, day="2026-11-18", channel="(other)", sessions=7, revenue="0.01")
        syncs.world.mutate("ga4", property=BERLIN, day="2026-11-18", channel="(not set)", removed=True)

        run = syncs.sync()

        assert syncs.table() == syncs.oracle()
        changed = {(row.day.isoformat(), row.entity_id) for row in syncs.rows(FigureChange)}
        assert {("2026-11-19", "Email"), ("2026-11-18", "(not set)"), ("2026-11-18", "")} <= changed
        assert syncs.report(run.id)["rows_changed"] > 0

    def test_that_is_older_than_the_look_back_waits_for_the_week(self, syncs) -> None:
        syncs.sync()
        syncs.world.mutate("ga4", property=BERLIN, day="2026-11-10", channel="Email", sessions=5)

        assert syncs.report(syncs.sync().id)["rows_changed"] == 0
        at(syncs, utc("2026-11-23 12:00"))
        syncs.sync()

        assert syncs.table() == syncs.oracle()


class TestQuality:
    @pytest.mark.parametrize("variant", ["sampled", "thresholded", "truncated", "other_row"])
    def test_is_kept_with_the_figures_of_the_window(self, syncs, variant) -> None:
        syncs.world.fail("ga4", "quality", variant=variant, times=None, match={"route": "report"})

        syncs.sync()

        assert all(variant in row.flags for row in syncs.rows(LandedFigure))

    def test_of_hidden_revenue_is_kept_with_it_alone(self, syncs) -> None:
        syncs.world.fail("ga4", "quality", variant="restricted", times=None)

        syncs.sync()

        assert {row.metric for row in syncs.rows(LandedFigure) if "restricted" in row.flags} == {"revenue"}

    def test_of_rows_without_a_day_is_told_and_they_are_left_out(self, syncs) -> None:
        syncs.world.mutate("ga4", property=BERLIN, loses_rows=True)

        syncs.sync()

        assert syncs.table() == syncs.oracle()
        assert all("other_row" in row.flags for row in syncs.rows(LandedFigure))

    def test_that_ends_takes_the_mark_away(self, syncs) -> None:
        syncs.world.fail("ga4", "quality", variant="thresholded", times=None, match={"route": "report"})
        syncs.sync()
        syncs.world.faults.clear()

        syncs.sync()

        flagged = {row.day for row in syncs.rows(LandedFigure) if "thresholded" in row.flags}
        assert max(flagged) < (syncs.world.now - timedelta(days=4)).date()
