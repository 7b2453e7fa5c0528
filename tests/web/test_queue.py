"""The queue page as a browser sees it. What its buttons do is in test_runs.py."""

import re
from datetime import timedelta

import pytest

from app.core.db import Database
from app.ops.heartbeats import beat, facts_of_this_process
from tests.factories.outcomes import make_failed, make_running, make_waiting_retry
from tests.factories.work import load_run, make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser


@pytest.fixture
def full(database: Database, viewer: Browser, clock: ManualClock) -> None:
    """One run of each kind that the queue knows."""
    with database.transaction() as session:
        waiting = make_job(session, viewer.organization_id, name="Waits for a slot")
        make_run(session, waiting, now=clock.moment - timedelta(minutes=4))
        retried = make_job(session, viewer.organization_id, name="Waits for a try")
        make_waiting_retry(session, retried, now=clock.moment, ready_at=clock.moment + timedelta(minutes=5))
        make_running(session, make_job(session, viewer.organization_id, name="Is running"), now=clock.moment)
        make_failed(session, make_job(session, viewer.organization_id, name="Has failed"), now=clock.moment)


class TestQueue:
    def test_tells_how_long_the_oldest_waits_and_when_the_next_try_comes(self, viewer: Browser, full: None) -> None:
        text = viewer.visit("/queue").text

        assert "oldest for 4 min" in text
        assert "next in 5 min" in text

    @pytest.mark.parametrize(
        ("tab", "shown", "hidden"),
        [
            ("waiting", ("Waits for a slot",), ("Waits for a try", "Is running", "Has failed")),
            ("running", ("Is running", "worker-1:42"), ("Waits for a slot", "Has failed")),
            ("retrying", ("Waits for a try", "The shop did not answer."), ("Waits for a slot", "Has failed")),
            ("dead", ("Has failed", "The shop did not answer."), ("Waits for a slot", "Is running")),
            ("failed", ("Has failed", "The shop did not answer."), ("Waits for a slot", "Is running")),
            ("all", ("Has failed", "Is running", "Waits for a slot", "Waits for a try"), ()),
        ],
    )
    def test_has_an_address_for_each_tab(
        self, viewer: Browser, full: None, tab: str, shown: tuple[str, ...], hidden: tuple[str, ...]
    ) -> None:
        text = viewer.visit(f"/queue?tab={tab}").text

        assert [name for name in shown if name not in text] == []
        assert [name for name in hidden if name in text] == []

    @pytest.mark.parametrize("tab", ["on-fire", "", "%00", "../x"])
    def test_opens_the_first_tab_for_an_unknown_one(self, viewer: Browser, full: None, tab: str) -> None:
        answer = viewer.visit(f"/queue?tab={tab}")

        assert answer.status_code == 200
        assert "Waits for a slot" in answer.text

    @pytest.mark.parametrize(
        ("tab", "words"),
        [
            ("waiting", "Nothing waits"),
            ("running", "Nothing runs"),
            ("retrying", "Nothing waits for its next try"),
            ("dead", "Nothing dead"),
            ("removed", "Nothing was removed"),
            ("all", "No runs yet"),
        ],
    )
    def test_says_what_an_empty_tab_is_for(self, viewer: Browser, tab: str, words: str) -> None:
        assert words in viewer.visit(f"/queue?tab={tab}").text

    @pytest.mark.parametrize(
        ("tab", "shown"),
        [
            ("waiting", ["Tue 5 Jan, 20:56:00 Tokyo"]),
            ("running", ["Tue 5 Jan, 21:00:00 Tokyo"]),
            ("dead", ["Tue 5 Jan, 21:00 Tokyo"] * 3),
        ],
    )
    def test_tells_times_by_the_clock_of_each_schedule(
        self, viewer: Browser, database: Database, clock: ManualClock, tab: str, shown: list[str]
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            tokyo = make_schedule(session, job, name="In Tokyo", timezone="Asia/Tokyo").id
            make_run(session, job, now=clock.moment - timedelta(minutes=4), schedule_id=tokyo)
            make_running(session, job, now=clock.moment, schedule_id=tokyo)
            make_failed(session, job, now=clock.moment, schedule_id=tokyo)
        viewer.send("/account/times", {"times": "schedule", "back": "/queue"})

        found = re.findall(r"\w{3} 5 Jan, [\d:]+ \w+", viewer.visit(f"/queue?tab={tab}").text)

        # Of dead letters that of the cause, too: when it came first and last.
        assert found == shown

    def test_names_the_clock_of_a_cause_that_several_schedules_have(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for zone in ("Asia/Tokyo", "America/New_York"):
                of_zone = make_schedule(session, job, name=zone, timezone=zone).id
                make_failed(session, job, now=clock.moment, schedule_id=of_zone)
        viewer.send("/account/times", {"times": "schedule", "back": "/queue"})

        causes = viewer.visit("/queue?tab=dead").text.partition('data-testid="queue.cause"')[2].partition("</tr>")[0]

        assert re.findall(r"\w{3} 5 Jan, [\d:]+ \w+", causes) == ["Tue 5 Jan, 14:00 Riga"] * 2

    def test_gives_a_script_the_part_that_changes(self, viewer: Browser, full: None) -> None:
        text = viewer.visit("/queue?tab=failed", htmx=True).text

        assert "Has failed" in text
        assert "<html" not in text

    def test_has_its_buttons_off_for_a_viewer_and_on_for_an_admin(
        self, viewer: Browser, admin: Browser, full: None
    ) -> None:
        for_viewer = viewer.visit("/queue?tab=dead", htmx=True).text
        for_admin = admin.visit("/queue?tab=dead", htmx=True).text

        # Retry and Remove, Retry of its cause, and pausing, which concerns everybody and is for platform admins alone.
        assert for_viewer.count("disabled title") == 2 + 1 + 3
        assert for_admin.count("disabled title") == 3

    def test_says_why_a_run_cannot_be_retried_whose_job_left_the_code(
        self, database: Database, admin: Browser, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, admin.organization_id, name="Match orders")
            job.left_code_at, job.code_source = clock.moment, "tasks.py:7"
            run_id = make_failed(session, job, now=clock.moment)
        why = "“Match orders” is no longer defined in code (it was in tasks.py:7), so it can only be looked at."

        in_queue, on_its_page = admin.visit("/queue?tab=failed").text, admin.visit(f"/runs/{run_id}").text

        assert f'disabled title="{why}"' in in_queue
        assert f'disabled title="{why}"' in on_its_page

    def test_calls_nothing_a_last_try_that_was_none(self, viewer: Browser, full: None) -> None:
        text = viewer.visit("/queue?tab=failed").text

        assert "not tried again or out of tries" in text
        assert "all its tries" not in text

    def test_names_the_buttons_that_follow_each_other_for_the_keyboard(self, admin: Browser, full: None) -> None:
        assert admin.visit("/queue?tab=failed").text.count('data-focus-next="retry"') == 1

    def test_shows_nothing_of_others(self, stranger: Browser, full: None) -> None:
        text = stranger.visit("/queue?tab=failed").text

        assert "Has failed" not in text
        assert "Nothing dead" in text


class TestProcesses:
    def test_are_shown_to_platform_admins_alone(
        self, platform_admin: Browser, owner: Browser, database: Database, clock: ManualClock
    ) -> None:
        facts = facts_of_this_process(version="1.2.3", slots=5, schedules=True)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=12)

        shown = platform_admin.visit("/queue").text

        assert facts.name in shown
        assert "under 0.1 s" in shown
        assert facts.name not in owner.visit("/queue").text

    def test_cannot_be_asked_for_by_others(self, owner: Browser) -> None:
        assert owner.visit("/queue/processes").status_code == 403

    def test_say_when_they_went_silent(self, platform_admin: Browser, database: Database, clock: ManualClock) -> None:
        facts = facts_of_this_process(version="1.2.3", slots=5, schedules=False)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=None, tick_ms=None)

        clock.advance(seconds=31)
        silent = platform_admin.visit("/queue/processes").text
        clock.advance(minutes=2)
        gone = platform_admin.visit("/queue/processes").text

        assert "Silent" in silent
        assert "Gone" in gone

    def test_give_their_slots_to_the_figures_while_they_live(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            facts = facts_of_this_process(version="1.2.3", slots=5, schedules=False)
            beat(session, facts, now=clock.moment, ticked_at=None, tick_ms=None)

        alive = viewer.visit("/queue").text
        clock.advance(minutes=2)

        assert "of 5 slots" in alive
        assert "no worker is running" in viewer.visit("/queue").text

    def test_say_what_they_have_in_hand_and_why_they_start_nothing(
        self, platform_admin: Browser, database: Database, clock: ManualClock
    ) -> None:
        problem = "The database was upgraded by a newer version."
        facts = facts_of_this_process(version="1.2.3", slots=5, schedules=True)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=12, running=0, problem=problem)
            for name in ("Orders", "Stock"):
                job = make_job(session, platform_admin.organization_id, name=name)
                load_run(session, make_running(session, job, now=clock.moment)).worker = facts.name

        shown = platform_admin.visit("/queue").text

        assert "2 of 5" in shown
        assert "Starts nothing" in shown
        assert f"No worker starts runs. {facts.name} (version 1.2.3) starts nothing: {problem}" in shown
