"""The timeline of a schedule: where everything lies, also on days with more or fewer hours."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.ops.schedule_timeline import ComingSlots, ScheduleTimeline, Span
from app.runs.outcomes import Outcome
from app.runs.timeline import RunBunch
from app.schedules.gaps import GapRow
from app.schedules.policies import GapReason
from app.web.pictures.shapes import Form
from app.web.pictures.timeline import TimelinePicture, draw_timeline
from app.web.pictures.timeline_table import timeline_rows
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:00")
RUN_ID = UUID(int=7)


def timeline(**parts: Any) -> ScheduleTimeline:
    usual: dict[str, Any] = {
        "span": Span.DAY,
        "since": NOW - timedelta(hours=16),
        "now": NOW,
        "runs": (),
        "coming": (),
        "gaps": (),
    }
    return ScheduleTimeline(**(usual | parts))


def bunch(
    outcome: Outcome, begin: datetime, *, minutes: float = 1, runs: int = 1, since: datetime | None = None
) -> RunBunch:
    column = (begin - (since or NOW - timedelta(hours=16))) // Span.DAY.column
    return RunBunch(column, outcome, runs, begin, begin + timedelta(minutes=minutes), RUN_ID if runs == 1 else None)


def rectangles(picture: TimelinePicture, state: str, form: Form) -> list[tuple[float, ...]]:
    path = "".join(shape.path for shape in picture.shapes if (shape.state, shape.form) == (state, form))
    found = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)", path)
    return [tuple(float(part) for part in each) for each in found]


class TestTheLane:
    def test_is_two_thirds_past(self) -> None:
        assert draw_timeline(timeline(), zone="UTC").now == "66.67%"

    def test_draws_a_run_from_its_start_to_its_end(self) -> None:
        run = bunch(Outcome.SUCCEEDED, NOW - timedelta(hours=8), minutes=120)

        assert rectangles(draw_timeline(timeline(runs=(run,)), zone="UTC"), "succeeded", Form.SOLID) == [
            (240, 12, 60, 28)
        ]

    def test_draws_a_short_run_so_wide_that_it_is_seen(self) -> None:
        run = bunch(Outcome.SUCCEEDED, NOW - timedelta(hours=8), minutes=0.01)

        assert rectangles(draw_timeline(timeline(runs=(run,)), zone="UTC"), "succeeded", Form.SOLID) == [
            (240, 12, 5, 28)
        ]

    def test_cuts_off_what_began_before(self) -> None:
        run = RunBunch(0, Outcome.SUCCEEDED, 1, NOW - timedelta(hours=20), NOW - timedelta(hours=15), RUN_ID)

        assert rectangles(draw_timeline(timeline(runs=(run,)), zone="UTC"), "succeeded", Form.SOLID) == [
            (0, 12, 30, 28)
        ]

    def test_marks_failures_over_everything_else_and_above_their_bar(self) -> None:
        at = NOW - timedelta(hours=8)
        picture = draw_timeline(timeline(runs=(bunch(Outcome.FAILED, at), bunch(Outcome.SUCCEEDED, at))), zone="UTC")

        assert picture.crosses == ("33.33%",)
        assert picture.shapes[-1].state == "failed"
        assert rectangles(picture, "failed", Form.SOLID) == [(240, 0, 5, 40)]

    def test_draws_coming_slots_as_ticks(self) -> None:
        coming = (ComingSlots(64, 1, NOW + timedelta(minutes=12)),)

        assert rectangles(draw_timeline(timeline(coming=coming), zone="UTC"), "planned", Form.SOLID) == [
            (486, 24, 2, 16)
        ]

    def test_draws_many_slots_as_columns_of_their_number(self) -> None:
        coming = (ComingSlots(64, 15, None), ComingSlots(65, 5, None))
        picture = draw_timeline(timeline(coming=coming), zone="UTC")

        assert [height for *_place, height in rectangles(picture, "planned", Form.HOLLOW)] == [28, 13.3]

    def test_draws_gaps_as_dashed_ranges_and_tells_wanted_ones_apart(self) -> None:
        def gap(reason: GapReason) -> GapRow:
            return GapRow(NOW - timedelta(hours=8), NOW - timedelta(hours=6), 3, reason)

        picture = draw_timeline(timeline(gaps=(gap(GapReason.SCHEDULER_DOWN), gap(GapReason.PAUSED))), zone="UTC")

        assert rectangles(picture, "missed", Form.DASHED) == [(240, 2, 60, 36)]
        assert rectangles(picture, "disabled", Form.DASHED) == [(240, 2, 60, 36)]

    def test_is_a_handful_of_elements_however_much_there_is(self) -> None:
        since = NOW - timedelta(hours=112)
        runs = tuple(
            RunBunch(n, outcome, 60, since + timedelta(hours=n), since + timedelta(hours=n + 1), None)
            for n in range(112)
            for outcome in Outcome
        )
        coming = tuple(ComingSlots(n, 60, None) for n in range(112, 168))
        picture = draw_timeline(timeline(span=Span.WEEK, since=since, runs=runs, coming=coming), zone="UTC")

        assert len(picture.shapes) <= 12
        assert len(picture.crosses) <= 112

    def test_says_the_same_in_words(self) -> None:
        runs = (
            bunch(Outcome.SUCCEEDED, NOW - timedelta(hours=8), runs=1_200),
            bunch(Outcome.FAILED, NOW - timedelta(hours=3), minutes=10),
        )
        coming = (ComingSlots(64, 2, NOW + timedelta(minutes=12)), ComingSlots(70, 1, NOW + timedelta(hours=2)))

        assert draw_timeline(timeline(runs=runs, coming=coming), zone="Europe/Berlin").label == (
            "1,201 runs: 1,200 succeeded, 1 failed (latest Tue 5 Jan, 10:10). To come: 3, the first Tue 5 Jan, 13:12."
        )

    def test_says_that_there_is_nothing(self) -> None:
        assert draw_timeline(timeline(), zone="UTC").label == "No runs. Nothing to come."


class TestTheAxis:
    def test_marks_every_third_hour_and_names_the_day(self) -> None:
        ticks = draw_timeline(timeline(), zone="UTC").ticks

        assert [tick.label for tick in ticks] == [
            "21:00",
            "Tue 5",
            "03:00",
            "06:00",
            "09:00",
            "12:00",
            "15:00",
            "18:00",
        ]

    def test_names_on_phones_every_second_of_them_away_from_the_edges(self) -> None:
        ticks = draw_timeline(timeline(), zone="UTC").ticks

        assert [tick.label for tick in ticks if not tick.is_minor] == ["Tue 5", "06:00", "12:00", "18:00"]

    def test_marks_hours_of_the_chosen_zone(self) -> None:
        since = NOW - timedelta(hours=16, minutes=30)

        ticks = draw_timeline(timeline(since=since), zone="Asia/Kolkata").ticks

        assert (ticks[0].label, ticks[0].at) == ("03:00", "8.33%")

    def test_marks_days_of_a_week(self) -> None:
        week = timeline(span=Span.WEEK, since=NOW - timedelta(hours=112))

        ticks = draw_timeline(week, zone="UTC").ticks

        assert [tick.label for tick in ticks] == ["Fr 1", "Sa 2", "Su 3", "Mo 4", "Tu 5", "We 6", "Th 7"]

    @pytest.mark.parametrize(
        ("begin", "midnight", "hours", "sentence"),
        [
            ("2027-10-30 20:00", "Sun 31", 4, "Sun 31 Oct, 03:00: the clocks go back 1 h. That day has 25 hours."),
            ("2027-03-27 20:00", "Sun 28", 2, "Sun 28 Mar, 02:00: the clocks go forward 1 h. That day has 23 hours."),
        ],
    )
    def test_keeps_to_elapsed_time_when_the_clocks_change(
        self, begin: str, midnight: str, hours: int, sentence: str
    ) -> None:
        since = utc(begin)

        picture = draw_timeline(timeline(since=since, now=since + timedelta(hours=16)), zone="Europe/Berlin")

        at = {tick.label: float(tick.at.rstrip("%")) for tick in picture.ticks}
        assert at["03:00"] - at[midnight] == pytest.approx(hours / 24 * 100, abs=0.02)
        assert [change.sentence for change in picture.clock_changes] == [sentence]

    def test_shades_the_hour_that_happens_twice_and_none_that_is_left_out(self) -> None:
        def change(begin: str) -> str:
            since = utc(begin)
            day = timeline(since=since, now=since + timedelta(hours=16))
            return draw_timeline(day, zone="Europe/Berlin").clock_changes[0].width

        assert change("2027-10-30 20:00") == "4.17%"
        assert change("2027-03-27 20:00") == ""

    def test_leaves_the_sign_of_a_clock_change_out_where_now_is_written(self) -> None:
        since = utc("2027-10-30 20:00")

        far = draw_timeline(timeline(since=since, now=since + timedelta(hours=16)), zone="Europe/Berlin")
        near = draw_timeline(timeline(since=since, now=since + timedelta(hours=6)), zone="Europe/Berlin")

        assert (far.clock_changes[0].sign, near.clock_changes[0].sign) == ("−1 h", "")


class TestTheTable:
    def test_counts_by_hours_and_leads_to_the_one_that_failed(self) -> None:
        at = NOW - timedelta(hours=8)
        runs = (
            bunch(Outcome.SUCCEEDED, at, runs=3),
            bunch(Outcome.FAILED, at + timedelta(minutes=20)),
            bunch(Outcome.SUCCEEDED_AFTER_RETRY, at + timedelta(minutes=40)),
        )
        (row,) = timeline_rows(timeline(runs=runs), zone="UTC")

        assert (row.label, row.succeeded, row.failed, row.others) == ("Tue 5 Jan, 04:00", 4, 1, "1 after retry")
        assert row.failed_run_id == RUN_ID

    def test_has_a_row_more_on_the_day_of_twenty_five_hours(self) -> None:
        since = utc("2027-10-30 20:00")
        runs = tuple(bunch(Outcome.SUCCEEDED, since + timedelta(hours=hour), since=since) for hour in range(24))
        rows = timeline_rows(timeline(since=since, now=since + timedelta(hours=16), runs=runs), zone="Europe/Berlin")

        assert len(rows) == 24
        assert [row.label for row in rows[4:6]] == ["Sun 31 Oct, 02:00", "Sun 31 Oct, 02:00 again"]

    def test_counts_a_week_by_days_with_gaps_and_what_comes(self) -> None:
        since = NOW - timedelta(hours=112)
        gap = GapRow(utc("2027-01-02 09:00"), utc("2027-01-03 09:00"), 25, GapReason.SCHEDULER_DOWN)
        week = timeline(span=Span.WEEK, since=since, gaps=(gap,), coming=(ComingSlots(113, 4, None),))

        rows = timeline_rows(week, zone="UTC")

        assert [(row.label, row.has_gap, row.coming) for row in rows] == [
            ("Sat 2 Jan", True, 0),
            ("Sun 3 Jan", True, 0),
            ("Tue 5 Jan", False, 4),
        ]
