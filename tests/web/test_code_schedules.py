"""The pages of schedules and jobs in code: what platform admins see there, and what they do."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.core.clock import Clock
from app.core.config import EXAMPLE_JOBS, Settings
from app.core.ids import new_id
from app.core.version import VERSION
from app.factory import create_app
from app.ops.code_definitions import Definitions, load_definitions
from app.ops.code_loader import put_in_force
from app.ops.heartbeats import ProcessFacts, beat, sign_off
from app.runs.models import Run
from app.runs.queue_models import QueueSwitch
from app.schedules.models import Gap, Schedule
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

PAGE = "/admin/schedules"
ONE = f"{PAGE}/dev-quick-test"
LEFT = f"{PAGE}/feed-refresh"


@pytest.fixture
def modules() -> tuple[str, ...]:
    """What BELFRY_JOBS names."""
    return EXAMPLE_JOBS


@pytest.fixture
def app(
    settings: Settings,
    database: OpenDatabase,
    clock: Clock,
    compiled_templates: FileSystemBytecodeCache,
    modules: tuple[str, ...],
) -> Flask:
    """With the kinds of job that there really are."""
    app = create_app(replace(settings, job_modules=modules), database=database, clock=clock, dispatch=lambda: 0)
    app.jinja_env.bytecode_cache = compiled_templates
    app.test_client_class = Browser
    return app


@pytest.fixture(autouse=True)
def loaded(settings: Settings, database: OpenDatabase, clock: ManualClock) -> None:
    put_in_force(database, clock, load_definitions(settings), is_asked_for=True)


@pytest.fixture
def stored(database: OpenDatabase) -> Callable[[str], Schedule]:
    def read(code_id: str = "dev-quick-test") -> Schedule:
        with database.reading() as session:
            return session.scalars(select(Schedule).where(Schedule.code_id == code_id)).one()

    return read


@pytest.fixture
def runs(database: OpenDatabase) -> Callable[[], list[Run]]:
    def read() -> list[Run]:
        with database.reading() as session:
            return list(session.scalars(select(Run).order_by(Run.created_at)))

    return read


@pytest.fixture
def audited(database: OpenDatabase) -> Callable[[], list[tuple[str, str]]]:
    def read() -> list[tuple[str, str]]:
        with database.reading() as session:
            here = AuditEntry.organization_id == SYSTEM_ORGANIZATION_ID, AuditEntry.action != "code.loaded"
            found = select(AuditEntry.action, AuditEntry.actor_label).where(*here).order_by(AuditEntry.at)
            return [(row.action, row.actor_label) for row in session.execute(found)]

    return read


def words(answer: TestResponse) -> str:
    """What a person reads: no tags, no line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def card(browser: Browser) -> str:
    """The scheduler on the page, which every refresh brings anew."""
    shown = browser.visit(PAGE, htmx=True).text
    return shown.partition('id="scheduler"')[2].partition("</section>")[0]


