"""Why a run waits and why a schedule did not run, decided from facts alone: the order, the words, the place in line."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ops.heartbeats import ProcessRow
from app.ops.why.crew import Crew
from app.ops.why.facts import Active, Limits, Line, Obstacle, Rate, RateLimited, RunFacts, ScheduleFacts, Traffic
from app.ops.why.line import Taken
from app.ops.why.of_runs import why_run_waits
from app.ops.why.of_schedules import why_schedule_waits
from app.ops.why.reasons import QUIET, Why, WhyCode, in_utc
from app.runs.states import Reason, RunState
from app.runs.switches import QueueSwitchRow
from app.schedules.stops import SchedulingStopRow
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
OURS, THEIRS, OTHERS = (UUID(int=number) for number in (1, 2, 3))
JOB, RUN, BEFORE = (UUID(int=number) for number in (10, 11, 12))


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def process(**changes: Any) -> ProcessRow:
    row = ProcessRow("tower:7", "1.0", 2, True, ago(days=1), NOW, NOW, 2, "tower", 7, 0, None, False)
    return replace(row, **changes)


def crew(*rows: ProcessRow) -> Crew:
    return Crew(rows or (process(),), NOW)


def run(**changes: Any) -> RunFacts:
    facts = RunFacts(
        id=RUN, organization_id=OURS, job_id=JOB, queue="sync", connection_key="meta:7", state=RunState.READY,
        reason=None, error=None, due_at=NOW, ready_at=NOW, started_at=None, is_hinted=False, place=1,
    )  # fmt: skip
    return replace(facts, **changes)


def active(organization_id: UUID = OURS, **changes: Any) -> Active:
    return replace(Active(organization_id, "sync", JOB, "meta:7", "tower:7"), **changes)


def of_run(facts: RunFacts, *rows: ProcessRow, traffic: Traffic = Traffic()) -> Why:  # noqa: B008 - frozen
    return why_run_waits(facts, crew(*rows), traffic, in_utc(NOW))


def of_schedule(**changes: Any) -> Why:
    facts = ScheduleFacts(enabled=True, problem=None, is_manual=False, cursor=NOW, created_at=ago(days=9))
    return why_schedule_waits(replace(facts, **changes), crew(), Traffic(), in_utc(NOW))


def codes(why: Why) -> list[WhyCode]:
    return [why.code, *(one.code for one in why.also)]


class TestTheOrder:
    def test_of_a_runs_causes_begins_with_what_a_person_has_to_see_to(self) -> None:
        held = run(
            pause=QueueSwitchRow("sync", ago(hours=1), "root"),
            rate_limited=RateLimited(NOW + timedelta(minutes=1), None),
            limits=Limits(queue=1, job=1, connection=1, organization=1),
            rate=Rate(1, 1, 0.0, NOW),
        )
        traffic = Traffic([active(), active()])

        assert codes(of_run(held, traffic=traffic)) == [
            WhyCode.QUEUE_PAUSED,
            WhyCode.CONNECTION_RATE_LIMITED,
            WhyCode.CONNECTION_LIMIT,
            WhyCode.JOB_LIMIT,
            WhyCode.ORGANIZATION_LIMIT,
            WhyCode.QUEUE_LIMIT,
            WhyCode.QUEUE_RATE,
            WhyCode.WORKERS_BUSY,
        ]

    def test_of_a_schedules_causes_begins_with_itself(self) -> None:
        stop = SchedulingStopRow(ago(hours=1), "root", "Moving")
        waiting = run(pause=QueueSwitchRow("sync", ago(hours=1), "root"))

        why = of_schedule(enabled=False, problem="Unreadable.", stop=stop, run=waiting)

        assert codes(why) == [
            WhyCode.PAUSED,
            WhyCode.SET_ASIDE,
            WhyCode.SCHEDULING_STOPPED,
            WhyCode.QUEUE_PAUSED,
        ]

    def test_puts_what_holds_before_what_only_tells(self) -> None:
        why = of_schedule(run=run(state=RunState.RUNNING, started_at=NOW), to_connect="Connect it.")

        assert codes(why) == [WhyCode.NEEDS_CONNECTION, WhyCode.RUNNING, WhyCode.DUE]

    @pytest.mark.parametrize("code", sorted(QUIET))
    def test_knows_what_holds_nothing(self, code: WhyCode) -> None:
        assert not Why(code, "").holds


class TestAdvice:
    @pytest.mark.parametrize(
        ("limits", "changes", "advice"),
        [
            (
                Limits(queue=1),
                {},
                "A platform admin can raise that limit on the page of the queue, or with: belfry queue",
            ),
            (Limits(organization=1), {}, "or with: belfry organizations limit NAME NUMBER"),
            (Limits(job=1), {}, "An admin of the organization can raise that limit: “Runs at once” in the form of"),
            (Limits(job=1), {"job_source": "jobs.py:3"}, "The code says that limit, in jobs.py:3: change it there."),
            (Limits(connection=1), {}, "nobody raises it here."),
        ],
    )
    def test_about_a_limit_says_who_can_raise_it_and_where(
        self, limits: Limits, changes: dict[str, Any], advice: str
    ) -> None:
        words = of_run(run(limits=limits, **changes), traffic=Traffic([active()])).words

        assert "It starts when one ends." in words
        assert advice in words

    @pytest.mark.parametrize("limits", [Limits(organization=0), Limits(queue=0), Limits(job=0)])
    def test_about_a_limit_of_nothing_promises_no_end(self, limits: Limits) -> None:
        words = of_run(run(limits=limits)).words

        assert "is 0, so nothing of it ever starts." in words
        assert "when one ends" not in words
        assert "can raise that limit" in words

    def test_about_busy_workers_names_another_one(self) -> None:
        why = of_run(run(), traffic=Traffic([active(), active()]))

        assert why.code is WhyCode.WORKERS_BUSY
        assert why.words.endswith("Another worker would take it sooner: belfry worker --queues sync")


class TestLimits:
    @pytest.mark.parametrize("taken", [0, 1])
    def test_hold_nothing_while_there_is_room(self, taken: int) -> None:
        limits = Limits(queue=2, job=2, connection=2, organization=2)

        assert of_run(run(limits=limits), traffic=Traffic([active()] * taken)).code is WhyCode.STARTING

    def test_of_a_queue_count_everybody_and_the_others_only_their_own(self) -> None:
        theirs = active(THEIRS)

        taken = Taken.of(run(), Traffic([theirs, theirs, active(), active(queue="code", connection_key=None)]))

        assert (taken.queue, taken.job, taken.connection, taken.organization) == (3, 2, 1, 2)

    def test_of_a_connection_are_none_for_a_run_without_one(self) -> None:
        taken = Taken.of(run(connection_key=None), Traffic([active(connection_key=None)]))

        assert taken.connection == 0

    @pytest.mark.parametrize(
        ("tokens", "age", "left"), [(0.0, 0, 0.0), (0.0, 30, 1.0), (2.0, 3_600, 2.0), (1.5, -5, 1.5)]
    )
    def test_of_a_rate_come_back_with_time_and_never_beyond_the_rate(
        self, tokens: float, age: float, left: float
    ) -> None:
        assert Rate(2, 60, tokens, ago(seconds=age)).left(NOW) == left

    def test_of_a_rate_are_untouched_before_the_first_start(self) -> None:
        assert Rate(2, 60, 0.0, None).left(NOW) == 2.0


class TestThePlaceInLine:
    def test_counts_of_others_no_more_than_their_fair_share(self) -> None:
        traffic = Traffic([active(THEIRS, queue="code")], [Line(THEIRS, 1_000), Line(OTHERS, 1), Line(OURS, 50)])

        # Of theirs one less, because one of them is going on.
        assert Taken.of(run(place=4), traffic).before == 3 + 2 + 1

    def test_is_the_first_when_others_have_more_in_hand(self) -> None:
        why = of_run(run(), traffic=Traffic([active(THEIRS, worker=None)], [Line(THEIRS, 1_000)]))

        assert (why.position, why.before) == (1, 0)
        assert why.words.endswith("It is one of the next.")

    @given(
        lines=st.dictionaries(st.integers(1, 6), st.tuples(st.integers(1, 8), st.integers(0, 5)), min_size=1),
        place=st.integers(1, 8),
        in_hand=st.integers(0, 5),
    )
    def test_is_that_of_the_line_up_to_one_run_of_each_other_organization(
        self, lines: dict[int, tuple[int, int]], place: int, in_hand: int
    ) -> None:
        others = {UUID(int=100 + number): counts for number, counts in lines.items()}
        hand = [active(OURS)] * in_hand + [active(one) for one, (_, held) in others.items() for _ in range(held)]
        traffic = Traffic(hand, [Line(one, waiting) for one, (waiting, _) in others.items()])
        turns = [held + number for waiting, held in others.values() for number in range(1, waiting + 1)]
        ours = in_hand + place

        before = Taken.of(run(place=place), traffic).before

        # Whose turn is the same goes by how long it waits, which is not counted.
        assert before == place - 1 + sum(turn < ours for turn in turns)


class TestWorkers:
    @pytest.mark.parametrize("queues", [None, "sync", "code,sync"])
    def test_serve_all_queues_or_those_they_name(self, queues: str | None) -> None:
        assert of_run(run(), process(queues=queues)).code is WhyCode.STARTING

    @pytest.mark.parametrize(
        "changes",
        [
            {"queues": "code,sync-big"},
            {"slots": 0},
            {"beat_at": ago(seconds=31)},
            {"beat_at": NOW + timedelta(seconds=31)},
            {"is_stopping": True},
        ],
        ids=["others", "none", "silent", "future", "stopping"],
    )
    def test_that_do_not_take_it_do_not_count(self, changes: dict[str, Any]) -> None:
        assert of_run(run(), process(**changes)).code is WhyCode.NO_WORKER

    def test_have_a_problem_only_when_all_have(self) -> None:
        ill = process(name="old:1", problem="The database was upgraded.")

        assert of_run(run(), ill).code is WhyCode.WORKER_PROBLEM
        assert of_run(run(), ill, process()).code is WhyCode.STARTING

    def test_are_busy_with_what_goes_on_and_not_with_what_is_called(self) -> None:
        called = Traffic([active(), active(worker=None)])
        going = Traffic([active(), active(THEIRS, queue="code")])

        assert of_run(run(), traffic=called).code is WhyCode.STARTING
        assert of_run(run(), traffic=going).code is WhyCode.WORKERS_BUSY

    def test_of_other_queues_are_no_help(self) -> None:
        busy = Traffic([active(), active()])

        assert of_run(run(), process(), process(name="b", queues="code"), traffic=busy).code is WhyCode.WORKERS_BUSY


class TestWaiting:
    def test_for_a_run_that_has_not_started_says_so(self) -> None:
        obstacle = Obstacle(BEFORE, ago(minutes=4), None)

        why = of_run(run(state=RunState.WAITING, reason=Reason.OVERLAP, obstacle=obstacle))

        assert why.words.startswith(f"The previous run ({BEFORE}) is still waiting, for 4 min now.")

    def test_that_is_over_is_seen_to_by_a_scheduler(self) -> None:
        waiting = run(state=RunState.WAITING, reason=Reason.OVERLAP)

        assert codes(of_run(waiting)) == [WhyCode.STARTING]
        assert codes(of_run(waiting, process(schedules=False))) == [WhyCode.SCHEDULER_SILENT]

    def test_says_the_first_line_of_the_error_alone(self) -> None:
        waiting = run(state=RunState.WAITING_RETRY, ready_at=NOW + timedelta(hours=1), error="Refused.\nTraceback …")

        assert of_run(waiting).words == "Its last try failed: Refused. The next one starts at 2027-01-05 13:00:00 UTC."
