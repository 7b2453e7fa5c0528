"""The form of a schedule: what it accepts, what it says about mistakes, and that it loses nothing that was typed."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from app.core.config import Settings
from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.jobs.models import Job
from app.ops.kinds import job_kinds
from app.runs import ledger
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.states import AttemptState
from app.schedules.models import Schedule
from app.schedules.presets import PRESETS
from app.tenants.models import User
from tests.factories.outcomes import make_running
from tests.factories.tenants import make_organization
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser
from tests.web.filled_form import filled_form


@pytest.fixture
def app(app: Flask, settings: Settings) -> Flask:
    """The app with the real kinds of job."""
    parts = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(parts, kinds=job_kinds(settings))
    return app


@pytest.fixture
def job(database: Database, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Website check")


@pytest.fixture
def schedule(database: Database, job: Job) -> Schedule:
    with database.transaction() as session:
        return make_schedule(session, job, name="Odd hours", cron="7  9-21/3 * * *", missed_max_age_seconds=100_000)


def typed(job: Job, **changes: Any) -> dict[str, Any]:
    """What a browser sends for a good form."""
    values = {
        "name": "Meta Ads daily",
        "job_id": str(job.id),
        "preset": "custom",
        "cron": "30 2 * * *",
        "cron_was": "0 6 * * *",
        "timezone": "America/New_York",
        "overlap": "skip",
        "missed": "latest",
        "enabled": "y",
        "spread_key": "abc",
    }
    return values | changes


def only(database: Database) -> Schedule:
    with database.reading() as session:
        return session.scalars(select(Schedule)).one()


def count(database: Database) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(Schedule)).one()


class TestANewOne:
    def test_opens_with_a_preset_the_own_zone_and_five_runs(self, operator: Browser, job: Job) -> None:
        text = operator.visit(f"/schedules/new?job={job.id}").text

        assert '<option selected value="Europe/Riga">' in text
        assert f'<option selected value="{job.id}">' in text
        assert text.count('class="next-wall"') == 5

    def test_is_kept_as_it_was_typed(self, operator: Browser, job: Job, database: Database) -> None:
        response = operator.send("/schedules", typed(job))

        made = only(database)
        assert (response.status_code, response.location) == (303, "/schedules")
        assert (made.name, made.cron, made.timezone, made.spread_key) == (
            "Meta Ads daily",
            "30 2 * * *",
            "America/New_York",
            "abc",
        )

    def test_takes_a_chip_that_was_pressed_without_a_script(
        self, operator: Browser, job: Job, database: Database
    ) -> None:
        hourly = next(preset.key for preset in PRESETS if preset.cron == "0 * * * *")

        operator.send("/schedules", typed(job, preset=hourly, cron="0 6 * * *"))

        assert only(database).cron == "0 * * * *"

    def test_shows_the_next_runs_on_request_and_saves_nothing(
        self, operator: Browser, job: Job, database: Database
    ) -> None:
        response = operator.send("/schedules", typed(job, preview="yes"))

        assert (response.status_code, count(database)) == (200, 0)
        assert 'value="Meta Ads daily"' in response.text
        assert "New York time" in response.text


class TestMistakes:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"name": " "}, "name"),
            ({"name": "x" * 121}, "name"),
            ({"job_id": ""}, "job_id"),
            ({"job_id": "nonsense"}, "job_id"),
            ({"cron": "60 * * * *"}, "cron"),
            ({"cron": "0 0 31 2 *"}, "cron"),
            ({"cron": "* " * 50_000}, "cron"),
            ({"cron": ""}, "cron"),
            ({"timezone": "Mars/Olympus"}, "timezone"),
            ({"overlap": "sometimes"}, "overlap"),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_are_told_at_their_field_and_nothing_is_lost(
        self, operator: Browser, job: Job, database: Database, changes: dict[str, str], field: str
    ) -> None:
        response = operator.send("/schedules", typed(job, **{"spread_key": "kept", **changes}))

        assert (response.status_code, count(database)) == (422, 0)
        assert f'id="{field}-error"' in response.text
        assert 'value="kept"' in response.text

    def test_of_a_pasted_text_are_not_hidden_by_cutting_it(self, operator: Browser, job: Job) -> None:
        pasted = "0 6 * * * " + "x" * 200

        text = operator.send("/schedules", typed(job, cron=pasted)).text

        assert f'value="{pasted}"' in text
        assert 'maxlength="100"' not in text

    def test_name_what_is_wrong_with_the_text(self, operator: Browser, job: Job) -> None:
        text = operator.send("/schedules", typed(job, cron="60 * * * *")).text

        assert "Minute 60 does not exist. Use 0 to 59." in text
        assert 'value="60 * * * *"' in text

    def test_a_name_in_use_is_told_at_the_name(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database
    ) -> None:
        response = operator.send("/schedules", typed(job, name="Odd hours"))

        assert (response.status_code, count(database)) == (409, 1)
        assert 'id="name-error"' in response.text
        assert "exists already" in response.text

    def test_a_job_of_another_organization_does_not_exist(
        self, operator: Browser, job: Job, database: Database
    ) -> None:
        with database.transaction() as session:
            foreign = make_job(session, make_organization(session, name="Others"))

        response = operator.send("/schedules", typed(job, job_id=str(foreign.id)))

        assert (response.status_code, count(database)) == (404, 0)
        assert 'id="job_id-error"' in response.text
        assert 'value="30 2 * * *"' in response.text

    def test_an_expired_form_keeps_what_was_typed(self, operator: Browser, job: Job, database: Database) -> None:
        response = operator.post("/schedules", data=typed(job, csrf_token="old"))

        assert (response.status_code, count(database)) == (400, 0)
        assert 'value="30 2 * * *"' in response.text
        assert 'action="/schedules"' in response.text

    def test_an_expired_form_lists_what_a_person_typed_alone(self, operator: Browser, job: Job) -> None:
        text = operator.post("/schedules", data=typed(job, csrf_token="old")).text

        terms = [part.partition("</dt>")[0] for part in text.split("<dt>")[1:]]
        assert terms == [
            "Name",
            "Cron text",
            "Time zone",
            "If the previous run is still going",
            "If Belfry was off at that time",
            "Enabled",
        ]


class TestEditing:
    def test_opens_what_no_preset_means_as_custom_with_its_very_text(
        self, operator: Browser, schedule: Schedule
    ) -> None:
        text = operator.visit(f"/schedules/{schedule.id}/edit").text

        assert 'value="7  9-21/3 * * *"' in text
        assert "checked data-cron-custom" in text or 'data-cron-custom="" id="preset-12"' in text

    def test_of_the_name_leaves_text_key_and_age_alone(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database
    ) -> None:
        text = schedule.cron
        changed = typed(job, name="Renamed", cron=text, cron_was=text, spread_key="forged", version="1")

        response = operator.send(f"/schedules/{schedule.id}", changed)

        row = only(database)
        assert response.status_code == 303
        assert (row.name, row.cron, row.spread_key, row.missed_max_age_seconds) == ("Renamed", text, "k", 100_000)

    def test_from_an_old_version_is_refused_and_keeps_what_was_typed(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database
    ) -> None:
        operator.send(f"/schedules/{schedule.id}", typed(job, name="First", version="1"))

        response = operator.send(f"/schedules/{schedule.id}", typed(job, name="Second", version="1"))

        assert (response.status_code, only(database).name) == (409, "First")
        assert 'value="Second"' in response.text
        assert "Somebody else changed this schedule meanwhile, so nothing was saved." in response.text
        assert "Reload the page" not in response.text

    def test_says_in_words_how_long_missed_times_count(self, operator: Browser, schedule: Schedule) -> None:
        fresh = operator.visit("/schedules/new").text
        stored = operator.visit(f"/schedules/{schedule.id}/edit").text

        assert "Left empty: a day, or the time between two runs where that is longer." in fresh
        assert 'value="100,000 seconds"' in stored

    def test_keeps_every_policy_and_the_notes(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database
    ) -> None:
        said = {
            "overlap": "cancel_previous", "missed": "all", "missed_limit": "25", "missed_max_age_seconds": "36 hours",
            "notes": "Ask Ben first.\r\nThen Ana.", "version": "1",
        }  # fmt: skip

        operator.send(f"/schedules/{schedule.id}", typed(job, **said))

        row = only(database)
        assert (row.overlap, row.missed, row.missed_limit) == ("cancel_previous", "all", 25)
        assert (row.missed_max_age_seconds, row.notes) == (129_600, "Ask Ben first.\nThen Ana.")

    @pytest.mark.parametrize(
        ("field", "text", "message"),
        [
            ("missed_limit", "0", "Make up for at least 1 and at most 100 missed runs."),
            ("missed_limit", "101", "Make up for at least 1 and at most 100 missed runs."),
            ("missed_max_age_seconds", "0 days", "must be longer than nothing"),
            ("missed_max_age_seconds", "-1 day", "is no length of time"),
            ("missed_max_age_seconds", "soon", "Write 90 minutes, 36 hours or 7 days."),
            ("missed_max_age_seconds", "5 hours", "Use at least 1 day, or skip missed runs."),
            ("missed_max_age_seconds", "9999 weeks", "five years at most"),
            ("notes", "x" * 2_001, "Use at most 2,000 characters."),
        ],
    )
    def test_names_the_policy_that_cannot_be_and_changes_nothing(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database, field: str, text: str, message: str
    ) -> None:
        response = operator.send(f"/schedules/{schedule.id}", typed(job, **{field: text, "version": "1"}))

        assert (response.status_code, only(database).name) == (422, "Odd hours")
        assert message in response.text
        assert re.search(rf'id="(schedule-)?{field}-error"', response.text)

    def test_asks_what_becomes_of_slots_that_were_missed_and_does_that(
        self, operator: Browser, job: Job, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            now = clock.now(session)
            paused = make_schedule(session, job, cron="0 * * * *", enabled=False, next_run_at=now - timedelta(hours=2))
        form = operator.visit(f"/schedules/{paused.id}/edit").text

        operator.send(
            f"/schedules/{paused.id}",
            typed(job, version="1", cron="0 * * * *", cron_was="0 * * * *", missed_while_paused="latest"),
        )

        with database.reading() as session:
            runs = session.scalars(select(Run)).all()
        assert 'name="missed_while_paused"' in form
        assert [run.trigger for run in runs] == ["catch_up"]

    @pytest.mark.parametrize(("cron", "is_lost"), [("0 * * * *", False), ("30 2 * * *", True)])
    def test_of_what_stays_off_keeps_what_it_missed_or_says_what_is_lost(
        self, operator: Browser, job: Job, database: Database, clock: ManualClock, cron: str, is_lost: bool
    ) -> None:
        with database.transaction() as session:
            since = clock.now(session).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
            paused = make_schedule(session, job, cron="0 * * * *", enabled=False, next_run_at=since)
        said = typed(job, version="1", cron=cron, cron_was="0 * * * *", notes="hello")
        said.pop("enabled", None)

        shown = operator.send(f"/schedules/{paused.id}", said | {"preview": "yes"}).text
        operator.send(f"/schedules/{paused.id}", said)

        asked = operator.visit(f"/schedules/{paused.id}/resume").text
        assert ("3 stay missed, because its times change. To decide otherwise, enable it first." in shown) == is_lost
        assert ("3 slots were missed" in asked) != is_lost

    def test_asks_anew_where_more_slots_were_missed_meanwhile(
        self, operator: Browser, job: Job, database: Database, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            now = clock.now(session)
            paused = make_schedule(session, job, cron="0 * * * *", enabled=False, next_run_at=now - timedelta(hours=2))
        said = typed(job, version="1", cron="0 * * * *", cron_was="0 * * * *", missed_while_paused="all")

        refused = operator.send(f"/schedules/{paused.id}", said | {"seen": "2"})
        saved = operator.send(f"/schedules/{paused.id}", said | {"seen": "3"})

        assert (refused.status_code, saved.status_code) == (409, 303)
        assert "Not 2 but 3 slots have been missed by now" in refused.text
        assert '<input type="hidden" name="seen" value="3">' in refused.text
        with database.reading() as session:
            assert len(session.scalars(select(Run)).all()) == 3

    @pytest.mark.parametrize("version", ["", "x", "9" * 400, "-1"])
    def test_without_a_readable_version_is_refused(
        self, operator: Browser, job: Job, schedule: Schedule, version: str
    ) -> None:
        response = operator.send(f"/schedules/{schedule.id}", typed(job, version=version))

        assert response.status_code == 409

    def test_to_a_name_in_use_is_told_at_the_name(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database
    ) -> None:
        with database.transaction() as session:
            make_schedule(session, job, name="Even hours")

        response = operator.send(f"/schedules/{schedule.id}", typed(job, name="Even hours", version="1"))

        assert response.status_code == 409
        assert 'id="name-error"' in response.text

    def test_can_be_insisted_on_after_a_conflict(
        self, operator: Browser, job: Job, schedule: Schedule, database: Database
    ) -> None:
        operator.send(f"/schedules/{schedule.id}", typed(job, name="First", version="1"))
        refused = operator.send(f"/schedules/{schedule.id}", typed(job, name="Second", version="1")).text
        version = refused.split('name="version"')[1].split('value="')[1].partition('"')[0]

        operator.send(f"/schedules/{schedule.id}", typed(job, name="Second", version=version))

        assert only(database).name == "Second"


class TestThePreview:
    def test_says_what_will_happen_in_both_zones(self, operator: Browser) -> None:
        response = operator.visit(
            "/schedules/preview?cron=30+2+*+*+*&timezone=America/New_York&spread_key=k", htmx=True
        )

        assert response.text.count('class="next-wall"') == 5
        assert "Wed 6 Jan, 02:30" in response.text
        assert "09:30 your time" in response.text

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("cron=60+*+*+*+*&timezone=UTC", "Minute 60 does not exist."),
            ("cron=0+0+31+2+*&timezone=UTC", "This never happens"),
            ("cron=0+6+*+*+*&timezone=Mars", "time zone"),
            ("cron=&timezone=UTC", "Choose when it should run."),
            ("", "Choose when it should run."),
        ],
    )
    def test_explains_what_cannot_be_read_without_failing(self, operator: Browser, query: str, words: str) -> None:
        response = operator.visit(f"/schedules/preview?{query}", htmx=True)

        assert response.status_code == 200
        assert words in response.text

    def test_has_no_word_on_the_length_of_a_text_that_came_shortened(self, operator: Browser) -> None:
        text = operator.visit(f"/schedules/preview?cron={'*+' * 100}&timezone=UTC", htmx=True).text

        assert "at most 100 characters. Shorten the text." in text

    def test_shows_no_times_for_one_that_only_runs_by_hand(self, operator: Browser) -> None:
        text = operator.visit("/schedules/preview?cron=@manually&timezone=UTC", htmx=True).text

        assert 'class="next-wall"' not in text

    def test_tells_the_day_when_it_is_another_one_for_the_viewer(self, operator: Browser, database: Database) -> None:
        with database.transaction() as session:
            session.get_one(User, operator.user_id).timezone = "Asia/Tokyo"

        text = operator.visit("/schedules/preview?cron=0+20+*+*+*&timezone=America/New_York", htmx=True).text

        assert "Tue 5 Jan, 20:00" in text
        assert "Wed 6 Jan, 10:00 your time" in text


class TestCompany:
    """What the preview says about the organization's other schedules."""

    @pytest.fixture
    def crowd(self, database: Database, job: Job) -> None:
        with database.transaction() as session:
            for number in range(38):
                make_schedule(session, job, name=f"Nightly {number}", cron="0 0 * * *")

    def test_a_crowded_minute_is_said_with_a_quiet_one(self, operator: Browser, crowd: None) -> None:
        text = operator.visit("/schedules/preview?cron=0+0+*+*+*&timezone=UTC", htmx=True).text

        assert "38 other schedules start at 00:00. <button" in text
        assert 'data-offer="cron" value="7 0 * * *">Move to 00:07</button>' in text
        assert "(<code>7 0 * * *</code>)? Then nobody else starts." in text

    def test_the_hour_is_drawn_and_told(self, operator: Browser, crowd: None) -> None:
        text = operator.visit("/schedules/preview?cron=0+0+*+*+*&timezone=UTC", htmx=True).text

        label = "Other schedules that start from 00:00 to 00:59: 38 at 00:00, at most 0 in any other minute"
        assert f'role="img" aria-label="{label}"' in text

    def test_the_hour_has_a_table_behind_it(self, operator: Browser, crowd: None, database: Database, job: Job) -> None:
        with database.transaction() as session:
            make_schedule(session, job, name="Later", cron="40 0 * * *")

        text = operator.visit("/schedules/preview?cron=0+0+*+*+*&timezone=UTC", htmx=True).text

        cells = re.findall(r"<td[^>]*>([^<]*)</td>", text.partition('id="load-table"')[2].partition("</details>")[0])
        assert cells == ["00:00", "38", "00:40", "1"]

    def test_the_quiet_one_has_no_such_note(self, operator: Browser, crowd: None) -> None:
        text = operator.visit("/schedules/preview?cron=7+0+*+*+*&timezone=UTC", htmx=True).text

        assert "other schedules" not in text
        assert "About 365 runs a year" in text

    def test_the_same_times_for_the_same_job_are_said_before_and_after_saving(
        self, operator: Browser, job: Job, schedule: Schedule
    ) -> None:
        words = "This job has the same times already: “Odd hours”."
        query = f"cron=7+9,12,15,18,21+*+*+*&timezone=UTC&job_id={job.id}"
        shown = operator.visit(f"/schedules/preview?{query}", htmx=True).text
        mine = operator.visit(f"/schedules/preview?{query}&schedule_id={schedule.id}", htmx=True).text

        sent = typed(job, cron="7 9,12,15,18,21 * * *", timezone="UTC", missed_max_age_seconds="2 days")
        operator.send("/schedules", sent)

        assert words in shown
        assert words not in mine
        assert words in operator.visit("/schedules").text

    def test_the_page_of_a_schedule_names_its_twin(
        self, operator: Browser, database: Database, job: Job, schedule: Schedule
    ) -> None:
        with database.transaction() as session:
            make_schedule(session, job, name="Again", cron=schedule.cron)

        assert "“Again”. Both would start it." in operator.visit(f"/schedules/{schedule.id}").text

    @pytest.mark.parametrize("rest", ["job_id=x&schedule_id=y", f"schedule_id={UUID(int=7)}", "more=yes"])
    def test_whatever_else_is_sent_there_is_an_answer(self, operator: Browser, rest: str) -> None:
        text = operator.visit(f"/schedules/preview?cron=0+6+*+*+*&timezone=UTC&{rest}", htmx=True).text

        assert text.count('class="next-wall"') == (20 if rest == "more=yes" else 5)

    @pytest.mark.parametrize("key", ["abc", "another", ""])
    def test_shows_of_h_the_times_that_saving_chooses(
        self, operator: Browser, database: Database, job: Job, key: str
    ) -> None:
        sent = typed(job, cron="H H(0-6) * * *", timezone="UTC", spread_key=key)
        shown = operator.visit(f"/schedules/preview?{urlencode(sent)}", htmx=True).text

        operator.send("/schedules", sent)

        next_run_at = only(database).next_run_at
        assert next_run_at is not None
        assert f"{next_run_at:%H:%M}" in shown.partition('class="next-wall">')[2].partition("<")[0]

    def test_says_what_happens_when_a_run_fails(self, operator: Browser, database: Database, job: Job) -> None:
        query = f"cron=30+2+*+*+*&timezone=UTC&job_id={job.id}"
        shown = operator.visit(f"/schedules/preview?{query}", htmx=True).text
        with database.transaction() as session:
            session.get_one(Job, job.id).tries = 2

        changed = operator.visit(f"/schedules/preview?{query}", htmx=True).text
        checked = operator.send("/schedules", typed(job, preview="yes")).text

        assert "It is tried 3 times: again after 5 s each time." in shown
        assert "02:30:00 → 02:30:05 → 02:30:10, then it counts as failed." in shown
        assert "It is tried twice: again after 5 s." in changed
        assert "It is tried twice: again after 5 s." in checked


