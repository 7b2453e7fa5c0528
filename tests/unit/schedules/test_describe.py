"""The sentence that says what a rhythm does, and the notes beside it."""

import locale
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.schedules import phrases
from app.schedules.cron import CronInvalid
from app.schedules.describe import MOST_NOTES, describe, notes
from app.schedules.fire_times import ClockChange, fire_times, rhythm

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SENTENCES = {
    # the presets
    "*/5 * * * *": "Every 5 minutes",
    "*/15 * * * *": "Every 15 minutes",
    "*/30 * * * *": "Every 30 minutes",
    "0 * * * *": "Every hour",
    "0 */3 * * *": "Every 3 hours",
    "0 */6 * * *": "Every 6 hours",
    "0 6,18 * * *": "Every day at 06:00 and 18:00",
    "0 6 * * *": "Every day at 06:00",
    "0 9 * * 1-5": "Every weekday at 09:00",
    "0 9 * * 1": "Every Monday at 09:00",
    "0 6 1 * *": "On day 1 of every month at 06:00",
    "0 6 L * *": "On the last day of every month at 06:00",
    # simple shapes
    "* * * * *": "Every minute",
    "15 * * * *": "Every hour at minute 15",
    "7,37 * * * *": "Every hour at minutes 7 and 37",
    "15 */6 * * *": "Every 6 hours at minute 15",
    "0 0-23 * * *": "Every hour",
    "0 9-17 * * *": "Every hour from 09:00 to 17:00",
    "*/15 9-17 * * 1-5": "Every 15 minutes from 09:00 to 17:45, every weekday",
    "* 2 * * *": "Every minute from 02:00 to 02:59",
    "0 */5 * * *": "Every day at 00:00, 05:00, 10:00, 15:00 and 20:00",
    "0 9 * * SUN,SAT": "Every Saturday and Sunday at 09:00",
    "0 9 * * 0-6": "Every day at 09:00",
    "0 9 * JUN-AUG 1": "Every Monday in June, July and August at 09:00",
    "0 9 * 12 *": "Every day in December at 09:00",
    "0 0 1,15,L * *": "On days 1 and 15 and the last day of every month at 00:00",
    "0 0 1 1 *": "On 1 January every year at 00:00",
    "0 0 31 1,3 *": "On day 31 of January and March at 00:00",
    "0 0 15W * *": "On the weekday nearest to day 15 of every month at 00:00",
    "0 0 * * L5": "On the last Friday of every month at 00:00",
    "0 0 * 3 2#1,4#1": "On the first Tuesday and the first Thursday of March at 00:00",
    "@daily": "Every day at 00:00",
    "@manually": "Only when somebody starts it",
    "H H * * *": "Every day at 14:25",
    # what cron-descriptor gets wrong
    "0 0 */2 * 1": "Every Monday that falls on days 1, 3, 5 … 31 of the month at 00:00",
    "0 0 13 * 5": "On day 13 of every month and also every Friday at 00:00",
    "30 9 * * 1-1": "Every Monday at 09:30",
    "1-1 * * * *": "Every hour at minute 1",
    "*/7 * * * *": "Every 7 minutes within each hour",
    "*/90 * * * *": "Every hour",
    "59/15 * * * *": "Every hour at minute 59",
    "*/5 6,18 * * *": "Every 5 minutes from 06:00 to 06:55 and from 18:00 to 18:55",
    "*/5 */6 * * *": "Every 5 minutes in every 6th hour from midnight on",
    "* 1,3,5,8 * * *": "Every minute in hours 1, 3, 5 and 8",
    "0 9 1,2,4,8,16,17,30 * *": "On days 1, 2, 4, 8, 16, 17 and 30 of every month at 09:00",
    # what is left to cron-descriptor
    "5,35 9-17 * * *": "At 5 and 35 minutes past the hour, between 09:00 and 17:59",
    "1,2,3,4,5,6,7,9 * * * 1": "At 1, 2, 3, 4, 5, 6, 7, and 9 minutes past the hour, every Monday",
    "0-59/3 0,1,2,4,8,16,20,22,23 * * *": "Every 3 minutes in hours 0, 1, 2, 4, 8, 16, 20, 22 and 23",
    "1-59/2 * * * *": "Every 2 minutes from minute 1 to 59 of each hour",
    "2-58/4 9-17 * * 1-5": "Every 4 minutes from minute 2 to 58 of each hour from 09:02 to 17:58, every weekday",
    "0 0 29 2 *": "On 29 February in leap years at 00:00",
    # too long for words
    "0,1,3,7,12,20,31,33,34,36,38,41,43,47,51,53,57 0,1,2,4,8,16,20,22,23 * * *": (
        "On the cron line 0,1,3,7,12,20,31,33,34,36,38,41,43,47,51,53,57 0,1,2,4,8,16,20,22,23 * * *"
    ),
}


