"""How a person likes their pages: the hours, the colours, the room between rows, the shortcuts. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from app.core.clock_words import HourClock
from app.tenants.people import PersonInvalid


class Theme(StrEnum):
    """The colours of pages."""

    SYSTEM = "system"  # as the machine, and changing with it
    LIGHT = "light"
    DARK = "dark"


class Density(StrEnum):
    """How much room a row of a table takes."""

    COMFORTABLE = "comfortable"
    COMPACT = "compact"


@dataclass(frozen=True)
class Preferences:
    """What a person has chosen. Without a theme, each browser goes on with what was chosen in it."""

    clock: HourClock = HourClock.H24
    theme: Theme | None = None
    density: Density = Density.COMFORTABLE
    shortcuts_enabled: bool = True


PREFERENCE_NAMES = tuple(field.name for field in fields(Preferences))
_KINDS: dict[str, type[StrEnum]] = {"clock": HourClock, "theme": Theme, "density": Density}
_WORDS = {"clock": "the clock", "theme": "the theme", "density": "the density"}


def stored_preferences(row: Mapping[str, Any]) -> Preferences:
    """The preferences in a row with their columns. A word that a newer version stored counts as not chosen."""
    found: dict[str, Any] = {name: _known(kind, row[name]) for name, kind in _KINDS.items()}
    chosen = {name: value for name, value in found.items() if value is not None}
    return Preferences(**chosen, shortcuts_enabled=row["shortcuts_enabled"])


def clean_preference(name: str, value: str | bool) -> str | bool:
    """The value as it is stored. Raises PersonInvalid."""
    kind = _KINDS.get(name)
    if kind is None:
        return bool(value)
    if _known(kind, value) is None:
        choices = ", ".join(member.value for member in kind)
        raise PersonInvalid(f"Choose one of these for {_WORDS[name]}: {choices}.", field=name)
    return str(value)


def _known(kind: type[StrEnum], value: object) -> StrEnum | None:
    return kind(value) if value in {member.value for member in kind} else None
