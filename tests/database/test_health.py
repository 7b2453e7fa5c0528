"""Whether the installation does its work, judged by what its processes report."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.core.columns import UTCDateTime
from app.core.ids import new_id
from app.ops.capacity import live_slots
from app.ops.health import check_health
from app.ops.heartbeats import ProcessFacts, beat, beat_for_older_database, list_processes
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
NEWER = "The database was upgraded by a newer version."


def report(session: Session, name: str, *, slots: int = 5, schedules: bool = True, ago: float = 0, **more: Any) -> None:
    facts = ProcessFacts(new_id(), name, "1.0", slots, schedules, "tower", 7)
    at = NOW - timedelta(seconds=ago)
    beat(session, facts, now=at, **({"ticked_at": at, "tick_ms": 2} | more))


class TestHealth:
    def test_is_good_while_time_is_kept_and_runs_start(self, session: Session) -> None:
        report(session, "tower:7")

        assert check_health(session, now=NOW).is_well
        assert check_health(session, now=NOW).remarks == ()

    def test_is_bad_without_a_scheduler(self, session: Session) -> None:
        report(session, "tower:7", schedules=False)

        (problem,) = check_health(session, now=NOW).problems

        assert problem.startswith("No scheduler is running. Start one with: belfry up")

    @pytest.mark.parametrize(("ago", "is_well"), [(300, True), (301, False)])
    def test_is_bad_when_a_scheduler_is_silent_for_longer_than_five_minutes(
        self, session: Session, ago: float, is_well: bool
    ) -> None:
        report(session, "worker:8", schedules=False)
        report(session, "tower:7", ago=ago)

        assert check_health(session, now=NOW).is_well is is_well

    def test_is_bad_when_the_only_reports_are_from_before_the_clock_was_set_back(self, session: Session) -> None:
        report(session, "tower:7", ago=-3_600)

        assert len(check_health(session, now=NOW).problems) == 2

    def test_names_since_when_a_scheduler_is_silent(self, session: Session) -> None:
        report(session, "tower:7", ago=600)

        assert "No scheduler has reported since 2027-01-05 11:50:00 UTC. Restart it." in (
            check_health(session, now=NOW).problems
        )

    def test_is_bad_when_a_scheduler_reports_and_ticks_no_more(self, session: Session) -> None:
        report(session, "tower:7", ticked_at=NOW - timedelta(seconds=400), problem=NEWER)

        problems = check_health(session, now=NOW).problems

        assert problems[0] == f"No scheduler has kept time since 2027-01-05 11:53:20 UTC. {NEWER}"

    def test_is_bad_when_no_worker_starts_runs(self, session: Session) -> None:
        report(session, "new:1", slots=0)
        report(session, "old:2", schedules=False, problem=NEWER)

        problems = check_health(session, now=NOW).problems

        assert problems == (f"No worker starts runs. old:2 (version 1.0) starts nothing: {NEWER}",)

    @pytest.mark.parametrize("ago", [91, None])
    def test_is_bad_without_a_worker(self, session: Session, ago: float | None) -> None:
        report(session, "clock:1", slots=0)
        if ago is not None:
            report(session, "gone:2", schedules=False, ago=ago)

        problems = check_health(session, now=NOW).problems

        assert problems == ("No worker is running, so what is due waits. Start one with: belfry up or belfry worker",)

    def test_remarks_on_one_of_several_workers_that_starts_nothing(self, session: Session) -> None:
        report(session, "new:1")
        report(session, "old:2", schedules=False, problem=NEWER)

        health = check_health(session, now=NOW)

        assert health.is_well
        assert health.remarks == (f"old:2 (version 1.0) starts nothing: {NEWER}",)

    def test_remarks_on_who_has_gone_silent(self, session: Session) -> None:
        report(session, "new:1", slots=0)
        report(session, "old:2", schedules=False, ago=60)

        remarks = check_health(session, now=NOW).remarks

        assert "old:2 was last heard of at 2027-01-05 11:59:00 UTC." in remarks


class TestSlots:
    @pytest.mark.parametrize("more", [{"problem": NEWER}, {"is_stopping": True}], ids=str)
    def test_of_whoever_takes_nothing_new_are_not_counted_on(self, session: Session, more: dict[str, Any]) -> None:
        report(session, "new:1", slots=2)
        report(session, "old:2", slots=5, **more)

        assert session.scalar(select(live_slots(lambda age: literal(NOW - age, UTCDateTime())))) == 2

    @pytest.mark.parametrize("ago", [31, -31], ids=["long ago", "by a clock that was set back since"])
    def test_of_whoever_is_silent_are_not_counted_on(self, session: Session, ago: float) -> None:
        report(session, "new:1", slots=2)
        report(session, "old:2", slots=5, ago=ago)

        assert session.scalar(select(live_slots(lambda age: literal(NOW - age, UTCDateTime())))) == 2


class TestReports:
    def test_say_where_a_process_is_and_what_it_has_in_hand(self, session: Session) -> None:
        report(session, "tower:7", running=3)

        (row,) = list_processes(session, now=NOW)

        assert (row.host, row.pid, row.running, row.slots, row.version) == ("tower", 7, 3, 5, "1.0")

    def test_fit_into_the_first_version_of_the_table(self, session: Session) -> None:
        facts = ProcessFacts(new_id(), "tower:7", "2.0", 5, True, "tower", 7)
        for seconds in (0, 10):
            beat_for_older_database(session, facts, now=NOW + timedelta(seconds=seconds))

        (row,) = list_processes(session, now=NOW + timedelta(seconds=10))

        assert (row.name, row.version, row.beat_at, row.host) == (
            "tower:7", "2.0", NOW + timedelta(seconds=10), "",
        )  # fmt: skip