IMPOSSIBLE = [
    ({"preset": "hourly", "minute": "99"}, "minute", "“99” is not a minute. Use 0 to 59."),
    ({"preset": "daily", "time": "25:99"}, "time", "There is no time “25:99”. Use 00:00 to 23:59."),
    ({"preset": "monthly", "day": "32", "time": "06:00"}, "day", "Day “32” does not exist. Use 1 to 31."),
    ({"preset": "weekly", "days": "9", "time": "06:00"}, "days", "“9” is not a day of the week."),
    ({"preset": "weekly", "time": "06:00"}, "days", "Choose at least one day."),
    ({"kind": "every", "preset": "daily", "count": "0", "unit": "minutes"}, "count", "“0” is no number of times."),
    ({"kind": "every", "preset": "daily", "count": "٣", "unit": "minutes"}, "count", "“٣” is no number of times."),
    ({"kind": "every", "preset": "daily", "count": "1000000000", "unit": "weeks"}, "count", "is no number of times."),
    ({"kind": "at", "preset": "daily", "at": "tomorrow"}, "at", "“tomorrow” is no date with a time."),
    ({"preset": "hourly", "minute": ""}, "minute", "Enter a minute, 0 to 59."),
    ({"preset": "weekdays", "time": ""}, "time", "Enter a time, 00:00 to 23:59."),
    ({"preset": "daily", "time": "7"}, "time", "There is no time “7”."),
    ({"preset": "twice_daily", "time": "06:00", "again": ""}, "again", "Choose the second hour."),
    ({"preset": "monthly", "time": "07:00", "day": ""}, "day", "Enter a day of the month, 1 to 31."),
    ({"kind": "every", "preset": "daily", "count": "", "unit": "hours"}, "count", "Enter a whole number from 1 on."),
    ({"kind": "every", "preset": "daily", "count": "2", "unit": ""}, "unit", "Choose minutes, hours, days or weeks."),
    ({"kind": "every", "preset": "daily", "count": "2", "unit": "days", "counted_from": ""}, "counted_from",
     "Enter the date and time that it counts from."),
    ({"kind": "at", "preset": "daily", "at": ""}, "at", "Enter a date and a time."),
    ({"kind": "at", "preset": "daily"}, "at", "Enter a date and a time."),
]  # fmt: skip