class TestThePage:
    def test_says_of_each_where_it_is_defined_and_who_switched_it(self, platform_admin: Browser):
        shown = words(platform_admin.visit(PAGE))

        assert "dev-quick-test Example: exists in development alone." in shown
        assert "Defined in app/jobs/examples.py:" in shown
        assert "· Off: nobody has switched it on" in shown

    def test_says_that_missed_runs_are_skipped_and_nobody_can_close_it(self, platform_admin: Browser):
        answer = platform_admin.visit(PAGE)

        notice = answer.text.partition('id="skip-policy"')[2].partition("</div>")[0]
        assert "Missed runs are skipped." in notice
        assert "Skipped in the last 7 days: 0." in notice
        assert "close" not in notice.lower()

    def test_counts_what_was_skipped_and_shows_it(
        self, platform_admin: Browser, database: OpenDatabase, stored, clock: ManualClock
    ):
        gap = {"first_slot_at": clock.moment, "last_slot_at": clock.moment, "slots": 3, "at": clock.moment}
        with database.transaction() as session:
            for reason in ("scheduler_down", "paused"):
                session.add(Gap(organization_id=SYSTEM_ORGANIZATION_ID, schedule_id=stored().id, reason=reason, **gap))

        shown, listed = words(platform_admin.visit(PAGE)), words(platform_admin.visit("/admin/skipped-slots"))

        assert "Skipped in the last 7 days: 3." in shown
        assert "3 skipped" in shown
        assert re.search("dev-quick-test .* 3 No scheduler was running", listed)

    def test_counts_of_a_long_outage_only_the_last_seven_days(
        self, platform_admin: Browser, database: OpenDatabase, stored, clock: ManualClock
    ):
        schedule_id, last = stored("daily-full-sync").id, clock.moment.replace(hour=2)
        with database.transaction() as session:
            gap = {"first_slot_at": last - timedelta(days=30), "last_slot_at": last, "slots": 31, "at": clock.moment}
            owner = {"organization_id": SYSTEM_ORGANIZATION_ID, "schedule_id": schedule_id}
            session.add(Gap(**owner, **gap, reason="scheduler_down"))
            # And one that ended before.
            old = gap | {"last_slot_at": last - timedelta(days=8), "slots": 23}
            session.add(Gap(**owner, **old, reason="scheduler_down"))

        shown, listed = words(platform_admin.visit(PAGE)), words(platform_admin.visit("/admin/skipped-slots"))

        assert "Skipped in the last 7 days: 7." in shown
        assert listed.count("daily-full-sync") == 1
        assert re.search("daily-full-sync .* 7 No scheduler was running", listed)

    def test_counts_what_nobody_has_planned_yet(self, platform_admin: Browser, clock: ManualClock):
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})
        clock.advance(minutes=22)

        shown, listed = words(platform_admin.visit(PAGE)), words(platform_admin.visit("/admin/skipped-slots"))

        assert "Skipped in the last 7 days: 4." in shown
        assert re.search("dev-quick-test .* 4 No scheduler has planned anything since then", listed)

    def test_leafs_through_what_was_skipped(
        self, platform_admin: Browser, database: OpenDatabase, stored, clock: ManualClock
    ):
        schedule_id = stored().id
        with database.transaction() as session:
            for number in range(120):
                at = clock.moment - timedelta(minutes=5 * number)
                gap = {"first_slot_at": at, "last_slot_at": at, "slots": 1, "at": clock.moment}
                session.add(
                    Gap(
                        organization_id=SYSTEM_ORGANIZATION_ID, schedule_id=schedule_id, reason="scheduler_down", **gap
                    )
                )  # fmt: skip

        pages = [platform_admin.visit(f"/admin/skipped-slots?page={number}").text for number in (1, 2, 3)]

        assert [page.count("No scheduler was running") for page in pages] == [50, 50, 20]
        assert ["1–50 of 120" in pages[0], "51–100 of 120" in pages[1], "101–120 of 120" in pages[2]] == [True] * 3
        assert ['rel="prev"' in pages[0], 'rel="next"' in pages[2]] == [False, False]

    def test_shows_the_scheduler(self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock):
        assert "No scheduler is running." in words(platform_admin.visit(PAGE))
        facts = ProcessFacts(new_id(), "tower:7:abc", "0.0.9", 0, True, "tower", 7)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=20)

        shown = words(platform_admin.visit(PAGE))

        assert "7 on tower" in shown
        assert "this one 0.0.9. Restart the older one." in shown

    def test_stops_and_starts_scheduling_on_the_card_of_the_scheduler(self, platform_admin: Browser):
        before = card(platform_admin)
        stopped = platform_admin.send("/scheduling/stop", {"reason": "Moving", "from": "code"})
        meanwhile = card(platform_admin)
        started = platform_admin.send("/scheduling/start", {"from": "code"})

        assert ("hx-morph-skip" in before, "Stop scheduling" in before, "Stop scheduling" in meanwhile) == (
            True, True, False,
        )  # fmt: skip
        assert "Start scheduling" in meanwhile
        assert (stopped.location, started.location) == (PAGE, PAGE)

    def test_says_since_when_no_scheduler_is_there(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ):
        facts = ProcessFacts(new_id(), "tower:7:abc", VERSION, 0, True, "tower", 7)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=20)
            sign_off(session, facts, now=clock.moment)

        assert "No scheduler is running since Tue 5 Jan, 14:00." in card(platform_admin)

    def test_says_of_each_what_becomes_of_missed_runs(self, platform_admin: Browser, database: OpenDatabase):
        with database.transaction() as session:
            session.execute(update(Schedule).where(Schedule.code_id == "feed-refresh").values(missed="latest"))

        shown = words(platform_admin.visit(PAGE))

        assert "Missed runs are not made up for. While a run goes on, the next one is skipped" in shown
        assert "Of missed runs the latest is made up for, unless it is older than 1 day." in shown

    def test_is_for_platform_admins_alone(self, owner: Browser):
        assert owner.visit(PAGE).status_code == 403
        assert PAGE not in owner.visit("/").text

    def test_is_in_their_menu(self, platform_admin: Browser):
        assert f'href="{PAGE}"' in platform_admin.visit("/").text


