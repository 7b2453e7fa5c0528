"""What landed stands in the spreadsheet, to the cent, and runs of pushes end as all runs do."""

from decimal import Decimal
from uuid import UUID

import pytest

from app.jobs.models import Job
from app.runs.attempts import LiveAttempt
from tests.database.push_world import PushWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.google.keys import OTHER_READER
from tests.fakes.providers.sheets.fake import formulas_of
from tests.fakes.providers.sheets.scenarios import SHARED_BOOK

COLUMNS = 9


@pytest.fixture
def pushes(database: OpenDatabase) -> PushWorld:
    pushes = PushWorld(database)
    pushes.sync()
    pushes.world.asked.clear()
    return pushes


def truth(pushes: PushWorld, metric: str) -> dict[tuple[str, str], Decimal]:
    """What the service says of a metric, by day and campaign, of the days that are pushed."""
    days = {"since": "2026-10-21", "until": "2026-11-19"}
    found = pushes.world.oracle("meta", account="1001", level="campaign", **days)
    return {(each["day"], each["entity_id"]): Decimal(each["value"]) for each in found if each["metric"] == metric}


def column(pushes: PushWorld, heading: str) -> dict[tuple[str, str], Decimal]:
    """A column of the tab, by day and campaign."""
    headings, *rows = [row[:COLUMNS] for row in pushes.seen()]
    place = headings.index(heading)
    return {(row[0], row[1]): Decimal(repr(row[place])) for row in rows if row[place] != ""}


