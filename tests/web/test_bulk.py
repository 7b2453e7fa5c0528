"""Bulk actions on schedules in the browser: ticking, the question, what came of it, stopping and undoing."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.jobs.models import Job
from app.ops.models import BulkAction, BulkItem
from app.runs.models import Run
from app.schedules.models import Schedule
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

IN_DIALOG = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "dialog#dialog"}
dispatched: list[str] = []


@pytest.fixture
def app(app: Flask) -> Flask:
    dispatched.clear()
    parts = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(parts, dispatch=lambda: dispatched.append("dispatched"))
    return app


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what is done at once is as much as it may be."""
    monkeypatch.setattr("app.ops.bulk.carrying.AT_ONCE_SECONDS", 60.0)


@pytest.fixture
def ids(database: Database, organization_id: UUID, clock: ManualClock) -> list[UUID]:
    """Three schedules, S0 to S2, that run in half an hour."""
    with database.transaction() as session:
        job = make_job(session, organization_id)
        columns = {"cron": "30 * * * *", "next_run_at": clock.moment + timedelta(minutes=30)}
        return [make_schedule(session, job, name=f"S{number}", **columns).id for number in range(3)]


def stored(database: Database, schedule_id: UUID) -> Schedule:
    with database.reading() as session:
        return session.get_one(Schedule, schedule_id)


def switched(database: Database, ids: list[UUID]) -> list[bool]:
    return [stored(database, each).enabled for each in ids]


def pressed(browser: Browser, action: str, ids: list[UUID], **more: str) -> str:
    """The page that asks, after these were ticked and a button pressed."""
    response = browser.send("/schedules/selection", {"action": action, "id": [str(each) for each in ids], **more})
    assert response.status_code == 303, response.text
    return str(response.location)


def done(browser: Browser, action: str, ids: list[UUID], **said: str) -> TestResponse:
    asked = pressed(browser, action, ids).partition("?")[0]
    return browser.send(asked, {"action": action, **said})


def toast_of(response: TestResponse) -> dict[str, object]:
    found: dict[str, object] = json.loads(response.headers["HX-Trigger"])["toast"]
    return found


class TestTheList:
    def test_has_a_box_for_each_row_and_the_bar_that_they_belong_to(self, operator: Browser, ids: list[UUID]) -> None:
        text = operator.visit("/schedules").text

        assert text.count('form="bulk" name="id"') == 3
        assert 'id="bulk" method="post" action="/schedules/selection"' in text
        assert "Select all 3" in text

    def test_offers_all_that_match_where_it_is_narrowed(self, operator: Browser, ids: list[UUID]) -> None:
        assert "Select all 1 that match" in operator.visit("/schedules?q=S1").text

    def test_offers_not_all_where_a_part_of_the_filter_was_left_out(
        self, operator: Browser, ids: list[UUID], database: Database
    ) -> None:
        text = operator.visit("/schedules?status=sleepy").text
        refused = operator.send("/schedules/selection", {"all": "yes", "status": "sleepy"})

        assert "“sleepy” is no status." in text
        assert "Select all" not in text
        assert (refused.status_code, "“sleepy” is no status." in refused.text) == (422, True)

    def test_tells_a_viewer_why_not(self, viewer: Browser, ids: list[UUID]) -> None:
        bar = viewer.visit("/schedules").text.partition('id="bulk"')[2].partition("</form>")[0]

        assert bar.count("disabled title=") == bar.count("<button")


class TestTheQuestion:
    def test_names_them_and_changes_nothing_yet(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        text = operator.visit(pressed(operator, "schedules.disable", ids[:2])).text

        assert "Disable 2 schedules?" in text
        assert "“S0”, “S1”" in text
        assert switched(database, ids) == [True] * 3

    def test_comes_into_the_dialog_where_scripts_run(self, operator: Browser, ids: list[UUID]) -> None:
        sent = {"action": "schedules.disable", "id": [str(ids[0])]}
        text = operator.send("/schedules/selection", sent, headers=IN_DIALOG).text

        assert 'id="dialog-title">Disable 1 schedule?' in text
        assert "hx-post" in text

    def test_tells_what_is_so_already_and_what_runs(
        self, operator: Browser, ids: list[UUID], database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, ids[0]).enabled = False
            job = session.scalars(select(Job)).one()
            make_run(session, job, now=clock.moment, schedule_id=ids[1])

        text = operator.visit(pressed(operator, "schedules.disable", ids)).text

        assert "1 is off already." in text
        assert "1 run waits or goes on, and ends as usual." in text

    def test_tells_of_a_deletion_what_stays_and_what_has_no_schedule_then(
        self, operator: Browser, ids: list[UUID], database: Database
    ) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, ids[0]).default_for = "meta"

        text = operator.visit(pressed(operator, "schedules.delete", ids)).text

        assert "This one stays, because a service or code needs it: “S0”." in text
        assert "This job has no schedule any more then: “Nightly sync”." in text
        assert "For 30 days they can be restored" in text

    def test_asks_about_missed_slots_only_where_there_are_some(
        self, operator: Browser, ids: list[UUID], database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, ids[0]).enabled = False
        before = operator.visit(pressed(operator, "schedules.enable", ids[:1])).text
        clock.advance(hours=1)

        after = operator.visit(pressed(operator, "schedules.enable", ids[:1])).text

        assert ("slots that they missed" in before, "slots that they missed" in after) == (False, True)

    def test_of_a_tag_that_cannot_be_is_asked_again(
        self, operator: Browser, ids: list[UUID], database: Database
    ) -> None:
        response = done(operator, "schedules.add_tag", ids, tag="a b")

        assert response.status_code == 422
        assert "letters, digits and - _ . : alone" in response.text
        assert [stored(database, each).tags for each in ids] == [[], [], []]

    def test_does_not_offer_what_is_not_possible(
        self, operator: Browser, ids: list[UUID], database: Database, organization_id: UUID
    ) -> None:
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            more = [make_schedule(session, job).id for _ in range(18)]

        text = operator.visit(pressed(operator, "schedules.run", [*ids, *more])).text

        assert "Run does at most 20 schedules at once. 21 are selected." in text
        assert 'type="submit" data-kind="primary"' not in text

    def test_of_what_has_begun_leads_to_it(self, operator: Browser, ids: list[UUID]) -> None:
        asked = pressed(operator, "schedules.disable", ids)
        operator.send(asked.partition("?")[0], {"action": "schedules.disable"})

        assert operator.visit(asked).location == asked.partition("/start")[0]