class TestChoicesThatCannotBe:
    @pytest.mark.parametrize(("choice", "field", "message"), IMPOSSIBLE)
    def test_are_said_and_never_replaced_by_others(
        self, operator: Browser, database: Database, job: Job, choice: dict[str, str], field: str, message: str
    ) -> None:
        sent = typed(job, cron="0 6 * * *", cron_was="0 6 * * *", **choice)

        response = operator.send("/schedules", sent)
        shown = operator.visit(f"/schedules/preview?{urlencode(sent)}", htmx=True).text

        assert (response.status_code, count(database)) == (422, 0)
        assert message in response.text
        assert message in shown
        assert "data-invalid" in shown

    @pytest.mark.parametrize(
        ("stored", "emptied", "field"),
        [
            ("30 7 15 * *", {"day": ""}, "day"),
            ("30 7 * * *", {"time": ""}, "time"),
            ("15 7 * * 1,3", {"days": []}, "days"),
            ("17 * * * *", {"minute": ""}, "minute"),
            ("every 90 minutes from 2026-11-21 08:00", {"count": ""}, "count"),
            ("every 90 minutes from 2026-11-21 08:00", {"counted_from": ""}, "counted_from"),
            ("at 2040-12-24 18:00", {"at": ""}, "at"),
        ],
    )
    def test_leave_an_old_schedule_as_it_is_and_are_led_to(
        self, operator: Browser, database: Database, job: Job, stored: str, emptied: dict[str, Any], field: str
    ) -> None:
        """Whoever empties a field of it, without a script or before the script has seen it."""
        with database.transaction() as session:
            old = make_schedule(session, job, cron=stored)
        sent = filled_form(operator.visit(f"/schedules/{old.id}/edit").text) | emptied

        answer = operator.post(f"/schedules/{old.id}", data=sent)
        shown = operator.visit(f"/schedules/preview?{urlencode(sent, doseq=True)}", htmx=True).text
        again = filled_form(answer.text)

        assert (answer.status_code, only(database).cron, only(database).version) == (422, stored, 1)
        assert f'href="#{field}"' in answer.text
        assert re.search(rf'aria-describedby="[^"]*\b{field}-error"', answer.text)
        assert f'<p class="error" id="{field}-error">' in answer.text
        assert (again["cron"], again.get(field, []) in ([], [""]), again["preset"]) == ([stored], True, sent["preset"])
        assert 'data-values="{}"' in shown

    def test_stay_as_they_were_typed_to_be_mended(self, operator: Browser, database: Database, job: Job) -> None:
        sent = typed(job, preset="monthly", day="32", time="07:30", cron="0 6 * * *", cron_was="0 6 * * *")
        page = operator.send("/schedules", sent).text
        again = {name: values[-1] for name, values in filled_form(page).items()}

        operator.send("/schedules", again | {"day": "28"})

        assert (again["preset"], again["day"], again["time"]) == ("monthly", "32", "07:30")
        assert only(database).cron == "30 7 28 * *"

    @pytest.mark.parametrize("field", ["spread_key", "cron_was", "replaced", "timezone_was", "schedule_id", "version"])
    def test_of_a_program_in_hidden_fields_do_no_harm(
        self, operator: Browser, database: Database, job: Job, field: str
    ) -> None:
        response = operator.send("/schedules", typed(job, **{field: "a\0b\u202e"}))

        assert response.status_code in {303, 422}
        assert count(database) == (1 if response.status_code == 303 else 0)


