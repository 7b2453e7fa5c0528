"""A push leaves the old table or the new one, whatever happens, and what it does twice it does once."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from app.syncs.calls.troubles import SyncFailed
from app.syncs.sheets import push as pushing
from app.syncs.sheets.marks import BUILDING
from tests.fakes.providers.sheets.book import Mark, Tab
from tests.fakes.providers.sheets.fake import formulas_of
from tests.fakes.watch import FakeWatch
from tests.unit.syncs.sheets_world import NAMES, SheetsWorld, cells_of, make_table


@pytest.fixture
def sheets() -> SheetsWorld:
    return SheetsWorld()


def table_of(sheets: SheetsWorld, columns: int = 5) -> list[list[Any]]:
    return [row[:columns] for row in sheets.seen()]


class TestAPush:
    def test_makes_a_tab_that_says_what_is_pushed(self, sheets: SheetsWorld) -> None:
        table = make_table()

        done = sheets.push(table)

        assert table_of(sheets) == cells_of(table)
        assert (done.is_new, done.rows, done.tab, done.book) == (True, len(table.rows), "Spend", "Marketing KPIs")
        assert sheets.seen()[0][6:] == [
            "Data through 2026-11-19, pushed at 2026-11-20 13:00 Europe/Berlin by Belfry",
            f"24 rows, checksum {table.checksum}",
        ]

    def test_needs_so_many_requests(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())

        assert sheets.routes == ["get", "batch_update", "values_batch_update", "batch_update"]

    def test_twice_leaves_an_identical_spreadsheet_and_writes_nothing(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        before = sheets.everything()
        sheets.world.asked.clear()
        sheets.world.advance(hours=1)

        done = sheets.push(make_table(), number="run-2")

        assert (sheets.everything(), done.cells_changed) == (before, 0)
        assert sheets.routes == ["get", "values_get"]

    def test_keeps_texts_texts(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table(days=1))

        assert [row[2] for row in sheets.seen()[1:]] == list(NAMES)
        assert formulas_of(sheets.tab()) == []

    def test_touches_no_other_tab(self, sheets: SheetsWorld) -> None:
        before = sheets.tab("Notes").table()

        sheets.push(make_table())
        sheets.push(make_table(days=9), number="run-2")

        assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]
        assert sheets.tab("Notes").table() == before

    @pytest.mark.parametrize(("before", "after"), [(9, 2), (2, 9), (3, 3)])
    def test_of_fewer_or_more_days_leaves_nothing_of_the_old_ones(
        self, sheets: SheetsWorld, before: int, after: int
    ) -> None:
        sheets.push(make_table(days=before))
        table = make_table(days=after, spend=77.25)

        sheets.push(table, number="run-2")

        assert table_of(sheets) == cells_of(table)

    def test_counts_the_cells_that_say_something_else(self, sheets: SheetsWorld) -> None:
        table = make_table(days=2)
        sheets.push(table)
        rows = list(table.rows)
        rows[3] = rows[3].replace("13.5", "14")

        done = sheets.push(make_table(days=2, rows=rows), number="run-2")

        # The figure, and the two cells beside the table.
        assert done.cells_changed == 3

    @pytest.mark.parametrize("columns", [2, 3, 6, 7, 8])
    def test_with_other_columns_leaves_nothing_of_the_old_ones(self, sheets: SheetsWorld, columns: int) -> None:
        sheets.push(make_table())
        headings = tuple(f"Heading {number}" for number in range(columns))
        table = make_table(headings=headings, rows=[json.dumps([*range(columns)], separators=(",", ":"))] * 4)

        sheets.push(table, number="run-2")

        assert table_of(sheets, columns) == cells_of(table)
        assert sheets.seen()[0][columns:] == ["", *table.info(sheets.world.now)]
        assert all(len(row) == columns for row in sheets.seen()[1:])

    def test_says_how_new_it_is_even_where_no_figure_changed(self, sheets: SheetsWorld) -> None:
        table = make_table()
        sheets.push(table)

        later = make_table(data_through=table.data_through.replace(day=20))
        done = sheets.push(later, number="run-2")

        assert done.cells_changed == 2
        assert sheets.seen()[0][6].startswith("Data through 2026-11-20")

    def test_is_written_in_chunks(self, sheets: SheetsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pushing, "CHUNK_ROWS", 5)
        monkeypatch.setattr(pushing, "READ_CELLS", 50)
        table = make_table()

        sheets.push(table)
        sheets.push(make_table(spend=1.25), number="run-2")

        assert table_of(sheets) == cells_of(make_table(spend=1.25))
        assert sheets.routes.count("values_batch_update") == 10

    def test_chunks_are_small_enough_for_the_service(
        self, sheets: SheetsWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pushing, "CHUNK_BYTES", 400)

        sheets.push(make_table())

        written = [asked for asked in sheets.world.asked if asked.route == "values_batch_update"]
        assert all(len(asked.body) < 1_000 for asked in written)
        assert table_of(sheets) == cells_of(make_table())


class Died(BaseException):
    """The process is gone."""


class DyingWatch(FakeWatch):
    """Lets so many requests go."""

    def __init__(self, sheets: SheetsWorld, left: int) -> None:
        super().__init__(sheets.world)
        self.left = left

    def go_on(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Died


class TestAKill:
    @pytest.mark.parametrize("has_old", [False, True])
    def test_before_any_request_leaves_the_old_table_or_the_new_one(
        self, sheets: SheetsWorld, has_old: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pushing, "CHUNK_ROWS", 7)
        old, new = make_table(days=4), make_table(days=3, spend=99.75)
        if has_old:
            sheets.push(old)
        before, allowed = table_of(sheets) if has_old else None, 0

        while True:
            try:
                sheets.push(new, number=f"run-{allowed}", watch=DyingWatch(sheets, allowed))
                break
            except Died:
                allowed += 1
            titles = [tab.title for tab in sheets.book.tabs if not tab.is_hidden]
            assert titles == (["Notes", "Spend"] if has_old else ["Notes"])
            assert not has_old or table_of(sheets) == before

        assert allowed > 5
        assert table_of(sheets) == cells_of(new)
        assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]

    @pytest.mark.parametrize("nth", range(1, 9))
    def test_of_the_answer_of_any_request_ends_with_the_new_table(
        self, sheets: SheetsWorld, nth: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pushing, "CHUNK_ROWS", 7)
        sheets.push(make_table(days=4))
        sheets.world.fail("sheets", "truncated", match={"nth": nth})

        sheets.push(make_table(spend=99.75), number="run-2")

        assert table_of(sheets) == cells_of(make_table(spend=99.75))
        assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]


class TestAPushThatWasHeldUp:
    @pytest.mark.parametrize("request_number", [1, 2, 3, 4])
    def test_writes_nothing_over_one_that_was_faster(self, sheets: SheetsWorld, request_number: int) -> None:
        sheets.push(make_table(days=1))
        newer = make_table(spend=99.75)
        watch = OvertakenWatch(sheets, request_number + 1, lambda: sheets.push(newer, number="run-2"))

        with suppress(SyncFailed):
            sheets.push(make_table(), number="run-1", watch=watch)
        sheets.push(newer, number="run-2")

        assert table_of(sheets) == cells_of(newer)
        assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]

    def test_cannot_end_any_more_once_another_has_begun(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table(days=1))
        newer = make_table(spend=99.75)
        # Its last request is the one that would be seen.
        watch = OvertakenWatch(sheets, 5, lambda: sheets.push(newer, number="run-2"))

        with pytest.raises(SyncFailed, match="Another push of the same job wrote the tab meanwhile"):
            sheets.push(make_table(), number="run-1", watch=watch)

        assert table_of(sheets) == cells_of(newer)


class OvertakenWatch(FakeWatch):
    """Lets something happen before a request."""

    def __init__(self, sheets: SheetsWorld, before: int, happens: Callable[[], object]) -> None:
        super().__init__(sheets.world)
        self.left = before
        self.happens = happens

    def go_on(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.happens()


class TestSomebodyElse:
    def test_who_changed_a_heading_is_told_which_cell(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        sheets.world.mutate("sheets", book=sheets.spreadsheet, tab="Spend", cell="D1", text="Spend €")
        before = sheets.everything()

        with pytest.raises(SyncFailed, match="D1 says “Spend €”, where Belfry wrote “Spend”") as refused:
            sheets.push(make_table(spend=3.5), number="run-2")

        assert (refused.value.trouble_class, refused.value.trouble.code) == ("setup_error", "heading_edited")
        assert sheets.everything() == before

    def test_who_changed_a_figure_is_written_over(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        sheets.world.mutate("sheets", book=sheets.spreadsheet, tab="Spend", cell="D4", text="=1+1")

        done = sheets.push(make_table(), number="run-2")

        assert (done.was_edited, done.cells_changed, formulas_of(sheets.tab())) == (True, 1, [])
        assert table_of(sheets) == cells_of(make_table())

    @pytest.mark.parametrize("cell", ["A26", "C30"])
    def test_whose_cells_are_in_the_way_keeps_them(self, sheets: SheetsWorld, cell: str) -> None:
        sheets.push(make_table(days=3))
        sheets.tab().rows = 100
        sheets.world.mutate("sheets", book=sheets.spreadsheet, tab="Spend", cell=cell, text="Total")
        before = sheets.everything()

        with pytest.raises(SyncFailed, match=f"{cell} of “Spend” holds “Total”"):
            sheets.push(make_table(days=5), number="run-2")

        assert sheets.everything() == before

    def test_whose_cells_are_beside_the_table_keeps_them(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        sheets.tab().columns = 20
        for cell in ("J2", "G5", "J90"):
            sheets.tab().rows = 100
            sheets.world.mutate("sheets", book=sheets.spreadsheet, tab="Spend", cell=cell, text="=SUM(D:D)")

        sheets.push(make_table(days=6, spend=3.5), number="run-2")

        assert len(formulas_of(sheets.tab())) == 3
        assert table_of(sheets)[:49] == cells_of(make_table(days=6, spend=3.5))

    def test_who_made_a_tab_of_that_name_keeps_it(self, sheets: SheetsWorld) -> None:
        before = sheets.everything()

        with pytest.raises(SyncFailed, match="has a tab “notes” that somebody else made") as refused:
            sheets.push(make_table(), title="notes")

        assert (refused.value.trouble.code, sheets.everything()) == ("tab_taken", before)

    def test_who_pushes_into_a_tab_keeps_it(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        before = sheets.everything()

        with pytest.raises(SyncFailed, match="that another push made"):
            sheets.push(make_table(spend=3.5), job="job-2")

        assert sheets.everything() == before

    def test_who_copied_the_tab_keeps_the_copy(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        original = sheets.tab()
        copy = type(original)(77, "Copy of Spend", original.rows, original.columns, cells=dict(original.cells))
        copy.marks = list(original.marks)
        sheets.book.tabs.insert(0, copy)
        before = dict(copy.cells)

        sheets.push(make_table(spend=3.5), number="run-2")

        assert sheets.tab("Copy of Spend").cells == before
        assert table_of(sheets) == cells_of(make_table(spend=3.5))

    def test_who_copied_a_hidden_tab_keeps_the_copy(self, sheets: SheetsWorld) -> None:
        hidden = broken_off(sheets)
        copy = replace(hidden, id=77, title=f"Copy of {hidden.title}", is_hidden=False, marks=list(hidden.marks))
        sheets.book.tabs.append(copy)

        sheets.push(make_table(spend=3.5), number="run-2")

        assert [tab.title for tab in sheets.book.tabs] == ["Notes", copy.title, "Spend"]
        assert sheets.tab(copy.title) == copy

    @pytest.mark.parametrize("title", [f"Belfry is preparing ({78:08x})", "Belfry is preparing", "Anything"])
    def test_who_copied_a_hidden_tab_of_an_earlier_version_keeps_the_copy(
        self, sheets: SheetsWorld, title: str
    ) -> None:
        copy = Tab(77, title, marks=[Mark(0, BUILDING, "job-1", "DOCUMENT")])
        sheets.book.tabs.append(copy)

        sheets.push(make_table())

        assert sheets.tab(title) == copy

    def test_who_copied_the_spreadsheet_keeps_the_hidden_tab_of_the_copy(self, sheets: SheetsWorld) -> None:
        hidden = broken_off(sheets)
        for mark in hidden.marks:
            mark.value = mark.value.replace(sheets.spreadsheet, "the-original")

        sheets.push(make_table(), number="run-2")

        assert hidden.id in {tab.id for tab in sheets.book.tabs}

    @pytest.mark.parametrize("title", [f"Belfry is preparing ({79:08x})", f"Belfry is preparing ({78:08x})"])
    def test_who_gave_a_tab_a_like_name_keeps_it(self, sheets: SheetsWorld, title: str) -> None:
        mine = Tab(78, title, is_hidden=True, cells={(0, 0): "mine"})
        sheets.book.tabs.append(mine)

        sheets.push(make_table())

        assert sheets.tab(title) == mine

    def test_who_renamed_the_tab_sees_it_go_on_under_that_name(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        sheets.world.mutate("sheets", book=sheets.spreadsheet, tab="Spend", new_title="Money")

        done = sheets.push(make_table(spend=3.5), number="run-2")

        assert (done.tab, [tab.title for tab in sheets.book.tabs]) == ("Money", ["Notes", "Money"])

    def test_who_names_the_tab_otherwise_in_the_job_has_it_renamed(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())

        done = sheets.push(make_table(), number="run-2", title="Money")

        assert (done.tab, [tab.title for tab in sheets.book.tabs]) == ("Money", ["Notes", "Money"])

    def test_who_deleted_the_tab_gets_a_new_one(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        sheets.book.tabs.pop()

        done = sheets.push(make_table(), number="run-2")

        assert (done.is_new, table_of(sheets)) == (True, cells_of(make_table()))

    def test_who_takes_rows_away_gets_them_back(self, sheets: SheetsWorld) -> None:
        sheets.push(make_table())
        tab = sheets.tab()
        tab.rows = 5
        tab.cells = {place: cell for place, cell in tab.cells.items() if place[0] < 5}

        done = sheets.push(make_table(), number="run-2")

        assert (done.was_edited, table_of(sheets)) == (True, cells_of(make_table()))


class TestWhatWasBrokenOff:
    def test_is_taken_away_by_the_next_push(self, sheets: SheetsWorld) -> None:
        broken_off(sheets)

        sheets.push(make_table(), number="run-2")

        assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]

    def test_is_taken_away_when_an_earlier_version_left_it(self, sheets: SheetsWorld) -> None:
        old = Tab(77, f"Belfry is preparing ({77:08x})", is_hidden=True, marks=[Mark(0, BUILDING, "job-1", "DOCUMENT")])
        sheets.book.tabs.append(old)

        sheets.push(make_table())

        assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]


def broken_off(sheets: SheetsWorld) -> Tab:
    """The hidden tab of a push that ended when it was there."""

    def end() -> None:
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        sheets.pushing(watch=OvertakenWatch(sheets, 3, end)).push(make_table())
    return next(tab for tab in sheets.book.tabs if tab.is_hidden)


class TestRoom:
    def test_for_ten_million_cells_is_all_there_is(self, sheets: SheetsWorld) -> None:
        sheets.tab("Notes").rows = 384_600

        with pytest.raises(SyncFailed, match="has no room") as refused:
            sheets.push(make_table(days=30))

        assert refused.value.trouble.code == "full"
        assert sheets.routes == ["get"]
