"""The form of a schedule in the page's dialog: its shapes, its choices, what it says while typing, and the way back."""

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.db import Database
from app.jobs.models import Job
from app.runs import planner
from app.runs.models import Run
from app.schedules.fire_times import next_fire, rhythm
from app.schedules.models import Schedule
from app.schedules.presets import PRESETS
from app.tenants.access import Role
from tests.factories.mistakes import CRON_MISTAKES
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.web.conftest import Browser, OpenBrowser
from tests.web.filled_form import filled_form

IN_DIALOG = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "dialog#dialog"}
SENT = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": "form#schedule-form"}
NOT_CANONICAL = [
    "0 9-21 * * *", "0 9,12,15 * * 1-5", "*/7 * * * *", "0 6 1,15 * *", "5 4 * * SUN", "00 06 * * *", "7  9-21/3 * * *",
    "@daily", "@manually", "H H * * *", "0 6 * * *\n30 18 * * 1-5", "0 6 * * *\n\n0 7 * * *", "0 18,6 * * *",
    "every  90 minutes from 2026-11-21 08:00", "every 1 hour from 2026-12-01 08:00",
    "every minute from 2026-12-01 08:00", "EVERY 90 minutes from 2026-11-21 08:00",
    "every 90 minutes from 2026-11-21 8:00", "AT 2040-12-24 18:00", "at 2040-12-24 9:00",
    "at 2040-12-24 18:00\nat 2040-12-26 18:00",
]  # fmt: skip
CANONICAL = [
    *(preset.cron for preset in PRESETS), "30 2 * * *", "5 */6 * * *", "15 3,23 * * *", "0 9 * * 0,2,6", "59 23 31 * *",
    "every 90 minutes from 2026-11-21 08:00", "at 2040-12-24 18:00",
]  # fmt: skip


