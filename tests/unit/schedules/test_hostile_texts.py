"""Whatever is typed is answered, with a message or a preview, and takes next to no memory for it."""

import gc
import tracemalloc
from datetime import UTC, datetime

import pytest

from app.core.errors import Invalid
from app.schedules.preview import preview_text
from tests.unit.schedules.hostile_texts import HOSTILE

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
# What a refusal or a preview may hold at its highest, and what may be kept of it afterwards.
MOST_AT_ONCE, MOST_KEPT = 1_000_000, 100_000
LONGEST_MESSAGE = 400


def answer(text: str, zone: str = "Africa/Casablanca") -> str:
    """What somebody reads who typed it."""
    try:
        found = preview_text(text, timezone=zone, spread_key="k", now=NOW, count=20)
    except Invalid as error:
        return error.message
    return " ".join((found.sentence, *found.notes, found.consequence or ""))


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    """Zones and their changes are read once and kept; that is not what the texts cost."""
    answer("30 2 * * *")
    answer("*/7 * * * *")


@pytest.mark.parametrize("name", HOSTILE)
def test_is_answered_in_a_few_words(name: str) -> None:
    assert 0 < len(answer(HOSTILE[name])) <= LONGEST_MESSAGE


@pytest.mark.parametrize("name", HOSTILE)
def test_takes_next_to_no_memory(name: str) -> None:
    text = HOSTILE[name]
    gc.collect()

    tracemalloc.start()
    answer(text)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < MOST_AT_ONCE
    assert kept < MOST_KEPT


@pytest.mark.parametrize("zone", ["", "x" * 100_000, "Europe/" * 9, "\x00", "../../etc/passwd", "٠" * 64])
def test_a_hostile_zone_is_answered_in_a_few_words(zone: str) -> None:
    assert 0 < len(answer("0 9 * * *", zone)) <= LONGEST_MESSAGE


def test_what_was_refused_is_not_kept() -> None:
    texts = [f"{number} 0 31 2 *" for number in range(60)] + [f"0 0 {number} * *" for number in range(32, 2_000)]
    for text in texts[:100]:
        answer(text)
    gc.collect()

    tracemalloc.start()
    for text in texts[100:]:
        answer(text)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < MOST_KEPT
