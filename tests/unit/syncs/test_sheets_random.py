"""Whatever goes wrong and in whatever order, the tab says the old figures or the new ones, and the new ones at last."""

import random

import pytest

from app.syncs.calls.troubles import SyncFailed
from app.syncs.sheets import push as pushing
from app.syncs.sheets.table import PushTable
from tests.unit.syncs.sheets_world import SheetsWorld, cells_of, make_table

FAULTS = (
    ("5xx", {}), ("5xx", {"variant": "503"}), ("slow", {}), ("truncated", {}), ("truncated", {"variant": "garbage"}),
    ("rate_limit_nohint", {}), ("truncated_page", {}),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_faults_at_random(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushing, "CHUNK_ROWS", 9)
    chance, sheets = random.Random(seed), SheetsWorld()
    notes = sheets.tab("Notes").table()
    shown: list[list[object]] = []
    for number in range(6):
        table = make_table(days=chance.randrange(1, 6), spend=chance.randrange(1, 9_999) / 4)
        for _ in range(chance.randrange(0, 6)):
            fault, options = chance.choice(FAULTS)
            match = {"nth": chance.randrange(1, 8)}
            sheets.world.fail("sheets", fault, times=chance.randrange(1, 5), match=match, **options)
        for attempt in range(12):
            trouble = trouble_of_push(sheets, table, f"run-{number}-{attempt}")
            if trouble is None:
                break
            assert trouble in {"transient", "rate_limited"}
            tabs = [tab for tab in sheets.book.tabs if tab.title == "Spend"]
            assert ([row[:5] for row in tabs[0].table()] if tabs else []) in (shown, cells_of(table))
            sheets.world.advance(minutes=5)
        sheets.world.faults.clear()
        sheets.push(table, number=f"run-{number}")
        shown = [row[:5] for row in sheets.seen()]
        assert shown == cells_of(table)
    assert [tab.title for tab in sheets.book.tabs] == ["Notes", "Spend"]
    assert sheets.tab("Notes").table() == notes


def trouble_of_push(sheets: SheetsWorld, table: PushTable, number: str) -> str | None:
    """The class of what went wrong; None for a push that went well."""
    try:
        sheets.push(table, number=number)
    except SyncFailed as error:
        return error.trouble_class.value
    return None