class TestWhyItHasNotRun:
    def test_is_said_of_each_that_is_on_and_held_back(self, platform_admin: Browser):
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})

        shown = platform_admin.visit(PAGE).text

        why = shown.partition('id="why-dev-quick-test"')[2].partition("</span>")[0]
        assert "No scheduler is running." in why
        assert 'id="why-daily-full-sync"' not in shown

    def test_is_said_of_a_run_that_waits_although_the_schedule_is_off(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ):
        platform_admin.send(f"{ONE}/run")
        with database.transaction() as session:
            session.add(QueueSwitch(name="code", paused_at=clock.moment, paused_by="root@example.com"))

        shown, one = words(platform_admin.visit(PAGE)), words(platform_admin.visit(ONE))

        assert "Why has it not run? Its run that was due at" in shown
        assert "Its queue “code” is paused, by root@example.com" in shown
        assert "It was loaded from code switched off" in one

    def test_is_nothing_where_nothing_holds_it(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock
    ):
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})
        facts = ProcessFacts(new_id(), "tower:7:abc", VERSION, 4, True, "tower", 7)
        with database.transaction() as session:
            beat(session, facts, now=clock.moment, ticked_at=clock.moment, tick_ms=20)

        assert "Why has it not run?" not in platform_admin.visit(PAGE).text + platform_admin.visit(ONE).text


class TestAModuleThatCannotBeLoaded:
    @pytest.fixture
    def modules(self) -> tuple[str, ...]:
        return ("no_such_jobs", *EXAMPLE_JOBS)

    def test_is_named_and_everything_else_goes_on(self, platform_admin: Browser):
        shown = words(platform_admin.visit(PAGE))

        assert "no_such_jobs There is no module “no_such_jobs”. Check BELFRY_JOBS" in shown
        assert "dev-quick-test" in shown


class TestAModuleThatFails:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.syspath_prepend(str(tmp_path))
        return tmp_path

    @pytest.fixture
    def modules(self, folder: Path) -> tuple[str, ...]:
        name = f"failing_{folder.name.replace('-', '_')}"
        text = f"with open({str(folder / 'tries')!r}, 'a') as file:\n    file.write('x')\n1 / 0\n"
        (folder / f"{name}.py").write_text(text)
        return (name, *EXAMPLE_JOBS)

    def test_is_executed_once_however_often_it_is_shown(self, platform_admin: Browser, folder: Path):
        shown = [words(platform_admin.visit(PAGE)) for _ in range(2)]

        assert all("cannot be loaded: ZeroDivisionError" in each for each in shown)
        assert (folder / "tries").read_text() == "x"


