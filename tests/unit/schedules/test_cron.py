"""What a cron text may be, what it becomes, and the words for what it may not be."""

import time

import pytest

from app.core.errors import Invalid
from app.schedules.cron import CronInvalid, parse_cron

MESSAGES = {
    "": "A cron line has 5 fields: minute hour day month weekday. This has 0.",
    "0 9 * *": "A cron line has 5 fields: minute hour day month weekday. This has 4.",
    "0 0 9 * * *": "Seconds are not supported. Remove the first field. Or allow seconds for this schedule.",
    "0 0 9 * * * 2027": (
        "Seconds are not supported. Remove the first field. Years are not supported either: remove the last one too."
    ),
    "0 0 0 9 * * * *": "A cron line has 5 fields: minute hour day month weekday. This has 8.",
    "60 * * * *": "Minute 60 does not exist. Use 0 to 59.",
    "0 25 * * *": "Hour 25 does not exist. Use 0 to 23.",
    "0 0 32 * *": "Day 32 does not exist. Use 1 to 31, or L for the last day.",
    "0 0 0 * *": "Day 0 does not exist. Use 1 to 31, or L for the last day.",
    "0 0 1 13 *": "Month 13 does not exist. Use 1 to 12 or names like JAN.",
    "0 9 * * 8": "Weekday 8 does not exist. Use 0 to 7 (0 and 7 are Sunday) or names like MON.",
    "0 9 * * MONDAY": "“MONDAY” is not a weekday. Use 0 to 7 (0 and 7 are Sunday) or names like MON.",
    "x * * * *": "“X” is not a minute. Use 0 to 59.",
    "-5 * * * *": "“-5” is not a minute. Use 0 to 59.",
    "0 9 * * MON-SUN": "MON-SUN runs backwards, because SUN counts as 0. Write 1-7 or *.",
    "0 9 * * FRI-SUN": "FRI-SUN runs backwards, because SUN counts as 0. Write 5-7.",
    "5-1 * * * *": "5-1 runs backwards. Write 1-5, or 5-59,0-1.",
    "0 22-2 * * *": "22-2 runs backwards. Write 2-22, or 22-23,0-2.",
    "0 9 * nov-feb *": "NOV-FEB runs backwards. Write 2-11, or 11-12,1-2.",
    "0 9 * * 7-1": "7-1 runs backwards. Write 1-7, or 0-1.",
    "50-10/5 * * * *": "50-10/5 runs backwards. Put the smaller number first.",
    "*/0 * * * *": "A step must be 1 or more.",
    "0 0 31 2 *": "This never happens: February has no day 31.",
    "0 0 30,31 2 *": "This never happens: February has no day 30 or 31.",
    "0 0 31 4,6 *": "This never happens: April and June have no day 31.",
    "0 0 15W * */7": "This never happens: no date fits both the day and the weekday. Change one of the two.",
    "R * * * *": "R is not supported: it would be another time whenever the line is read. Use H, which stays the same.",
    "@reboot": "@reboot is not supported: a restart must not start jobs. Use times, or @manually.",
    "@never": "@never is not known. Use @hourly, @daily, @weekly, @monthly, @yearly or @manually, or five fields.",
    "1,,2 * * * *": "A minute is missing beside a comma. Remove the comma or add the minute.",
    "5/15,7 * * * *": "5/15 cannot be part of a list. Write the range out: 5-59/15.",
    "*,5 * * * *": "* already means every minute, so it cannot be part of a list. Write * alone.",
    "0 0 1,15W * *": "15W cannot be part of a list. Use one schedule for each such day.",
    "0 0 L-3 * *": "L-3 is not supported. L alone is the last day of the month.",
    "0 0 * * 5L": "5L is not supported. Write L5 for the last one of the month.",
    "0 0 * * L": ("L needs a weekday: L5 is the last Friday. For the last day of the month, use L as the day."),
    "0 0 * * 5#6": "After # comes 1 to 5: 5#2 is the second Friday of a month.",
    "H(0-99) * * * *": "Minute 99 does not exist. Use 0 to 59.",
    "é * * * *": "A cron line has plain ASCII characters only. Replace “é”.",
    "\N{NO-BREAK SPACE}0 9 * * *x\N{FULLWIDTH DIGIT ONE}": "A cron line has plain ASCII characters only. Replace “１”.",
    "0 9 * * \x00": "A cron line has plain ASCII characters only. Replace U+0000.",
    "0 0 1-100000000 * *": "Day 100000000 does not exist. Use 1 to 31, or L for the last day.",
    "0 9 * * 1" + " " * 95: "A cron line has at most 100 characters. This has 104.",
}
CANONICAL = {
    "  0 9 * * 1-5 ": "0 9 * * 1-5",
    "0\t9  * * mon-FRI": "0 9 * * 1-5",
    "0 9 * JAN,jul *": "0 9 * 1,7 *",
    "4-4 5-5/2 * 4-4 MON-MON": "4 5 * 4 1",
    "0 9 * * 7": "0 9 * * 0",
    "5/15 * * * *": "5-59/15 * * * *",
    "59/15 * * * *": "59 * * * *",
    "*/1 * ? * ?": "* * * * *",
    "007 9 * * *": "7 9 * * *",
    "0 6 l * *": "0 6 L * *",
    "0 6 W15 * *": "0 6 15W * *",
    "0 6 * * Lfri,L7": "0 6 * * L5,L0",
    "0 6 * * tue#2": "0 6 * * 2#2",
    "@Daily": "0 0 * * *",
    "@annually": "0 0 1 1 *",
    "@manually": "@manually",
}

