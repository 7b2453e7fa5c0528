"""The list of runs, a run's page, its log, and the buttons on it, as a browser sees them."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from app.core.db import Database
from app.core.ids import new_id
from app.runs import run_lists, run_search
from app.runs.models import Run
from app.runs.queries import get_run
from app.runs.states import RunState
from app.web.pages import runs as pages_of_runs
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

HOSTILE = "<script>alert(1)</script><div hx-get=/x hx-trigger=load>"


def count_runs(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(Run)).one()


def state_of(database: Database, browser: Browser, run_id: UUID) -> RunState:
    with database.reading() as session:
        return get_run(session, organization_id=browser.organization_id, run_id=run_id).state


@pytest.fixture
def failed(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Nightly export")
        return make_failed(session, job, now=clock.moment, detail="Traceback: line 7")


@pytest.fixture
def succeeded(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Stock check")
        return make_succeeded(session, job, now=clock.moment, result={"orders": 12, "pages": {"read": 2}})


@pytest.fixture
def running(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Long import")
        return make_running(session, job, now=clock.moment, lines=["first line", "second line"])


class TestList:
    def test_says_what_ran_and_how(self, viewer: Browser, failed: UUID) -> None:
        text = viewer.visit("/runs").text

        assert "Nightly export" in text
        assert "By hand" in text
        assert "on time" in text

    def test_tells_how_late_a_run_started(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
            session.get_one(Run, run_id).due_at = clock.moment - timedelta(seconds=4)

        assert "4 s late" in viewer.visit("/runs").text

    def test_narrows_to_a_state(self, viewer: Browser, failed: UUID, succeeded: UUID) -> None:
        text = viewer.visit("/runs?state=failed").text

        assert f"run-{failed}" in text
        assert f"run-{succeeded}" not in text

    def test_narrows_to_a_schedule(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock, failed: UUID
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Other")
            schedule = make_schedule(session, job)
            run_id = make_run(session, job, now=clock.moment, schedule_id=schedule.id)

        text = viewer.visit(f"/runs?schedule={schedule.id}").text

        assert f"run-{run_id}" in text
        assert f"run-{failed}" not in text

    def test_says_what_it_is_narrowed_to_and_leads_out_of_that(
        self, viewer: Browser, database: Database, organization_id: UUID, failed: UUID
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Other")
            schedule = make_schedule(session, job, name="Hourly")

        text = unescape(viewer.visit(f"/runs?schedule={schedule.id}&job={job.id}&state=failed").text)

        assert "Schedule: Hourly" in text
        assert f'href="/runs?state=failed&job={job.id}"' in text
        assert f'href="/runs?state=failed&schedule={schedule.id}"' in text
        assert "Job: a deleted one" in viewer.visit(f"/runs?job={UUID(int=7)}").text

    @pytest.mark.parametrize("text", ["nightly EXPORT", "Hourly 50%", "503 Service", "orders_2027"])
    def test_finds_by_name_error_and_content(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock, text: str
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Nightly export", table="orders_2027")
            schedule = make_schedule(session, job, name="Hourly 50% of all")
            wanted = make_run(session, job, now=clock.moment, schedule_id=schedule.id)
            session.get_one(Run, wanted).error = "It answered 503 Service Unavailable"
            other = make_run(session, make_job(session, organization_id, name="Nothing_50"), now=clock.moment)

        found = viewer.visit("/runs", query_string={"q": text}).text

        assert f'id="run-{wanted}"' in found
        assert f'id="run-{other}"' not in found

    def test_finds_by_the_whole_id(self, viewer: Browser, stranger: Browser, failed: UUID, succeeded: UUID) -> None:
        text = viewer.visit(f"/runs?q={failed}").text

        assert f'id="run-{failed}"' in text
        assert f'id="run-{succeeded}"' not in text
        assert f'id="run-{failed}"' not in stranger.visit(f"/runs?q={failed}").text

    def test_a_search_says_how_far_it_looked_and_goes_on(
        self,
        viewer: Browser,
        database: Database,
        organization_id: UUID,
        clock: ManualClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 3)
        with database.transaction() as session:
            job = make_job(session, organization_id, name="Rare")
            rare = make_run(session, job, now=clock.moment)
            job = make_job(session, organization_id, name="Often")
            ids = [make_run(session, job, now=clock.moment + timedelta(seconds=n + 1)) for n in range(4)]

        first = viewer.visit("/runs?q=rare").text
        older = viewer.visit(f"/runs?q=rare&older_than={ids[1]}").text

        assert "Search older runs" in first
        assert f"~{ids[1]}" in first
        assert f'id="run-{rare}"' not in first
        assert f'id="run-{rare}"' in older
        assert "Search older runs" not in older

    @pytest.mark.parametrize("query", ["q=%00", "q=%ED%A0%80", "q=" + "a" * 5_000, "q=%25_%5C'"])
    def test_takes_any_text_to_search_for(self, viewer: Browser, failed: UUID, query: str) -> None:
        assert viewer.visit(f"/runs?{query}").status_code == 200

    @pytest.mark.parametrize("query", ["state=on-fire", "job=7", "schedule=%00", "older_than=x", "job=" + "a" * 99])
    def test_ignores_what_it_cannot_read(self, viewer: Browser, failed: UUID, query: str) -> None:
        answer = viewer.visit(f"/runs?{query}")

        assert answer.status_code == 200
        assert f"run-{failed}" in answer.text

    def test_says_when_the_filter_found_nothing(self, viewer: Browser, failed: UUID) -> None:
        assert "No runs match this filter" in viewer.visit("/runs?state=cancelled").text

    def test_says_what_will_be_here_when_there_is_nothing(self, viewer: Browser) -> None:
        assert "No runs yet" in viewer.visit("/runs").text

    def test_has_as_many_rows_as_the_browser_chose(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            ids = [make_run(session, job, now=clock.moment + timedelta(minutes=n)) for n in range(60)]

        def shown(text: str) -> list[UUID]:
            return [UUID(found) for found in re.findall(r'<tr[^>]* id="run-([0-9a-f-]+)"', text)]

        first = viewer.visit("/runs").text
        answer = viewer.send("/account/rows", {"rows": "25", "back": "/runs?state=ready"})
        pages = [viewer.visit("/runs").text]
        pages += [viewer.visit(f"/runs?older_than={ids[35]}").text, viewer.visit(f"/runs?older_than={ids[10]}").text]
        back = viewer.visit(f"/runs?newer_than={ids[9]}").text

        assert "60 runs, 50 on this page." in first
        assert answer.headers["Location"] == "/runs?state=ready"
        assert [run_id for text in pages for run_id in shown(text)] == ids[::-1]
        assert f"~{ids[9]}" in pages[2]
        assert shown(back) == shown(pages[1])
        # What is before that page is no whole page any more than the first one is.
        assert shown(viewer.visit(f"/runs?newer_than={ids[34]}").text) == shown(pages[0])
        assert "newer_than" not in pages[0]

    @pytest.mark.parametrize("rows", ["7", "100000", "", "x"])
    def test_keeps_its_rows_where_the_choice_is_none(self, viewer: Browser, rows: str) -> None:
        viewer.send("/account/rows", {"rows": rows})

        with viewer.session_transaction() as kept:
            assert "rows" not in kept

    def test_counts_only_so_far(
        self, viewer: Browser, running: UUID, failed: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_lists, "MOST_COUNTED", 1)
        monkeypatch.setattr(pages_of_runs, "MOST_COUNTED", 1)

        assert "1+ runs, 2 on this page." in viewer.visit("/runs").text

    def test_leads_to_older_runs_and_back(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            ids = [make_run(session, job, now=clock.moment + timedelta(seconds=n)) for n in range(51)]

        first = viewer.visit("/runs").text
        older = viewer.visit(f"/runs?older_than={ids[1]}").text

        assert f"~{ids[1]}" in first
        assert f'id="run-{ids[0]}"' not in first
        assert f'id="run-{ids[0]}"' in older

    def test_gives_a_script_the_rows_alone(self, viewer: Browser, failed: UUID) -> None:
        text = viewer.visit("/runs", htmx=True).text

        assert f'id="run-{failed}"' in text
        assert "<html" not in text

    def test_shows_nothing_of_others(self, stranger: Browser, failed: UUID) -> None:
        assert "Nightly export" not in stranger.visit("/runs").text

    def test_wants_a_person(self, anonymous: Browser) -> None:
        assert anonymous.visit("/runs").status_code == 302


class TestPage:
    def test_says_why_it_failed_above_the_log(self, viewer: Browser, failed: UUID) -> None:
        text = viewer.visit(f"/runs/{failed}").text

        assert text.index("The job failed.") < text.index("The shop did not answer.") < text.index('id="log"')
        assert "Traceback: line 7" in text

    def test_shows_what_the_job_returned(self, viewer: Browser, succeeded: UUID) -> None:
        text = viewer.visit(f"/runs/{succeeded}").text

        assert "<dt>Orders</dt><dd>12</dd>" in text
        assert "<dt>Pages</dt><dd>read 2</dd>" in text

    def test_names_who_asked(
        self, owner: Browser, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, organization_id), now=clock.moment, requested_by=owner.user_id)

        assert "by owner@example.com" in viewer.visit(f"/runs/{run_id}").text

    def test_says_when_the_next_try_comes(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            run_id = make_waiting_retry(session, job, now=clock.moment, ready_at=clock.moment + timedelta(minutes=5))

        text = viewer.visit(f"/runs/{run_id}").text

        assert "Next try" in text
        assert "Tue 5 Jan, 14:05:00" in text

    def test_offers_the_button_with_the_reason_why_it_is_off(self, viewer: Browser, failed: UUID) -> None:
        text = viewer.visit(f"/runs/{failed}").text

        assert 'disabled title="Your role here is viewer; this needs admin or higher."' in text

    def test_leaves_the_log_out_of_its_refresh(self, viewer: Browser, running: UUID) -> None:
        text = viewer.visit(f"/runs/{running}", htmx=True).text

        assert "first line" not in text
        assert 'hx-target="#run-facts"' in text

    @pytest.mark.parametrize("path", ["", "/log", "/log.txt"])
    def test_a_run_of_somebody_else_looks_like_none(self, stranger: Browser, failed: UUID, path: str) -> None:
        theirs = stranger.visit(f"/runs/{failed}{path}")
        absent = stranger.visit(f"/runs/{new_id()}{path}")

        assert theirs.status_code == absent.status_code == 404
        assert "Nightly export" not in theirs.text

    @pytest.mark.parametrize("path", ["/runs/7", "/runs/x/log", "/runs/%00/log.txt", "/runs/" + "a" * 300])
    def test_an_id_that_is_none_is_not_found(self, viewer: Browser, path: str) -> None:
        assert viewer.visit(path).status_code == 404


class TestLog:
    def test_asks_for_more_from_the_last_line_while_it_runs(self, viewer: Browser, running: UUID) -> None:
        text = viewer.visit(f"/runs/{running}").text

        assert "second line" in text
        assert f'hx-get="/runs/{running}/log?after=2"' in text

    def test_brings_only_the_lines_that_are_new(self, viewer: Browser, running: UUID) -> None:
        text = viewer.visit(f"/runs/{running}/log?after=1", htmx=True).text

        assert "first line" not in text
        assert "second line" in text

    def test_stops_asking_when_the_run_is_over(self, viewer: Browser, failed: UUID) -> None:
        text = viewer.visit(f"/runs/{failed}/log?after=0", htmx=True).text

        assert "hx-get" not in text

    @pytest.mark.parametrize("after", ["", "x", "-1", "9" * 10, "9" * 300, "²", "1.5"])
    def test_survives_a_number_that_is_none(self, viewer: Browser, running: UUID, after: str) -> None:
        assert viewer.visit(f"/runs/{running}/log?after={after}", htmx=True).status_code == 200

    def test_says_when_there_is_none(self, viewer: Browser, succeeded: UUID) -> None:
        assert "This run wrote no log." in viewer.visit(f"/runs/{succeeded}").text

    def test_begins_with_its_last_five_hundred_lines(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            run_id = make_running(session, job, now=clock.moment, lines=[f"line {n:04}" for n in range(1, 1203)])

        text = viewer.visit(f"/runs/{run_id}").text

        assert "line 0702" not in text
        assert "line 0703" in text
        assert "1,202 lines" in text
        assert "Load 500 earlier" in text

    def test_cannot_bring_markup_into_the_page(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id, name="<b>bold</b>")
            run_id = make_failed(session, job, now=clock.moment, error=HOSTILE, detail=HOSTILE, lines=[HOSTILE])

        answers = [
            viewer.visit(path).text
            for path in (f"/runs/{run_id}", f"/runs/{run_id}/log", "/runs", "/queue?tab=failed", "/")
        ]

        assert not any("<script>alert" in text or "<div hx-get=/x" in text or "<b>bold" in text for text in answers)

    def test_downloads_as_plain_text_with_every_line(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            run_id = make_running(session, job, now=clock.moment, lines=[HOSTILE] * 2001)

        answer = viewer.visit(f"/runs/{run_id}/log.txt")

        assert answer.mimetype == "text/plain"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.text.splitlines() == [f"2027-01-05T12:00:00Z INFO    {HOSTILE}"] * 2001


class TestRetry:
    def test_makes_a_new_run_and_leads_to_it(self, admin: Browser, failed: UUID, database: Database) -> None:
        answer = admin.send(f"/runs/{failed}/retry")

        assert answer.status_code == 303
        assert "Retry of" in admin.visit(answer.location).text
        assert count_runs(database) == 2

    def test_twice_is_one_run_and_says_so(self, admin: Browser, failed: UUID, database: Database) -> None:
        admin.send(f"/runs/{failed}/retry")

        again = admin.send(f"/runs/{failed}/retry")

        assert again.status_code == 409
        assert "This run was retried already." in again.text
        assert count_runs(database) == 2

    def test_of_a_run_that_went_well_is_refused_in_words(self, admin: Browser, succeeded: UUID) -> None:
        answer = admin.send(f"/runs/{succeeded}/retry")

        assert answer.status_code == 409
        assert "Only a failed run can be retried; this one succeeded." in answer.text

    def test_of_somebody_elses_run_does_nothing(self, stranger: Browser, failed: UUID, database: Database) -> None:
        assert stranger.send(f"/runs/{failed}/retry").status_code == 404
        assert count_runs(database) == 1

    @pytest.mark.parametrize("role", ["viewer", "operator"])
    def test_needs_an_admin(self, role: str, failed: UUID, database: Database, request: pytest.FixtureRequest) -> None:
        browser: Browser = request.getfixturevalue(role)

        assert browser.send(f"/runs/{failed}/retry").status_code == 403
        assert count_runs(database) == 1

    def test_needs_a_token(self, admin: Browser, failed: UUID, database: Database) -> None:
        assert admin.post(f"/runs/{failed}/retry").status_code == 400
        assert count_runs(database) == 1

    def test_from_the_queue_brings_the_queue_and_a_way_to_the_run(self, admin: Browser, failed: UUID) -> None:
        answer = admin.send(f"/runs/{failed}/retry", {"here": "tab=dead"}, htmx=True)

        assert "Nothing dead" in answer.text
        assert '"label": "View"' in answer.headers["HX-Trigger"]

    def test_from_the_queue_works_without_scripts(self, admin: Browser, failed: UUID) -> None:
        answer = admin.send(f"/runs/{failed}/retry", {"here": "tab=dead"})

        assert (answer.status_code, answer.location) == (303, "/queue?tab=dead")


class TestRemoval:
    def test_cancels_a_run_that_waits(
        self, admin: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, organization_id), now=clock.moment)

        admin.send(f"/runs/{run_id}/removal")

        assert state_of(database, admin, run_id) is RunState.CANCELLED
        assert "admin@example.com removed it before it started." in admin.visit(f"/runs/{run_id}").text

    def test_takes_a_failed_run_off_the_queue_and_keeps_its_outcome(
        self, admin: Browser, failed: UUID, database: Database
    ) -> None:
        answer = admin.send(f"/runs/{failed}/removal", {"here": "tab=dead"}, htmx=True)

        assert "Nothing dead" in answer.text
        assert state_of(database, admin, failed) is RunState.FAILED

    def test_of_a_run_that_runs_is_refused_in_words(self, admin: Browser, running: UUID) -> None:
        answer = admin.send(f"/runs/{running}/removal", {"here": "tab=waiting"}, htmx=True)

        assert answer.status_code == 409
        assert "no longer waiting" in answer.text

    def test_is_refused_to_a_viewer(self, viewer: Browser, failed: UUID) -> None:
        assert viewer.send(f"/runs/{failed}/removal").status_code == 403

    def test_of_somebody_elses_run_does_nothing(
        self, stranger: Browser, database: Database, admin: Browser, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, admin.organization_id), now=clock.moment)

        assert stranger.send(f"/runs/{run_id}/removal").status_code == 404
        assert state_of(database, admin, run_id) is RunState.READY


class TestUnreadableRows:
    def test_do_not_take_the_lists_with_them(
        self, viewer: Browser, engine: str, database: OpenDatabase, succeeded: UUID, failed: UUID
    ) -> None:
        # PostgreSQL stores nothing that is no JSON, but anything that is.
        definition = "{" if engine == "sqlite" else '"words"'
        with database.transaction() as session:
            spoil = text("UPDATE runs SET kind = 'sync', definition = :definition WHERE id = :id")
            session.execute(spoil, {"definition": definition, "id": failed.hex})

        statuses = [viewer.visit(path).status_code for path in ("/", "/runs", f"/runs/{failed}", "/queue?tab=failed")]

        assert statuses == [200, 200, 200, 200]
