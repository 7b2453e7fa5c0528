"""The fake of Google Sheets refuses what the service refuses, and shows what misuse of it would do."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.fakes.providers.sheets.fake import LARGEST_BODY, PER_MINUTE, SheetsFake, formulas_of
from tests.fakes.providers.sheets.scenarios import BOOK, BOT, VIEW_BOOK
from tests.fakes.providers.wire import Answer, Call
from tests.fakes.providers.world import World


@pytest.fixture
def world() -> World:
    return World(SheetsFake(lambda token, *_: BOT if token == "good" else None))


def ask(world: World, method: str, path: str, said: Any = None, *, book: str = BOOK, token: str = "good") -> Answer:
    body = b"" if said is None else json.dumps(said).encode()
    return world.answer(
        Call.of(method, f"/sheets/v4/spreadsheets/{book}{path}", {"authorization": f"Bearer {token}"}, body)
    )


def values(world: World, range_: str, rows: list[list[Any]], option: str = "RAW") -> Answer:
    return ask(world, "PUT", f"/values/{quote(range_, safe='')}?valueInputOption={option}", {"values": rows})


def append(world: World, range_: str, rows: list[list[Any]]) -> Answer:
    path = f"/values/{quote(range_, safe='')}:append?valueInputOption=RAW"
    return ask(world, "POST", path, {"values": rows})


def tab(world: World) -> Any:
    return world.provider("sheets").books[BOOK].tabs[0]


class TestValues:
    def test_written_raw_stay_what_they_are(self, world: World) -> None:
        values(world, "'Notes'!A5:D5", [["=1+1", "007", 12.5, True]])

        assert tab(world).table()[4] == ["=1+1", "007", 12.5, True]
        assert formulas_of(tab(world)) == []

    def test_written_as_typed_become_something_else(self, world: World) -> None:
        values(world, "'Notes'!A5:D5", [["=1+1", "007", "2026-11-05", "'=x"]], option="USER_ENTERED")

        assert formulas_of(tab(world)) == ["=1+1"]
        assert tab(world).table()[4][1:] != ["007", "2026-11-05", "=x"]

    def test_are_read_as_the_range_has_them(self, world: World) -> None:
        answer = ask(world, "GET", f"/values/{quote(chr(39) + 'Notes' + chr(39) + '!A1:B9', safe='')}")

        assert answer.content["values"] == [["What we planned"], ["42"]]

    def test_outside_of_the_grid_are_refused(self, world: World) -> None:
        answer = values(world, "'Notes'!A1001:A1001", [["x"]])

        assert (answer.status, "exceeds grid limits" in answer.content["error"]["message"]) == (400, True)

    def test_of_too_many_characters_are_refused(self, world: World) -> None:
        assert values(world, "A1:A1", [["x" * 50_001]]).status == 400

    def test_in_too_many_bytes_are_refused(self, world: World) -> None:
        assert values(world, "A1:A1", [["x" * LARGEST_BODY]]).status == 400

    def test_appended_land_in_the_column_of_the_table_that_is_seen(self, world: World) -> None:
        values(world, "'Notes'!C4:D5", [["Day", "Spend"], ["2026-11-01", 1]])

        append(world, "'Notes'!A4:D4", [["2026-11-02", 2]])
        append(world, "'Notes'!A4:D4", [["2026-11-02", 2]])

        # Two columns further right than was asked for, and once more than was meant.
        assert tab(world).table()[5] == ["", "", "2026-11-02", 2]
        assert tab(world).table()[6] == ["", "", "2026-11-02", 2]


class TestBatchUpdate:
    def test_does_all_or_nothing(self, world: World) -> None:
        before = repr(world.provider("sheets").books[BOOK])
        requests = [{"addSheet": {"properties": {"title": "New"}}}, {"deleteSheet": {"sheetId": 99}}]

        answer = ask(world, "POST", ":batchUpdate", {"requests": requests})

        assert answer.content["error"]["message"] == "Invalid requests[1].deleteSheet: No sheet with id: 99"
        assert repr(world.provider("sheets").books[BOOK]) == before

    @pytest.mark.parametrize(
        ("request_", "words"),
        [
            ({"addSheet": {"properties": {"title": "notes"}}}, "already exists"),
            ({"addSheet": {"properties": {"sheetId": 0, "title": "x"}}}, "already exists"),
            (
                {"addSheet": {"properties": {"title": "x", "gridProperties": {"rowCount": 500_000}}}},
                "above the limit of 10000000 cells",
            ),
            ({"deleteSheet": {"sheetId": 0}}, "can't remove all the visible sheets"),
            ({"unheardOf": {}}, "Unknown name"),
        ],
    )
    def test_refuses(self, world: World, request_: dict[str, Any], words: str) -> None:
        answer = ask(world, "POST", ":batchUpdate", {"requests": [request_]})

        assert (answer.status, words in answer.content["error"]["message"]) == (400, True)


class TestWho:
    def test_has_no_token_is_nobody(self, world: World) -> None:
        answer = ask(world, "GET", "?fields=sheets", token="bad")

        assert (answer.status, answer.content["error"]["status"]) == (401, "UNAUTHENTICATED")

    def test_may_look_may_not_write(self, world: World) -> None:
        assert ask(world, "GET", "?fields=sheets", book=VIEW_BOOK).status == 200
        assert ask(world, "POST", ":batchUpdate", {"requests": []}, book=VIEW_BOOK).status == 403

    def test_asks_for_what_is_not_there(self, world: World) -> None:
        assert ask(world, "GET", "?fields=sheets", book="other").status == 404

    def test_asks_more_than_sixty_times_a_minute_has_to_wait(self, world: World) -> None:
        answers = [ask(world, "GET", "?fields=sheets") for _ in range(PER_MINUTE + 1)]

        assert [answer.status for answer in answers[-2:]] == [200, 429]
        assert answers[-1].content["error"]["details"][0]["reason"] == "RATE_LIMIT_EXCEEDED"
        world.advance(minutes=1)
        assert ask(world, "GET", "?fields=sheets").status == 200
