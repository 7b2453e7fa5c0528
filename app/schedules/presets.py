"""The twelve rhythms a form offers, in its order. What they do is computed from their cron text like any other."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Preset:
    """A named rhythm with the cron text it starts from."""

    key: str
    label: str
    cron: str


PRESETS = (
    Preset("every_5_minutes", "Every 5 minutes", "*/5 * * * *"),
    Preset("every_15_minutes", "Every 15 minutes", "*/15 * * * *"),
    Preset("every_30_minutes", "Every 30 minutes", "*/30 * * * *"),
    Preset("hourly", "Every hour", "0 * * * *"),
    Preset("every_3_hours", "Every 3 hours", "0 */3 * * *"),
    Preset("every_6_hours", "Every 6 hours", "0 */6 * * *"),
    Preset("twice_daily", "Twice a day", "0 6,18 * * *"),
    Preset("daily", "Every day", "0 6 * * *"),
    Preset("weekdays", "Weekdays", "0 9 * * 1-5"),
    Preset("weekly", "Every week", "0 9 * * 1"),
    Preset("monthly", "Monthly, on a day", "0 6 1 * *"),
    Preset("monthly_last_day", "Monthly, last day", "0 6 L * *"),
)
_BY_CRON = {preset.cron: preset for preset in PRESETS}


def preset_for(cron_text: str) -> Preset | None:
    """The preset with exactly this text. Anything else is shown as it was written, even if it means the same."""
    return _BY_CRON.get(cron_text)