class TestWhatTheDatabaseRefuses:
    @pytest.fixture
    def modules(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
        monkeypatch.syspath_prepend(str(tmp_path))
        name = f"refused_{tmp_path.name.replace('-', '_')}"
        text = 'from app.jobs.code import job\n@job("pick", queue="picking")\ndef pick(): ...\n'
        (tmp_path / f"{name}.py").write_text(text)
        return (name,)

    @pytest.fixture
    def definitions(self, settings: Settings, modules: tuple[str, ...]) -> Definitions:
        return load_definitions(replace(settings, job_modules=modules))

    def test_is_named_with_place_and_fix(
        self, platform_admin: Browser, database: OpenDatabase, clock: ManualClock, definitions: Definitions
    ):
        put_in_force(database, clock, definitions, is_asked_for=True)

        shown = words(platform_admin.visit(PAGE))

        assert f"{definitions.modules[-1]}.py:2 Job “pick”: there is no queue “picking”. It runs in “code”." in shown
        assert "Make it on the queue page, or name another one." in shown

    def test_is_nothing_while_newer_definitions_are_in_force(
        self, platform_admin: Browser, settings: Settings, database: OpenDatabase, clock: ManualClock, definitions
    ):
        for each in (definitions, load_definitions(settings)):
            put_in_force(database, clock, each, is_asked_for=True)

        shown = words(platform_admin.visit(PAGE))

        assert "stand back: newer ones are in force" in shown
        assert "to go back to these on purpose, run: belfry jobs sync" in shown
        assert "picking" not in shown


class TestSwitching:
    def test_says_who_did_it(self, platform_admin: Browser, stored, audited):
        answer = platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})

        assert (answer.status_code, answer.location) == (303, PAGE)
        assert stored().enabled is True
        assert audited() == [("schedule.enabled", platform_admin.actor.label)]

    def test_off_again(self, platform_admin: Browser, stored):
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})

        platform_admin.send(f"{ONE}/enabled", {"enabled": "no"})

        assert stored().enabled is False

    def test_needs_a_word(self, platform_admin: Browser):
        assert platform_admin.send(f"{ONE}/enabled").status_code == 422

    def test_of_what_there_is_not_is_not_found(self, platform_admin: Browser):
        assert platform_admin.send(f"{PAGE}/nothing/enabled", {"enabled": "yes"}).status_code == 404


class TestSwitchingOnWhatMissedSomething:
    @pytest.fixture(autouse=True)
    def off_for_twelve_minutes(self, platform_admin: Browser, clock: ManualClock) -> None:
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})
        platform_admin.send(f"{ONE}/enabled", {"enabled": "no"})
        clock.advance(minutes=12)

    def test_asks_what_is_to_become_of_that_with_the_numbers(self, platform_admin: Browser, stored):
        answer = platform_admin.send(f"{ONE}/enabled", {"enabled": "yes"})

        shown = words(platform_admin.visit(f"{ONE}/resume"))
        assert (answer.status_code, answer.location, stored().enabled) == (303, f"{ONE}/resume", False)
        assert "2 slots were missed since" in shown
        assert "Run all 2 now, one after the other" in shown

    @pytest.mark.parametrize(("choice", "slots"), [("skip", 0), ("latest", 1), ("all", 2)])
    def test_does_what_is_answered(self, platform_admin: Browser, stored, runs, choice: str, slots: int):
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes", "missed": choice})

        assert stored().enabled is True
        assert [run.trigger for run in runs()] == ["catch_up"] * slots

    def test_asks_again_when_others_would_run_than_it_said(self, platform_admin: Browser, stored, clock: ManualClock):
        clock.advance(minutes=5)

        answer = platform_admin.send(f"{ONE}/enabled", {"enabled": "yes", "missed": "all", "seen": "2"})

        assert (answer.location, stored().enabled) == (f"{ONE}/resume", False)
        assert "Not 2 but 3 slots have been missed by now" in words(platform_admin.visit(f"{ONE}/resume"))

    def test_refuses_another_answer(self, platform_admin: Browser, stored):
        answer = platform_admin.send(f"{ONE}/enabled", {"enabled": "yes", "missed": "some"})

        assert (answer.status_code, stored().enabled) == (422, False)

    def test_is_said_on_its_page(self, platform_admin: Browser):
        assert "2 slots were missed since" in words(platform_admin.visit(ONE))

    def test_has_nothing_to_ask_of_one_that_is_on(self, platform_admin: Browser):
        platform_admin.send(f"{ONE}/enabled", {"enabled": "yes", "missed": "skip"})

        answer = platform_admin.visit(f"{ONE}/resume")

        assert (answer.status_code, answer.location) == (303, ONE)


