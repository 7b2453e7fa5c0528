"""Choices of a form and the text they stand for: what a choice cannot write again is none of its texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.schedules.builder import (
    DEFAULTS,
    FIELDS,
    INTERVAL,
    PATTERNS,
    SINGLE,
    mistakes,
    read_built,
    values_of,
    write,
    write_preset,
)
from app.schedules.presets import PRESETS, Preset

VALUES = st.fixed_dictionaries(
    {
        "minute": st.integers(0, 59).map(str),
        "hour": st.integers(0, 23).map(str),
        "again": st.integers(0, 23).map(str),
        "day": st.integers(1, 31).map(str),
        "days": st.sets(st.sampled_from("0123456"), min_size=1).map(",".join),
    }
)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_preset_is_known_by_the_text_it_starts_from(preset: Preset) -> None:
    found = read_built(preset.cron)

    assert found is not None
    assert found.preset == preset.key
    assert write_preset(found.preset, found.values) == DEFAULTS[found.preset]


@given(key=st.sampled_from(sorted(PATTERNS)), values=VALUES)
def test_what_a_choice_writes_is_read_as_that_choice(key: str, values: dict[str, str]) -> None:
    text = write(PATTERNS[key], values)

    found = read_built(str(text))
    assert found is not None
    assert (found.preset, write_preset(found.preset, found.values)) == (key, text)


@pytest.mark.parametrize(
    "text",
    [
        "0 9-21 * * *", "0 9,12,15 * * 1-5", "*/7 * * * *", "0 6 1,15 * *", "5 4 * * SUN", "00 6 * * *", "0  6 * * *",
        "0 18,6 * * *", "0 9 * * 3,1", "0 9 * * 1,1", "0 6 0 * *", "60 * * * *", "0 24 * * *", "@daily", "H 6 * * *",
        " 0 6 * * *", "0 6 * * *\n0 18 * * *", "0 6 l * *", "０ 6 * * *", "",
    ],
)  # fmt: skip
def test_anything_else_is_nobodys_text(text: str) -> None:
    assert read_built(text) is None


@pytest.mark.parametrize("text", ["every 90 minutes from 2026-11-21 08:00", "every 1 weeks from 2026-11-21 08:00"])
def test_an_interval_fills_the_fields_of_an_interval(text: str) -> None:
    values = values_of(INTERVAL, text)

    assert values is not None
    assert write(INTERVAL, values) == text


@pytest.mark.parametrize("text", ["every  90 minutes from 2026-11-21 08:00", "Every 90 minutes from 2026-11-21 08:00"])
def test_an_interval_in_other_words_stays_text(text: str) -> None:
    assert values_of(INTERVAL, text) is None


@pytest.mark.parametrize("text", ["every 90 minutes from 2027-02-30 08:00", "every 90 minutes from 2027-01-31 24:00"])
def test_a_date_that_no_field_can_show_stays_text(text: str) -> None:
    assert values_of(INTERVAL, text) is None


def test_a_field_that_is_not_there_is_as_the_choice_starts() -> None:
    assert write_preset("weekly", {"days": "3"}) == "0 9 * * 3"
    assert write_preset("monthly", {"hour": "7", "minute": "30"}) == "30 7 1 * *"


@given(key=st.sampled_from(sorted(PATTERNS)), values=VALUES, emptied=st.sampled_from(sorted(FIELDS)))
def test_a_field_that_holds_nothing_writes_nothing_and_is_said(key: str, values: dict[str, str], emptied: str) -> None:
    wanted = values | {emptied: " "}
    is_needed = f"{{{emptied}}}" in PATTERNS[key]

    assert (write_preset(key, wanted) is None) == is_needed
    assert list(mistakes(PATTERNS[key], wanted)) == ([emptied] if is_needed else [])


def test_a_single_time_of_no_date_is_none() -> None:
    assert write(SINGLE, {"at": "soon"}) is None
    assert mistakes(SINGLE, {"at": "2027-02-30 08:00"}) == {
        "at": "“2027-02-30 08:00” is no date with a time. Write it as 2027-01-31T08:00."
    }