@pytest.fixture
def job(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Website check")


def stored(database: Database, job: Job, **columns: Any) -> Schedule:
    with database.transaction() as session:
        return make_schedule(session, job, **{"name": "Meta Ads daily", "cron": "0 6 * * *", **columns})


def only(database: Database) -> Schedule:
    with database.reading() as session:
        return session.scalars(select(Schedule).where(Schedule.deleted_at.is_(None))).one()


def open_form(browser: Browser, schedule: Schedule | None = None) -> dict[str, list[str]]:
    address = "/schedules/new" if schedule is None else f"/schedules/{schedule.id}/edit"
    return filled_form(browser.visit(address).text)


def answer(browser: Browser, fields: dict[str, Any]) -> dict[str, str]:
    """What the preview says to the form's script."""
    sent = {name: value for name, value in fields.items() if name != "csrf_token"}
    text = browser.get("/schedules/preview", query_string=sent, headers=SENT).text
    marked = text.split("data-answer", 1)[1].partition(">")[0]
    parts = [part.partition('="') for part in marked.split('" ')]
    return {name.strip(): unescape(value.rstrip('"')) for name, _, value in parts if value}


def slots_until(database: Database, schedule: Schedule, begin: datetime, *, hours: int) -> list[datetime]:
    """What the scheduler plans while it looks every quarter of an hour."""
    with database.transaction() as session:
        stored = session.get_one(Schedule, schedule.id)
        stored.next_run_at = next_fire(rhythm(stored.cron, timezone=stored.timezone), after=begin)
        session.flush()
        for quarter in range(hours * 4):
            planner.tick(session, now=begin + quarter * timedelta(minutes=15))
        query = select(Run.slot_at).where(Run.schedule_id == schedule.id)
        return [at for at in session.scalars(query) if at is not None]


class TestItsShapes:
    def test_is_a_page_by_its_address_and_a_part_in_the_dialog(self, operator: Browser, job: Job) -> None:
        page = operator.visit("/schedules/new").text
        part = operator.get("/schedules/new", headers=IN_DIALOG).text

        assert "<html" in page
        assert "<html" not in part
        assert 'data-address="/schedules/new"' in part

    def test_saving_in_the_dialog_closes_it_and_offers_the_way_back(
        self, operator: Browser, job: Job, database: Database
    ) -> None:
        fields = open_form(operator) | {"name": "Nightly", "job_id": str(job.id)}

        response = operator.post("/schedules?dialog=yes", data=fields, headers=SENT)

        events = json.loads(response.headers["HX-Trigger"])
        assert (response.status_code, events["dialog:close"], events["live:schedules"]) == (204, True, True)
        assert [events["toast"][name]["label"] for name in ("action", "more")] == ["Undo", "Run now"]

    def test_a_refused_save_swaps_the_form_alone(self, operator: Browser, job: Job) -> None:
        fields = open_form(operator) | {"name": "", "job_id": str(job.id)}

        response = operator.post("/schedules?dialog=yes", data=fields, headers=SENT)

        assert response.status_code == 422
        assert response.text.lstrip().startswith("<form")
        assert 'hx-post="/schedules?dialog=yes"' in response.text

    def test_undo_restores_by_the_same_command_what_was_there(
        self, operator: Browser, job: Job, database: Database
    ) -> None:
        schedule = stored(database, job, cron="7  9-21/3 * * *", tags=["ads"], notes="Ask Ben.", overlap="queue_one")
        fields = open_form(operator, schedule) | {"cron": "0 5 * * *", "tags": "", "overlap": "skip", "name": "Other"}
        saved = operator.post(f"/schedules/{schedule.id}?dialog=yes", data=fields, headers=SENT)
        undo = json.loads(saved.headers["HX-Trigger"])["toast"]["action"]

        operator.send(undo["url"], undo["fields"], headers=SENT)

        row = only(database)
        assert (row.name, row.cron, row.overlap) == ("Meta Ads daily", "7  9-21/3 * * *", "queue_one")
        assert (row.tags, row.notes, row.version) == (["ads"], "Ask Ben.", 3)

    def test_a_viewer_gets_no_form(self, viewer: Browser, job: Job) -> None:
        response = viewer.get("/schedules/new", headers=IN_DIALOG)

        assert response.status_code == 403


class TestTheTextIsNeverRewritten:
    @pytest.mark.parametrize("text", [*NOT_CANONICAL, *CANONICAL])
    def test_by_opening_and_saving(self, operator: Browser, job: Job, database: Database, text: str) -> None:
        """What is saved untouched is stored as it was, byte for byte."""
        schedule = stored(database, job, cron=text)

        response = operator.post(f"/schedules/{schedule.id}", data=open_form(operator, schedule))

        assert (response.status_code, only(database).version) == (303, 2)
        assert only(database).cron == text

    @pytest.mark.parametrize("text", NOT_CANONICAL)
    def test_what_no_choice_writes_exactly_opens_as_custom(
        self, operator: Browser, job: Job, database: Database, text: str
    ) -> None:
        fields = open_form(operator, stored(database, job, cron=text))

        assert (fields["kind"], fields["preset"]) == (["cron"], ["custom"])
        assert fields["cron"] == [text.replace("\n", "\r\n")]

    @pytest.mark.parametrize("changes", [{"timezone": "Asia/Tokyo"}, {"name": "Renamed"}, {"enabled": []}])
    @pytest.mark.parametrize("text", ["0 9-21 * * *", "30 2 * * *", "0 6 * * *\n30 18 * * 1-5"])
    def test_by_changing_something_else(
        self, operator: Browser, job: Job, database: Database, text: str, changes: dict[str, Any]
    ) -> None:
        schedule = stored(database, job, cron=text)

        operator.post(f"/schedules/{schedule.id}", data=open_form(operator, schedule) | changes)

        assert (only(database).version, only(database).cron) == (2, text)

    def test_and_neither_are_its_bounds_to_the_second(self, operator: Browser, job: Job, database: Database) -> None:
        from_api = datetime(2027, 2, 3, 4, 5, 6, 700_000, tzinfo=UTC)
        schedule = stored(database, job, starts_at=from_api, timezone="Europe/Riga")

        operator.post(f"/schedules/{schedule.id}", data=open_form(operator, schedule))

        assert only(database).starts_at == from_api


class TestItsChoices:
    def test_are_twelve_and_custom_with_the_text_they_start_from(self, operator: Browser, job: Job) -> None:
        text = operator.visit("/schedules/new").text

        assert text.count('name="preset"') == 13
        assert all(f'data-start="{preset.cron}"' in text for preset in PRESETS)

    @pytest.mark.parametrize(
        ("pressed", "text"),
        [
            ({"preset": "hourly", "minute": "17"}, "17 * * * *"),
            ({"preset": "every_6_hours", "minute": "5"}, "5 */6 * * *"),
            ({"preset": "twice_daily", "time": "18:30", "again": "6"}, "30 6,18 * * *"),
            ({"preset": "weekdays", "time": "09:05"}, "5 9 * * 1-5"),
            ({"preset": "weekly", "days": ["5", "0", "1"], "time": "07:00"}, "0 7 * * 0,1,5"),
            ({"preset": "monthly", "day": "15", "time": "23:59"}, "59 23 15 * *"),
            ({"preset": "monthly_last_day", "time": "00:00"}, "0 0 L * *"),
            ({"kind": "every", "count": "90", "unit": "minutes", "counted_from": "2027-01-31T08:00"},
             "every 90 minutes from 2027-01-31 08:00"),
            ({"kind": "at", "at": "2040-12-24T18:00"}, "at 2040-12-24 18:00"),
        ],
    )  # fmt: skip
    def test_write_the_text_without_a_script(
        self, operator: Browser, job: Job, database: Database, pressed: dict[str, Any], text: str
    ) -> None:
        """With their fields, on the page alone."""
        schedule = stored(database, job)

        operator.post(f"/schedules/{schedule.id}", data=open_form(operator, schedule) | pressed)

        assert only(database).cron == text

    @pytest.mark.parametrize(
        ("text", "pressed"),
        [
            ("0 9-21 * * *", {"preset": "daily", "time": "06:00"}),
            ("every 1 hour from 2026-12-01 08:00", {"kind": "every", "count": "2", "unit": "hours"}),
            ("at 2040-12-24 18:00\nat 2040-12-26 18:00", {"kind": "at", "at": "2040-12-24T19:00"}),
        ],
    )
    def test_say_what_they_replaced(
        self, operator: Browser, job: Job, database: Database, text: str, pressed: dict[str, str]
    ) -> None:
        schedule = stored(database, job, cron=text)
        sent = open_form(operator, schedule) | pressed | {"preview": "yes"}

        shown = operator.post(f"/schedules/{schedule.id}", data=sent).text

        assert f"Was <code>{text}</code>" in shown.replace("\r\n", "\n")
        assert only(database).cron == text

    def test_say_nothing_of_what_the_same_choice_wrote(self, operator: Browser, job: Job, database: Database) -> None:
        schedule = stored(database, job, cron="at 2040-12-24 18:00")
        sent = open_form(operator, schedule) | {"at": "2040-12-25T18:00", "preview": "yes"}

        shown = operator.post(f"/schedules/{schedule.id}", data=sent).text

        assert "data-was hidden" in shown

    @pytest.mark.parametrize(
        ("text", "kind", "preset", "values"),
        [
            ("30 2 * * *", "cron", "daily", {"time": "02:30", "own": "yes"}),
            ("0 6 * * *", "cron", "daily", {"time": "06:00"}),
            ("0 9 * * 1,3", "cron", "weekly", {"time": "09:00", "days": "1,3", "own": "yes"}),
            ("0 9-21 * * *", "cron", "custom", {}),
            ("at 2040-12-24 18:00", "at", "custom", {"at": "2040-12-24T18:00"}),
            ("at 2040-12-24 18:00\nat 2040-12-26 18:00", "cron", "custom", {}),
            ("every 1 hour from 2026-12-01 08:00", "cron", "custom", {}),
        ],
    )
    def test_follow_the_text_that_is_typed(
        self, operator: Browser, job: Job, text: str, kind: str, preset: str, values: dict[str, str]
    ) -> None:
        found = answer(operator, {"cron": text, "timezone": "UTC"})

        assert (found["data-kind"], found["data-preset"]) == (kind, preset)
        assert found.get("data-custom", "") == ("" if values else "yes")
        assert json.loads(found["data-values"]) == values


MISTAKES = {
    **CRON_MISTAKES,
    "0 0 6 * * *": "Seconds are not supported. Remove the first field.",
}


class TestWhileTyping:
    @pytest.mark.parametrize(("text", "message"), MISTAKES.items())
    def test_every_mistake_of_a_text_is_said_of_its_field(
        self, operator: Browser, job: Job, text: str, message: str
    ) -> None:
        found = answer(operator, {"cron": text, "timezone": "UTC"})

        assert json.loads(found["data-problems"])["cron"].startswith(message)

    @pytest.mark.parametrize(
        ("field", "text", "message"),
        [
            ("name", "x" * 121, "at most 120"),
            ("tags", "a b!", "letters, digits"),
            ("missed_max_age_seconds", "soon", "is no length of time"),
            ("missed_limit", "0", "at least 1"),
            ("starts_at", "tomorrow", "is no date with a time"),
            ("ends_at", "2001-01-01T00:00", "The end has passed already."),
            ("timezone", "Mars", "time zone"),
        ],
    )
    def test_and_of_every_other_field(self, operator: Browser, job: Job, field: str, text: str, message: str) -> None:
        fields = open_form(operator) | {field: text}

        found = answer(operator, fields)

        assert message in json.loads(found["data-problems"])[field]

    def test_nothing_is_wrong_with_a_good_form(self, operator: Browser, job: Job) -> None:
        fields = open_form(operator) | {"name": "Nightly", "job_id": str(job.id)}

        found = answer(operator, fields)

        assert found["data-problems"] == "{}"

    def test_the_example_follows_from_this_schedule(self, operator: Browser, job: Job) -> None:
        fields = open_form(operator) | {"cron": "30 2 * * *"}

        once = operator.get("/schedules/preview", query_string=fields | {"missed": "latest"}, headers=SENT).text
        never = operator.get("/schedules/preview", query_string=fields | {"missed": "skip"}, headers=SENT).text

        assert "Belfry off from 02:00 to 05:00? → runs once at 05:00." in once
        assert "Belfry off from 02:00 to 05:00? → nothing makes up for it." in never

    def test_a_session_that_has_ended_does_not_lead_away_from_the_form(self, anonymous: Browser) -> None:
        response = anonymous.get("/schedules/preview?cron=0+6+*+*+*&timezone=UTC", headers=SENT)

        assert response.status_code == 401
        assert "HX-Redirect" not in response.headers


class TestClockChanges:
    def test_a_time_that_does_not_exist_is_shown_where_it_runs(
        self, open_browser: OpenBrowser, organization_id: UUID, clock: ManualClock
    ) -> None:
        clock.moment = utc("2027-03-10 12:00")
        operator = open_browser(organization_id=organization_id, role=Role.OPERATOR)
        sent = {"cron": "30 2 * * *", "timezone": "America/New_York"}

        text = operator.get("/schedules/preview", query_string=sent, headers=SENT).text

        assert "Sun 14 Mar, 03:00" in text
        assert "02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00." in text

    def test_a_time_that_comes_twice_is_shown_once_and_runs_once(
        self, open_browser: OpenBrowser, job: Job, database: Database, clock: ManualClock
    ) -> None:
        clock.moment = begin = utc("2027-11-06 12:00")
        operator = open_browser(organization_id=job.organization_id, role=Role.OPERATOR)
        schedule = stored(database, job, cron="30 1 * * *", timezone="America/New_York", next_run_at=None)
        sent = {"cron": "30 1 * * *", "timezone": "America/New_York"}

        text = operator.get("/schedules/preview", query_string=sent, headers=SENT).text

        assert text.count("Sun 7 Nov, 01:30") == 1
        assert "01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time." in text
        assert slots_until(database, schedule, begin, hours=24) == [utc("2027-11-07 05:30")]


class TestTwoPeople:
    def test_see_both_values_and_may_keep_either(self, operator: Browser, job: Job, database: Database) -> None:
        schedule = stored(database, job)
        mine = open_form(operator, schedule) | {"cron": "0 5 * * *"}
        operator.post(f"/schedules/{schedule.id}", data=open_form(operator, schedule) | {"cron": "30 2 * * *"})

        refused = operator.post(f"/schedules/{schedule.id}", data=mine)

        assert (refused.status_code, only(database).cron) == (409, "30 2 * * *")
        assert "operator@example.com changed this schedule meanwhile" in refused.text
        assert "Theirs: <code>30 2 * * *</code><br>Yours: <code>0 5 * * *</code>" in refused.text

    def test_keep_mine_saves_over_the_newer_version(self, operator: Browser, job: Job, database: Database) -> None:
        schedule = stored(database, job)
        mine = open_form(operator, schedule) | {"cron": "0 5 * * *"}
        operator.post(f"/schedules/{schedule.id}", data=open_form(operator, schedule) | {"cron": "30 2 * * *"})
        refused = operator.post(f"/schedules/{schedule.id}", data=mine).text

        operator.post(f"/schedules/{schedule.id}", data=filled_form(refused))

        assert (only(database).cron, only(database).version) == ("0 5 * * *", 3)