class TestWhoMayNotChangeIt:
    def test_reads_the_form_with_the_reason(self, viewer: Browser, schedule: Schedule) -> None:
        text = viewer.visit(f"/schedules/{schedule.id}/edit").text

        assert "<fieldset disabled>" in text
        assert "Your role here is viewer; this needs operator or higher." in text
        assert "Save schedule" not in text

    def test_is_led_there_by_its_page(self, viewer: Browser, operator: Browser, schedule: Schedule) -> None:
        link = f'href="/schedules/{schedule.id}/edit"'
        for_viewer, for_operator = (each.visit(f"/schedules/{schedule.id}").text for each in (viewer, operator))

        assert link in for_viewer
        assert "All settings" in for_viewer
        assert link in for_operator
        assert "All settings" not in for_operator

    def test_can_save_nothing(self, viewer: Browser, schedule: Schedule, job: Job, database: Database) -> None:
        answer = viewer.send(f"/schedules/{schedule.id}", typed(job))

        assert (answer.status_code, only(database).name) == (403, "Odd hours")


class TestHowLongRunsTake:
    @pytest.fixture(autouse=True)
    def _runs(self, database: Database, schedule: Schedule, job: Job, clock: ManualClock) -> None:
        """Three of seven minutes."""
        with database.transaction() as session:
            for hours in (3, 2, 1):
                began = clock.moment - timedelta(hours=hours)
                run_id = make_running(session, job, now=began, schedule_id=schedule.id)
                end = AttemptEnd(AttemptState.SUCCEEDED)
                ledger.succeed(session, run_id=run_id, token=1, end=end, now=began + timedelta(minutes=7))

    def test_stands_beside_the_time_limit(self, operator: Browser, schedule: Schedule) -> None:
        text = operator.visit(f"/schedules/{schedule.id}/edit").text

        assert "Typical 7 min, longest in 30 days 7 min." in text

    def test_is_held_against_the_rhythm_by_the_chosen_rule(self, operator: Browser, job: Job) -> None:
        skip, allow = (
            operator.visit(f"/schedules/preview?{urlencode(typed(job, cron='*/5 * * * *', overlap=overlap))}").text
            for overlap in ("skip", "allow")
        )

        assert "Runs take 7 min, every 5 min: about every second run will be skipped." in skip
        assert "Runs take 7 min, every 5 min: about 2 of them go on at once." in allow


