"""The counters that pages watch, and the banner about a silent scheduler."""

import json
import re
from datetime import timedelta
from html import unescape
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.jobs.models import Job
from app.notifications.models import Channel
from app.ops.heartbeats import ProcessFacts, beat, sign_off
from app.schedules.models import Schedule
from app.web.daemon import SchedulerHealth, health_of
from tests.factories.notifications import make_channel, make_incident, make_incident_message
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.web.conftest import Browser

NOW = utc("2027-01-05 12:00")
WELL = {"failing": 0, "late": 0, "broken": 0}
NOTHING = {"runs": 0, "schedules": 0, "queue": 0, "health": 2, "incidents": 0, "told": 0}


def let_scheduler_beat(database: Database, clock: ManualClock) -> None:
    with database.transaction() as session:
        facts = ProcessFacts(new_id(), "worker-1:42", "1.0", 5, True)
        beat(session, facts, now=clock.moment, ticked_at=None, tick_ms=None)


@pytest.fixture
def enabled(database: Database, organization_id: object, viewer: Browser) -> None:
    with database.transaction() as session:
        make_schedule(session, make_job(session, viewer.organization_id), name="Hourly")


class TestCounters:
    def test_are_numbers_for_what_pages_watch(self, viewer: Browser) -> None:
        organization = viewer.organization_id.int % 2**31
        expected = {**NOTHING, "organization": organization, **WELL}

        assert viewer.visit("/live").json == expected

    def test_grow_when_a_run_is_made(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        before = viewer.visit("/live").json
        with database.transaction() as session:
            make_run(session, make_job(session, viewer.organization_id), now=clock.moment)

        after = viewer.visit("/live").json

        assert before is not None
        assert after is not None
        assert {name for name in after if after[name] != before[name]} == {"runs", "queue"}

    def test_grow_with_an_incident_a_message_and_what_became_of_it(
        self, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        def counters() -> dict[str, int]:
            return json.loads(viewer.visit("/live").text)

        found = [counters()]
        with database.transaction() as session:
            incident = make_incident(session, viewer.organization_id)
        found.append(counters())
        with database.transaction() as session:
            channel_id = make_channel(session, viewer.organization_id)
            make_incident_message(session, incident, channel_id)
        found.append(counters())
        with database.transaction() as session:
            session.get_one(Channel, channel_id).last_ok_at = clock.moment
        found.append(counters())

        changed = [{name for name in after if after[name] != before[name]} for before, after in pairwise(found)]
        assert changed == [{"told", "incidents"}, {"told"}, {"told"}]

    def test_do_not_tell_of_the_runs_of_others(
        self, stranger: Browser, viewer: Browser, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_run(session, make_job(session, viewer.organization_id), now=clock.moment)
            make_incident(session, viewer.organization_id)

        organization = stranger.organization_id.int % 2**31
        expected = {**NOTHING, "organization": organization, **WELL}

        assert stranger.visit("/live").json == expected

    def test_are_not_sent_again_to_a_page_that_knows_them(self, viewer: Browser) -> None:
        known = json.loads(viewer.visit("/live").text)

        answer = viewer.visit(f"/live?since={'.'.join(str(number) for number in known.values())}")

        assert (answer.status_code, answer.data) == (204, b"")

    @pytest.mark.parametrize("since", ["", "x", "0.0.0", "%00", "9" * 500])
    def test_are_sent_to_a_page_that_knows_something_else(self, viewer: Browser, since: str) -> None:
        assert viewer.visit(f"/live?since={since}").status_code == 200

    def test_stand_in_the_page_in_the_order_in_which_they_are_asked_for(self, viewer: Browser) -> None:
        text = viewer.visit("/runs").text

        written = unescape(text.partition('name="live-counters" content="')[2].partition('"')[0])
        assert written.replace(" ", "") == viewer.visit("/live").text.strip().replace(" ", "").replace("\n", "")

    def test_lead_whoever_is_signed_out_to_the_form(self, anonymous: Browser) -> None:
        assert anonymous.visit("/live").status_code == 302


class TestTheWorst:
    @pytest.fixture
    def schedule(self, database: Database, clock: ManualClock, viewer: Browser) -> Schedule:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            return make_schedule(session, job, next_run_at=clock.moment + timedelta(hours=1))

    def test_stands_in_title_and_icon(
        self, viewer: Browser, schedule: Schedule, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = session.get_one(Job, schedule.job_id)
            make_failed(session, job, now=clock.moment, schedule_id=schedule.id)

        text = viewer.visit("/runs").text

        assert "<title>(1 failing) Runs · Belfry</title>" in text
        assert re.search(r'rel="icon" href="/static/icons/favicon-failing\.svg', text)
        assert re.search(r'data-count="failing" ><span>1</span>', text)

    def test_is_nothing_while_all_is_well(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit("/runs").text

        assert "<title>Runs · Belfry</title>" in text
        assert re.search(r'rel="icon" href="/static/icons/favicon\.svg', text)
        assert re.search(r'data-count="failing" hidden>', text)

    def test_is_told_by_the_counters_as_soon_as_it_changes(
        self, viewer: Browser, schedule: Schedule, database: Database, clock: ManualClock
    ) -> None:
        before = viewer.visit("/live").json
        with database.transaction() as session:
            job = session.get_one(Job, schedule.job_id)
            make_failed(session, job, now=clock.moment, schedule_id=schedule.id)

        after = viewer.visit("/live").json

        assert before is not None
        assert after is not None
        assert (before["failing"], after["failing"]) == (0, 1)

    def test_of_others_is_not_told(
        self, stranger: Browser, schedule: Schedule, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = session.get_one(Job, schedule.job_id)
            make_failed(session, job, now=clock.moment, schedule_id=schedule.id)

        assert "<title>Runs · Belfry</title>" in stranger.visit("/runs").text

    def test_says_late_when_a_slot_is_long_due(self, viewer: Browser, database: Database, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            make_schedule(session, job, next_run_at=clock.moment - timedelta(minutes=5))

        assert "<title>(1 late) Runs · Belfry</title>" in viewer.visit("/runs").text


class TestHealth:
    @pytest.mark.parametrize(
        ("seconds", "health"),
        [(0, SchedulerHealth.OK), (30, SchedulerHealth.OK), (31, SchedulerHealth.SILENT), (91, SchedulerHealth.GONE)],
    )
    def test_follows_the_last_sign_of_life(self, seconds: int, health: SchedulerHealth) -> None:
        assert health_of(NOW - timedelta(seconds=seconds), now=NOW) is health

    def test_is_gone_without_any(self) -> None:
        assert health_of(None, now=NOW) is SchedulerHealth.GONE


class TestBanner:
    @pytest.mark.parametrize("path", ["/", "/runs", "/queue"])
    def test_says_since_when_nothing_was_heard(
        self, viewer: Browser, enabled: None, database: Database, clock: ManualClock, path: str
    ) -> None:
        let_scheduler_beat(database, clock)
        clock.advance(minutes=4, seconds=9)

        text = viewer.visit(path).text

        assert "No scheduler has reported for 4 min (last 14:00:00)." in text
        assert "Start one with: belfry up" in text

    @pytest.mark.parametrize(("seconds", "state"), [(45, "warning"), (95, "failed")])
    def test_turns_from_amber_to_red(
        self, viewer: Browser, enabled: None, database: Database, clock: ManualClock, seconds: int, state: str
    ) -> None:
        let_scheduler_beat(database, clock)
        clock.advance(seconds=seconds)

        assert f'data-state="{state}"' in viewer.visit("/live/scheduler").text

    def test_is_away_while_a_scheduler_reports(
        self, viewer: Browser, enabled: None, database: Database, clock: ManualClock
    ) -> None:
        let_scheduler_beat(database, clock)

        assert "No scheduler" not in viewer.visit("/live/scheduler").text

    def test_is_away_while_nothing_is_scheduled(self, viewer: Browser) -> None:
        assert "No scheduler" not in viewer.visit("/live/scheduler").text

    def test_shows_when_none_ever_reported_and_something_is_scheduled(self, viewer: Browser, enabled: None) -> None:
        assert "No scheduler is running." in viewer.visit("/live/scheduler").text

    def test_shows_at_once_when_the_last_one_signed_off(
        self, viewer: Browser, enabled: None, database: Database, clock: ManualClock
    ) -> None:
        process = ProcessFacts(new_id(), "tower:7:abc", "1.0", 5, True, "tower", 7)
        with database.transaction() as session:
            beat(session, process, now=clock.moment, ticked_at=clock.moment, tick_ms=2)
            sign_off(session, process, now=clock.moment)

        # Test members look from Riga.
        at = f"{clock.moment.astimezone(ZoneInfo('Europe/Riga')):%H:%M}"
        assert f"No scheduler is running since Tue 5 Jan, {at}." in viewer.visit("/live/scheduler").text
