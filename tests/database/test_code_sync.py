"""What code defines comes into the database: once, completely, and without touching what operators set."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.scopes import Scope
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.policies import Backoff, ErrorClass, RetryPolicy, WhenLost
from app.jobs.service import JobOwnedByCode, default_retry
from app.jobs.service import mark_deleted as delete_job
from app.ops.code_definitions import Definitions, load_definitions
from app.ops.code_rows import find_code_schedule, list_code_schedules
from app.ops.code_standing import Standing, standing_of
from app.ops.code_sync import SyncReport, sync_definitions
from app.runs import service as runs
from app.runs.queue_models import Queue
from app.schedules.code_origin import ScheduleOwnedByCode
from app.schedules.drafts import draft_of
from app.schedules.models import Gap, Schedule
from app.schedules.queries import ScheduleRow, list_schedules
from app.tenants.audit import list_entries
from app.tenants.models import SYSTEM_ORGANIZATION_ID, AuditEntry
from app.tenants.platform import acting_for_the_installation
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

HERE = Scope.tenant(SYSTEM_ORGANIZATION_ID)
ACTOR = acting_for_the_installation("ana@example.com")
Define = Callable[..., Definitions]


@pytest.fixture
def define(tmp_path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Define:
    """Loads a module with this text, a new one each time."""
    monkeypatch.syspath_prepend(str(tmp_path))
    made: list[str] = []

    def load(text: str, **more: Any) -> Definitions:
        name = f"defined_{tmp_path.name.replace('-', '_')}_{len(made)}"
        made.append(name)
        (tmp_path / f"{name}.py").write_text(f"from app.jobs.code import *\n{text}")
        return load_definitions(replace(settings, job_modules=(name,), **more))

    return load


JOBS = """
@job("fetch", group="feed")
def fetch(*, days: int = 1): ...
@job("match", group="matching")
def match(): ...
"""
NIGHTLY = JOBS + 'schedule("nightly", "0 2 * * *", run=ALL_JOBS)\n'
LATER = datetime.fromisoformat("2027-12-01T00:00:00+00:00")
EARLIER = NIGHTLY.replace("0 2 *", "0 1 *")


def shown(sync: "Sync", code_id: str) -> tuple[int, bool]:
    """How many schedules in code there are to see, and whether this one is found by its name."""
    with sync.database.transaction(HERE) as session:
        rows = list_code_schedules(session, now=sync.clock.moment)
        return len(rows), find_code_schedule(session, code_id) is not None


class Sync:
    """Syncs and reads as the processes of an installation do."""

    def __init__(self, database: OpenDatabase, clock: ManualClock) -> None:
        self.database = database
        self.clock = clock

    def __call__(self, definitions: Definitions, *, is_asked_for: bool = False) -> SyncReport:
        return self.database.run(
            HERE,
            lambda session: sync_definitions(
                session,
                definitions=definitions,
                loaded_by="tower",
                is_asked_for=is_asked_for,
                now=self.clock.moment,
            ),
        )

    def schedules(self) -> dict[str, ScheduleRow]:
        with self.database.reading(HERE) as session:
            found = list_schedules(session, organization_id=SYSTEM_ORGANIZATION_ID)
        return {row.code.id: row for row in found if row.code is not None}

    def do(self, work: Callable[[Session], object]) -> None:
        with self.database.transaction(HERE) as session:
            work(session)

    def jobs(self) -> dict[str, Job]:
        with self.database.reading(HERE) as session:
            return {str(row.code_name): row for row in session.scalars(select(Job).where(Job.code_name.is_not(None)))}

    def switch(self, code_id: str, *, enabled: bool) -> None:
        row = self.schedules()[code_id]
        self.do(
            lambda session: runs.switch_schedule(
                session, actor=ACTOR, schedule_id=row.id, enabled=enabled, now=self.clock.moment
            )
        )

    def edit(self, code_id: str, **changes: Any) -> None:
        row = self.schedules()[code_id]
        self.do(
            lambda session: runs.edit_schedule(
                session,
                actor=ACTOR,
                schedule_id=row.id,
                draft=replace(draft_of(row), **changes),
                version=row.version,
                now=self.clock.moment,
            )
        )


@pytest.fixture
def sync(database: OpenDatabase, clock: ManualClock) -> Sync:
    return Sync(database, clock)


class TestNewDefinitions:
    def test_become_jobs_and_schedules_that_are_off(self, sync: Sync, define: Define):
        report = sync(define(NIGHTLY))

        row = sync.schedules()["nightly"]
        assert report.added == ("fetch", "match", "*", "nightly")
        assert (row.enabled, row.missed.value, row.next_run_at, row.job_name) == (
            False, "skip", None, "All jobs defined in code",
        )  # fmt: skip
        assert sync.jobs()["fetch"].code_group == "feed"

    def test_are_tried_as_other_functions_are(self, sync: Sync, define: Define):
        sync(define(JOBS))

        policy = RetryPolicy.stored_in(sync.jobs()["fetch"])

        assert policy == default_retry(KindName.CODE)

    def test_are_stored_with_the_policies_that_they_say(self, sync: Sync, define: Define):
        said = (
            'tries=2, retry_delay=60, backoff="fixed", longest_delay=90, jitter=False, not_on=["server", "job"], '
            'when_lost="fail", soft_timeout=30, timeout=40, priority="high", concurrency=3'
        )
        sync(define(f'@job("fetch", {said})\ndef fetch(): ...\n'))

        row = sync.jobs()["fetch"]
        not_on = frozenset({ErrorClass.SERVER, ErrorClass.JOB})
        assert RetryPolicy.stored_in(row) == RetryPolicy(2, 60, Backoff.FIXED, WhenLost.FAIL, 90, not_on=not_on)
        assert (row.soft_limit_seconds, row.time_limit_seconds, row.priority, row.concurrency) == (30, 40, 0, 3)

    def test_say_where_they_stand(self, sync: Sync, define: Define):
        definitions = define(NIGHTLY)
        sync(definitions)

        source = sync.schedules()["nightly"].code.source

        assert source == f"{definitions.modules[-1]}.py:7"

    def test_change_nothing_the_second_time(self, sync: Sync, define: Define, audited_here):
        definitions = define(NIGHTLY)
        sync(definitions)

        again = sync(definitions)

        assert (again.has_changed, again.words) == (False, "Everything is as the code says.")
        assert audited_here() == ["code.loaded"]

    def test_come_once_when_two_processes_load_them_at_once(self, sync: Sync, define: Define):
        definitions = define(NIGHTLY)
        reports: list[SyncReport] = []
        both = [threading.Thread(target=lambda: reports.append(sync(definitions))) for _ in range(2)]

        for thread in both:
            thread.start()
        for thread in both:
            thread.join()

        assert sorted(len(report.added) for report in reports) == [0, 4]
        assert len(sync.jobs()) == 3

    def test_stand_beside_what_people_called_alike(self, sync: Sync, define: Define):
        sync.do(
            lambda session: make_schedule(
                session, make_job(session, SYSTEM_ORGANIZATION_ID, name="fetch"), name="nightly"
            )
        )

        sync(define(NIGHTLY))

        assert sync.schedules()["nightly"].name == "nightly (code)"
        assert sync.jobs()["fetch"].name == "fetch (code)"

    def test_find_a_name_also_where_people_took_the_second_one(self, sync: Sync, define: Define):
        def take(session: Session) -> None:
            for suffix in ("", " (code)"):
                job = make_job(session, SYSTEM_ORGANIZATION_ID, name=f"fetch{suffix}")
                make_schedule(session, job, name=f"nightly{suffix}")

        sync.do(take)

        sync(define(NIGHTLY))

        assert sync.schedules()["nightly"].name == "nightly (code 2)"
        assert sync.jobs()["fetch"].name == "fetch (code 2)"

    def test_of_a_queue_that_nobody_made_are_named_and_run_all_the_same(self, sync: Sync, define: Define):
        report = sync(define('@job("pick", queue="picking")\ndef pick(): ...\n'))

        assert str(report.refused[0]).endswith(
            ":2: Job “pick”: there is no queue “picking”. It runs in “code”. There are: code, sync, workflow. "
            "Make it on the queue page, or name another one."
        )
        assert sync.jobs()["pick"].queue is None

    def test_that_the_database_refuses_cost_themselves_alone(self, sync: Sync, define: Define):
        found = define(NIGHTLY + 'schedule("mine", "0 2 * * *", run="fetch")\n')
        jobs = (replace(job, description="\ud800") if job.code_name == "fetch" else job for job in found.jobs)

        report = sync(replace(found, jobs=tuple(jobs)))

        assert report.added == ("match", "*", "nightly")
        assert [one.job or one.schedule for one in report.refused] == ["fetch", "mine"]
        assert "Job “fetch”: The database refused it: " in report.refused[0].text

    def test_with_what_cannot_be_stored_are_named(self, sync: Sync, define: Define):
        jobs = '@job("fetch", title="a\\x00b")\ndef fetch(): ...\n@job("match")\ndef match(): ...\n'
        text = 'schedule("nightly", "0 2 * * *", run="match", description="\\x00")\n'
        found = define(jobs + text)

        report = sync(found)

        assert [one.text for one in found.problems] == [
            "title='a\\x00b' has characters that cannot be shown. Leave them out.",
            "Schedule “nightly”: description='\\x00' has characters that cannot be shown. Leave them out.",
        ]
        assert (report.added, report.refused) == (("match",), ())

    def test_for_another_environment_stay_away(self, sync: Sync, define: Define):
        only = 'schedule("quick", "* * * * *", run="fetch", environments=["production"])\n'

        sync(define(JOBS + only))

        assert sync.schedules() == {}


class TestChangedDefinitions:
    def test_take_effect_from_now_on(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.switch("nightly", enabled=True)

        report = sync(define(EARLIER))

        row = sync.schedules()["nightly"]
        assert (report.changed[-1], row.cron, row.enabled) == ("nightly", "0 1 * * *", True)
        assert row.next_run_at == datetime.fromisoformat("2027-01-06T01:00:00+00:00")

    def test_account_for_what_was_not_run_before(self, sync: Sync, define: Define, clock: ManualClock):
        sync(define(NIGHTLY))
        clock.advance(days=3)

        sync(define(EARLIER))

        with sync.database.reading(HERE) as session:
            gap = session.scalars(select(Gap)).one()
        assert (gap.slots, gap.reason) == (3, "paused")

    def test_have_the_maximum_age_that_suits_their_times(self, sync: Sync, define: Define):
        weekly = NIGHTLY.replace("0 2 * * *", "0 2 * * 1").replace("run=ALL_JOBS", 'run=ALL_JOBS, missed="latest"')
        sync(define(weekly.replace("nightly", "weekly")))
        sync(define(NIGHTLY + weekly.replace(JOBS, "").replace("nightly", "weekly")))
        ages = {name: row.missed_max_age_seconds for name, row in sync.schedules().items()}

        report = sync(define(weekly))

        row = sync.schedules()["nightly"]
        assert ages == {"weekly": 7 * 86_400, "nightly": 86_400}
        assert (report.refused, row.cron, row.missed_max_age_seconds) == ((), "0 2 * * 1", 7 * 86_400)

    def test_are_in_force_also_where_somebody_chose_a_shorter_maximum_age(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.edit("nightly", missed_max_age_seconds=2 * 86_400)

        report = sync(define(NIGHTLY.replace('* * *", run=ALL_JOBS', '* * 1", run=ALL_JOBS, missed="latest"')))

        row = sync.schedules()["nightly"]
        assert (report.refused, row.missed.value, row.missed_max_age_seconds) == ((), "latest", 7 * 86_400)

    def test_never_switch_anything_on(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.switch("nightly", enabled=True)
        sync.switch("nightly", enabled=False)

        sync(define(EARLIER))

        assert sync.schedules()["nightly"].enabled is False

    def test_may_name_another_job(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))

        sync(define(NIGHTLY.replace("ALL_JOBS", '"fetch"')))

        assert sync.schedules()["nightly"].job_name == "fetch"

    def test_of_a_job_raise_its_revision(self, sync: Sync, define: Define):
        sync(define(JOBS))

        report = sync(define(JOBS.replace('group="feed"', 'group="feed", timeout=30')))

        job_row = sync.jobs()["fetch"]
        assert (job_row.time_limit_seconds, job_row.revision) == (30, 2)
        assert "fetch" in report.changed

    def test_of_a_job_are_audited_from_what_to_what(self, sync: Sync, define: Define):
        sync(define(JOBS))
        sync(define(JOBS.replace('group="feed"', 'group="feed", timeout=30, concurrency=1')))
        job_id = sync.jobs()["fetch"].id

        sync(define("\n" + JOBS.replace('group="feed"', 'group="feed", timeout=30, concurrency=1')))

        with sync.database.reading(HERE) as session:
            found = list_entries(
                session, organization_id=SYSTEM_ORGANIZATION_ID, subject_kind="job", subject_id=job_id, limit=9
            )
        # That it stands in another line now is no change of it.
        assert [one.changes for one in found] == [{"time_limit_seconds": [600, 30], "concurrency": [None, 1]}]
        assert "tower" in found[0].by


class TestWhatOperatorsChanged:
    def test_is_kept_and_named(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.edit("nightly", cron="0 5 * * *")

        sync(define(EARLIER))

        row = sync.schedules()["nightly"]
        assert (row.cron, row.code.says["cron"], row.code.overrides) == ("0 5 * * *", "0 1 * * *", ("cron",))

    def test_of_clock_changes_and_tags_is_kept_like_the_rest(self, sync: Sync, define: Define):
        says = NIGHTLY.replace("run=ALL_JOBS", 'run=ALL_JOBS, clock_change="skip", tags=["Nightly", "all"]')
        sync(define(says))
        as_said = sync.schedules()["nightly"]
        sync.edit("nightly", tags=("mine",))

        sync(define(says.replace("0 2 *", "0 1 *").replace('"skip"', '"twice"')))

        row = sync.schedules()["nightly"]
        assert (as_said.clock_change, as_said.tags, as_said.code.overrides) == ("skip", ("all", "nightly"), ())
        assert (row.clock_change, row.tags, row.code.overrides) == ("twice", ("mine",), ("tags",))

    def test_of_how_many_and_how_old_is_kept_like_the_rest(self, sync: Sync, define: Define):
        says = NIGHTLY.replace("run=ALL_JOBS", 'run=ALL_JOBS, missed="all", missed_limit=5, missed_max_age="2 days"')
        sync(define(says))
        as_said = sync.schedules()["nightly"]
        sync.edit("nightly", missed_limit=7)

        sync(define(says.replace("2 days", "3 days").replace("=5", "=6")))

        row = sync.schedules()["nightly"]
        assert (as_said.missed_limit, as_said.missed_max_age_seconds, as_said.code.overrides) == (5, 2 * 86_400, ())
        assert (row.missed_limit, row.missed_max_age_seconds, row.code.overrides) == (7, 3 * 86_400, ("missed_limit",))

    def test_of_an_age_is_no_difference_where_it_suits_the_times(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))

        sync.edit("nightly", cron="0 5 * * 1", missed_max_age_seconds=7 * 86_400)

        assert sync.schedules()["nightly"].code.overrides == ("cron",)

    def test_before_the_code_could_say_it_is_kept(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        known = sync.schedules()["nightly"].code.says
        older = {name: value for name, value in known.items() if not name.startswith("missed_")}
        changed = {"code_says": older, "missed_limit": 7, "code_overrides": ""}
        sync.do(lambda session: session.execute(update(Schedule).values(**changed)))

        sync(define(NIGHTLY + "# newer\n" + 'schedule("more", "0 4 * * *", run=ALL_JOBS)\n'))

        row = sync.schedules()["nightly"]
        assert (row.missed_limit, row.code.overrides) == (7, ("missed_limit",))

    @pytest.mark.parametrize(
        ("said", "why"),
        [
            ("missed_limit=0", "Make up for at least 1 and at most 100 missed runs."),
            ("missed_limit='3'", "missed_limit='3' is not possible. Use a whole number."),
            ("missed_max_age='soon'", "“soon” is no length of time. Write 90 minutes, 36 hours or 7 days."),
            ("missed='latest', missed_max_age=60", "The maximum age, 1 minute, is shorter than the time between"),
        ],
    )
    def test_that_cannot_be_is_named(self, define: Define, said: str, why: str):
        found = define(NIGHTLY.replace("run=ALL_JOBS", f"run=ALL_JOBS, {said}"))

        assert (len(found.problems), found.problems[0].schedule) == (1, "nightly")
        assert f"Schedule “nightly”: {why}" in str(found.problems[0])

    def test_leaves_the_rest_to_the_code(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.edit("nightly", cron="0 5 * * *")

        sync(define(NIGHTLY.replace("run=ALL_JOBS", 'run=ALL_JOBS, missed="latest"')))

        row = sync.schedules()["nightly"]
        assert (row.cron, row.missed.value, row.code.overrides) == ("0 5 * * *", "latest", ("cron",))

    def test_is_no_difference_any_more_once_the_code_says_the_same(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.edit("nightly", cron="0 1 * * *")

        sync(define(EARLIER))

        assert sync.schedules()["nightly"].code.overrides == ()

    def test_is_no_difference_any_more_when_they_go_back(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.edit("nightly", cron="0 5 * * *")

        sync.edit("nightly", cron="0 2 * * *")

        assert sync.schedules()["nightly"].code.overrides == ()

    @pytest.mark.parametrize("change", [{"name": "mine"}, {"job_id": None}, {"has_seconds": True}, {"ends_at": LATER}])
    def test_cannot_be_what_only_code_decides(self, sync: Sync, define: Define, change: dict[str, Any]):
        sync(define(NIGHTLY))
        if "job_id" in change:
            change = {"job_id": sync.jobs()["fetch"].id}

        with pytest.raises(ScheduleOwnedByCode, match="“nightly” is defined in code, in defined_"):
            sync.edit("nightly", **change)

    def test_cannot_be_its_deletion(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        row, job_id = sync.schedules()["nightly"], sync.jobs()["fetch"].id

        with pytest.raises(ScheduleOwnedByCode, match="Take it out there, or disable it here"):
            sync.do(lambda s: runs.delete_schedule(s, actor=ACTOR, schedule_id=row.id, now=sync.clock.moment))
        with pytest.raises(JobOwnedByCode, match=r"“fetch” is defined in code\. Change it in defined_"):
            sync.do(lambda s: delete_job(s, actor=ACTOR, job_id=job_id, now=sync.clock.moment))


class TestRemovedDefinitions:
    def test_are_switched_off_and_can_only_be_looked_at(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.switch("nightly", enabled=True)

        report = sync(define(JOBS))

        row = sync.schedules()["nightly"]
        assert (report.left, row.enabled, row.code.left_at) == (("*", "nightly"), False, sync.clock.moment)
        with pytest.raises(ScheduleOwnedByCode, match="no longer defined in code"):
            sync.switch("nightly", enabled=True)

    def test_are_started_by_nobody_any_more(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        row, job_id = sync.schedules()["nightly"], sync.jobs()["fetch"].id
        now, key = sync.clock.moment, {"actor": ACTOR, "request_key": "k"}
        sync(define(""))

        with pytest.raises(ScheduleOwnedByCode, match="“nightly” is no longer defined in code"):
            sync.do(lambda s: runs.run_schedule_now(s, schedule_id=row.id, now=now, **key))
        with pytest.raises(JobOwnedByCode, match="“fetch” is no longer defined in code"):
            sync.do(lambda s: runs.run_job_now(s, job_id=job_id, now=now, **key))

    def test_are_not_shown_where_they_are_for_another_environment_alone(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        elsewhere = NIGHTLY.replace("run=ALL_JOBS", 'run=ALL_JOBS, environments=["production"]')

        sync(define(elsewhere))
        hidden = shown(sync, "nightly")
        sync(define(JOBS))
        gone = shown(sync, "nightly")
        sync(define(NIGHTLY))

        assert (hidden, gone, shown(sync, "nightly")) == ((0, False), (1, True), (1, True))
        assert sync.schedules()["nightly"].code.left_at is None

    def test_come_back_as_they_were_and_stay_off(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        before = sync.schedules()["nightly"].id
        sync(define(JOBS))

        sync(define(NIGHTLY + "\n"))

        row = sync.schedules()["nightly"]
        assert (row.id, row.enabled, row.code.left_at) == (before, False, None)

    def test_are_not_removed_while_a_module_cannot_be_loaded(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.switch("nightly", enabled=True)

        report = sync(define("import no_such_library"))

        assert (report.left, sync.schedules()["nightly"].enabled) == ((), True)

    def test_are_not_those_that_have_a_mistake_now(self, sync: Sync, define: Define):
        sync(define(NIGHTLY))
        sync.switch("nightly", enabled=True)

        report = sync(define(NIGHTLY.replace("0 2 *", "0 25 *")))

        row = sync.schedules()["nightly"]
        assert (report.left, row.enabled, row.cron) == ((), True, "0 2 * * *")

    def test_are_told_apart_where_a_job_and_a_schedule_are_called_alike(self, sync: Sync, define: Define):
        both = JOBS + 'schedule("fetch", "0 2 * * *", run="match")\nschedule("match", "0 3 * * *", run="fetch")\n'
        sync(define(both))

        report = sync(define('@job("fetch", tries=0)\ndef fetch(): ...\nschedule("match", "0 25 * * *", run="x")\n'))

        rows, jobs = sync.schedules(), sync.jobs()
        assert report.left == ("match", "fetch")
        assert (rows["fetch"].code.left_at is None, rows["match"].code.left_at is None) == (False, True)
        assert (jobs["fetch"].left_code_at is None, jobs["match"].left_code_at is None) == (True, False)

    def test_leave_the_group_of_a_schedule_with_a_mistake_as_it_was(self, sync: Sync, define: Define):
        sync(define(JOBS + 'schedule("feeds", "0 2 * * *", run=group("feed"))\n'))

        report = sync(define(JOBS + 'schedule("feeds", "0 2 * * *", run=group("fed"))\n'))

        assert report.left == ()
        assert sync.jobs()["group:feed"].left_code_at is None


class TestOldCodeBesideNew:
    def test_stands_back_when_it_starts_again(self, sync: Sync, define: Define, clock: ManualClock):
        old, new = define(NIGHTLY), define(EARLIER)
        sync(old)
        clock.advance(minutes=1)
        sync(new)

        report = sync(old)

        assert report.newer == "by tower at 2027-01-05 12:01 UTC"
        assert sync.schedules()["nightly"].cron == "0 1 * * *"

    def test_is_put_in_force_when_a_person_says_so(self, sync: Sync, define: Define):
        old, new = define(NIGHTLY), define(EARLIER)
        sync(old)
        sync(new)

        sync(old, is_asked_for=True)

        assert sync.schedules()["nightly"].cron == "0 2 * * *"
        assert sync(new).newer is not None

    def test_is_not_what_was_loaded_in_part_before(self, sync: Sync, define: Define, clock: ManualClock):
        whole = define(NIGHTLY)
        sync(whole)
        clock.advance(minutes=1)
        sync(replace(whole, jobs=whole.jobs[:1], schedules=(), is_complete=False))
        with sync.database.reading(HERE) as session:
            standing = standing_of(session, definitions=whole, now=clock.moment)

        report = sync(whole)

        assert (standing, report.newer) == (Standing(()), None)

    def test_loaded_in_part_stands_back_as_well(self, sync: Sync, define: Define, clock: ManualClock):
        part, new = replace(define(NIGHTLY), is_complete=False), define(EARLIER)
        for definitions in (part, new):
            sync(definitions)
            clock.advance(minutes=1)

        report = sync(part)

        assert report.newer == "by tower at 2027-01-05 12:01 UTC"
        assert sync.schedules()["nightly"].cron == "0 1 * * *"

    def test_loaded_in_part_stands_back_where_the_new_was_put_right_since(
        self, sync: Sync, define: Define, clock: ManualClock
    ):
        new, part = define(EARLIER), replace(define(NIGHTLY), is_complete=False)
        for definitions in (new, part, new):
            sync(definitions)
            clock.advance(minutes=1)

        assert sync(part).newer is not None
        assert sync.schedules()["nightly"].cron == "0 1 * * *"

    def test_is_newer_whatever_becomes_of_the_clock(self, sync: Sync, define: Define, clock: ManualClock):
        old, new = define(NIGHTLY), define(EARLIER)
        sync(old)
        clock.advance(hours=-5)
        sync(new)

        assert sync(old).newer is not None


class TestWhatIsNotInForce:
    def standing(self, sync: Sync, definitions: Definitions) -> Standing:
        with sync.database.reading(HERE) as session:
            return standing_of(session, definitions=definitions, now=sync.clock.moment)

    def test_is_nothing_where_all_was_loaded(self, sync: Sync, define: Define):
        definitions = define(NIGHTLY)
        sync(definitions)

        assert self.standing(sync, definitions) == Standing(())

    def test_is_the_queue_of_a_job_until_somebody_makes_it_and_loads_again(self, sync: Sync, define: Define):
        definitions = define('@job("pick", queue="picking")\ndef pick(): ...\n')
        (refused,) = sync(definitions).refused
        before = self.standing(sync, definitions).problems
        with sync.database.transaction() as session:
            session.add(Queue(name="picking", updated_at=sync.clock.moment))
        (made_since,) = self.standing(sync, definitions).problems
        sync(definitions)

        assert before == (refused,)
        assert "was made after the code was loaded. To move it, run: belfry jobs sync" in made_since.text
        assert self.standing(sync, definitions).problems == ()

    def test_is_a_schedule_that_was_refused(self, sync: Sync, define: Define):
        definitions = define(NIGHTLY)
        sync(definitions)
        changed = {"code_says": {"cron": "0 1 * * *"}}
        sync.do(lambda session: session.execute(update(Schedule).values(**changed)))

        (problem,) = self.standing(sync, definitions).problems

        assert problem.text.startswith("Schedule “nightly”: It was refused when the code was loaded.")
        assert (problem.source, problem.schedule) == (f"{definitions.modules[-1]}.py:7", "nightly")

    def test_is_all_of_older_code_until_a_person_says_so(self, sync: Sync, define: Define):
        old, new = define(NIGHTLY), define(EARLIER)
        sync(old)
        sync(new)
        before = self.standing(sync, old)
        sync(old, is_asked_for=True)

        assert "newer ones are in force, loaded by tower at 2027-01-05 12:00 UTC." in before.newer
        assert "belfry jobs sync" in before.all[0].text
        assert self.standing(sync, old).newer == ""


@pytest.fixture
def audited_here(database: OpenDatabase) -> Callable[[], list[str]]:
    def read() -> list[str]:
        with database.reading() as session:
            return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.at)))

    return read