# Seconds of work that no text of a hundred letters needs, however slow the machine.
ENDLESS = 1.0


@pytest.mark.parametrize(("text", "message"), MESSAGES.items())
def test_a_wrong_line_is_refused_in_plain_words(text: str, message: str) -> None:
    with pytest.raises(CronInvalid) as caught:
        parse_cron(text)

    assert caught.value.message == message


@pytest.mark.parametrize(("text", "canonical"), CANONICAL.items())
def test_every_spelling_of_a_rhythm_has_one_canonical_form(text: str, canonical: str) -> None:
    assert parse_cron(text).canonical == canonical


def test_the_text_is_kept_as_it_was_typed() -> None:
    assert parse_cron("  0 9  * * Mon-Fri ").text == "0 9  * * Mon-Fri"


def test_the_refusal_belongs_to_the_field_of_the_form() -> None:
    with pytest.raises(Invalid) as caught:
        parse_cron("nonsense")

    assert caught.value.field == "cron"  # type: ignore[attr-defined]


def test_a_huge_text_is_refused_before_it_is_looked_at() -> None:
    text = "0,1," * 25_000 + "2 * * * *"

    with pytest.raises(CronInvalid, match=r"at most 100 characters. This has 100,009\."):
        parse_cron(text)


@pytest.mark.parametrize(
    "text",
    ["0 0 31 2 *", "0 0 30 2 */2", "9" * 90 + " * * * *", "0 0 1-" + "9" * 80 + " * *", "*/" + "9" * 80 + " 0 31 2 *"],
)
def test_the_worst_lines_are_refused_in_bounded_time(text: str) -> None:
    begin = time.thread_time()
    with pytest.raises(CronInvalid):
        parse_cron(text)
    took = time.thread_time() - begin

    assert took < ENDLESS


@pytest.mark.parametrize(
    "text", ["0 0 29 2 *", "0 0 31 2 1", "0 0 29 2 */7", "0 0 31 * *", "0 0 * 2 5#5", "0 0 30,1 2 *"]
)
def test_rare_lines_are_accepted(text: str) -> None:
    assert parse_cron(text).canonical == text


def test_what_was_parsed_is_shared_unless_h_depends_on_the_key() -> None:
    assert parse_cron("0 9 * * *", spread_key="a") is parse_cron("0 9 * * *", spread_key="b")


class TestSpread:
    def test_the_same_key_always_means_the_same_time(self) -> None:
        # Fixed values: stored schedules must not move when the code changes.
        assert parse_cron("H H * * *", spread_key="sync-1").canonical == "25 14 * * *"

    def test_different_keys_spread_over_the_hour(self) -> None:
        minutes = {parse_cron("H * * * *", spread_key=str(number)).minutes[0] for number in range(500)}

        assert len(minutes) == 60

    def test_a_step_keeps_its_distance(self) -> None:
        minutes = parse_cron("H/15 * * * *", spread_key="x").minutes

        assert [minute - minutes[0] for minute in minutes] == [0, 15, 30, 45]

    def test_a_range_is_kept(self) -> None:
        found = [parse_cron("H(10-29) H(0-3) * * *", spread_key=str(number)) for number in range(200)]

        assert {cron.minutes[0] for cron in found} == set(range(10, 30))
        assert {cron.hours[0] for cron in found} == {0, 1, 2, 3}

    def test_a_step_within_a_range_stays_in_it(self) -> None:
        minutes = parse_cron("H(0-29)/10 * * * *", spread_key="x").minutes

        assert len(minutes) == 3
        assert max(minutes) <= 29

    def test_a_spread_day_exists_in_every_month(self) -> None:
        days = {day for key in range(300) for day in parse_cron("0 0 H * *", spread_key=str(key)).days.days}

        assert (min(days), max(days)) == (1, 28)

    def test_h_is_a_fixed_time(self) -> None:
        assert parse_cron("H H * * *", spread_key="x").is_fixed
        assert not parse_cron("H * * * *", spread_key="x").is_fixed


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("x * * * *", "minute"),
        ("*/0 * * * *", "minute"),
        ("0 5-1 * * *", "hour"),
        ("0 0 31 2 *", "day"),
        ("0 0 1 13 *", "month"),
        ("0 9 * * MON-SUN", "weekday"),
        ("0 0 6 * * *", "second"),
        ("0 9 * *", ""),
    ],
)
def test_the_refusal_names_the_cell_that_is_to_blame(text: str, cell: str) -> None:
    with pytest.raises(CronInvalid) as refused:
        parse_cron(text)

    assert (refused.value.cell, refused.value.line) == (cell, 1)
