"""Versions of a schedule, restoring one, copies, its one history and its slots by day: as people meet them."""

import csv
import io
import re
from dataclasses import replace
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from app.core.config import Settings
from app.core.db import Database
from app.edge.runtime import EXTENSION
from app.jobs.models import Job
from app.ops.kinds import job_kinds
from app.runs import planner, service
from app.runs.models import Run
from app.schedules.models import Gap, Schedule
from app.schedules.queries import get_schedule
from app.schedules.service import ScheduleDraft, create_schedule
from app.tenants.models import AuditEntry
from tests.factories.work import make_job, make_run
from tests.fakes.clock import utc
from tests.web.conftest import Browser

MADE = utc("2027-01-01 08:00")


@pytest.fixture
def app(app: Flask, settings: Settings) -> Flask:
    """The app with the real kinds of job."""
    parts = app.extensions[EXTENSION]
    app.extensions[EXTENSION] = replace(parts, kinds=job_kinds(settings), dispatch=lambda: None)
    return app


@pytest.fixture
def schedule_id(database: Database, owner: Browser) -> UUID:
    """A nightly schedule that ran at two, and now runs at half past."""
    with database.transaction() as session:
        job = make_job(session, owner.organization_id, name="Website check")
        draft = ScheduleDraft(name="Nightly", job_id=job.id, cron="0 2 * * *", timezone="UTC", spread_key="k")
        made = create_schedule(session, actor=owner.actor, draft=draft, now=MADE)
        later = replace(draft, cron="30 2 * * *", missed_max_age_seconds=86_400)
        service.edit_schedule(
            session, actor=owner.actor, schedule_id=made, draft=later, version=1, now=utc("2027-01-02 08:00")
        )
    return made


def stored(database: Database, schedule_id: UUID) -> Schedule:
    with database.reading() as session:
        return session.get_one(Schedule, schedule_id)


def address(schedule_id: UUID, *parts: object) -> str:
    return "/".join(["/schedules", str(schedule_id), *map(str, parts)])


