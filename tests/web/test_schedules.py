"""The list of schedules, the switch, running by hand, deleting: as people of different roles meet them."""

import json
import re
from dataclasses import replace
from html import unescape
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.core.config import Settings
from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.factory import create_app
from app.jobs.models import Job
from app.ops.kinds import job_kinds
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import AttemptState
from app.schedules.models import Schedule
from app.web.page_size import USUAL_SIZE
from tests.factories.outcomes import start_run
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.web.conftest import Browser

NEXT = utc("2027-01-05 14:00")
dispatched: list[str] = []


@pytest.fixture
def app(app: Flask, settings: Settings) -> Flask:
    """The app with the real kinds of job."""
    dispatched.clear()
    parts = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(
        parts, kinds=job_kinds(settings), dispatch=lambda: dispatched.append("dispatched")
    )
    return app


@pytest.fixture
def schedule(database: Database, organization_id: UUID) -> Schedule:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Website check")
        return make_schedule(session, job, name="Meta Ads daily", cron="0 */2 * * *", next_run_at=NEXT)


def stored(database: Database, schedule: Schedule) -> Schedule:
    with database.reading() as session:
        return session.get_one(Schedule, schedule.id)


def view_of(answer: TestResponse) -> str:
    """Where the notice of an answer leads."""
    return str(json.loads(answer.headers["HX-Trigger"])["toast"]["action"]["url"])


def count_runs(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(Run)).one()


def address(schedule: Schedule, *parts: str) -> str:
    return "/".join(["/schedules", str(schedule.id), *parts])