@pytest.mark.parametrize(("text", "sentence"), SENTENCES.items())
def test_a_rhythm_is_one_sentence_that_ends_with_its_zone(text: str, sentence: str) -> None:
    when = rhythm(text, timezone="America/New_York", spread_key="sync-1")

    assert describe(when) == f"{sentence}, New York time"


def test_utc_is_not_called_a_time() -> None:
    assert describe(rhythm("0 6 * * *", timezone="Z")) == "Every day at 06:00, UTC"


def test_a_failing_library_leaves_the_cron_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        def __init__(self, *_: object) -> None:
            raise phrases.FormatException

    monkeypatch.setattr(phrases, "ExpressionDescriptor", Failing)

    found = describe(rhythm("5,35 9-17 * * *", timezone="UTC"))

    assert found == "On the cron line 5,35 9-17 * * *, UTC"


def test_a_machine_without_a_locale_changes_nothing() -> None:
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_ALL, "C")

    try:
        found = describe(rhythm("5,35 9-17 * * 1", timezone="UTC"))
    finally:
        locale.setlocale(locale.LC_ALL, before)

    assert found == "At 5 and 35 minutes past the hour, between 09:00 and 17:59, every Monday, UTC"


NOTES = [
    ("0 0 29 2 *", "UTC", ["Only in leap years. Next: 29 Feb 2028."]),
    (
        "0 6 31 * *",
        "UTC",
        [
            "February, April, June, September and November have no 31st: nothing runs on it there. "
            "L is the last day of every month."
        ],
    ),
    ("0 6 30 2,3 *", "UTC", ["February has no 30th: nothing runs on it there. L is the last day of every month."]),
    ("0 6 15,30 * *", "UTC", ["February has no 30th: nothing runs on it there. L is the last day of every month."]),
    ("0 6 29 * *", "UTC", ["February has a 29th in leap years alone."]),
    ("0 6 31 1,3 *", "UTC", []),
    ("0 6 28 * *", "UTC", []),
    ("0 6 1-31 * *", "UTC", []),
    ("0 6 */2 * *", "UTC", []),
    ("0 6,6 * * *", "UTC", ["The hour 6 is named more than once, and counts once."]),
    ("0,30,0 6 * * *", "UTC", ["The minute 0 is named more than once, and counts once."]),
    (
        "0 0 13 * 5",
        "UTC",
        ["Runs on the 13th and also every Friday. Cron joins day and weekday with “or”."],
    ),
    ("*/7 * * * *", "UTC", ["7 does not divide 60: gaps are 7 min, but 4 min at each full hour."]),
    ("0 */5 * * *", "UTC", ["5 does not divide 24: gaps are 5 h, but 4 h at midnight."]),
    ("*/90 * * * *", "UTC", ["A step of 90 is longer than an hour: this is minute 0 only."]),
    ("* * * * *", "UTC", ["1,440 runs a day."]),
    ("0 9 * * *", "America/New_York", []),
    ("0 * * * *", "Asia/Kolkata", []),
    ("30 2 * * *", "America/Sao_Paulo", []),
    ("30 2 * * *", "America/New_York", ["02:30 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00."]),
    (
        "30 1 * * *",
        "America/New_York",
        ["01:30 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time."],
    ),
    (
        "0 2 * * *",
        "Europe/Berlin",
        [
            "02:00 does not exist on Sun 28 Mar 2027 in Berlin: runs at 03:00.",
            "02:00 happens twice on Sun 31 Oct 2027 in Berlin: runs once, the first time.",
        ],
    ),
    (
        "0 2-4 * * *",
        "America/New_York",
        ["14 Mar 2027: the 02:00 run merges with 03:00: 2 runs instead of 3."],
    ),
    (
        "*/30 * * * *",
        "America/New_York",
        ["Keeps its 30-minute spacing: 46 runs on 14 Mar, 50 on 7 Nov."],
    ),
    ("* 2 * * *", "America/New_York", ["Runs by elapsed time when the clocks change: 0 runs on 14 Mar."]),
    ("30 0 * * *", "Africa/Cairo", ["00:30 does not exist on Fri 30 Apr 2027 in Cairo: runs at 01:00."]),
    (
        "15 2 * * *",
        "Australia/Lord_Howe",
        ["02:15 does not exist on Sun 3 Oct 2027 in Lord Howe: runs at 02:30."],
    ),
    (
        "0,30 2 * * *",
        "America/New_York",
        ["02:00 and 02:30 do not exist on Sun 14 Mar 2027 in New York: runs once at 03:00."],
    ),
    ("@manually", "America/New_York", []),
]


@pytest.mark.parametrize(("text", "name", "expected"), NOTES)
def test_what_surprises_people_is_said_beforehand(text: str, name: str, expected: list[str]) -> None:
    assert notes(rhythm(text, timezone=name), now=NOW) == tuple(expected)


