"""Signs of life of workers and schedulers."""

from datetime import timedelta

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.ops.capacity import live_slots
from app.ops.health import check_health
from app.ops.heartbeats import (
    FORGET_AFTER,
    SILENT_AFTER,
    ProcessFacts,
    beat,
    facts_of_this_process,
    last_scheduler_beat,
    list_page_processes,
    list_processes,
    scheduler_ended_at,
    sign_off,
    sign_off_from_older_database,
)
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")


def facts(*, schedules: bool = True) -> ProcessFacts:
    return facts_of_this_process(version="1", slots=5, schedules=schedules)


def test_processes_of_the_same_host_and_number_have_names_of_their_own() -> None:
    one, other = facts(), facts()

    assert (one.host, one.pid) == (other.host, other.pid)
    assert one.name != other.name
    assert one.name.startswith(f"{one.host}:{one.pid}:")


class TestHeartbeats:
    def test_are_one_row_a_process_however_often_it_reports(self, session: Session) -> None:
        process = facts()
        for seconds in (0, 10):
            beat(session, process, now=NOW + timedelta(seconds=seconds), ticked_at=NOW, tick_ms=3)

        (row,) = list_processes(session, now=NOW + timedelta(seconds=10))

        assert (row.beat_at, row.started_at, row.tick_ms) == (NOW + timedelta(seconds=10), NOW, 3)

    def test_tell_who_is_silent(self, session: Session) -> None:
        beat(session, facts(), now=NOW, ticked_at=None, tick_ms=None)
        (row,) = list_processes(session, now=NOW)

        states = [row.is_silent(NOW + SILENT_AFTER), row.is_silent(NOW + SILENT_AFTER * 1.01)]

        assert states == [False, True]

    def test_of_a_worker_without_scheduler_say_nothing_about_time_being_kept(self, session: Session) -> None:
        beat(session, facts(schedules=False), now=NOW, ticked_at=None, tick_ms=None)

        assert last_scheduler_beat(session, now=NOW) is None

    def test_of_a_scheduler_that_ticks_no_more_are_no_sign_that_time_is_kept(self, session: Session) -> None:
        later = NOW + timedelta(minutes=10)
        beat(session, facts(), now=later, ticked_at=NOW, tick_ms=3)

        assert last_scheduler_beat(session, now=later) == NOW

    def test_of_before_the_clock_was_set_back_are_no_sign_of_life(self, session: Session) -> None:
        beat(session, facts(), now=NOW, ticked_at=NOW, tick_ms=3)
        set_back = NOW - timedelta(hours=1)
        (row,) = list_processes(session, now=set_back)

        assert (row.is_silent(set_back), row.is_gone(set_back)) == (True, True)
        assert last_scheduler_beat(session, now=set_back) is None

    def test_of_a_process_that_ends_in_good_order_worry_nobody(self, session: Session) -> None:
        process = facts()
        beat(session, process, now=NOW, ticked_at=NOW, tick_ms=None)

        sign_off(session, process, now=NOW)

        assert list_processes(session, now=NOW) == []
        assert last_scheduler_beat(session, now=NOW) is None
        assert session.scalar(select(live_slots(lambda age: literal(NOW - age)))) == 0

    def test_of_a_process_that_ends_in_good_order_tell_until_when_it_was_there(self, session: Session) -> None:
        process, end = facts(), NOW + timedelta(seconds=7)
        beat(session, process, now=NOW, ticked_at=NOW, tick_ms=None)

        sign_off(session, process, now=end)

        (row,) = list_processes(session, now=end, with_ended=True)
        assert (row.has_ended, row.beat_at, row.serves("sync")) == (True, end, True)
        assert session.scalar(select(scheduler_ended_at(end))) == end

    def test_of_processes_that_did_the_same_and_ended_do_not_pile_up(self, session: Session) -> None:
        for minute in range(3):
            for process in (facts(), facts(schedules=False)):
                at = NOW + timedelta(minutes=minute)
                beat(session, process, now=at, ticked_at=None, tick_ms=None)
                sign_off(session, process, now=at)

        assert len(list_processes(session, now=at, with_ended=True)) == 2

    def test_end_with_the_process_in_an_older_database(self, session: Session) -> None:
        process = facts()
        beat(session, process, now=NOW, ticked_at=None, tick_ms=None)

        sign_off_from_older_database(session, process)

        assert list_processes(session, now=NOW, with_ended=True) == []

    def test_are_forgotten_after_a_day(self, session: Session) -> None:
        beat(session, facts(), now=NOW, ticked_at=None, tick_ms=None)
        later = NOW + FORGET_AFTER + timedelta(seconds=1)

        beat(session, facts(), now=later, ticked_at=None, tick_ms=None)

        assert len(list_processes(session, now=later)) == 1


class TestProcessesThatServePages:
    @staticmethod
    def pages() -> ProcessFacts:
        return facts_of_this_process(version="2", slots=0, schedules=False)

    def test_stand_apart_from_workers_and_schedulers(self, session: Session) -> None:
        for process in (pages := self.pages(), facts()):
            beat(session, process, now=NOW, ticked_at=None, tick_ms=None)

        (found,), (worker,) = list_page_processes(session, now=NOW), list_processes(session, now=NOW, with_ended=True)

        assert (found.name, found.version, found.serves_pages) == (pages.name, "2", True)
        assert worker.serves_pages is False

    def test_are_no_worker_whose_absence_is_no_trouble(self, session: Session) -> None:
        beat(session, self.pages(), now=NOW, ticked_at=None, tick_ms=None)

        found = check_health(session, now=NOW)

        assert "No scheduler is running" in found.problems[0]
        assert "No worker is running" in found.problems[1]
        assert found.remarks == ()

    def test_are_silent_and_then_forgotten(self, session: Session) -> None:
        beat(session, self.pages(), now=NOW, ticked_at=None, tick_ms=None)
        (row,) = list_page_processes(session, now=NOW + FORGET_AFTER)

        assert row.is_silent(NOW + SILENT_AFTER * 1.01)
        assert list_page_processes(session, now=NOW + FORGET_AFTER + timedelta(seconds=1)) == []

    def test_that_signed_off_are_not_shown(self, session: Session) -> None:
        process = self.pages()
        beat(session, process, now=NOW, ticked_at=None, tick_ms=None)
        sign_off(session, process, now=NOW)

        assert list_page_processes(session, now=NOW) == []
