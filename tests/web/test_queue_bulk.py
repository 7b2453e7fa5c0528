"""Doing one thing to many runs of the queue: a selection as it was, paced or at once, with its progress."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.core.scopes import Scope
from app.ops.bulk.carrying import carry_piece
from app.ops.models import BulkAction, BulkItem
from app.runs.models import Run
from app.web.actions import queue_selection
from tests.factories.outcomes import make_failed, make_running
from tests.factories.work import load_run, make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser


def fail(database: OpenDatabase, browser: Browser, clock: ManualClock, number: int, name: str = "Ads") -> list[UUID]:
    with database.transaction() as session:
        job = make_job(session, browser.organization_id, name=name)
        return [
            make_failed(session, job, now=clock.moment - timedelta(seconds=place), error=f"Meta (#17), call {place}")
            for place in range(number)
        ]


def draft_of(location: str) -> str:
    return location.partition("/bulk/")[2].partition("/")[0]


def carry(database: OpenDatabase, browser: Browser, clock: ManualClock, bulk_id: UUID) -> None:
    """What a scheduler does beside its other work, to the end."""
    here, goes_on = browser.organization_id, True
    while goes_on:
        with database.transaction(Scope.tenant(here)) as session:
            goes_on = carry_piece(session, organization_id=here, bulk_id=bulk_id, now=clock.moment).goes_on


def retried(database: OpenDatabase) -> set[UUID]:
    with database.reading() as session:
        return set(session.scalars(select(Run.retry_of_run_id).where(Run.retry_of_run_id.is_not(None))))


def marked(text: str) -> list[str]:
    """The entries of the menu that say one is there."""
    menu = text.partition('<nav class="nav"')[2].partition("</nav>")[0]
    return re.findall(r'aria-current="page">.*?<span>(\w+)</span>', menu)


class TestTheMenu:
    def test_marks_the_queue_where_its_runs_are_acted_on(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        ticked = [str(run_id) for run_id in fail(database, admin, clock, 2)]
        asked = admin.send("/queue/selection", {"id": ticked, "action": "runs.retry", "tab": "dead"})
        question = admin.visit(asked.location).text
        admin.send(asked.location, {"action": "runs.retry", "pace": "at_once"})

        progress, all_of_them = admin.visit(f"/bulk/{draft_of(asked.location)}").text, admin.visit("/bulk").text

        assert [marked(text) for text in (question, progress, all_of_them)] == [["Queue"], ["Queue"], ["Schedules"]]


class TestTicked:
    def test_are_retried_and_no_others(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        failed = fail(database, admin, clock, 5)
        ticked = [str(run_id) for run_id in failed[:3]]

        asked = admin.send("/queue/selection", {"id": ticked, "action": "runs.retry", "tab": "dead"})
        fail(database, admin, clock, 1, name="Later")
        question = admin.visit(asked.location).text
        admin.send(asked.location, {"action": "runs.retry", "pace": "at_once"})

        assert "Retry 3 runs?" in question
        assert re.search(r"3 failed like this: Meta \(#17\), call \d", question)
        assert "as its job is defined now" in question
        assert retried(database) == set(failed[:3])

    def test_of_nothing_are_refused(self, admin: Browser) -> None:
        assert admin.send("/queue/selection", {"action": "runs.retry"}).status_code == 422
        assert admin.send("/queue/selection", {"id": "x", "action": "runs.retry"}).status_code == 422

    def test_are_for_admins(
        self, database: OpenDatabase, viewer: Browser, stranger: Browser, clock: ManualClock
    ) -> None:
        [run_id] = fail(database, viewer, clock, 1)

        refused = viewer.send("/queue/selection", {"id": str(run_id), "action": "runs.remove"})
        asked = stranger.send("/queue/selection", {"id": str(run_id), "action": "runs.remove"})
        stranger.send(asked.location, {"action": "runs.remove"})

        assert refused.status_code == 403
        with database.reading() as session:
            assert load_run(session, run_id).dismissed_at is None

    def test_that_run_by_now_are_named_and_left(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, admin.organization_id, name="Orders")
            waiting, running = make_run(session, job, now=clock.moment), make_running(session, job, now=clock.moment)

        asked = admin.send("/queue/selection", {"id": [str(waiting), str(running)], "action": "runs.remove"})
        question = admin.visit(asked.location).text
        admin.send(asked.location, {"action": "runs.remove"})
        page = admin.visit(f"/bulk/{draft_of(asked.location)}").text

        assert "1 of them runs, and cannot be removed." in question
        assert "This run is no longer waiting" in page
        with database.reading() as session:
            assert [load_run(session, each).state for each in (waiting, running)] == ["cancelled", "running"]


class TestAllThatMatch:
    def test_are_those_of_the_filter_as_it_was(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        matching = fail(database, admin, clock, 38)
        others = fail(database, admin, clock, 2, name="Stock")

        listed = admin.visit("/queue?tab=dead&q=ads").text
        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead", "q": "ads"}).location
        later = fail(database, admin, clock, 1, name="Ads of later")
        shown = admin.visit(page).text
        question = admin.visit(f"/bulk/{draft_of(page)}/start?action=runs.remove").text
        admin.send(f"/bulk/{draft_of(page)}/start", {"action": "runs.remove"})
        carry(database, admin, clock, UUID(draft_of(page)))

        assert "Select all 38 matching" in listed
        assert "Remove 38" in shown
        assert "Remove 38 runs?" in question
        assert "This cannot be undone." in question
        with database.reading() as session:
            removed = set(session.scalars(select(Run.id).where(Run.removed_at.is_not(None))))
        assert removed == set(matching)
        assert not removed & {*others, *later}

    def test_beyond_as_many_as_are_done_at_once_are_told_of(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queue_selection, "MOST_OBJECTS", 2)
        fail(database, admin, clock, 5)

        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead"}).location
        asked = admin.send("/queue/selection", {"all": "yes", "tab": "dead", "action": "runs.retry"}).location
        shown, question = admin.visit(page).text, admin.visit(asked).text

        assert "These are the 2 that the filter took" in shown
        assert "3 more match and are left as they are" in shown
        assert "Retry 2 runs?" in question
        assert "3 more match and are left as they are" in question
        assert "When these are done, do the same again." in question

    def test_of_one_cause_are_asked_about_at_once(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        fail(database, admin, clock, 4)
        with database.reading() as session:
            cause = session.scalars(select(Run.cause)).first()

        sent = {"all": "yes", "tab": "dead", "cause": str(cause), "action": "runs.retry"}
        question = admin.visit(admin.send("/queue/selection", sent).location).text

        assert "Retry 4 runs?" in question
        assert f'id="retry-{cause}"' in admin.visit("/queue?tab=dead").text


class TestPace:
    def test_is_ten_a_minute_for_more_than_fifty(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock
    ) -> None:
        fail(database, admin, clock, 51)
        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead"}).location
        start = f"/bulk/{draft_of(page)}/start"

        question = admin.visit(f"{start}?action=runs.retry").text
        done = admin.send(start, {"action": "runs.retry", "pace": "paced"})

        assert 'value="paced"' in question
        assert "10 a minute" in question
        assert "All 51 now" in question
        with database.reading() as session:
            assert session.scalars(select(BulkAction)).one().per_minute == 10
        assert len(retried(database)) < 51
        assert "10 a minute" in admin.visit(done.location).text

    @pytest.mark.parametrize(("number", "chosen"), [(2, "at_once"), (51, "paced")])
    def test_is_offered_as_fits_the_number(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock, number: int, chosen: str
    ) -> None:
        fail(database, admin, clock, number)
        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead"}).location

        question = admin.visit(f"/bulk/{draft_of(page)}/start?action=runs.retry").text

        radio = next(part for part in question.split("<input") if f'value="{chosen}"' in part)
        assert "checked" in radio.partition(">")[0]

    def test_all_at_once_is_not_paced(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        fail(database, admin, clock, 51)
        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead"}).location

        admin.send(f"/bulk/{draft_of(page)}/start", {"action": "runs.retry", "pace": "at_once"})

        with database.reading() as session:
            assert session.scalars(select(BulkAction)).one().per_minute is None


class TestRemovingOverAHundred:
    def test_asks_to_type_the_number(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        fail(database, admin, clock, 101)
        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead"}).location
        start = f"/bulk/{draft_of(page)}/start"

        question = admin.visit(f"{start}?action=runs.remove").text
        refused = [admin.send(start, {"action": "runs.remove", "count": text}) for text in ("", "100", "all")]
        accepted = admin.send(start, {"action": "runs.remove", "count": "101"})

        assert "Type 101" in question
        assert [answer.status_code for answer in refused] == [422, 422, 422]
        assert "Type 101 to remove so many" in refused[0].text
        assert accepted.status_code == 303
        with database.reading() as session:
            settled = session.scalar(select(func.count()).select_from(BulkItem).where(BulkItem.state == "done"))
        assert settled

    def test_is_not_asked_of_fewer(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        fail(database, admin, clock, 100)
        page = admin.send("/queue/selection", {"all": "yes", "tab": "dead"}).location

        assert admin.send(f"/bulk/{draft_of(page)}/start", {"action": "runs.remove"}).status_code == 303


class TestAFilterThatCannotBeRead:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"tab": "on-fire"}, "“on-fire” is no tab of the queue."),
            ({"tab": "dead", "cause": "all"}, "“all” is no cause: that is 16 letters and digits."),
            ({"tab": "waiting", "cause": "0f0497af5c9745f2"}, "Only dead letters have a cause."),
            ({"tab": "dead", "job": "zzz"}, "“zzz” is not the id of a job."),
            ({"tab": "dead", "schedule": "zzz"}, "“zzz” is not the id of a schedule."),
            ({"tab": "dead", "queue": "x" * 99}, "is not the name of a queue."),
            ({"tab": "dead", "q": "\x01"}, "A search has at most 200 characters"),
        ],
        ids=lambda value: next(reversed(value)) if isinstance(value, dict) else "",
    )
    def test_is_told_of_and_selects_nothing(
        self, database: OpenDatabase, admin: Browser, clock: ManualClock, query: dict[str, str], words: str
    ) -> None:
        fail(database, admin, clock, 2)
        with database.transaction() as session:
            make_run(session, make_job(session, admin.organization_id, name="Waits"), now=clock.moment)

        text = unescape(admin.visit(f"/queue?{urlencode(query)}").text)
        refused = admin.send("/queue/selection", {"all": "yes", "action": "runs.retry", **query})

        assert words in text
        assert "Clear filters" in text
        assert "Select all" not in text
        assert (refused.status_code, words in unescape(refused.text)) == (422, True)

    def test_keeps_its_note_when_the_list_refreshes(self, admin: Browser) -> None:
        text = unescape(admin.visit("/queue?tab=dead&job=zzz").text)

        assert 'hx-get="/queue?tab=dead&job=zzz"' in text

    def test_offers_no_retry_of_a_whole_cause(self, database: OpenDatabase, admin: Browser, clock: ManualClock) -> None:
        fail(database, admin, clock, 2)

        text = admin.visit("/queue?tab=dead&job=zzz").text.partition('id="causes"')[2].partition("</table>")[0]

        assert "Part of the filter was left out. Choose another one first." in text

    @pytest.mark.parametrize("query", ["of=everybody", "after=yesterday"])
    def test_may_be_whose_runs_or_a_place(self, admin: Browser, query: str) -> None:
        assert "Part of the filter was left out." in admin.visit(f"/queue?{query}").text

    def test_is_none_that_is_empty_or_names_a_queue_there_is_not(self, admin: Browser) -> None:
        empty = admin.visit("/queue?tab=&queue=&job=&schedule=&q=&cause=&of=&after=").text
        unknown = admin.visit("/queue?tab=dead&queue=gone").text

        assert "left out" not in empty
        assert "left out" not in unknown
        assert "<option selected>gone</option>" in unknown