class TestDoingIt:
    def test_without_scripts_leads_to_what_came_of_it(
        self, operator: Browser, ids: list[UUID], database: Database
    ) -> None:
        response = done(operator, "schedules.disable", ids, reason="Moving house")
        text = operator.visit(str(response.location)).text

        assert switched(database, ids) == [False] * 3
        assert "3 schedules disabled." in text
        assert "Moving house" in text
        assert "Undo all 3" in text

    def test_with_scripts_stays_and_offers_undo_and_what_came_of_it(
        self, operator: Browser, ids: list[UUID], database: Database
    ) -> None:
        asked = pressed(operator, "schedules.disable", ids).partition("?")[0]
        response = operator.send(f"{asked}?dialog=yes", {"action": "schedules.disable"}, htmx=True)
        toast = toast_of(response)

        assert response.status_code == 204
        assert toast["message"] == "3 schedules disabled."
        assert [toast[name]["label"] for name in ("action", "more")] == ["Undo all", "View"]  # type: ignore[index]
        assert {"dialog:close", "bulk:started", "live:schedules"} <= set(json.loads(response.headers["HX-Trigger"]))

    def test_runs_each_once_and_hands_the_runs_on(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        asked = pressed(operator, "schedules.run", ids).partition("?")[0]
        pages = [operator.send(asked, {"action": "schedules.run"}) for _ in range(2)]

        with database.reading() as session:
            assert len(session.scalars(select(Run)).all()) == 3
        assert pages[0].location == pages[1].location
        assert dispatched
        assert "Its run" in operator.visit(str(pages[0].location)).text

    def test_does_the_first_part_of_many_at_once(
        self, operator: Browser, database: Database, organization_id: UUID
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            many = [make_schedule(session, job, next_run_at=None).id for _ in range(30)]

        text = operator.visit(str(done(operator, "schedules.disable", many).location)).text

        assert re.search(r'<progress max="30" value="(\d+)"', text)
        assert "so far" in text
        assert "Stop</button>" in text

    def test_adds_and_moves(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        done(operator, "schedules.add_tag", ids, tag="Nightly")
        done(operator, "schedules.move_zone", ids, timezone="Asia/Tokyo")

        found = stored(database, ids[2])
        assert (found.tags, found.timezone) == (["nightly"], "Asia/Tokyo")

    def test_tells_by_name_what_could_not_be(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, ids[0]).default_for = "meta"

        there = str(done(operator, "schedules.delete", ids).location)
        text = operator.visit(f"{there}?show=refused").text

        assert "2 schedules deleted, 1 could not be." in text
        # A token may hold any two letters.
        assert re.findall(r">(S\d)<", text) == ["S0"]
        assert "default schedule of its service" in text


class TestAllThatMatch:
    def test_are_kept_as_they_are_at_that_moment(
        self, operator: Browser, ids: list[UUID], database: Database, organization_id: UUID
    ) -> None:
        chosen = str(operator.send("/schedules/selection", {"all": "yes", "q": "S"}).location)
        with database.transaction() as session:
            later = make_schedule(session, session.scalars(select(Job)).one(), name="S9").id
        text = operator.visit(chosen).text
        operator.send(f"{chosen}/start", {"action": "schedules.disable"})

        assert "3 schedules selected" in text
        assert "Disable 3" in text
        assert switched(database, [*ids, later]) == [False, False, False, True]

    def test_are_those_of_the_filter(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        chosen = str(operator.send("/schedules/selection", {"all": "yes", "q": "S1"}).location)
        operator.send(f"{chosen}/start", {"action": "schedules.delete"})

        assert [stored(database, each).deleted_at is None for each in ids] == [True, False, True]

    def test_of_a_filter_that_matches_nothing_are_refused(self, operator: Browser, ids: list[UUID]) -> None:
        response = operator.send("/schedules/selection", {"all": "yes", "q": "nothing"})

        assert response.status_code == 422
        assert "No schedules are selected" in response.text


class TestStoppingAndUndoing:
    def test_undo_all_brings_everything_back(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        there = str(done(operator, "schedules.delete", ids).location)
        gone = [stored(database, each).deleted_at is not None for each in ids]

        response = operator.send(f"{there}/undo")

        assert gone == [True] * 3
        assert [stored(database, each).deleted_at for each in ids] == [None] * 3
        assert "3 schedules as before." in operator.visit(str(response.location)).text
        assert "This was undone" in operator.visit(there).text

    def test_stop_leaves_the_rest(self, operator: Browser, database: Database, organization_id: UUID) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            many = [make_schedule(session, job, next_run_at=None).id for _ in range(30)]
        there = str(done(operator, "schedules.disable", many).location)

        operator.send(f"{there}/stop")

        assert "left as they were" in operator.visit(there).text

    def test_of_what_is_over_says_so(self, operator: Browser, ids: list[UUID]) -> None:
        there = str(done(operator, "schedules.disable", ids).location)

        assert operator.send(f"{there}/stop").status_code == 409


class TestHostileInput:
    def test_of_ten_thousand_ids_is_told_of_and_harmless(
        self, operator: Browser, ids: list[UUID], database: Database
    ) -> None:
        many = [*ids, *[uuid4() for _ in range(9_997)]]
        text = operator.visit(pressed(operator, "schedules.disable", many)).text
        too_many = {"action": "schedules.disable", "id": [str(each) for each in [*many, uuid4()]]}

        assert "9,997 of them are not here any more." in text
        assert operator.send("/schedules/selection", too_many).status_code == 422

    @pytest.mark.parametrize(
        "sent",
        [
            {}, {"action": "schedules.disable"}, {"action": "schedules.disable", "id": "nonsense"},
            {"action": "schedules.disable", "id": "\x00"}, {"action": "nothing", "id": str(uuid4())},
            {"id": str(uuid4())}, {"all": "yes", "q": "\x00"},
        ],
    )  # fmt: skip
    def test_that_makes_no_sense_is_refused(
        self, operator: Browser, ids: list[UUID], database: Database, sent: dict[str, str]
    ) -> None:
        assert operator.send("/schedules/selection", sent).status_code == 422
        with database.reading() as session:
            assert session.scalars(select(BulkAction)).all() == []

    def test_of_somebody_elses_things_changes_and_shows_nothing(
        self, operator: Browser, stranger: Browser, ids: list[UUID], database: Database
    ) -> None:
        there = str(done(stranger, "schedules.delete", ids).location)
        text = stranger.visit(there).text

        assert all(stored(database, each).deleted_at is None for each in ids)
        assert (">S0<" in text, "3 could not be" in text) == (False, True)
        assert [operator.visit(f"{there}{more}").status_code for more in ("", "/start?action=schedules.run")] == [
            404
        ] * 2
        assert [operator.send(f"{there}/{what}").status_code for what in ("stop", "undo")] == [404, 404]

    def test_of_a_viewer_is_refused(self, viewer: Browser, ids: list[UUID], database: Database) -> None:
        sent = {"action": "schedules.disable", "id": [str(ids[0])]}

        assert viewer.send("/schedules/selection", sent).status_code == 403
        with database.reading() as session:
            assert session.scalars(select(BulkItem)).all() == []

    def test_in_an_address_is_read_as_nothing(self, operator: Browser, ids: list[UUID]) -> None:
        there = str(done(operator, "schedules.disable", ids).location)

        for more in ("?show=nonsense", "?after=-3", "?after=99999999999", "?show=refused&after=x"):
            assert operator.visit(f"{there}{more}").status_code == 200
        for before in ("nonsense", "2027-01-01~x", "2027-01-01T00:00:00~" + str(uuid4())):
            assert operator.visit(f"/bulk?before={before}").status_code == 200


class TestAllBulkActions:
    def test_are_listed_the_newest_first(self, operator: Browser, ids: list[UUID], clock: ManualClock) -> None:
        done(operator, "schedules.disable", ids)
        clock.advance(minutes=1)
        done(operator, "schedules.enable", ids)

        text = operator.visit("/bulk").text

        assert text.index("Enable 3 schedules") < text.index("Disable 3 schedules")

    def test_are_none_at_first(self, viewer: Browser) -> None:
        assert "Nothing yet" in viewer.visit("/bulk").text

    def test_go_on_with_older_ones(self, operator: Browser, ids: list[UUID], database: Database) -> None:
        for _ in range(26):
            done(operator, "schedules.disable", ids[:1])
            done(operator, "schedules.enable", ids[:1])

        older = re.search(r'href="(/bulk\?before=[^"]+)"', operator.visit("/bulk").text)

        assert older is not None
        assert operator.visit(older[1].replace("&amp;", "&")).text.count('id="b-') == 2