class TestParametersOfEveryType:
    @pytest.fixture
    def modules(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
        name = f"typed_{tmp_path.name.replace('-', '_')}"
        text = "def lit(*, days: Literal[7, 30] = 7, ids: list[int] = [], tags: dict[str, int] = {'a': 1}): ..."
        first = "from typing import Literal\nfrom app.jobs.code import job\n"
        (tmp_path / f"{name}.py").write_text(f'{first}@job("lit")\n{text}\n')
        monkeypatch.syspath_prepend(str(tmp_path))
        return (name,)

    @pytest.fixture(autouse=True)
    def loaded(self, settings: Settings, database: OpenDatabase, clock: ManualClock, modules: tuple[str, ...]) -> None:
        put_in_force(database, clock, load_definitions(replace(settings, job_modules=modules)), is_asked_for=True)

    def test_open_so_that_they_can_be_sent_back(self, platform_admin: Browser, runs):
        form = platform_admin.visit("/admin/code-jobs/lit/run").text
        fields = {
            name: unescape(value) for name, value in re.findall(r'name="(argument_\w+)"[^>]*value="([^"]*)"', form)
        }

        sent = {"parameters": "yes", "argument_days": "30", **fields}
        answer = platform_admin.send("/admin/code-jobs/lit/run", sent)

        assert fields == {"argument_ids": "[]", "argument_tags": '{"a": 1}'}
        assert answer.status_code == 303
        assert runs()[0].definition["arguments"] == {"days": 30, "ids": [], "tags": {"a": 1}}

    def test_that_are_no_json_are_named_at_their_field(self, platform_admin: Browser, runs):
        answer = platform_admin.send("/admin/code-jobs/lit/run", {"parameters": "yes", "argument_ids": "1, 2"})

        assert answer.status_code == 422
        assert "“ids” has to be a list." in answer.text


class TestRunningNow:
    def test_asks_for_parameters(self, platform_admin: Browser):
        form = platform_admin.visit(f"{ONE}/run")

        assert 'name="argument_seconds"' in form.text
        assert "How long to take." in form.text

    def test_uses_them_for_this_run_alone(self, platform_admin: Browser, runs, audited):
        sent = {"parameters": "yes", "argument_seconds": "0.5", "argument_fails": "y"}

        answer = platform_admin.send(f"{ONE}/run", sent)

        assert answer.location == PAGE
        assert runs()[0].definition["arguments"] == {"seconds": 0.5, "fails": True}
        assert audited() == [("run.requested", platform_admin.actor.label)]

    @pytest.mark.parametrize("path", [f"{ONE}/run", "/admin/code-jobs/example_quick_test/run"])
    def test_names_a_value_of_the_wrong_type_at_its_field(self, platform_admin: Browser, runs, path: str):
        answer = platform_admin.send(path, {"parameters": "yes", "argument_seconds": "long"})

        assert answer.status_code == 422
        assert "“Seconds” has to be a number." in answer.text
        assert runs() == []

    def test_twice_by_a_double_click_is_one_run(self, platform_admin: Browser, runs):
        for _ in range(2):
            platform_admin.send(f"{PAGE}/hourly-matching/run", {"request_key": "once"})

        assert [(run.job_name, run.trigger) for run in runs()] == [("All jobs of the group “matching”", "manual")]

    def test_starts_a_job_alone(self, platform_admin: Browser, runs):
        platform_admin.send("/admin/code-jobs/example_match_zones/run")

        assert [run.job_name for run in runs()] == ["example_match_zones"]

    def test_is_in_the_history(self, platform_admin: Browser):
        platform_admin.send(f"{PAGE}/hourly-matching/run")

        shown = words(platform_admin.visit(f"{PAGE}/hourly-matching"))

        assert f"By hand by {platform_admin.actor.label}" in shown
        assert "belong to the organization System" in shown


class TestChangingTheTimes:
    TIMES = {"cron": "30 6 * * *", "timezone": "Europe/Riga", "missed": "skip", "overlap": "skip"}

    def test_shows_both_values_and_offers_the_way_back(self, platform_admin: Browser, stored):
        answer = platform_admin.send(f"{ONE}/edit", self.TIMES)

        shown = words(platform_admin.visit(ONE))
        assert (answer.status_code, stored().cron, stored().code_overrides) == (303, "30 6 * * *", "cron,timezone")
        assert "Times 30 6 * * * */5 * * * * Time zone Europe/Riga UTC" in shown
        assert "Revert to code" in shown

    def test_marks_the_row(self, platform_admin: Browser):
        platform_admin.send(f"{ONE}/edit", self.TIMES)

        assert "Changed here · Times, Time zone" in words(platform_admin.visit(PAGE))

    def test_refuses_what_cannot_be_read(self, platform_admin: Browser, stored):
        answer = platform_admin.send(f"{ONE}/edit", self.TIMES | {"cron": "30 26 * * *"})

        assert answer.status_code == 422
        assert stored().cron == "*/5 * * * *"

    def test_takes_the_policies_that_the_other_ways_take(self, platform_admin: Browser, stored):
        more = {"missed_limit": "3", "missed_max_age_seconds": "36 hours", "clock_change": "skip", "tags": "Mine, all"}

        platform_admin.send(f"{ONE}/edit", self.TIMES | {"cron": "*/5 * * * *", "timezone": "UTC"} | more)

        shown = words(platform_admin.visit(ONE))
        assert (stored().missed_max_age_seconds, stored().missed_limit, stored().tags) == (129_600, 3, ["all", "mine"])
        assert stored().code_overrides == "clock_change,missed_limit,missed_max_age_seconds,tags"
        assert "Missed runs at most 3 10 Oldest missed run 36 hours as suits its times" in shown

    def test_names_a_maximum_age_that_cannot_be(self, platform_admin: Browser, stored):
        short = {"cron": "0 6 * * 1", "missed": "latest", "missed_max_age_seconds": "1 day"}

        answer = platform_admin.send(f"{ONE}/edit", self.TIMES | short)

        assert answer.status_code == 422
        assert "is shorter than the time between two runs" in words(answer)

    def test_is_undone_by_reverting(self, platform_admin: Browser, stored, audited):
        platform_admin.send(f"{ONE}/edit", self.TIMES)

        answer = platform_admin.send(f"{ONE}/revert")

        assert answer.location == ONE
        assert (stored().cron, stored().timezone, stored().code_overrides) == ("*/5 * * * *", "UTC", "")
        assert [action for action, _ in audited()] == ["schedule.edited", "schedule.edited"]


class TestNotes:
    def test_are_shown_to_the_others(self, platform_admin: Browser, audited):
        platform_admin.send(f"{ONE}/notes", {"notes": "Off until the move is over."})

        assert "Off until the move is over." in words(platform_admin.visit(PAGE))
        assert audited() == [("schedule.noted", platform_admin.actor.label)]

    def test_have_an_end(self, platform_admin: Browser, stored):
        answer = platform_admin.send(f"{ONE}/notes", {"notes": "x" * 2_001})

        assert answer.status_code == 422
        assert "The notes are too long." in words(answer)
        assert stored().notes == ""


class TestWhatLeftTheCode:
    @pytest.fixture(autouse=True)
    def left(self, database: OpenDatabase, stored, clock: ManualClock) -> None:
        with database.transaction() as session:
            session.get_one(Schedule, stored("feed-refresh").id).left_code_at = clock.moment - timedelta(days=1)

    def test_can_be_looked_at(self, platform_admin: Browser):
        shown = words(platform_admin.visit(LEFT))

        assert "This is no longer in the code." in shown
        assert "Revert" not in shown
        assert "Change times" not in shown

    @pytest.mark.parametrize(
        ("path", "sent"),
        [
            ("enabled", {"enabled": "yes"}),
            ("run", {}),
            ("edit", TestChangingTheTimes.TIMES),
            ("notes", {"notes": "Ask Ana"}),
        ],
    )
    def test_cannot_be_changed(self, platform_admin: Browser, stored, path: str, sent: dict[str, str]):
        answer = platform_admin.send(f"{LEFT}/{path}", sent)

        assert answer.status_code == 409
        assert "no longer defined in code" in words(answer)
        assert (stored("feed-refresh").enabled, stored("feed-refresh").notes) == (False, "")

    def test_shows_its_notes_without_a_form(self, platform_admin: Browser):
        shown = platform_admin.visit(LEFT)

        assert "Nobody wrote any." in words(shown)
        assert "Save notes" not in words(shown)


@pytest.mark.parametrize("path", ["enabled", "revert", "notes"])
def test_an_address_of_a_form_leads_to_its_page(platform_admin: Browser, path: str):
    answer = platform_admin.visit(f"{ONE}/{path}")

    assert (answer.status_code, answer.location) == (303, ONE)