class TestWhatAChangeWillDo:
    def test_names_the_zone_of_both_lists_and_the_viewers_time_beside_them(
        self, operator: Browser, schedule: Schedule, job: Job
    ) -> None:
        sent = typed(job, schedule_id=str(schedule.id), more="")

        shown = operator.visit(f"/schedules/preview?{urlencode(sent)}", htmx=True).text

        now, _, after = shown.partition("After saving")
        assert '<p class="sub">UTC time</p>' in now
        assert '<p class="sub">New York time</p>' in after
        assert "02:30</span>" in after
        assert "your time" in after
        assert [part.count('class="next-relative"') for part in (now, after)] == [5, 5]

    def test_stands_beside_what_is_now_before_a_deletion(self, operator: Browser, schedule: Schedule) -> None:
        text = operator.visit(f"/schedules/{schedule.id}/delete").text

        now, _, after = text.partition("Next runs now")[2].partition("After deleting")
        assert [part.count('class="next-relative"') for part in (now, after)] == [5, 0]
        assert "None" in after

    def test_is_said_on_both_clocks_before_a_deletion(self, operator: Browser, schedule: Schedule) -> None:
        text = operator.visit(f"/schedules/{schedule.id}/delete").text

        assert re.search(r"Its next run, \w{3} \d+ \w{3}, \d\d:07 UTC \(\d\d:07 your time\), and all that follow", text)
