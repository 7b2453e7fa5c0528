"""Glances that were read for one page serve the next, for as long as they are as new as that one needs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from app.core.scopes import Scope
from app.events.service import Topic, append_event, latest_event_id
from app.jobs.models import Job
from app.ops import glance_book
from app.ops.glance_book import GlanceBook
from tests.factories.work import make_job, make_organization, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase

NOW = utc("2027-03-02 12:30")
NOTHING_YET = dict.fromkeys(Topic, 0)


@pytest.fixture
def job(database: OpenDatabase) -> Job:
    with database.transaction() as session:
        job = make_job(session, make_organization(session))
        make_schedule(session, job, name="First")
        return job


class Reader:
    """Asks as pages do. Schedules are made without an event here, so only a new reading shows them."""

    def __init__(self, database: OpenDatabase, job: Job) -> None:
        self.database, self.job, self.book = database, job, GlanceBook()

    def names(
        self, newest: dict[Topic, int] | None = None, *, now: datetime = NOW, is_stopped: bool = False
    ) -> set[str]:
        here = self.job.organization_id
        with self.database.reading(Scope.tenant(here)) as session:
            facts = {"newest": newest or NOTHING_YET, "is_stopped": is_stopped, "now": now}
            return {one.name for one in self.book.look_up(session, organization_id=here, **facts)}

    def add(self, name: str) -> None:
        with self.database.transaction() as session:
            make_schedule(session, self.job, name=name)


@pytest.fixture
def reader(database: OpenDatabase, job: Job) -> Reader:
    found = Reader(database, job)
    assert found.names() == {"First"}
    found.add("Second")
    return found


class TestWhatWasRead:
    def test_serves_whoever_knows_of_nothing_newer(self, reader: Reader) -> None:
        assert reader.names(now=NOW + timedelta(seconds=4)) == {"First"}

    @pytest.mark.parametrize("topic", [Topic.SCHEDULES, Topic.JOBS, Topic.RUNS])
    def test_does_not_serve_whoever_knows_of_something_newer(self, reader: Reader, topic: Topic) -> None:
        assert reader.names(NOTHING_YET | {topic: 1}) == {"First", "Second"}

    def test_serves_whoever_knows_of_less(self, reader: Reader) -> None:
        reader.names(NOTHING_YET | {Topic.RUNS: 7})
        reader.add("Third")

        assert reader.names(NOTHING_YET | {Topic.RUNS: 6}) == {"First", "Second"}

    def test_is_forgotten_after_a_moment(self, reader: Reader) -> None:
        assert reader.names(now=NOW + timedelta(seconds=5)) == {"First", "Second"}

    def test_says_nothing_of_whether_scheduling_is_stopped(self, reader: Reader) -> None:
        assert reader.names(is_stopped=True) == {"First", "Second"}

    def test_is_for_nobody_else(self, reader: Reader, database: OpenDatabase) -> None:
        with database.transaction() as session:
            other = make_job(session, make_organization(session, "Other"))
        with database.reading(Scope.tenant(other.organization_id)) as session:
            facts = {"newest": NOTHING_YET, "is_stopped": False, "now": NOW}
            assert reader.book.look_up(session, organization_id=other.organization_id, **facts) == []

    def test_makes_room(self, reader: Reader, database: OpenDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(glance_book, "_MOST_GLANCES", 0)
        with database.transaction() as session:
            other = make_job(session, make_organization(session, "Other"))
            make_schedule(session, other)
        with database.reading(Scope.tenant(other.organization_id)) as session:
            facts = {"newest": NOTHING_YET, "is_stopped": False, "now": NOW}
            reader.book.look_up(session, organization_id=other.organization_id, **facts)

        assert reader.names() == {"First", "Second"}


class TestManyAtOnce:
    def test_wait_for_one_reading_that_is_new_enough_for_all(
        self, reader: Reader, database: OpenDatabase, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        readings: list[str] = []
        first_reads, all_wait = threading.Event(), threading.Event()
        plain = glance_book.read_glances

        def slow(*words: object, **more: object) -> object:
            readings.append("")
            if len(readings) == 1:
                first_reads.set()
                assert all_wait.wait(10)
            return plain(*words, **more)

        monkeypatch.setattr(glance_book, "read_glances", slow)
        numbers = [self.change(database, job) for _ in range(4)]
        known = [NOTHING_YET | {Topic.RUNS: number} for number in numbers]
        with self.started(reader, known[:1]):
            assert first_reads.wait(10)
            with self.started(reader, known[1:]):
                all_wait.set()

        assert reader.names(known[-1]) == {"First", "Second"}
        # One by the first, one for all that waited; where they came one after the other, one more for each.
        assert 2 <= len(readings) <= 4

    @staticmethod
    def change(database: OpenDatabase, job: Job) -> int:
        with database.transaction() as session:
            about = {"organization_id": job.organization_id, "topic": Topic.RUNS, "kind": "run.succeeded"}
            append_event(session, **about, subject_id=job.id, now=NOW)
            return latest_event_id(session, organization_id=job.organization_id, topic=Topic.RUNS)

    @staticmethod
    @contextmanager
    def started(reader: Reader, known: list[dict[Topic, int]]) -> Iterator[None]:
        threads = [threading.Thread(target=reader.names, args=(newest,)) for newest in known]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
