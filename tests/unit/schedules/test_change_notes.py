"""What is said of clock changes, against what a rhythm then does: over all zones, several lines and bounds included."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest

from app.core.errors import Invalid
from app.schedules.change_notes import ChangeNote, clock_change_notes
from app.schedules.clock_changes import DAY_MINUTES, ClockChange, OffsetChange, changes_of_year, to_instant
from app.schedules.cron import CronExpression
from app.schedules.fire_times import MOMENT, Rhythm, fire_times, rhythm
from app.schedules.zones import find_zone
from tests.fakes.clock import utc

NOW = utc("2026-11-22 08:00")
AN_HOUR = timedelta(hours=1)
YEARS = range(2027, 2031)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
RHYTHMS_FOR_EACH = 14


def texts(cron: str, zone: str = "America/New_York", **said: object) -> list[str]:
    when = rhythm(cron, timezone=zone, **said)  # type: ignore[arg-type]
    return [note.text for note in clock_change_notes(when, now=NOW)]


class TestSeveralLines:
    def test_merge_as_one_line_does(self) -> None:
        merged = "14 Mar 2027: the 02:00 run merges with 03:00: 1 run instead of 2."

        assert texts("0 2 * * *\n0 3 * * *") == texts("0 2,3 * * *") == [merged]

    def test_are_counted_together(self) -> None:
        merged = "14 Mar 2027: the 02:00 run merges with 03:00: 2 runs instead of 3."

        assert texts("0 2,3 * * *\n0 4 * * *") == [merged]

    def test_of_both_kinds_merge_too(self) -> None:
        assert texts("0 2 * * *\n0 * * * *")[0] == "14 Mar 2027: the 02:00 run merges with 03:00."

    def test_of_both_kinds_are_counted_together(self) -> None:
        words = "What repeats through the day runs by elapsed time when the clocks change: "

        assert texts("30 12 * * *\n*/30 * * * *")[-1] == f"{words}46 runs on 14 Mar, 50 on 7 Nov."

    def test_run_both_times_where_one_of_them_does(self) -> None:
        assert "01:30 happens twice on Sun 7 Nov 2027 in New York: runs both times." in texts(
            "30 1 * * *\n*/30 1 * * *"
        )


class TestBounds:
    @pytest.mark.parametrize(
        ("cron", "said", "expected"),
        [
            ("30 2 * * *", {"ends_at": utc("2027-03-14 07:00")}, []),
            ("30 2 * * *", {"starts_at": utc("2027-03-14 07:01")}, []),
            (
                "30 2 * * *", {"starts_at": utc("2027-03-14 07:00")},
                ["02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00."],
            ),
            (
                "30 1 * * *", {"starts_at": utc("2027-11-07 05:45")},
                [
                    "01:30 happens twice on Sun 7 Nov 2027 in New York: does not run, "
                    "because the first time lies before the start."
                ],
            ),
            (
                "30 1 * * *", {"ends_at": utc("2027-11-07 06:10"), "clock_change": ClockChange.TWICE},
                ["01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time."],
            ),
            (
                "30 1 * * *", {"starts_at": utc("2027-11-07 05:45"), "clock_change": ClockChange.TWICE},
                ["01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the second time."],
            ),
            (
                "15,45 1 * * *", {"starts_at": utc("2027-11-07 05:30")},
                [
                    "01:15 happens twice on Sun 7 Nov 2027 in New York: does not run, "
                    "because the first time lies before the start.",
                    "01:45 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time.",
                ],
            ),
            ("0 2,3 * * *", {"starts_at": utc("2027-03-14 06:00")}, ["14 Mar 2027: the 02:00 run merges with 03:00."]),
        ],
    )  # fmt: skip
    def test_are_taken_into_account(self, cron: str, said: dict[str, object], expected: list[str]) -> None:
        assert [text for text in texts(cron, **said) if "2027" in text] == expected


class TestDays:
    def test_are_those_of_the_time_that_is_left_out(self) -> None:
        when = rhythm("0 0,23 * * *", timezone="America/Nuuk")

        found = clock_change_notes(when, now=utc("2029-01-01 00:00"))

        assert found[0].text == "24 Mar 2029: the 23:00 run merges with 00:00 on 25 Mar 2029: 1 run instead of 2."

    def test_of_hourly_runs_are_those_that_lose_one(self) -> None:
        when = rhythm("0 * * * *", timezone="America/Nuuk")

        found = clock_change_notes(when, now=utc("2029-01-01 00:00"))

        assert found[0].text == "Keeps its 60-minute spacing: 23 runs on 24 Mar, 25 on 27 Oct."

    def test_of_half_an_hour_do_not_keep_a_spacing_of_one(self) -> None:
        (found,) = texts("0 * * * *", zone="Australia/Lord_Howe")

        assert found.startswith("Runs by elapsed time when the clocks change: ")


class TestSeconds:
    def test_of_the_minute_after_a_jump_have_their_own_turn(self) -> None:
        when = rhythm("*/20 0 2,3 * * *", timezone="America/New_York", has_seconds=True)
        begin = utc("2027-03-14 06:00")

        found = fire_times(when, after=begin, until=begin + 2 * AN_HOUR, limit=10)

        assert found == [utc("2027-03-14 07:00") + timedelta(seconds=second) for second in (0, 20, 40)]

    def test_are_not_told_as_one_run(self) -> None:
        when = rhythm("*/20 30 1 * * *", timezone="America/New_York", has_seconds=True)

        (found,) = (note.text for note in clock_change_notes(when, now=utc("2027-06-01 00:00")))

        assert found == "01:30 happens twice on Sun 7 Nov 2027 in New York: runs the first time only."


@dataclass(frozen=True)
class Case:
    """A rhythm near a change of its clocks."""

    when: Rhythm
    change: OffsetChange

    @property
    def at(self) -> datetime:
        return to_instant(self.change.at)

    @property
    def zone(self) -> ZoneInfo:
        return self.when.zone.tzinfo

    @property
    def lines(self) -> tuple[CronExpression, ...]:
        assert not hasattr(self.when.cron, "step")
        return self.when.cron.lines  # type: ignore[union-attr]

    def names(self, wall: datetime, *, is_fixed: bool | None = None) -> bool:
        """Whether a line names this time, by a look at its fields alone: these rhythms name all days."""
        lines = [line for line in self.lines if is_fixed in (None, line.is_fixed)]
        return any(wall.minute in line.minutes and wall.hour in line.hours for line in lines)

    def runs_on(self, day: date) -> int:
        begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=36)
        found = fire_times(self.when, after=begin, until=begin + timedelta(days=4), limit=10_000)
        return sum(at.astimezone(self.zone).date() == day for at in found)

    def named_on(self, day: date) -> int:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        return sum(self.names(midnight + timedelta(minutes=minute)) for minute in range(DAY_MINUTES))

    def runs_at(self, at: datetime) -> bool:
        return fire_times(self.when, after=at - MOMENT, until=at, limit=1) == [at]


def zones_with_changes() -> Iterator[tuple[str, OffsetChange]]:
    """Each change of the clocks of these years, once for all zones that make it alike."""
    seen = set()
    for name in sorted(available_timezones()):
        try:
            zone = find_zone(name)
        except Invalid:
            # No zone that anybody can choose.
            continue
        for year in YEARS:
            for change in changes_of_year(zone, year):
                if change not in seen and to_instant(change.at).year == year:
                    seen.add(change)
                    yield name, change


def cases_near(name: str, change: OffsetChange, chance: random.Random) -> Iterator[Case]:
    low, high = sorted((change.at + change.before, change.at + change.after))
    hours = sorted({(minute // 60) % 24 for minute in range(low - 60, high + 61, 30)})
    for _ in range(RHYTHMS_FOR_EACH):
        pool = [
            *(f"{chance.choice((0, 0, 15, 30, 45))} {hour} * * *" for hour in hours),
            f"0,30 {','.join(map(str, chance.sample(hours, 2)))} * * *",
            *("*/15 * * * *", "0 * * * *", "5 */6 * * *", f"*/20 {chance.choice(hours)} * * *"),
        ]
        text = "\n".join(chance.sample(pool, chance.choice((1, 1, 2, 3))))
        when = rhythm(text, timezone=name, clock_change=chance.choice(list(ClockChange)))
        bounds = [None, None, to_instant(change.at) + timedelta(minutes=5 * chance.randrange(-40, 40))]
        start, end = chance.choice(bounds), chance.choice(bounds)
        if start is None or end is None or start < end:
            yield Case(replace(when, starts_at=start, ends_at=end), change)


def check(case: Case, note: ChangeNote) -> set[str]:
    """That the sentence is true. Returns the times on the clock that it names."""
    for pattern, check_one in CHECKS.items():
        found = re.fullmatch(pattern, note.text)
        if found is not None:
            check_one(case, found)
            return set(re.findall(r"\d\d:\d\d", found["times"])) if "times" in found.groupdict() else set()
    raise AssertionError(f"nobody knows how to check: {note.text}")


def day_of(text: str) -> date:
    day, month, year = text.split()[-3:]
    return date(int(year), MONTHS.index(month) + 1, int(day))


def walls_of(found: re.Match[str]) -> list[datetime]:
    day = day_of(found["day"])
    clocks = [clock.split(":") for clock in re.findall(r"\d\d:\d\d", found["times"])]
    return [datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=UTC) for hour, minute in clocks]


def check_left_out(case: Case, found: re.Match[str]) -> None:
    for wall in walls_of(found):
        assert case.names(wall, is_fixed=True)
        there = wall.replace(tzinfo=case.zone).astimezone(UTC).astimezone(case.zone)
        assert there.replace(tzinfo=UTC) != wall
    back = case.at.astimezone(case.zone)
    if "back" in found.groupdict():
        assert (f"{back:%H:%M}", case.runs_at(case.at), case.names(back)) == (found["back"], True, False)
    else:
        assert case.runs_at(case.at) == case.names(back)


def check_merged(case: Case, found: re.Match[str]) -> None:
    back = case.at.astimezone(case.zone)
    assert (f"{back:%H:%M}", case.runs_at(case.at), case.names(back)) == (found["back"], True, True)
    assert back.date() == day_of(found["other"] or found["day"])
    day = day_of(found["day"])
    if found["actual"]:
        assert (case.runs_on(day), case.named_on(day)) == (int(found["actual"]), int(found["usual"]))
    elif not (case.when.starts_at or case.when.ends_at):
        assert not all(line.is_fixed for line in case.lines)


def check_repeated(case: Case, found: re.Match[str]) -> None:
    expected = {
        "runs once, the first time": (True, False), "each runs once, the first time": (True, False),
        "runs once, the second time": (False, True), "each runs once, the second time": (False, True),
        "runs both times": (True, True), "each runs both times": (True, True),
        "does not run, because the first time lies before the start": (False, False),
        "do not run, because the first time lies before the start": (False, False),
    }  # fmt: skip
    for wall in walls_of(found):
        both = tuple(case.runs_at(wall.replace(tzinfo=case.zone, fold=fold).astimezone(UTC)) for fold in (0, 1))
        assert both == expected[found["fate"]]


def check_paced(case: Case, found: re.Match[str]) -> None:
    for count, day in re.findall(r"([\d,]+)(?: runs?)? on (\d+ \w+)", found["days"]):
        years = (case.at.year, case.at.year + 1)
        assert int(count.replace(",", "")) in [case.runs_on(day_of(f"{day} {year}")) for year in years]


_TIMES, _DAY = r"(?P<times>\d\d:\d\d[\w:, ]*?)", r"(?P<day>\w+ \d+ \w+ \d{4})"
CHECKS = {
    rf"{_TIMES} do(?:es)? not exist on {_DAY} in .*: do(?:es)? not run then\.": check_left_out,
    rf"{_TIMES} do(?:es)? not exist on {_DAY} in .*: runs(?: once)? at (?P<back>[\d:]+)\.": check_left_out,
    rf"(?P<day>\d+ \w+ \d{{4}}): the {_TIMES} runs? merges? with (?P<back>[\d:]+)(?: on (?P<other>\d+ \w+ \d+))?"
    r"(?:: (?P<actual>\d+) runs? instead of (?P<usual>\d+))?\.": check_merged,
    rf"{_TIMES} happens? twice on {_DAY} in .*: (?P<fate>.*)\.": check_repeated,
    r"(?:Keeps its \d+-minute spacing|.* by elapsed time when the clocks change): (?P<days>.*)\.": check_paced,
}


def expected_of(case: Case) -> set[str]:
    """The times of fixed lines that the change leaves out or repeats, where it lies within the bounds."""
    start, end, change = case.when.starts_at, case.when.ends_at, case.change
    walls = change.at + change.before, change.at + change.after
    is_gap = walls[0] < walls[1]
    if (start and start > case.at) or (end and (end <= case.at if is_gap else end < case.at)):
        return set()
    if walls[0] - walls[1] > 180:
        return set()
    instants = (to_instant(minute) for minute in range(min(walls), max(walls)))
    return {f"{wall:%H:%M}" for wall in instants if case.names(wall, is_fixed=True)}


def change_at(case: Case, at: datetime) -> OffsetChange:
    return next(change for change in changes_of_year(case.when.zone, at.year) if to_instant(change.at) == at)


def test_every_sentence_is_true_and_no_time_is_left_out() -> None:
    chance, told = random.Random(7), 0
    for name, change in zones_with_changes():
        for case in cases_near(name, change, chance):
            notes = clock_change_notes(case.when, now=case.at - timedelta(days=10))
            named: set[str] = set()
            for note in notes:
                clocks = check(replace(case, change=change_at(case, note.at)), note)
                named |= clocks if note.at == case.at else set()
            told += len(notes)
            if not any("what follows it" in note.text for note in notes):
                assert named == expected_of(case), (case.when, notes)

    assert told > 1_000
