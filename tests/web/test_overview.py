"""The first page: the checklist of a new organization, the figures, and what needs attention."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from app.core.config import Settings
from app.core.db import Database, open_database
from app.core.ids import new_id
from app.factory import create_app
from app.notifications.models import Channel
from app.ops.heartbeats import ProcessFacts, beat
from app.runs import planner
from app.tenants.models import AuditEntry, Organization
from app.tenants.roles import Role
from tests.factories.notifications import make_channel, make_rule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser, OpenBrowser

MOST_STATEMENTS = 12


def tile(text: str, label: str) -> str:
    """What a figure says: its value and its note."""
    found = re.search(rf'tile-label">{label}</span>(.*?)</(?:a|div)>', text, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found.group(1)).split())


class TestFirstSteps:
    def test_are_all_there_is_before_the_first_job(self, owner: Browser) -> None:
        text = owner.visit("/").text

        assert "0 of 6 done" in text
        assert "Make a job" in text
        assert "Success rate" not in text

    def test_are_ticked_by_what_is_there(self, owner: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            facts = ProcessFacts(new_id(), "worker-1:42", "1.0", 5, True)
            beat(session, facts, now=clock.moment, ticked_at=None, tick_ms=None)
            make_schedule(session, make_job(session, owner.organization_id))

        assert "3 of 6 done" in owner.visit("/").text

    def test_are_gone_when_all_are_done(
        self, owner: Browser, open_browser: OpenBrowser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, owner.organization_id)
            make_schedule(session, job)
            make_succeeded(session, job, now=clock.moment)
            make_rule(
                session, owner.organization_id, make_channel(session, owner.organization_id, last_ok_at=clock.moment)
            )
        alone = owner.visit("/").text
        open_browser(organization_id=owner.organization_id)

        assert "Invite a colleague" in alone
        assert "First steps" not in owner.visit("/").text

    def test_say_how_far_a_failure_would_come(self, owner: Browser, database: Database, clock: ManualClock) -> None:
        def step() -> str:
            found = owner.visit("/").text.partition("Be told when something breaks")[2].partition("</li>")[0]
            return " ".join(re.sub(r"<[^>]+>", " ", found).split())

        said = [step()]
        with database.transaction() as session:
            channel_id = make_channel(session, owner.organization_id, state="off")
        said.append(step())
        with database.transaction() as session:
            session.get_one(Channel, channel_id).state = "on"
        said.append(step())
        with database.transaction() as session:
            make_rule(session, owner.organization_id, channel_id)
        said.append(step())
        with database.transaction() as session:
            session.get_one(Channel, channel_id).last_ok_at = clock.moment
        said.append(step())

        last_words = "Add a channel", "Go to notifications", "Add a rule", "Send a test", "and messages arrive."
        assert [words.endswith(last) for words, last in zip(said, last_words, strict=True)] == [True] * 5

    def test_ask_nobody_to_invite_others_into_what_is_their_own(
        self, owner: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            organization = session.get_one(Organization, owner.organization_id)
            organization.is_personal = True

        assert "Invite a colleague" not in owner.visit("/").text

    def test_can_be_put_away_and_brought_back(self, owner: Browser, viewer: Browser) -> None:
        away = owner.send("/first-steps/hide")
        shown = owner.visit("/").text
        back = owner.send("/first-steps/show")

        assert (away.status_code, back.status_code) == (303, 303)
        assert "First steps put away. Help brings them back." in shown
        assert 'action="/first-steps/show"' in shown
        assert 'id="first-steps"' not in shown
        assert 'id="first-steps"' in owner.visit("/").text

    def test_stay_with_others_when_somebody_puts_them_away(self, owner: Browser, open_browser: OpenBrowser) -> None:
        colleague = open_browser(organization_id=owner.organization_id, role=Role.ADMIN)
        owner.send("/first-steps/hide")

        assert 'id="first-steps"' in colleague.visit("/").text

    def test_are_put_away_once_for_the_audit(self, owner: Browser, database: Database) -> None:
        for _ in range(2):
            owner.send("/first-steps/hide")

        with database.reading() as session:
            entries = list(session.scalars(select(AuditEntry.action)))
        assert entries.count("account.first_steps_hidden") == 1

    def test_say_to_a_viewer_who_may_take_them(self, viewer: Browser) -> None:
        assert "Your role here is viewer; this needs admin or higher." in viewer.visit("/").text


class TestFigures:
    def test_tell_the_rate_with_its_denominator(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for _ in range(9):
                make_succeeded(session, job, now=clock.moment - timedelta(days=1))
            make_failed(session, job, now=clock.moment - timedelta(days=1))
            make_failed(session, job, now=clock.moment - timedelta(days=8))

        assert tile(viewer.visit("/").text, "Success rate, 7 days") == "90.0% of 10 runs"

    def test_tell_how_the_rate_has_changed(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for number in range(5):
                make_succeeded(session, job, now=clock.moment - timedelta(days=1))
                (make_failed if number else make_succeeded)(session, job, now=clock.moment - timedelta(days=8))

        note = "of 5 runs, 80.0 points better than the 7 days before"
        assert tile(viewer.visit("/").text, "Success rate, 7 days") == f"100% {note}"

    def test_tell_what_is_switched_on_and_what_comes_next(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            make_schedule(session, job, name="Soon", next_run_at=clock.moment + timedelta(minutes=3))
            make_schedule(session, job, name="Never", enabled=False, next_run_at=clock.moment)

        text = viewer.visit("/").text

        assert tile(text, "Enabled schedules") == "1 of 2"
        assert 'href="/schedules?status=enabled"' in text
        assert tile(text, "Next run") == "in 3 min Soon"

    def test_tell_what_runs(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            make_running(session, make_job(session, viewer.organization_id), now=clock.moment)

        assert tile(viewer.visit("/").text, "Running now") == "1 no worker is running"

    def test_forget_a_failure_once_the_schedule_works_again(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            mended, broken = make_schedule(session, job), make_schedule(session, job)
            make_failed(session, job, now=clock.moment - timedelta(hours=2), schedule_id=mended.id)
            make_succeeded(session, job, now=clock.moment - timedelta(hours=1), schedule_id=mended.id)
            make_failed(session, job, now=clock.moment - timedelta(hours=1), schedule_id=broken.id)

        assert tile(viewer.visit("/").text, "Failing now").startswith("1 ")


class TestAttention:
    def test_names_what_failed_why_and_since_when(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id, name="Nightly export")
            make_failed(session, job, now=clock.moment - timedelta(hours=3), error="An older one")
            newest = make_failed(session, job, now=clock.moment - timedelta(hours=1), error="Refused\nat line 7")

        part = viewer.visit("/").text.partition('id="attention"')[2].partition("</section>")[0]

        assert f"/runs/{newest}" in part
        assert "2 failed runs" in part
        assert ("Refused" in part, "line 7" in part, "An older one" in part) == (True, False, False)

    def test_says_since_when_by_the_clock_that_is_chosen(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            tokyo = make_schedule(session, job, name="In Tokyo", timezone="Asia/Tokyo").id
            make_failed(session, job, now=clock.moment - timedelta(hours=1), schedule_id=tokyo)
        viewer.send("/account/times", {"times": "schedule", "back": "/"})

        part = viewer.visit("/").text.partition('id="attention"')[2].partition("</section>")[0]

        assert "Tue 5 Jan, 20:00 Tokyo" in part

    def test_has_a_button_that_helps(
        self, admin: Browser, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, admin.organization_id, name="Nightly export")
            failed = make_failed(session, job, now=clock.moment)

        assert 'aria-label="View log: Nightly export"' in viewer.visit("/").text
        assert 'aria-label="Retry Nightly export"' in admin.visit("/").text
        answer = admin.send(f"/runs/{failed}/retry", {"from": "overview"})
        assert answer.location == "/"
        assert "The run is queued again." in admin.visit("/").text

    def test_leads_to_the_question_about_a_stuck_run(
        self, admin: Browser, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, admin.organization_id, name="Nightly export")
            run_id = make_running(session, job, now=clock.moment - timedelta(hours=1))

        of_admin, of_viewer = (
            one.visit("/").text.partition('id="attention"')[2].partition("</section>")[0] for one in (admin, viewer)
        )

        assert "Looks stuck" in of_viewer
        assert "It has run 1 h (typical length not known yet)." in of_viewer
        assert f'href="/queue/runs/{run_id}/stuck"' in of_admin
        assert 'aria-label="Look…: Nightly export"' in of_admin
        assert f'href="/runs/{run_id}#log"' in of_viewer
        assert "/stuck" not in of_viewer

    def test_leads_to_what_runs_where_more_look_stuck(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for _ in range(7):
                make_running(session, job, now=clock.moment - timedelta(hours=1))

        assert '<a href="/queue?tab=running">and 2 more</a>' in viewer.visit("/").text

    def test_names_schedules_that_cannot_run(self, viewer: Browser, database: Database) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            make_schedule(session, job, name="Odd one", problem="It has no coming date.")

        text = viewer.visit("/").text

        assert "Odd one" in text
        assert "It has no coming date." in text

    def test_follows_health_and_leads_to_what_there_is_no_room_for(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            soon = clock.moment + timedelta(hours=1)
            for number in range(6):
                recovered = make_schedule(session, job, name=f"Recovered {number}", next_run_at=soon)
                make_failed(session, job, now=clock.moment - timedelta(days=5), schedule_id=recovered.id)
                make_succeeded(session, job, now=clock.moment - timedelta(days=4), schedule_id=recovered.id)
                make_schedule(
                    session, job, name=f"Late {number}", next_run_at=clock.moment - timedelta(hours=5, minutes=number)
                )

        text = viewer.visit("/").text
        part = text.partition('id="attention"')[2].partition("</section>")[0]

        assert "Recovered" not in part
        assert part.count("It is due and has not started.") == 5
        assert '<a href="/schedules">and 1 more</a>' in part

    def test_leads_to_failed_runs_by_hand(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            for number in range(8):
                job = make_job(session, viewer.organization_id, name=f"Job {number}")
                make_failed(session, job, now=clock.moment - timedelta(hours=1))

        assert '<a href="/queue?tab=failed">and 3 more</a>' in viewer.visit("/").text

    def test_names_what_fails_however_often_something_else_did(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            soon = clock.moment + timedelta(hours=1)
            noisy, payroll = (make_schedule(session, job, name=name, next_run_at=soon) for name in ("Noisy", "Payroll"))
            make_failed(session, job, now=clock.moment - timedelta(hours=3), schedule_id=payroll.id)
            for minutes in range(120):
                made = clock.moment - timedelta(minutes=120 - minutes)
                make_failed(session, job, now=made, schedule_id=noisy.id)

        part = viewer.visit("/").text.partition('id="attention"')[2].partition("</section>")[0]

        assert ("Noisy" in part, "100+ failed runs" in part, "Payroll" in part) == (True, True, True)

    def test_is_away_when_all_is_well(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            make_succeeded(session, make_job(session, viewer.organization_id), now=clock.moment)

        assert "Needs attention" not in viewer.visit("/").text

    def test_shows_nothing_of_others(
        self, stranger: Browser, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_failed(session, make_job(session, viewer.organization_id, name="Nightly export"), now=clock.moment)

        assert "Nightly export" not in stranger.visit("/").text


class TestMissedSlots:
    def test_are_in_the_figures_of_all_pages(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        begin = clock.moment.replace(minute=0, second=0, microsecond=0)
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            hourly = make_schedule(
                session, job, name="Hourly", cron="0 * * * *", missed="skip", next_run_at=begin + timedelta(hours=1)
            )
            for hours in range(6):
                make_succeeded(session, job, now=begin - timedelta(hours=hours), schedule_id=hourly.id)
        # Nobody keeps time for ten hours.
        clock.moment = begin + timedelta(hours=10, minutes=20)
        with database.transaction() as session:
            planner.tick(session, now=clock.moment)

        first, schedules, page = (viewer.visit(path).text for path in ("/", "/schedules", f"/schedules/{hourly.id}"))

        assert tile(first, "Success rate, 7 days") == "37.5% of 16 runs"
        assert tile(first, "Failing now").startswith("1 ")
        assert "10 slots were missed: no scheduler was running." in first
        assert "16 runs ended: 6 succeeded, 10 missed." in first
        assert "16 runs · 10 missed" in schedules
        assert "37.5% of 16" in page
        assert [re.findall(r"6 succeeded, 10 missed", text) != [] for text in (schedules, page)] == [True, True]


class TestTheDay:
    def test_is_drawn_with_a_table_behind_it(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            make_schedule(session, job, cron="0 * * * *", timezone="UTC")
            make_failed(session, job, now=clock.moment - timedelta(hours=2))

        part = viewer.visit("/").text.partition('id="day"')[2].partition("</section>")[0]

        assert "1 run ended: 1 failed." in part
        assert 'id="day-table"' in part
        assert part.count('role="row"') > 8


class TestRefresh:
    def test_gives_a_script_the_part_that_changes(self, viewer: Browser) -> None:
        text = viewer.visit("/", htmx=True).text

        assert "First steps" in text
        assert "<html" not in text

    def test_asks_the_database_a_fixed_number_of_questions(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for number in range(30):
                make_failed(session, job, now=clock.moment - timedelta(minutes=number))
        asked: list[str] = []

        def note(*arguments: Any) -> None:
            if "set_config" not in arguments[2] and not arguments[2].startswith(("BEGIN", "SET ")):
                asked.append(arguments[2])

        # Whether the tables are the right ones is asked every few seconds, and not by every page.
        viewer.visit("/")
        event.listen(database.read, "before_cursor_execute", note)
        viewer.visit("/")
        event.remove(database.read, "before_cursor_execute", note)

        assert len(asked) <= MOST_STATEMENTS, "\n\n".join(asked)


@pytest.mark.parametrize("path", ["/", "/runs", "/queue", "/schedules"])
def test_a_page_says_so_while_the_database_has_no_tables(empty_settings: Settings, path: str) -> None:
    empty = open_database(empty_settings.database_url)
    app = create_app(empty_settings, database=empty, kinds={})

    answer = app.test_client().get(path)

    empty.dispose()
    assert answer.status_code == 200
    assert "The database has no tables yet. Run: belfry db upgrade" in answer.text
    assert [words for words in ("Sign out", "Not signed in", "data-live-pill") if words in answer.text] == []
