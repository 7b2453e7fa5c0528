"""The list of runs, narrowed: when, why, and by whom; and how long each took against what is usual."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from app.core.db import Database
from app.jobs.models import Job
from app.runs import run_search
from app.runs.models import Run
from app.schedules.policies import GapReason
from app.web.pages import missed_slots as pages_of_missed_slots
from tests.factories.outcomes import make_running, make_succeeded
from tests.factories.work import make_gap, make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

_REASONS = (GapReason.SCHEDULER_DOWN, GapReason.CLOCK_STEP, GapReason.PAUSED)


@pytest.fixture
def job_id(database: Database, organization_id: UUID) -> UUID:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Export").id


class Runs:
    """Makes runs of one job by what they are to be."""

    def __init__(self, database: Database, job_id: UUID, clock: ManualClock) -> None:
        self.database, self.job_id, self.clock = database, job_id, clock

    def make(self, *, age: timedelta = timedelta(0), took: timedelta | None = None, **columns: object) -> UUID:
        with self.database.transaction() as session:
            job, made_at = session.get_one(Job, self.job_id), self.clock.moment - age
            run_id = (make_succeeded if took else make_run)(session, job, now=made_at)
            run = session.get_one(Run, run_id)
            if took:
                run.finished_at = made_at + took
            for name, value in columns.items():
                setattr(run, name, value)
        return run_id


@pytest.fixture
def runs(database: Database, job_id: UUID, clock: ManualClock) -> Runs:
    return Runs(database, job_id, clock)


def shown(browser: Browser, query: str = "") -> str:
    return unescape(browser.visit(f"/runs?{query}", follow_redirects=True).text)


def has(text: str, run_id: UUID) -> bool:
    return f'id="run-{run_id}"' in text


class TestTimes:
    def test_of_the_last_hour_are_those_that_went_on_in_it(self, viewer: Browser, runs: Runs) -> None:
        old = runs.make(age=timedelta(hours=5), took=timedelta(minutes=1))
        long = runs.make(age=timedelta(hours=5), took=timedelta(hours=4, minutes=30))
        waiting = runs.make(age=timedelta(hours=5))
        fresh = runs.make(age=timedelta(minutes=5))

        text = shown(viewer, "last=1h")

        assert [has(text, each) for each in (old, long, waiting, fresh)] == [False, True, True, True]

    def test_from_and_to_are_on_the_viewers_clock(self, viewer: Browser, runs: Runs, clock: ManualClock) -> None:
        # Riga is two hours ahead in winter.
        run_id = runs.make(took=timedelta(seconds=3))
        wall = clock.moment + timedelta(hours=2)

        inside = (
            f"since={wall - timedelta(minutes=1):%Y-%m-%dT%H:%M}&until={wall + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
        )
        before = f"since={wall - timedelta(hours=2):%Y-%m-%dT%H:%M}&until={wall - timedelta(minutes=1):%Y-%m-%dT%H:%M}"

        assert has(shown(viewer, inside), run_id)
        assert not has(shown(viewer, before), run_id)

    def test_stand_above_a_span_and_stay_in_the_field(self, viewer: Browser, runs: Runs) -> None:
        text = shown(viewer, "last=1h&since=2001-05-06T07:08")

        assert 'value="2001-05-06T07:08"' in text
        assert 'href="/runs?last=1h&' not in text

    def test_that_cannot_be_read_are_named_and_left_out(self, viewer: Browser, runs: Runs) -> None:
        run_id = runs.make()

        text = shown(viewer, "since=tomorrow&last=decade")

        assert "Part of the filter was left out." in text
        assert has(text, run_id)

    def test_stay_in_the_links_to_states_and_older_ones(self, viewer: Browser, runs: Runs) -> None:
        text = shown(viewer, "last=7d&trigger=manual")

        assert 'href="/runs?state=failed&trigger=manual&last=7d"' in text
        assert 'href="/runs?trigger=manual&last=24h"' in text


class TestWhy:
    @pytest.mark.parametrize(
        ("trigger", "columns"),
        [
            ("catch_up", {"trigger": "catch_up"}),
            ("api", {"requested_via": "api"}),
            ("terminal", {"requested_via": "terminal"}),
            ("again", {"again_of_run_id": UUID(int=7)}),
        ],
    )
    def test_narrows(self, viewer: Browser, runs: Runs, trigger: str, columns: dict[str, object]) -> None:
        wanted, other = runs.make(**columns), runs.make(trigger="schedule")

        text = shown(viewer, f"trigger={trigger}")

        assert (has(text, wanted), has(text, other)) == (True, False)

    def test_goes_on_where_few_are_found(self, viewer: Browser, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(run_search, "SEARCHED_AT_ONCE", 2)
        rare = runs.make(age=timedelta(minutes=9), trigger="retry")
        often = [runs.make(age=timedelta(minutes=5 - number)) for number in range(3)]

        first = shown(viewer, "trigger=retry")
        older = shown(viewer, f"trigger=retry&older_than={often[1]}")

        assert "Search older runs" in first
        assert not has(first, rare)
        assert has(older, rare)

    def test_is_told_by_name(self, owner: Browser, viewer: Browser, runs: Runs) -> None:
        runs.make(requested_by=owner.user_id)
        runs.make(requested_by=owner.user_id, requested_via="api")
        runs.make(requested_by=owner.user_id, trigger="retry")

        text = shown(viewer)

        assert ">Olga</td>" in text
        assert ">Olga, API</td>" in text
        assert ">Retry by Olga</td>" in text

    def test_names_nobody_who_is_not_here(self, stranger: Browser, viewer: Browser, runs: Runs) -> None:
        runs.make(requested_by=stranger.user_id)

        text = shown(viewer)

        assert ">By hand</td>" in text
        assert "Sven" not in text


class TestLengths:
    def test_that_stand_out_are_told_against_the_usual(self, viewer: Browser, runs: Runs) -> None:
        for minutes in range(1, 5):
            runs.make(age=timedelta(hours=minutes), took=timedelta(seconds=20))
        slow = runs.make(took=timedelta(seconds=42))

        row = shown(viewer).split(f'id="run-{slow}"')[1].split("</tr>")[0]

        assert "42 s" in row
        assert "2.1× usual" in row
        assert shown(viewer).count("× usual") == 1

    def test_are_told_of_what_still_runs_with_its_worker(
        self, viewer: Browser, database: Database, job_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_running(session, session.get_one(Job, job_id), now=clock.moment - timedelta(minutes=3))

        text = shown(viewer)

        assert "3 min" in text
        assert "worker-1:42" in text

    def test_are_of_each_job_by_itself(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock, runs: Runs
    ) -> None:
        for minutes in range(1, 5):
            runs.make(age=timedelta(hours=minutes), took=timedelta(seconds=20))
        with database.transaction() as session:
            other = make_job(session, organization_id, name="Long by nature")
            schedule = make_schedule(session, other)
            make_succeeded(session, other, now=clock.moment - timedelta(minutes=5), schedule_id=schedule.id)

        assert "× usual" not in shown(viewer)


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("state=sleepy", "“sleepy” is no state of a run."),
            ("trigger=moon", "“moon” is no trigger."),
            ("schedule=zzz", "“zzz” is not the id of a schedule."),
            ("job=zzz", "“zzz” is not the id of a job."),
            ("last=9y", "“9y” is no span of time."),
            ("state=sleepy&last=24h", "“sleepy” is no state of a run."),
            ("schedule=zzz&since=abc", "“zzz” is not the id of a schedule."),
            ("since=abc", "Part of the filter was left out."),
        ],
    )
    def test_is_told_of(self, viewer: Browser, query: str, words: str) -> None:
        text = shown(viewer, query)

        assert words in text
        assert "Clear filters" in text

    def test_is_nothing_of_a_filter_that_is_empty(self, viewer: Browser) -> None:
        assert "left out" not in shown(viewer, "state=&trigger=&schedule=&job=&last=&q=")

    def test_is_shown_without_what_could_break_the_page(self, viewer: Browser) -> None:
        text = viewer.visit(f"/runs?state=%3Cscript%3E%E2%80%AE{'x' * 500}").text

        assert "<script>xx" not in text
        assert f"“&lt;script&gt;{'x' * 32}…” is no state of a run." in text


class TestMissedSlots:
    @pytest.fixture
    def schedules(self, database: Database, job_id: UUID, clock: ManualClock) -> list[UUID]:
        """Three: an hour was missed of the first, yesterday of the second, and the third was switched off."""
        with database.transaction() as session:
            job = session.get_one(Job, job_id)
            made = [make_schedule(session, job, name=name) for name in ("Hourly", "Daily", "Paused")]
            for schedule, age, reason in zip(made, (2, 26, 3), _REASONS, strict=True):
                last = clock.moment - timedelta(hours=age)
                make_gap(session, schedule, last - timedelta(hours=1), last, slots=2, reason=reason)
            return [schedule.id for schedule in made]

    def test_have_no_runs_and_are_listed_below(self, viewer: Browser, schedules: list[UUID]) -> None:
        text = unescape(viewer.visit("/runs?state=missed").text)

        assert "Slots that nobody executed have no runs." in text
        assert text.index(f"/schedules/{schedules[0]}/history?kind=gaps") < text.index(f"/schedules/{schedules[1]}/h")
        assert "2 slots from " in text
        assert "no scheduler was running." in text
        assert f"/schedules/{schedules[2]}" not in text

    @pytest.mark.parametrize(
        ("query", "names"),
        [("schedule={0}", ["Hourly"]), ("job={job}", ["Hourly", "Daily"]), ("last=24h", ["Hourly"])],
    )
    def test_are_narrowed_as_the_list_is(
        self, viewer: Browser, schedules: list[UUID], job_id: UUID, query: str, names: list[str]
    ) -> None:
        text = viewer.visit(f"/runs?state=missed&{query.format(*schedules, job=job_id)}").text

        assert re.findall(r'history\?kind=gaps">(\w+)</a>', text) == names

    @pytest.mark.parametrize("query", ["", "?state=failed", "?state=missed&q=hourly", "?state=missed&trigger=api"])
    def test_are_of_no_other_list(self, viewer: Browser, schedules: list[UUID], query: str) -> None:
        assert "missed-slots" not in viewer.visit(f"/runs{query}").text

    def test_are_nobodys_where_all_were_executed(
        self, viewer: Browser, stranger: Browser, schedules: list[UUID]
    ) -> None:
        assert "Nothing was missed" in stranger.visit("/runs?state=missed").text

    def test_go_on_where_there_are_more(
        self, viewer: Browser, schedules: list[UUID], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages_of_missed_slots, "_PER_PAGE", 1)

        first = viewer.visit("/runs?state=missed").text
        found = re.search(r'href="([^"]*missed_before=[^"]*)#missed-slots"', first)
        assert found is not None
        second = viewer.visit(unescape(found[1])).text

        assert [re.findall(r'history\?kind=gaps">(\w+)</a>', text) for text in (first, second)] == [
            ["Hourly"],
            ["Daily"],
        ]
        assert 'rel="next"' not in second
        assert ['hx-select="#missed-slots"' in text for text in (first, second)] == [True, False]

    def test_keep_fresh_as_they_are_narrowed(self, viewer: Browser, schedules: list[UUID]) -> None:
        text = unescape(viewer.visit(f"/runs?state=missed&schedule={schedules[0]}").text)

        region = re.search(r'<section [^>]*id="missed-slots"[^>]*>', text)
        assert region is not None
        assert f'hx-get="/runs?state=missed&schedule={schedules[0]}"' in region[0]
        assert "live:runs from:body, live:schedules from:body" in region[0]
