"""How settings are read from text, and what is said of those that cannot be used. Which there are is in config.py."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar

from sqlalchemy.exc import ArgumentError

from app.core.errors import Invalid

# Shown by name alone when they are wrong.
SECRET_SETTINGS = {"BELFRY_SECRET_KEY", "BELFRY_VAULT_KEYS", "BELFRY_META_APP_SECRET", "BELFRY_SMTP_PASSWORD"}
# A password may hold anything, so all before the last @ is taken for one.
_CREDENTIALS = re.compile(r"//.*@")
ON = {"on", "true", "yes", "1"}
OFF = {"off", "false", "no", "0"}

T = TypeVar("T")


class SettingInvalid(Invalid):
    """One or more settings cannot be used; the message names each, what was expected and an example."""


class Expected(NamedTuple):
    """What somebody who got a setting wrong is told."""

    words: str
    example: str


class SettingReader:
    """Takes values out of the environment and gathers everything that is wrong, to say it all at once."""

    def __init__(self, given: Mapping[str, str], expected: Mapping[str, Expected]) -> None:
        self._given = given
        self._expected = expected
        self._wrong: list[str] = []

    def text(self, name: str, default: str) -> str:
        """What is given, without white space around it. An empty value is none."""
        return self._given.get(name, "").strip() or default

    def words(self, name: str) -> list[str]:
        """What is given between commas."""
        return [word.strip() for word in self.text(name, "").split(",") if word.strip()]

    def one(self, name: str, default: str, parse: Callable[[str], T], expected: Expected | None = None) -> T:
        """The parsed value. A wrong one is noted, and the default's stands in until the start is refused."""
        wanted = expected or self._expected[name]
        value = self.text(name, default)
        try:
            return parse(value)
        except (ValueError, ArgumentError, Invalid) as error:
            shown = "set, but not shown" if name in SECRET_SETTINGS else repr(_CREDENTIALS.sub("//•••@", value))
            # A parser with a name for the mistake knows better what it is.
            detail = f" ({error.message})" if isinstance(error, Invalid) else ""
            self._wrong.append(
                f"{name} is {shown}. Expected {wanted.words}, for example {name}={wanted.example}{detail}"
            )
            return parse(default)

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        """A whole number in a range."""

        def parse(value: str) -> int:
            if not low <= int(value) <= high:
                raise ValueError(value)
            return int(value)

        return self.one(name, str(default), parse, Expected(f"a whole number from {low} to {high}", str(default)))

    def switch(self, name: str, *, default: bool) -> bool:
        """Whether something is on."""
        return self.one(name, "on" if default else "off", _on_or_off, Expected("'on' or 'off'", "on"))

    def need_together(self, *names: str) -> None:
        """Note that some of these are set and others are not: each is of no use without the others."""
        missing = [name for name in names if not self.text(name, "")]
        if missing and len(missing) < len(names):
            self._wrong.append(f"{' and '.join(missing)} is not set. Expected all of {', '.join(names)}, or none")

    def note_wrong(self, sentence: str) -> None:
        """Note that settings, each right by itself, do not go together."""
        self._wrong.append(sentence)

    def refuse_if_wrong(self) -> None:
        """Raises SettingInvalid with all that is wrong."""
        if self._wrong:
            raise SettingInvalid("Belfry did not start, because of its settings.\n  " + "\n  ".join(self._wrong))


def _on_or_off(value: str) -> bool:
    if value.lower() not in ON | OFF:
        raise ValueError(value)
    return value.lower() in ON