@pytest.mark.parametrize(
    ("text", "choice", "end"),
    [
        ("30 2 * * *", ClockChange.SKIP, "does not run then."),
        ("30 2 * * *", ClockChange.TWICE, "runs at 03:00."),
        ("30 1 * * *", ClockChange.SKIP, "runs once, the first time."),
        ("30 1 * * *", ClockChange.TWICE, "runs both times."),
    ],
)
def test_a_note_follows_what_was_chosen_for_clock_changes(text: str, choice: ClockChange, end: str) -> None:
    (found,) = notes(rhythm(text, timezone="America/New_York", clock_change=choice), now=NOW)

    assert found.endswith(end)


def test_a_day_that_was_left_out_is_named() -> None:
    (found, *_) = notes(rhythm("0 9 * * *", timezone="Pacific/Apia"), now=datetime(2011, 10, 1, tzinfo=UTC))

    assert found == "09:00 does not exist on Fri 30 Dec 2011 in Apia: does not run then."


def test_there_are_never_more_than_four_notes() -> None:
    crowded = rhythm("0-59 0-23 29 2 1", timezone="Africa/Casablanca")

    assert len(notes(crowded, now=NOW)) <= 4


# Five lines, four of which surprise by their days, and one that the clocks of New York touch, every spring.
MANY = "2 2 13 * 5\n12 2 31 * *\n22 2 30 * *\n32 2 29 2 *\n42 2 * * *"


def test_no_change_of_the_clocks_is_left_out_that_is_shown() -> None:
    crowded = rhythm(MANY, timezone="America/New_York", ends_at=NOW + timedelta(days=900))
    shown = fire_times(crowded, after=datetime(2027, 3, 13, 12, tzinfo=UTC), limit=5)

    found = notes(crowded, now=datetime(2027, 3, 13, 12, tzinfo=UTC), shown_until=shown[-1])

    assert "02:42 does not exist on Sun 14 Mar 2027 in New York: runs at 03:00." in found
    assert found[-1].startswith("And ")


def test_a_change_that_repeats_the_last_time_shown_counts_as_shown() -> None:
    crowded = rhythm(MANY.replace("42 2", "42 1"), timezone="America/New_York", ends_at=NOW + timedelta(days=900))
    now = datetime(2027, 11, 6, 12, tzinfo=UTC)

    found = notes(crowded, now=now, shown_until=fire_times(crowded, after=now, limit=1)[-1])

    assert "01:42 happens twice on Sun 7 Nov 2027 in New York: runs once, the first time." in found


def test_what_is_left_out_is_counted() -> None:
    crowded = rhythm(MANY, timezone="America/New_York", ends_at=NOW + timedelta(days=900))
    lines = (replace(crowded, cron=rhythm(line, timezone="UTC").cron) for line in MANY.splitlines())
    everything = {note for line in lines for note in notes(line, now=NOW)}

    found = notes(crowded, now=NOW)

    assert len(found) == MOST_NOTES + 1
    left = int(found[-1].removeprefix("And ").partition(" ")[0])
    assert len(everything - set(found)) == left


@pytest.mark.parametrize("rule", ClockChange)
def test_a_change_years_ahead_is_named_where_a_run_of_that_day_is_shown(rule: ClockChange) -> None:
    yearly = rhythm("30 2 14 3 *", timezone="America/New_York", clock_change=rule)
    shown = fire_times(yearly, after=NOW, limit=20)

    found = notes(yearly, now=NOW, shown_until=shown[-1])

    sundays = [year for year in range(2027, shown[-1].year + 1) if date(year, 3, 14).weekday() == 6]
    assert len(sundays) > 1
    assert [str(year) in note for year, note in zip(sundays, found, strict=True)] == [True] * len(sundays)


@pytest.mark.parametrize("year", [1, 2, 9997, 9998, 9999])
def test_notes_survive_the_edges_of_the_calendar(year: int) -> None:
    found = notes(rhythm("30 2 * * *", timezone="America/New_York"), now=datetime(year, 6, 1, tzinfo=UTC))

    assert len(found) <= 4


def test_a_sentence_exists_for_everything_that_is_accepted() -> None:
    minutes, hours = ("*", "*/7", "0-29/10", "3,4,9", "59/15"), ("*", "*/5", "8-10,20", "3")
    days = [("*", "*", "*"), ("L", "*", "*"), ("*/2", "2", "*/3"), ("15W", "*", "1-5"), ("*", "1,2", "L5")]

    for minute in minutes:
        for hour in hours:
            for day, month, weekday in days:
                found = describe(rhythm(f"{minute} {hour} {day} {month} {weekday}", timezone="Europe/Berlin"))
                assert found.endswith(", Berlin time")


def test_nothing_that_is_refused_reaches_the_words() -> None:
    with pytest.raises(CronInvalid):
        rhythm("<script> * * * *", timezone="UTC")
