"""The tabs of the queue page by page, narrowed and for whom, and what the figures above them count."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.scopes import PLATFORM, Scope
from app.runs import ledger, queue_figures, queue_lists, service
from app.runs.facts import AttemptEnd
from app.runs.models import Run
from app.runs.queue_figures import read_figures
from app.runs.queue_filter import QueueFilter, QueueTab
from app.runs.queue_lists import (
    REMOVED_SHOWN,
    Matches,
    Place,
    count_matches,
    ids_of_tab,
    list_queue_tab,
    matching_of_tab,
)
from app.runs.states import AttemptState, RunState
from tests.factories.outcomes import make_failed, make_running, make_succeeded, make_waiting_retry, start_run
from tests.factories.tenants import Member, make_member
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-01-05 12:00")
TABS = list(QueueTab)


@pytest.fixture
def bob(database: OpenDatabase) -> Member:
    with database.transaction() as session:
        return make_member(session, email="bob@example.com")


@pytest.fixture
def eve(database: OpenDatabase) -> Member:
    """Somebody in another organization."""
    with database.transaction() as session:
        return make_member(session, email="eve@example.com")


def at(second: int) -> Any:
    return NOW - timedelta(hours=1) + timedelta(seconds=second)


def fill(database: OpenDatabase, member: Member, number: int = 3) -> dict[QueueTab, list[UUID]]:
    """Some runs for each tab but the last, in the order of their tabs."""
    with database.transaction() as session:
        job = make_job(session, member.organization_id, name="Orders")
        made = {
            QueueTab.WAITING: [make_run(session, job, now=at(n)) for n in range(number)],
            QueueTab.RUNNING: [make_running(session, job, now=at(10 + n)) for n in range(number)],
            QueueTab.RETRYING: [
                make_waiting_retry(session, job, now=at(20 + n), ready_at=at(90 + n)) for n in range(number)
            ],
            QueueTab.DEAD: [make_failed(session, job, now=at(30 + n)) for n in range(number)][::-1],
        }
        gone = [make_failed(session, job, now=at(40)), make_run(session, job, now=at(41))]
        for n, run_id in enumerate(gone):
            service.remove_run(session, actor=member.actor, run_id=run_id, now=at(50 + n))
        make_succeeded(session, job, now=at(60))
    return made | {QueueTab.REMOVED: gone[::-1]}


def read(database: OpenDatabase, member: Member | None, wanted: QueueFilter, **more: Any) -> queue_lists.QueuePage:
    scope = PLATFORM if member is None else Scope.tenant(member.organization_id)
    owner = None if member is None else member.organization_id
    with database.reading(scope) as session:
        return list_queue_tab(session, organization_id=owner, wanted=wanted, now=NOW, **({"limit": 50} | more))


def ids_of(page: queue_lists.QueuePage) -> list[UUID]:
    return [row.id for row in page.rows]


class TestTabs:
    def test_hold_what_their_names_say_and_nothing_of_others(
        self, database: OpenDatabase, bob: Member, eve: Member
    ) -> None:
        made = fill(database, bob)
        fill(database, eve)

        found = {tab: ids_of(read(database, bob, QueueFilter(tab))) for tab in made}

        assert found == made

    def test_of_all_hold_everything_the_newest_first(self, database: OpenDatabase, bob: Member) -> None:
        made = fill(database, bob)

        found = read(database, bob, QueueFilter(QueueTab.ALL)).rows

        assert {row.id for row in found} >= {run_id for runs in made.values() for run_id in runs}
        assert found[0].state is RunState.SUCCEEDED
        assert [row.created_at for row in found] == sorted((row.created_at for row in found), reverse=True)

    @pytest.mark.parametrize("tab", TABS)
    def test_show_platform_admins_everybodys(
        self, database: OpenDatabase, bob: Member, eve: Member, tab: QueueTab
    ) -> None:
        fill(database, bob)
        fill(database, eve)

        found = read(database, None, QueueFilter(tab)).rows

        assert {row.organization_id for row in found} == {bob.organization_id, eve.organization_id}

    @pytest.mark.parametrize("tab", TABS)
    @pytest.mark.parametrize("is_of_all", [False, True], ids=["own", "all"])
    def test_have_pages_that_leave_out_and_repeat_none(
        self, database: OpenDatabase, bob: Member, tab: QueueTab, is_of_all: bool
    ) -> None:
        fill(database, bob, number=5)
        whose = None if is_of_all else bob
        whole = ids_of(read(database, whose, QueueFilter(tab)))

        found: list[UUID] = []
        place: Place | None = None
        while True:
            page = read(database, whose, QueueFilter(tab), limit=2, after=place)
            found += ids_of(page)
            place = page.next
            if place is None:
                break

        assert found == whole

    def test_forget_what_was_removed_long_ago(self, database: OpenDatabase, bob: Member) -> None:
        fill(database, bob)
        with database.reading(Scope.tenant(bob.organization_id)) as session:
            later = list_queue_tab(
                session,
                organization_id=bob.organization_id,
                wanted=QueueFilter(QueueTab.REMOVED),
                now=NOW + REMOVED_SHOWN,
                limit=9,
            )

        assert later.rows == []

    def test_a_retried_run_is_neither_dead_nor_removed(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            run_id = make_failed(session, make_job(session, bob.organization_id), now=NOW)
            service.retry_run(session, actor=bob.actor, run_id=run_id, now=NOW)

        assert read(database, bob, QueueFilter(QueueTab.DEAD)).rows == []
        assert read(database, bob, QueueFilter(QueueTab.REMOVED)).rows == []


class TestNarrowing:
    @pytest.fixture
    def narrow(self, database: OpenDatabase, bob: Member) -> dict[str, Any]:
        with database.transaction() as session:
            orders = make_job(session, bob.organization_id, name="Orders")
            stock = make_job(session, bob.organization_id, name="Stock")
            stock.queue = "sync"
            nightly = make_schedule(session, stock, name="Nightly 100%")
            wanted = make_failed(session, stock, now=NOW, error="The shop is shut.", schedule_id=nightly.id)
            others = [make_failed(session, orders, now=at(n)) for n in range(4)]
            return {"job": stock.id, "schedule": nightly.id, "run": wanted, "others": others}

    @pytest.mark.parametrize(
        "query",
        [
            {"queue": "sync"},
            {"job": "job"},
            {"schedule": "schedule"},
            {"q": "is shut"},
            {"q": "STOCK"},
            {"q": "y 100%"},
            {"q": "run"},
        ],
        ids=str,
    )
    def test_finds_the_one(
        self, database: OpenDatabase, bob: Member, narrow: dict[str, Any], query: dict[str, str]
    ) -> None:
        args = {name: str(narrow.get(value, value)) for name, value in query.items()}

        found = read(database, bob, QueueFilter.from_args({"tab": "dead", **args}))

        assert ids_of(found) == [narrow["run"]]
        assert found.next is None

    @pytest.mark.parametrize("query", [{"q": "%"}, {"q": "_"}, {"queue": "nothing"}, {"q": "' OR 1=1"}], ids=str)
    def test_finds_none(self, database: OpenDatabase, bob: Member, query: dict[str, str]) -> None:
        fill(database, bob)

        assert read(database, bob, QueueFilter.from_args({"tab": "dead", **query})).rows == []

    def test_by_a_cause_finds_those_that_share_it(
        self, database: OpenDatabase, bob: Member, narrow: dict[str, Any]
    ) -> None:
        cause = read(database, bob, QueueFilter(QueueTab.DEAD)).rows[-1].cause

        found = read(database, bob, QueueFilter.from_args({"tab": "dead", "cause": cause or ""}))

        assert set(ids_of(found)) == set(narrow["others"])

    def test_goes_on_where_it_has_looked_through_as_many_as_it_may(
        self, database: OpenDatabase, bob: Member, narrow: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue_lists, "LOOKED_AT_ONCE", 2)
        wanted = QueueFilter(QueueTab.DEAD, job_id=narrow["job"])
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            for second in (1, 2):
                make_failed(session, job, now=NOW + timedelta(seconds=second))

        first = read(database, bob, wanted)
        second = read(database, bob, wanted, after=first.next)

        assert (first.rows, first.was_cut) == ([], True)
        assert ids_of(second) == [narrow["run"]]

    @pytest.mark.parametrize("tab", TABS)
    def test_ids_of_all_that_match_are_those_of_the_list(
        self, database: OpenDatabase, bob: Member, tab: QueueTab
    ) -> None:
        fill(database, bob)
        wanted = QueueFilter(tab, text="orders")
        with database.reading(Scope.tenant(bob.organization_id)) as session:
            asked: dict[str, Any] = {"organization_id": bob.organization_id, "now": NOW}
            found = ids_of_tab(session, wanted=wanted, limit=99, **asked)
            some = ids_of_tab(session, wanted=wanted, limit=2, **asked)

        assert found == ids_of(read(database, bob, wanted))
        assert some == found[:2]

    def test_those_beyond_as_many_as_are_done_at_once_are_counted(self, database: OpenDatabase, bob: Member) -> None:
        fill(database, bob)
        wanted = QueueFilter(QueueTab.DEAD)
        with database.reading(Scope.tenant(bob.organization_id)) as session:
            asked: dict[str, Any] = {"organization_id": bob.organization_id, "now": NOW}
            found, left = matching_of_tab(session, wanted=wanted, most=2, **asked)

        assert found == ids_of(read(database, bob, wanted))[:2]
        assert left == 1

    @pytest.mark.parametrize(("most", "matches"), [(2, Matches(2, is_all=False)), (3, Matches(3, is_all=True))])
    def test_matches_are_counted_as_far_as_a_page_counts(
        self, database: OpenDatabase, bob: Member, monkeypatch: pytest.MonkeyPatch, most: int, matches: Matches
    ) -> None:
        monkeypatch.setattr(queue_lists, "MOST_COUNTED", most)
        # A list without a text looks through no fewer for that.
        monkeypatch.setattr(queue_lists, "LOOKED_AT_ONCE", 1)
        fill(database, bob)
        with database.reading(Scope.tenant(bob.organization_id)) as session:
            wanted = QueueFilter(QueueTab.DEAD, queue="code")
            found = count_matches(session, organization_id=bob.organization_id, wanted=wanted, now=NOW)

        assert found == matches


class TestFilter:
    @pytest.mark.parametrize(
        ("args", "tab"),
        [({}, "waiting"), ({"tab": "failed"}, "dead"), ({"tab": "on-fire"}, "waiting"), ({"tab": "all"}, "all")],
    )
    def test_reads_old_and_broken_links(self, args: dict[str, str], tab: str) -> None:
        assert QueueFilter.from_args(args).tab.value == tab

    @pytest.mark.parametrize(
        "args", [{"job": "x"}, {"schedule": "%00"}, {"cause": "x" * 99}, {"queue": "\x00"}, {"q": "\x00\x01"}], ids=str
    )
    def test_leaves_out_what_it_cannot_read(self, args: dict[str, str]) -> None:
        assert QueueFilter.from_args({"tab": "dead", **args}).narrowing == {}

    def test_is_read_back_from_what_it_writes(self) -> None:
        args = {"tab": "dead", "queue": "sync", "q": "shut", "cause": "0f0497af5c9745f2"}

        assert QueueFilter.from_args(args).args == args


class TestFigures:
    def figures(self, database: OpenDatabase, member: Member | None) -> queue_figures.QueueFigures:
        scope = PLATFORM if member is None else Scope.tenant(member.organization_id)
        with database.reading(scope) as session:
            owner = None if member is None else member.organization_id
            return read_figures(session, organization_id=owner, now=NOW)

    def test_count_their_own(self, database: OpenDatabase, bob: Member, eve: Member) -> None:
        fill(database, bob)
        fill(database, eve)

        found = self.figures(database, bob)

        states: Sequence[RunState] = (RunState.READY, RunState.RUNNING, RunState.WAITING_RETRY, RunState.FAILED)
        assert [found.sum_of([state]) for state in states] == [3, 3, 3, 3]
        assert [found.sum_of([state], "code") for state in states] == [3, 3, 3, 3]
        assert found.sum_of([RunState.READY], "sync") == 0
        assert (found.oldest_at, found.next_try_at) == (at(0), at(90))

    def test_count_everybodys_for_platform_admins(self, database: OpenDatabase, bob: Member, eve: Member) -> None:
        fill(database, bob)
        fill(database, eve)

        assert self.figures(database, None).sum_of([RunState.FAILED]) == 6

    def test_tell_waits_by_the_nearest_rank(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            for seconds in (1, 60):
                run = session.get_one(Run, make_succeeded(session, job, now=NOW - timedelta(minutes=5)))
                assert run.started_at is not None
                run.created_at = run.started_at - timedelta(seconds=seconds)

        waits = self.figures(database, bob).all_waits

        assert (waits.half, waits.most) == (timedelta(seconds=1), timedelta(seconds=60))

    def test_stop_counting(self, database: OpenDatabase, bob: Member, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queue_figures, "MOST_COUNTED", 2)
        fill(database, bob)

        found = self.figures(database, bob)

        assert found.is_cut([RunState.READY])
        assert not found.is_cut([RunState.WAITING])
        assert found.sum_of([RunState.READY]) == 2

    def test_tell_how_long_runs_waited(self, database: OpenDatabase, bob: Member) -> None:
        with database.transaction() as session:
            job = make_job(session, bob.organization_id)
            for second in range(1, 21):
                run_id = make_run(session, job, now=at(0))
                start_run(session, run_id, at=at(second))
                ledger.succeed(
                    session, run_id=run_id, token=1, end=AttemptEnd(AttemptState.SUCCEEDED), now=at(second + 1)
                )

        waits = self.figures(database, bob).waits["code"]

        assert waits == queue_figures.Waits(timedelta(seconds=11), timedelta(seconds=20))