class TestVersions:
    def test_show_what_changed_and_who_did_it(self, viewer: Browser, owner: Browser, schedule_id: UUID):
        text = viewer.visit(address(schedule_id, "versions")).text

        assert "cron: 0 2 * * * → 30 2 * * *" in text
        assert owner.actor.label in text

    def test_say_where_one_is_with_a_separator_between_links_alone(self, viewer: Browser, schedule_id: UUID):
        text = viewer.visit(address(schedule_id, "versions")).text

        crumbs = text.partition('<nav class="crumbs"')[2].partition("</nav>")[0]
        assert (crumbs.count("<a "), crumbs.count("#chevron"), crumbs.endswith("</a>")) == (2, 1, True)

    def test_are_not_a_strangers_to_see(self, stranger: Browser, schedule_id: UUID):
        pages = [address(schedule_id, name) for name in ("versions", "history", "slots", "slots.csv")]

        assert {stranger.visit(page).status_code for page in pages} == {404}

    def test_ask_before_they_are_restored(self, operator: Browser, schedule_id: UUID):
        text = operator.visit(address(schedule_id, "versions", 1, "restore")).text

        assert "cron: 30 2 * * * → 0 2 * * *" in text
        assert "Wed 6 Jan, 02:30" in text
        assert "Wed 6 Jan, 02:00" in text

    def test_say_before_what_becomes_of_runs(self, operator: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            make_run(session, job, now=MADE, schedule_id=schedule_id)

        text = operator.visit(address(schedule_id, "versions", 1, "restore")).text

        assert "2 runs wait and start all the same." in text

    def test_are_restored(self, operator: Browser, database: Database, schedule_id: UUID):
        answer = operator.send(address(schedule_id, "versions", 1, "restore"), {"version": "2"})

        row = stored(database, schedule_id)
        assert answer.status_code == 303
        assert (row.cron, row.version, row.next_run_at) == ("0 2 * * *", 3, utc("2027-01-06 02:00"))

    def test_are_not_restored_over_a_newer_one(self, operator: Browser, database: Database, schedule_id: UUID):
        operator.send(address(schedule_id, "enabled"), {"enabled": "no"})

        answer = operator.send(address(schedule_id, "versions", 1, "restore"), {"version": "2"})

        assert answer.status_code == 409
        assert "Somebody else changed this schedule meanwhile" in answer.text
        assert stored(database, schedule_id).cron == "30 2 * * *"

    def test_are_refused_in_words_when_the_name_is_taken(
        self, operator: Browser, database: Database, schedule_id: UUID
    ):
        with database.transaction() as session:
            session.execute(update(Schedule).values(name="Later"))
            job_id = session.scalars(select(Job.id)).first()
            draft = ScheduleDraft(name="Nightly", job_id=job_id, cron="0 2 * * *", timezone="UTC", spread_key="k")
            create_schedule(session, actor=operator.actor, draft=draft, now=MADE)

        answer = operator.send(address(schedule_id, "versions", 1, "restore"), {"version": "2"})

        assert answer.status_code == 409
        assert "another schedule is called so now" in answer.text

    def test_are_not_a_viewers_to_restore(self, viewer: Browser, database: Database, schedule_id: UUID):
        answer = viewer.send(address(schedule_id, "versions", 1, "restore"), {"version": "2"})

        assert answer.status_code == 403
        assert stored(database, schedule_id).version == 2


class TestDuplicate:
    def test_makes_a_copy_that_is_off(self, operator: Browser, database: Database, schedule_id: UUID):
        operator.send(address(schedule_id, "duplicate"))
        operator.send(address(schedule_id, "duplicate"))

        with database.reading() as session:
            copies = session.scalars(select(Schedule).where(Schedule.id != schedule_id).order_by(Schedule.name)).all()
            said = session.scalars(select(AuditEntry.summary).where(AuditEntry.subject_id == copies[0].id)).one()
        assert [copy.name for copy in copies] == ["Nightly (copy 2)", "Nightly (copy)"]
        assert {(copy.enabled, copy.cron, copy.spread_key == "k") for copy in copies} == {(False, "30 2 * * *", False)}
        assert said.endswith("as a copy of “Nightly”")

    def test_is_taken_back_by_undo(self, operator: Browser, database: Database, schedule_id: UUID):
        shown = operator.get(operator.send(address(schedule_id, "duplicate")).location).text.partition(
            'class="toasts"'
        )[2]

        operator.send(re.findall(r'action="([^"]+)"', shown)[0])

        with database.reading() as session:
            left = session.scalars(select(Schedule.name).where(Schedule.deleted_at.is_(None))).all()
        assert left == ["Nightly"]


class TestHistory:
    def test_mixes_runs_and_changes(self, viewer: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            make_run(session, job, now=utc("2027-01-03 10:00"), schedule_id=schedule_id)

        text = viewer.visit(address(schedule_id, "history")).text

        assert text.index("By hand") < text.index("30 2 * * *") < text.index("Made.")

    @pytest.mark.parametrize(
        ("kind", "shown"), [("changes", (True, False)), ("runs", (False, True)), ("", (True, True))]
    )
    def test_is_narrowed(
        self, viewer: Browser, database: Database, schedule_id: UUID, kind: str, shown: tuple[bool, bool]
    ):
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            make_run(session, job, now=utc("2027-01-03 10:00"), schedule_id=schedule_id)

        text = viewer.visit(address(schedule_id, f"history?kind={kind}")).text

        assert ("30 2 * * *" in text, "By hand" in text) == shown

    def test_goes_on_behind_what_was_shown(self, viewer: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            job = session.scalars(select(Job)).one()
            for minute in range(55):
                make_run(session, job, now=utc(f"2027-01-03 10:{minute:02}"), schedule_id=schedule_id)
        first = viewer.visit(address(schedule_id, "history")).text
        older = first[: first.index('rel="next"')].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")

        second = viewer.visit(older).text

        assert (first.count("By hand"), second.count("By hand")) == (50, 5)
        assert "Made." in second

    @pytest.mark.parametrize(
        "moment",
        ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2027-01-03T10:00:00", "yesterday", ""],
    )
    def test_begins_anew_at_a_place_that_is_none(self, viewer: Browser, schedule_id: UUID, moment: str):
        answer = viewer.visit(address(schedule_id, f"history?before={quote(f'{moment}~{schedule_id}')}"))

        assert answer.status_code == 200
        assert "Made." in answer.text

    def test_says_all_times_of_a_row_on_one_clock_and_names_it(
        self, viewer: Browser, database: Database, schedule_id: UUID
    ):
        with database.transaction() as session:
            session.execute(update(Schedule).values(timezone="America/New_York"))
            moment = utc("2027-01-03 07:30")
            gap = Gap(
                organization_id=viewer.organization_id, schedule_id=schedule_id, first_slot_at=moment,
                last_slot_at=moment, slots=1, reason="scheduler_down", at=moment,
            )  # fmt: skip
            session.add(gap)

        text = viewer.visit(address(schedule_id, "history")).text

        assert "1 slot at Sun 3 Jan, 09:30: no scheduler was running." in text
        assert '<span class="sub">Sun 3 Jan, 09:30</span>' in text
        assert "Times are Riga time, yours." in text

    def test_stands_on_the_page_of_the_schedule(self, viewer: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            moment = utc("2027-01-03 02:30")
            gap = Gap(
                organization_id=viewer.organization_id, schedule_id=schedule_id, first_slot_at=moment,
                last_slot_at=moment, slots=1, reason="scheduler_down", at=moment,
            )  # fmt: skip
            session.add(gap)

        text = viewer.visit(f"{address(schedule_id)}?tz=schedule").text

        assert "1 slot at Sun 3 Jan, 02:30: no scheduler was running." in text
        assert "cron: 0 2 * * * → 30 2 * * *" in text


class TestSlots:
    def test_lists_a_day_with_the_reason(self, viewer: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            planner.tick(session, now=utc("2027-01-03 02:30"))

        text = viewer.visit(address(schedule_id, "slots?day=2027-01-03")).text

        # The run of the night before has not even started.
        assert "1 expected · 1 skipped" in text
        assert "The previous run was still going" in text

    def test_says_what_it_said_before_a_change_of_that_day(self, viewer: Browser, schedule_id: UUID):
        text = viewer.visit(address(schedule_id, "slots?day=2027-01-02")).text

        said = re.findall(r"<li>(.*?)</li>", text.partition('id="eras"')[2].partition("</section>")[0])
        assert said == ["Until Sat 2 Jan, 08:00: 0 2 * * *, UTC", "Since Sat 2 Jan, 08:00: 30 2 * * *, UTC"]

    def test_and_nothing_where_another_thing_was_changed(
        self, viewer: Browser, owner: Browser, database: Database, schedule_id: UUID
    ):
        with database.transaction() as session:
            row = get_schedule(session, organization_id=owner.organization_id, schedule_id=schedule_id)
            draft = ScheduleDraft(name="Other", job_id=row.job_id, cron=row.cron, timezone="UTC", spread_key="k")
            at = utc("2027-01-03 08:00")
            service.edit_schedule(
                session, actor=owner.actor, schedule_id=schedule_id, draft=draft, version=row.version, now=at
            )

        assert 'id="eras"' not in viewer.visit(address(schedule_id, "slots?day=2027-01-03")).text

    def test_says_loudly_what_nobody_knows(self, viewer: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            planner.tick(session, now=utc("2027-01-03 02:30"))
            session.execute(delete(Run))

        text = viewer.visit(address(schedule_id, "slots?day=2027-01-03")).text

        assert "1 slot is not accounted for." in text

    def test_shows_a_day_of_minutes_in_pages(self, owner: Browser, database: Database, schedule_id: UUID):
        with database.transaction() as session:
            row = get_schedule(session, organization_id=owner.organization_id, schedule_id=schedule_id)
            draft = ScheduleDraft(
                name="Minutely", job_id=row.job_id, cron="* * * * *", timezone="UTC", spread_key="k", enabled=False
            )
            minutely = create_schedule(session, actor=owner.actor, draft=draft, now=MADE)

        text = owner.visit(address(minutely, "slots?day=2027-01-02")).text

        assert "1,440 expected · 1,440 paused" in text
        assert "00:00 to 23:59, 1,440 slots" in text

    def test_answers_today_for_what_is_no_day(self, viewer: Browser, schedule_id: UUID):
        answer = viewer.visit(address(schedule_id, "slots?day=soon"))

        assert answer.status_code == 422
        assert "is no day" in answer.text

    def test_gives_every_slot_in_a_file_that_spreadsheets_may_open(
        self, viewer: Browser, database: Database, schedule_id: UUID
    ):
        with database.transaction() as session:
            planner.tick(session, now=utc("2027-01-03 02:30"))
            session.execute(update(Run).values(error='=HYPERLINK("x"), "and", more'))

        answer = viewer.visit(address(schedule_id, "slots.csv?day=2027-01-03"))

        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert answer.headers["Content-Disposition"].endswith(f'slots-{schedule_id}-2027-01-03.csv"')
        assert [(row["slot"], row["reason"]) for row in rows] == [
            ("2027-01-03T02:30:00Z", '\'=HYPERLINK("x"), "and", more')
        ]
