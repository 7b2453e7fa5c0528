"""The queue page for those who mind it: causes, filters, pages, stuck runs, and everybody's for platform admins."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select

from app.core.scopes import ENGINE
from app.ops.heartbeats import ProcessFacts, beat
from app.runs.models import Run
from app.runs.queue_minutes import keep_minute
from app.tenants.models import AuditEntry
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry
from tests.factories.work import load_run, make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

MOST_STATEMENTS = 12
MOST_BYTES = 16 * 1024


@contextmanager
def counting(database: OpenDatabase) -> Iterator[list[str]]:
    """The statements that the product sends meanwhile."""
    sent: list[str] = []

    def note(_connection, _cursor, statement, *_more) -> None:
        if statement.startswith("SELECT") and "set_config" not in statement:
            sent.append(statement)

    # On PostgreSQL the one is the other with an option.
    engines = [database.write] if database.is_postgres else [database.write, database.read]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def report(database: OpenDatabase, clock: ManualClock, *, ago: timedelta = timedelta(), slots: int = 5) -> None:
    facts = ProcessFacts(UUID(int=42), "worker-1:42", "1.2.3", slots=slots, schedules=False)
    with database.transaction() as session:
        beat(session, facts, now=clock.moment - ago, ticked_at=None, tick_ms=None)


def stuck_run(database: OpenDatabase, clock: ManualClock, organization_id: UUID) -> UUID:
    """A run whose worker was last heard of three minutes ago."""
    report(database, clock, ago=timedelta(minutes=3))
    with database.transaction() as session:
        job = make_job(session, organization_id, name="Orders")
        return make_running(session, job, now=clock.moment - timedelta(minutes=5))


@pytest.fixture
def dead(database: OpenDatabase, viewer: Browser, clock: ManualClock) -> None:
    with database.transaction() as session:
        job = make_job(session, viewer.organization_id, name="Ads")
        schedules = [make_schedule(session, job).id for _ in range(2)]
        for number in range(4):
            error = f"RateLimitError: Meta (#17), call {number}"
            make_failed(session, job, now=clock.moment, error=error, schedule_id=schedules[number % 2])
        make_failed(session, job, now=clock.moment, error="Meta signed us out (#190) <b>now</b>")


class TestCauses:
    def test_are_told_with_numbers_and_lead_to_their_runs(self, viewer: Browser, dead: None) -> None:
        text = viewer.visit("/queue?tab=dead").text
        href = next(part for part in text.split('"') if "cause=" in part).replace("&amp;", "&")

        alone = viewer.visit(href).text

        assert text.count('data-testid="queue.cause"') == 2
        assert "RateLimitError: Meta (#17), call 3" in text
        assert alone.count('data-testid="queue.run"') == 4
        assert alone.count('data-testid="queue.cause"') == 1

    def test_errors_are_text_and_never_markup(self, viewer: Browser, dead: None) -> None:
        assert "<b>now" not in viewer.visit("/queue?tab=dead").text

    def test_are_none_of_strangers(self, stranger: Browser, dead: None) -> None:
        assert "RateLimitError" not in stranger.visit("/queue?tab=dead").text


class TestLists:
    def test_are_narrowed_and_say_so(self, viewer: Browser, dead: None) -> None:
        found = viewer.visit("/queue?tab=dead&q=signed+us").text
        none = viewer.visit("/queue?tab=dead&q=nowhere").text

        assert found.count('data-testid="queue.run"') == 1
        assert "No runs match this filter" in none
        assert "Clear filters" in none

    def test_have_a_next_page(self, database: OpenDatabase, viewer: Browser, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for second in range(55):
                make_run(session, job, now=clock.moment - timedelta(seconds=second))

        first = viewer.visit("/queue").text
        href = next(part for part in first.split('"') if "after=" in part).replace("&amp;", "&")
        second = viewer.visit(href).text

        assert (first.count('data-testid="queue.run"'), second.count('data-testid="queue.run"')) == (50, 5)
        assert "Beginning" in second

    @pytest.mark.parametrize("after", ["x", "2027-01-05T12:00:00", "2027-01-05T12:00:00_x", "%00_", "9" * 4000])
    def test_begin_anew_where_the_place_cannot_be_read(self, viewer: Browser, dead: None, after: str) -> None:
        answer = viewer.visit(f"/queue?tab=dead&after={after}")

        assert answer.status_code == 200
        assert answer.text.count('data-testid="queue.run"') == 5

    def test_keep_to_the_budget_of_statements_and_bytes(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            jobs = [make_job(session, admin.organization_id, name=f"Job {number}") for number in range(10)]
            schedules = [make_schedule(session, job).id for job in jobs]
            for number in range(60):
                error = f"Failure {chr(97 + number % 26)} of {uuid4()}, which is told in a whole sentence"
                make_failed(
                    session, jobs[number % 10], now=clock.moment, error=error, schedule_id=schedules[number % 10]
                )
                make_run(session, jobs[number % 10], now=clock.moment)
                make_waiting_retry(session, jobs[number % 10], now=clock.moment, ready_at=clock.moment)
                make_running(session, jobs[number % 10], now=clock.moment - timedelta(minutes=number))
        admin.visit("/queue")

        for tab in ("waiting", "running", "retrying", "dead", "removed", "all"):
            with counting(database) as sent:
                answer = admin.visit(f"/queue?tab={tab}")
            assert len(sent) <= MOST_STATEMENTS, "\n\n".join(sent)
            assert len(gzip.compress(answer.data, 9)) <= MOST_BYTES


class TestQueues:
    def test_show_their_last_hour_and_the_same_as_a_table(
        self, database: OpenDatabase, viewer: Browser, clock: ManualClock
    ) -> None:
        report(database, clock)
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            for _ in range(7):
                make_run(session, job, now=clock.moment)
            make_running(session, job, now=clock.moment)
            make_succeeded(session, job, now=clock.moment - timedelta(seconds=30))
        with database.transaction(ENGINE) as session:
            keep_minute(session, now=clock.moment)

        page, table = viewer.visit("/queue").text, viewer.visit("/queue/hours/code").text

        assert "Depth, last hour: 0 to 7, now 7, rising." in page
        assert "1 of 5 slots" in page
        assert table.count('<tr role="row"') == 60 + 1
        assert ">7</td>" in table

    def test_an_unknown_one_has_no_hour(self, viewer: Browser) -> None:
        assert viewer.visit("/queue/hours/nothing").status_code == 404

    def test_are_paused_by_platform_admins_alone(self, viewer: Browser, platform_admin: Browser) -> None:
        assert "Only platform admins pause queues" in viewer.visit("/queue").text
        assert "Only platform admins pause queues" not in platform_admin.visit("/queue").text


class TestStandstill:
    def test_is_told_with_what_to_do(self, database: OpenDatabase, viewer: Browser, clock: ManualClock) -> None:
        with database.transaction() as session:
            make_run(session, make_job(session, viewer.organization_id), now=clock.moment)

        never = viewer.visit("/queue").text
        report(database, clock, ago=timedelta(minutes=2))
        silent = viewer.visit("/queue").text
        report(database, clock)
        well = viewer.visit("/queue").text

        assert "No worker is running." in never
        assert "No worker has reported for 2 min." in silent
        assert "1 run waits." in silent
        assert "belfry worker" in silent
        assert 'id="standstill"' not in well

    def test_counts_as_the_tiles_do(self, database: OpenDatabase, viewer: Browser, clock: ManualClock) -> None:
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id)
            make_waiting_retry(session, job, now=clock.moment, ready_at=clock.moment + timedelta(hours=1))
        retrying = viewer.visit("/queue").text
        with database.transaction() as session:
            for _ in range(2):
                make_run(session, job, now=clock.moment)

        both = viewer.visit("/queue").text

        assert "1 run waits for its next try." in retrying
        assert "none waits to start" in retrying
        assert "2 runs wait, and 1 waits for its next try." in both

    def test_is_none_where_nothing_waits(self, viewer: Browser) -> None:
        assert 'id="standstill"' not in viewer.visit("/queue").text


class TestStuckRuns:
    def test_are_marked_and_their_evidence_is_told(
        self, database: OpenDatabase, viewer: Browser, clock: ManualClock
    ) -> None:
        run_id = stuck_run(database, clock, viewer.organization_id)

        listed = viewer.visit("/queue?tab=running").text
        shown = viewer.visit(f"/queue/runs/{run_id}/stuck").text

        assert "1 of these looks stuck." in listed
        assert "Looks stuck" in listed
        assert "It has run 5 min (typical length not known yet)." in shown
        assert "Worker worker-1:42 last reported 3 min ago." in shown
        assert "it does not stop code that may still run on worker-1:42" in shown

    def test_one_that_does_not_look_so_can_only_be_cancelled(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        report(database, clock)
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, admin.organization_id), now=clock.moment)

        shown = admin.visit(f"/queue/runs/{run_id}/stuck").text
        refused = admin.send(f"/queue/runs/{run_id}/stuck")

        assert "Nothing speaks for it that this run is stuck." in shown
        assert "Remove" not in shown
        assert refused.status_code == 409

    def test_is_removed(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        run_id = stuck_run(database, clock, admin.organization_id)

        answer = admin.send(f"/queue/runs/{run_id}/stuck")

        with database.reading() as session:
            run, entry = (
                load_run(session, run_id),
                session.scalars(select(AuditEntry).where(AuditEntry.subject_id == run_id)).one(),
            )
        assert answer.location.endswith("/queue?tab=removed")
        assert (run.state, run.reason, entry.action) == ("cancelled", "removed", "run.removed")
        assert "Orders" in admin.visit("/queue?tab=removed").text

    def test_is_removed_and_retried(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        run_id = stuck_run(database, clock, admin.organization_id)

        admin.send(f"/queue/runs/{run_id}/stuck", {"then": "retry"})

        with database.reading() as session:
            assert session.scalars(select(Run).where(Run.retry_of_run_id == run_id)).one().state == "ready"

    def test_is_nothing_for_viewers_and_strangers(
        self, database: OpenDatabase, viewer: Browser, stranger: Browser, clock: ManualClock
    ) -> None:
        run_id = stuck_run(database, clock, viewer.organization_id)

        assert viewer.send(f"/queue/runs/{run_id}/stuck").status_code == 403
        assert stranger.visit(f"/queue/runs/{run_id}/stuck").status_code == 404

    def test_one_that_has_ended_meanwhile_leads_to_its_page(
        self, database: OpenDatabase, viewer: Browser, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_succeeded(session, make_job(session, viewer.organization_id), now=clock.moment)

        text = viewer.visit(f"/queue/runs/{run_id}/stuck").text

        assert "not running any more" in text
        assert f"/runs/{run_id}" in text


class TestWorkers:
    def test_are_told_with_the_runs_in_hand_that_are_ones_own(
        self, database: OpenDatabase, viewer: Browser, stranger: Browser, platform_admin: Browser, clock: ManualClock
    ) -> None:
        report(database, clock)
        with database.transaction() as session:
            for browser, name in ((viewer, "Orders"), (stranger, "Payroll")):
                job = make_job(session, browser.organization_id, name=name)
                make_running(session, job, now=clock.moment - timedelta(minutes=5))

        own, everybodys = viewer.visit("/queue/workers").text, platform_admin.visit("/queue/workers?of=all").text

        assert "worker-1:42" in own
        assert ("Orders" in own, "Payroll" in own) == (True, False)
        assert ("Orders" in everybodys, "Payroll" in everybodys) == (True, True)
        assert "for 5 min" in own
        # Counted where the names come from, whatever the last report said, and of everybody.
        assert ("2 of 5" in own, "2 of 5" in everybodys) == (True, True)
        assert viewer.visit("/queue/workers?of=all").status_code == 403

    def test_that_report_no_more_are_named_with_what_they_hold(
        self, database: OpenDatabase, viewer: Browser, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            make_running(session, make_job(session, viewer.organization_id), now=clock.moment - timedelta(minutes=5))

        text = viewer.visit("/queue/workers", htmx=True).text

        assert "1 run is held by a worker that does not report." in text
        assert "No worker is running" in text


class TestParameters:
    def test_of_a_run_are_on_its_page_without_secrets(
        self, database: OpenDatabase, viewer: Browser, clock: ManualClock
    ) -> None:
        arguments = {"days": 3, "api_token": "canary-1", "note": "password=canary-2", "deep": {"secret": "canary-3"}}
        with database.transaction() as session:
            job = make_job(session, viewer.organization_id, arguments=arguments)
            run_id = make_failed(session, job, now=clock.moment)

        text = viewer.visit(f"/runs/{run_id}").text

        assert "Parameters" in text
        assert "days" in text
        assert "canary" not in text


class TestEverybodys:
    @pytest.fixture
    def theirs(self, database: OpenDatabase, stranger: Browser, clock: ManualClock) -> UUID:
        with database.transaction() as session:
            job = make_job(session, stranger.organization_id, name="Payroll", url="secret-parameter")
            return make_failed(session, job, now=clock.moment, error="The bank is shut.", detail="secret-trace")

    def test_is_for_platform_admins(self, platform_admin: Browser, owner: Browser, theirs: UUID) -> None:
        shown = platform_admin.visit("/queue?tab=dead&of=all").text

        assert "Payroll" in shown
        assert "secret-" not in shown
        assert f'/runs/{theirs}"' not in shown
        assert owner.visit("/queue?tab=dead&of=all").status_code == 403
        assert "Payroll" not in platform_admin.visit("/queue?tab=dead").text

    @pytest.mark.parametrize("tab", ["waiting", "running", "retrying", "dead", "removed", "all"])
    def test_has_every_tab(self, platform_admin: Browser, theirs: UUID, tab: str) -> None:
        answer = platform_admin.visit(f"/queue?tab={tab}&of=all&q=bank&queue=code")

        assert answer.status_code == 200
        assert ("Payroll" in answer.text) is (tab in {"dead", "all"})

    def test_is_retried_and_removed_with_an_entry_of_theirs(
        self, database: OpenDatabase, platform_admin: Browser, stranger: Browser, theirs: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            other = make_failed(session, make_job(session, stranger.organization_id), now=clock.moment)

        retried = platform_admin.send(f"/queue/all/{theirs}/retry", {"here": "tab=dead&of=all"}, htmx=True)
        removed = platform_admin.send(f"/queue/all/{other}/removal", {"here": "tab=dead&of=all"})
        again = platform_admin.send(f"/queue/all/{theirs}/retry")

        with database.reading() as session:
            of_runs = AuditEntry.action.startswith("run.")
            entries = session.execute(select(AuditEntry.organization_id, AuditEntry.actor_label).where(of_runs)).all()
        assert set(entries) == {(stranger.organization_id, "platform@example.com")}
        assert "Payroll" not in retried.text
        assert removed.location.endswith("/queue?tab=dead&of=all")
        assert again.status_code == 409

    def test_is_taken_from_its_worker_where_it_is_stuck(
        self, database: OpenDatabase, platform_admin: Browser, stranger: Browser, clock: ManualClock
    ) -> None:
        run_id = stuck_run(database, clock, stranger.organization_id)

        shown = platform_admin.visit(f"/queue/all/{run_id}/stuck").text
        platform_admin.send(f"/queue/all/{run_id}/stuck", {"then": "retry"})

        with database.reading() as session:
            assert load_run(session, run_id).state == "cancelled"
        assert "It has run 5 min" in shown