class TestAPushOfFigures:
    def test_says_what_the_service_says_to_the_cent(self, pushes: PushWorld) -> None:
        run = pushes.push()

        assert run.state == "succeeded"
        for heading, metric in (("Spend", "spend"), ("Clicks", "clicks"), ("Purchases", "purchases")):
            assert column(pushes, heading) == truth(pushes, metric)

    def test_has_a_row_for_each_day_and_campaign(self, pushes: PushWorld) -> None:
        pushes.push()

        headings, *rows = pushes.seen()
        assert headings[:COLUMNS] == [
            "Day", "Campaign id", "Campaign", "Account", "Spend", "Clicks", "Purchases", "Currency", "Time zone",
        ]  # fmt: skip
        assert headings[COLUMNS:11] == ["Remarks", ""]
        assert headings[11].startswith("Data through 2026-11-19, pushed at 2026-11-20")
        assert [row[:2] for row in rows] == sorted(row[:2] for row in rows)
        assert formulas_of(pushes.book.tab("Spend")) == []

    def test_reports_rows_cells_and_requests(self, pushes: PushWorld) -> None:
        run = pushes.push()

        report = pushes.report(run.id)
        rows = len(pushes.seen()) - 1
        assert report == {
            "connection": "Sheet 00aa", "source": "Account 1001", "requests": 5, "throttles": 0,
            "bytes": report["bytes"], "data_through": "2026-11-19", "spreadsheet": "Marketing KPIs", "tab": "Spend",
            "rows_pushed": rows, "cells_changed": (rows + 1) * 10 + 2,
        }  # fmt: skip
        assert pushes.asked == ["get", "batch_update", "values_batch_update", "batch_update"]

    def test_says_how_far_it_has_come_up_to_its_end(self, pushes: PushWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[tuple[object, ...]] = []
        monkeypatch.setattr(LiveAttempt, "progress", lambda _, *how_far: said.append(how_far))

        pushes.push()

        assert said[0] == (0, 10, "reading figures")
        assert said[-2:] == [(1, 2, "pushing"), (2, 2, "pushed")]

    def test_twice_leaves_an_identical_spreadsheet(self, pushes: PushWorld) -> None:
        pushes.push()
        before = repr(pushes.book)

        run = pushes.push()

        assert (repr(pushes.book), pushes.report(run.id)["cells_changed"]) == (before, 0)

    def test_after_late_figures_changes_these_cells_alone(self, pushes: PushWorld) -> None:
        pushes.push()
        pushes.world.mutate("meta", account="1001", campaign="100101", day="2026-11-15", spend="5.01")
        pushes.sync()

        run = pushes.push()

        assert column(pushes, "Spend") == truth(pushes, "spend")
        assert pushes.report(run.id)["cells_changed"] == 3

    def test_by_week_adds_up_whole_weeks(self, pushes: PushWorld) -> None:
        pushes.push(grain="week", level="account", metrics=["spend"], days=14)

        rows = [row[:6] for row in pushes.seen()]
        assert rows[0] == ["Week from", "Account", "Spend", "Currency", "Time zone", "Remarks"]
        assert [row[0] for row in rows[1:]] == ["2026-11-02", "2026-11-09", "2026-11-16"]
        assert [(row[5] if len(row) > 5 else "") for row in rows[1:]] == ["", "", "not complete yet"]

    def test_of_fewer_days_takes_the_old_ones_away(self, pushes: PushWorld) -> None:
        pushes.push()

        pushes.push(days=3)

        assert {row[0] for row in pushes.seen()[1:]} == {"2026-11-17", "2026-11-18", "2026-11-19"}

    def test_before_anything_landed_fails_and_leaves_the_tab(self, database: OpenDatabase) -> None:
        pushes = PushWorld(database)

        run = pushes.push()

        assert (run.state, pushes.asked) == ("failed", [])
        assert "Run its sync first" in (run.error or "")


class TestAKill:
    def test_before_any_request_leaves_the_old_or_the_new_one(self, pushes: PushWorld) -> None:
        pushes.push(days=3)
        before, number = pushes.seen(), 0

        while True:
            number += 1
            if not pushes.die(pushes.ready_push(days=9), at=number):
                break
            assert pushes.seen() == before

        assert number > 7
        assert column(pushes, "Spend") == {
            key: value for key, value in truth(pushes, "spend").items() if key[0] >= "2026-11-11"
        }
        assert len(pushes.book.tabs) == 2

    def test_is_gone_on_with_by_the_next_attempt(self, pushes: PushWorld) -> None:
        run_id = pushes.ready_push()
        assert pushes.die(run_id, at=11)

        run = pushes.sync_at_last(run_id)

        assert (run.state, column(pushes, "Spend")) == ("succeeded", truth(pushes, "spend"))


class TestAHiddenTab:
    def test_of_a_deleted_job_is_taken_away_by_the_next_push(self, pushes: PushWorld) -> None:
        other = _broken_off(pushes)
        with pushes.database.transaction() as session:
            session.get_one(Job, other).deleted_at = pushes.world.now

        pushes.push()

        assert [tab.title for tab in pushes.book.tabs] == ["Notes", "Spend"]

    def test_is_taken_away_even_where_nothing_else_changes(self, pushes: PushWorld) -> None:
        pushes.push()
        other = _broken_off(pushes)
        with pushes.database.transaction() as session:
            session.get_one(Job, other).deleted_at = pushes.world.now

        run = pushes.push()

        assert pushes.report(run.id)["cells_changed"] == 0
        assert [tab.title for tab in pushes.book.tabs] == ["Notes", "Spend"]

    def test_of_a_job_that_pushes_elsewhere_now_is_taken_away(self, pushes: PushWorld) -> None:
        other, elsewhere = _broken_off(pushes), pushes.connect_sheet(SHARED_BOOK)
        with pushes.database.transaction() as session:
            job = session.get_one(Job, other)
            job.definition = {**job.definition, "connection_id": str(elsewhere)}

        pushes.push()

        assert [tab.title for tab in pushes.book.tabs] == ["Notes", "Spend"]

    def test_of_a_job_that_still_pushes_here_stays(self, pushes: PushWorld) -> None:
        _broken_off(pushes)

        pushes.push()

        assert len(pushes.book.tabs) == 3

    @pytest.mark.parametrize("whose", [str(UUID(int=7)), "nobody", "", "\x00"])
    def test_of_a_job_that_is_not_known_here_stays(self, pushes: PushWorld, whose: str) -> None:
        _broken_off(pushes)
        (hidden,) = [tab for tab in pushes.book.tabs if tab.title.startswith("Belfry is preparing")]
        (mark,) = hidden.marks
        mark.value = whose

        pushes.push()

        assert len(pushes.book.tabs) == 3


def _broken_off(pushes: PushWorld) -> UUID:
    """A job of another tab whose push ended in the middle, and has left its hidden tab."""
    other = pushes.make_push(pushes.sheet_id, tab="Other")
    assert pushes.die(pushes.ready_push(other), at=11)
    assert [tab.title for tab in pushes.book.tabs if tab.title.startswith("Belfry is preparing")]
    return other


class TestTwoOrganizations:
    def test_that_push_to_one_spreadsheet_never_write_over_each_other(self, database: OpenDatabase) -> None:
        first, second = _two(database)
        first.push()
        before = repr(first.book.tab("Spend"))

        run = second.push()

        assert (run.state, repr(first.book.tab("Spend"))) == ("failed", before)
        assert "that another push made" in (run.error or "")

    def test_have_a_tab_each_under_names_of_their_own(self, database: OpenDatabase) -> None:
        first, second = _two(database)
        first.push()

        run = second.push(tab="Spend of the other")

        assert run.state == "succeeded"
        assert [tab.title for tab in first.book.tabs] == ["Sheet1", "Spend", "Spend of the other"]


def _two(database: OpenDatabase) -> tuple[PushWorld, PushWorld]:
    """Two organizations with a service account each, both of which may change the spreadsheet."""
    first = PushWorld(database, spreadsheet=SHARED_BOOK)
    second = PushWorld(database, world=first.world, spreadsheet=SHARED_BOOK, email=OTHER_READER)
    first.sync()
    second.sync()
    return first, second
