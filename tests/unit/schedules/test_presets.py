"""The twelve presets."""

import pytest

from app.schedules.cron import parse_cron
from app.schedules.presets import PRESETS, Preset, preset_for


def test_there_are_twelve_with_keys_of_their_own() -> None:
    assert len({preset.key for preset in PRESETS}) == len(PRESETS) == 12


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: str(preset.key))
def test_a_preset_is_canonical_and_found_by_its_text(preset: Preset) -> None:
    assert parse_cron(preset.cron).canonical == preset.cron
    assert preset_for(preset.cron) is preset


@pytest.mark.parametrize("text", ["0 6  * * *", "0 09 * * 1-5", "0 9 * * MON-FRI", "@hourly", "0 9-21 * * *", ""])
def test_what_only_means_the_same_is_no_preset(text: str) -> None:
    assert preset_for(text) is None