class TestTheList:
    def test_leads_to_a_job_when_there_is_none(self, owner: Browser) -> None:
        text = owner.visit("/schedules").text

        assert "No schedules yet" in text
        assert 'href="/jobs/new"' in text

    def test_leads_to_a_schedule_when_there_is_a_job(
        self, owner: Browser, database: Database, organization_id: UUID
    ) -> None:
        with database.transaction() as session:
            make_job(session, organization_id)

        text = owner.visit("/schedules").text

        assert "No schedules yet" in text
        assert 'href="/schedules/new"' in text

    def test_says_when_each_runs_next(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit("/schedules").text

        assert "Meta Ads daily" in text
        assert "in 2 h" in text
        assert "Tue 5 Jan, 16:00" in text

    def test_says_it_by_the_clock_that_is_chosen(self, viewer: Browser, schedule: Schedule) -> None:
        answer = viewer.send("/account/times", {"times": "schedule", "back": "/schedules"})

        assert answer.location == "/schedules"
        assert "Tue 5 Jan, 14:00 UTC" in viewer.visit("/schedules").text
        assert "Tue 5 Jan, 14:00 UTC" in viewer.visit("/schedules/rows").text

    def test_shows_no_next_run_of_one_that_is_off(
        self, viewer: Browser, schedule: Schedule, database: Database
    ) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, schedule.id).enabled = False

        text = viewer.visit("/schedules/rows").text

        assert "— (disabled)" in text
        assert "in 2 h" not in text

    def test_says_why_one_was_set_aside(self, viewer: Browser, schedule: Schedule, database: Database) -> None:
        with database.transaction() as session:
            row = session.get_one(Schedule, schedule.id)
            row.problem, row.next_run_at, row.cron = "The text cannot be read.", None, "nonsense"

        response = viewer.visit("/schedules")

        assert response.status_code == 200
        assert "The text cannot be read." in response.text

    def test_tells_few_runs_as_a_fraction(
        self, viewer: Browser, schedule: Schedule, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, schedule.organization_id, name="Other")
            for number, state in enumerate(["succeeded", "succeeded", "succeeded", "failed"]):
                run_id = make_run(session, job, now=clock.moment, schedule_id=schedule.id, request_key=str(number))
                run = session.get_one(Run, run_id)
                run.state, run.finished_at = state, clock.moment

        text = viewer.visit("/schedules/rows").text

        assert "3 of 4" in text

    def test_finds_by_part_of_the_name(self, viewer: Browser, schedule: Schedule) -> None:
        found = viewer.visit("/schedules?q=ADS").text
        missed = viewer.visit("/schedules?q=zebra").text

        assert "Meta Ads daily" in found
        assert "No schedule matches" in missed

    @pytest.mark.parametrize(("status", "is_known"), [("paused", True), ("Never_Run", True), ("sleepy<b>", False)])
    def test_tells_of_a_status_that_there_is_not(
        self, viewer: Browser, schedule: Schedule, status: str, is_known: bool
    ) -> None:
        text = viewer.visit(f"/schedules?status={status}").text

        assert ("Part of the filter was left out." in text) is not is_known
        assert "sleepy<b>" not in text

    def test_understands_paused_as_disabled(self, viewer: Browser, operator: Browser, schedule: Schedule) -> None:
        before = viewer.visit("/schedules?status=paused").text
        operator.send(address(schedule, "switch"), {"enabled": "no"})

        assert "No schedule matches" in before
        assert schedule.name in viewer.visit("/schedules?status=paused").text

    def test_has_those_alone_that_are_enabled(self, viewer: Browser, schedule: Schedule, database: Database) -> None:
        with database.transaction() as session:
            make_schedule(session, session.scalars(select(Job)).one(), name="Switched off", enabled=False)

        text = viewer.visit("/schedules?status=enabled").text
        rows = viewer.visit("/schedules/rows?status=enabled").text

        assert '<option value="enabled" selected>Enabled (1)</option>' in text
        assert schedule.name in rows
        assert "Switched off" not in rows

    def test_has_figures_that_lead_to_what_they_count(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit("/schedules/tiles").text

        led = dict(re.findall(r'<a class="tile" href="([^"]+)"[^>]*>\s*<span class="tile-label">([^<]+)', text))
        assert led == {
            "/schedules?status=enabled": "Enabled",
            "/runs?last=7d": "Success rate, 7 days",
            f"/schedules/{schedule.id}": "Next run",
        }

    def test_has_no_way_to_a_next_run_where_there_is_none(
        self, viewer: Browser, schedule: Schedule, database: Database
    ) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, schedule.id).enabled = False

        text = viewer.visit("/schedules/tiles").text

        assert "Nothing is due" in text
        assert f"/schedules/{schedule.id}" not in text

    @pytest.mark.parametrize("sort", ["name", "-name", "next", "success", "-success", "duration"])
    def test_is_sorted_by_a_link_in_its_head_and_stays_so(
        self, viewer: Browser, schedule: Schedule, database: Database, sort: str
    ) -> None:
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            for _ in range(USUAL_SIZE):
                make_schedule(session, job, next_run_at=NEXT)

        text = unescape(viewer.visit(f"/schedules?sort={sort}&status=never+run").text)

        assert text.count("aria-sort") == 1
        assert f'href="/schedules?status=never+run&sort={sort}&page=2"' in text
        assert f'hx-get="/schedules/rows?status=never+run&sort={sort}"' in text

    def test_is_turned_round_by_the_same_link(self, viewer: Browser, schedule: Schedule) -> None:
        text = unescape(viewer.visit("/schedules?sort=name").text)

        assert 'aria-sort="ascending"><a href="/schedules?sort=-name"' in text
        assert '<option value="name" selected>' in text

    def test_has_the_order_that_is_asked_for(self, viewer: Browser, schedule: Schedule, database: Database) -> None:
        with database.transaction() as session:
            make_schedule(session, session.scalars(select(Job)).one(), name="Zebra", next_run_at=NEXT)

        there, back = (viewer.visit(f"/schedules/rows?sort={sort}").text for sort in ("name", "-name"))

        assert there.index(schedule.name) < there.index("Zebra")
        assert back.index(schedule.name) > back.index("Zebra")

    def test_tells_of_an_order_that_there_is_not(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit("/schedules?sort=size").text

        assert "“size” is no order." in text
        assert "aria-sort" not in text

    @pytest.mark.parametrize("number", ["999", "10001", "2"])
    def test_shows_its_last_page_behind_the_end(self, viewer: Browser, schedule: Schedule, number: str) -> None:
        text = viewer.visit(f"/schedules?page={number}").text

        assert schedule.name in text
        assert "No schedule matches" not in text

    def test_says_which_rows_its_last_page_has(self, viewer: Browser, schedule: Schedule, database: Database) -> None:
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            for _ in range(USUAL_SIZE):
                make_schedule(session, job, next_run_at=NEXT)

        assert "51–51 of 51" in viewer.visit("/schedules?page=999").text

    def test_leads_its_buttons_back_to_what_was_searched(self, operator: Browser, schedule: Schedule) -> None:
        text = operator.visit(f"/schedules?q={schedule.name[:3]}").text

        assert f'name="next" value="/schedules?q={schedule.name[:3]}"' in text

    def test_is_empty_with_a_note_before_there_are_tables(self, settings: Settings) -> None:
        app = create_app(settings, kinds={})

        response = app.test_client().get("/schedules")

        assert response.status_code == 200
        assert "belfry db upgrade" in response.text

    def test_switches_buttons_off_for_a_viewer_and_says_why(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit("/schedules").text

        assert "this needs operator or higher" in text
        assert f'href="{address(schedule, "edit")}"' not in text

    def test_hides_schedules_of_another_organization(self, stranger: Browser, schedule: Schedule) -> None:
        text = stranger.visit("/schedules").text

        assert "Meta Ads daily" not in text


class TestTheSwitch:
    def test_switches_off_and_offers_to_undo_it(
        self, operator: Browser, schedule: Schedule, database: Database
    ) -> None:
        response = operator.send(address(schedule, "enabled"), {"enabled": "no"}, htmx=True)

        assert not stored(database, schedule).enabled
        assert "Meta Ads daily disabled." in response.headers["HX-Trigger"]
        assert f"{address(schedule, 'enabled')}?enabled=yes" in response.headers["HX-Trigger"]

    def test_tells_the_next_run_when_switched_on(
        self, operator: Browser, schedule: Schedule, database: Database
    ) -> None:
        operator.send(address(schedule, "enabled"), {"enabled": "no"})

        response = operator.send(f"{address(schedule, 'enabled')}?enabled=yes", htmx=True)

        assert stored(database, schedule).enabled
        assert "Meta Ads daily enabled. Next run in 2 h." in response.headers["HX-Trigger"]

    def test_leads_back_to_where_it_was_pressed_without_a_script(self, operator: Browser, schedule: Schedule) -> None:
        response = operator.send(address(schedule, "enabled"), {"enabled": "no", "next": address(schedule)})

        assert response.status_code == 303
        assert response.location == address(schedule)

    def test_leads_to_no_other_site(self, operator: Browser, schedule: Schedule) -> None:
        response = operator.send(address(schedule, "enabled"), {"enabled": "no", "next": "//evil.example"})

        assert response.location == "/schedules"

    def test_refuses_a_request_that_does_not_say_what_it_wants(
        self, operator: Browser, schedule: Schedule, database: Database
    ) -> None:
        response = operator.send(address(schedule, "enabled"), {"enabled": "maybe"})

        assert response.status_code == 422
        assert stored(database, schedule).enabled


class TestResuming:
    @pytest.fixture
    def paused(self, operator: Browser, schedule: Schedule, clock: ManualClock) -> Schedule:
        """Switched off, with two slots missed since."""
        operator.send(address(schedule, "enabled"), {"enabled": "no"})
        clock.advance(hours=5)
        return schedule

    def test_asks_first_and_changes_nothing_until_it_is_answered(
        self, operator: Browser, paused: Schedule, database: Database
    ) -> None:
        response = operator.send(address(paused, "enabled"), {"enabled": "yes", "next": "/schedules?q=x"})

        question = operator.visit(response.headers["Location"]).text
        assert (response.status_code, stored(database, paused).enabled) == (303, False)
        assert (
            "2 slots were missed since Tue 5 Jan, 12:00 UTC (14:00 your time), the latest at Tue 5 Jan, 16:00 UTC"
            in question
        )
        assert 'name="next" value="/schedules?q=x"' in question
        now, _, after = question.partition("Next runs now")[2].partition("After enabling")
        assert [part.count('class="next-relative"') for part in (now, after)] == [0, 5]

    def test_leads_a_script_to_the_question_as_well(self, operator: Browser, paused: Schedule) -> None:
        response = operator.send(address(paused, "enabled"), {"enabled": "yes"}, htmx=True)

        assert f"/schedules/{paused.id}/resume" in response.headers["HX-Redirect"]

    @pytest.mark.parametrize(("choice", "runs", "enabled"), [("skip", 0, True), ("latest", 1, True), ("all", 2, True)])
    def test_does_what_was_chosen(
        self, operator: Browser, paused: Schedule, database: Database, choice: str, runs: int, enabled: bool
    ) -> None:
        operator.send(address(paused, "enabled"), {"enabled": "yes", "missed": choice})

        assert (count_runs(database), stored(database, paused).enabled) == (runs, enabled)

    def test_asks_again_when_others_would_run_than_it_said(
        self, operator: Browser, paused: Schedule, database: Database, clock: ManualClock
    ) -> None:
        asked = operator.visit(address(paused, "resume")).text
        clock.advance(hours=5)

        response = operator.send(address(paused, "enabled"), {"enabled": "yes", "missed": "all", "seen": "2"})

        again = operator.visit(response.headers["Location"]).text
        assert 'name="seen" value="2"' in asked
        assert (count_runs(database), stored(database, paused).enabled) == (0, False)
        assert "slots have been missed by now, so nothing was done." in again

    def test_says_what_became_of_what_was_missed(self, operator: Browser, paused: Schedule, clock: ManualClock) -> None:
        clock.advance(hours=5)

        operator.send(address(paused, "enabled"), {"enabled": "yes", "missed": "latest", "seen": "2"})

        assert "The latest missed slot is made up for. " in operator.visit("/schedules").text

    def test_refuses_a_choice_that_there_is_not(self, operator: Browser, paused: Schedule, database: Database) -> None:
        response = operator.send(address(paused, "enabled"), {"enabled": "yes", "missed": "some"})

        assert (response.status_code, stored(database, paused).enabled) == (422, False)
        assert "skip, latest or all" in response.text

    def test_shows_on_its_page_who_switched_it_off_and_what_it_missed(
        self, operator: Browser, viewer: Browser, paused: Schedule
    ) -> None:
        text = viewer.visit(address(paused)).text

        # By the viewer's clock, as everything on the page until another one is chosen.
        assert f"by {operator.actor.label}, Tue 5 Jan, 14:00" in text
        assert "2 slots were missed since" in text

    def test_offers_no_run_that_would_only_be_skipped(
        self, operator: Browser, paused: Schedule, database: Database
    ) -> None:
        with database.transaction() as session:
            job = session.get_one(Job, paused.job_id)
            job.kind, job.service, job.definition = "sync", "meta", {"service": "meta"}

        asked = operator.visit(address(paused, "resume")).text
        operator.send(address(paused, "enabled"), {"enabled": "yes", "missed": "latest"})

        assert "This sync needs a connection to Meta" in asked
        assert 'value="latest"' not in asked
        assert "The latest missed slot is skipped: This sync needs" in operator.visit("/schedules").text

    def test_has_no_question_where_nothing_was_missed(self, operator: Browser, schedule: Schedule) -> None:
        response = operator.get(address(schedule, "resume"))

        assert (response.status_code, response.headers["Location"]) == (303, f"/schedules/{schedule.id}")


class TestRunningByHand:
    def test_makes_a_run_and_hands_it_on(self, operator: Browser, schedule: Schedule, database: Database) -> None:
        response = operator.send(address(schedule, "run"), {"request_key": "k1"}, htmx=True)

        assert count_runs(database) == 1
        assert "View run" in response.headers["HX-Trigger"]
        assert dispatched == ["dispatched"]

    def test_takes_a_double_click_as_one_run(self, operator: Browser, schedule: Schedule, database: Database) -> None:
        for _ in range(2):
            operator.send(address(schedule, "run"), {"request_key": "k1"})

        assert count_runs(database) == 1

    def test_of_a_page_that_stayed_open_makes_another_run(
        self, operator: Browser, schedule: Schedule, database: Database, clock: ManualClock
    ) -> None:
        """The page is paused, or without a script, and its key is the old one."""
        first = operator.send(address(schedule, "run"), {"request_key": "k1"}, htmx=True)
        clock.advance(minutes=2)
        later = [operator.send(address(schedule, "run"), {"request_key": "k1", "sure": "yes"}, htmx=True) for _ in "12"]

        assert count_runs(database) == 2
        assert [view_of(one) == view_of(first) for one in later] == [False, False]
        assert view_of(later[0]) == view_of(later[1])

    @pytest.mark.parametrize(("ends", "words"), [(False, "running"), (True, "succeeded")])
    def test_says_how_far_the_run_of_a_double_click_is(
        self, operator: Browser, schedule: Schedule, database: Database, clock: ManualClock, ends: bool, words: str
    ) -> None:
        made = operator.send(address(schedule, "run"), {"request_key": "k1"}, htmx=True)
        with database.transaction() as session:
            run_id = UUID(view_of(made).rpartition("/")[2])
            start_run(session, run_id, at=clock.moment)
            if ends:
                end = AttemptEnd(AttemptState.SUCCEEDED)
                assert ledger.succeed(session, run_id=run_id, token=1, end=end, now=clock.moment)

        again = operator.send(address(schedule, "run"), {"request_key": "k1"}, htmx=True)

        assert f"Meta Ads daily was started a moment ago. Its run: {words}." in again.headers["HX-Trigger"]
        assert count_runs(database) == 1

    def test_gives_every_refresh_a_new_key(self, operator: Browser, schedule: Schedule) -> None:
        first, second = (operator.visit("/schedules/rows", htmx=True).text for _ in range(2))

        assert 'name="request_key"' in first
        assert first != second


class TestDeleting:
    def test_asks_first_and_tells_how_many_runs_wait(
        self, operator: Browser, schedule: Schedule, database: Database
    ) -> None:
        operator.send(address(schedule, "run"), {"request_key": "k1"})

        text = operator.visit(address(schedule, "delete")).text

        assert "Delete Meta Ads daily?" in text
        assert "1 waiting run is" in text

    def test_takes_it_out_of_the_list(self, operator: Browser, schedule: Schedule) -> None:
        response = operator.send(address(schedule, "delete"))

        assert response.location == "/schedules"
        assert "Meta Ads daily</a>" not in operator.visit("/schedules").text

    def test_tells_first_of_runs_that_end_with_it(
        self, operator: Browser, schedule: Schedule, database: Database
    ) -> None:
        operator.send(address(schedule, "run"), {"request_key": "k1"})

        response = operator.send(address(schedule, "delete"))
        was_there = stored(database, schedule).deleted_at is None
        operator.send(address(schedule, "delete"), {"sure": "yes"})

        assert (response.location, was_there) == (address(schedule, "delete"), True)
        assert stored(database, schedule).deleted_at is not None

    def test_offers_the_way_back(self, operator: Browser, schedule: Schedule, database: Database) -> None:
        response = operator.send(address(schedule, "delete"), {"next": "/schedules?q=x"}, htmx=True)
        toast = json.loads(response.headers["HX-Trigger"])["toast"]
        operator.send(toast["action"]["url"], htmx=True)

        assert (toast["message"], toast["action"]["label"]) == ("Meta Ads daily deleted.", "Undo")
        assert (stored(database, schedule).deleted_at, stored(database, schedule).next_run_at) == (None, NEXT)


class TestOneSchedule:
    def test_shows_what_it_will_do(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit(address(schedule)).text

        assert text.count('class="next-wall"') == 5
        assert "the next one is skipped, and says which run was in the way" in text
        assert "the latest is made up for, unless it is older than 1 day" in text

    def test_tells_gaps_in_words(self, operator: Browser, schedule: Schedule, clock: ManualClock) -> None:
        operator.send(address(schedule, "enabled"), {"enabled": "no"})
        clock.advance(hours=5)
        operator.send(address(schedule, "enabled"), {"enabled": "yes", "missed": "skip"})

        text = operator.visit(f"{address(schedule)}?tz=schedule").text

        assert "2 slots from Tue 5 Jan, 14:00 to Tue 5 Jan, 16:00: the schedule was switched off." in text


PAGES = ["", "edit", "delete", "resume"]
COMMANDS = {"": {"name": "X"}, "enabled": {"enabled": "no"}, "run": {"request_key": "k"}, "delete": {}}


class TestWhoMayWhat:
    @pytest.mark.parametrize("page", PAGES)
    def test_a_stranger_finds_no_page(self, stranger: Browser, schedule: Schedule, page: str) -> None:
        response = stranger.visit(address(schedule, page).rstrip("/"))

        assert response.status_code == 404

    @pytest.mark.parametrize("command", COMMANDS)
    def test_a_stranger_changes_nothing(
        self, stranger: Browser, schedule: Schedule, database: Database, command: str
    ) -> None:
        response = stranger.send(address(schedule, command).rstrip("/"), COMMANDS[command])

        row = stored(database, schedule)
        assert response.status_code == 404
        assert (row.name, row.enabled, row.deleted_at, count_runs(database)) == ("Meta Ads daily", True, None, 0)

    @pytest.mark.parametrize("command", COMMANDS)
    def test_a_viewer_may_only_look(
        self, viewer: Browser, schedule: Schedule, database: Database, command: str
    ) -> None:
        response = viewer.send(address(schedule, command).rstrip("/"), COMMANDS[command])

        row = stored(database, schedule)
        assert response.status_code == 403
        assert (row.enabled, row.deleted_at, count_runs(database)) == (True, None, 0)

    def test_an_unknown_schedule_is_not_found(self, owner: Browser) -> None:
        response = owner.visit(f"/schedules/{uuid4()}")

        assert response.status_code == 404
