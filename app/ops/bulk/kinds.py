"""What can be done to many things at once, each by the command that does it to one. A kind knows no tables of bulk."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import Conflict
from app.events.service import Topic
from app.tenants.access import Actor, Permission

# More is nobody's selection any more, and each of them is a row.
MOST_OBJECTS = 10_000


class NothingToDo(Conflict):
    """It is as it is wanted already, which is no failure."""


class ChangedSince(Conflict):
    """Somebody changed it after the bulk action, so undoing that would undo them."""


@dataclass(frozen=True)
class Deed:
    """What is to be done to one thing. `key` is the same however often it is tried, and no other one's."""

    actor: Actor
    object_id: UUID
    parameters: Mapping[str, Any]
    key: str
    now: datetime


@dataclass(frozen=True)
class Outcome:
    """What was done. `was` is what undoing needs, as JSON; `result_id` what came of it, such as a run."""

    was: Mapping[str, Any] | None = None
    result_id: UUID | None = None


Do = Callable[[Session, Deed], Outcome]
# What it was before, beside what is to be undone. Raises ChangedSince, or NothingToDo where that was done already.
Undo = Callable[[Session, Deed, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Family:
    """Things of one sort, such as schedules. `permission` is what selecting some needs.

    `names_of` says what those of these are called that there are in an organization.
    """

    name: str
    one: str
    many: str
    topic: Topic
    permission: Permission
    names_of: Callable[[Session, UUID, Sequence[UUID]], Mapping[UUID, str]]

    def counted(self, number: int) -> str:
        """“1 schedule”, “38 schedules”."""
        return f"{number:,} {self.one if number == 1 else self.many}"

    def left_words(self, left: int) -> str:
        """What is said where more match than are done at once; nothing where none is left."""
        if not left:
            return ""
        number = f"{min(left, MOST_OBJECTS):,}{'+' if left >= MOST_OBJECTS else ''}"
        others = "1 more matches and is left as it is" if left == 1 else f"{number} more match and are left as they are"
        return (
            f"{others}: at most {self.counted(MOST_OBJECTS)} are done at once. When these are done, do the same again."
        )


@dataclass(frozen=True)
class BulkKind:
    """Something that is done to many things of a family.

    `button` is its verb ("Disable"). `title` and `past` are sentences with {things} and the names of parameters in
    them: "Disable {things}", "{things} disabled"; `ask` is the title before the parameters are known. `accept` cleans
    parameters and raises Invalid. `most` things are done at most, and where there are more than `paced_above`, so many
    a minute unless somebody says otherwise.
    """

    name: str
    family: Family
    permission: Permission
    button: str
    title: str
    past: str
    do: Do
    undo: Undo | None = None
    ask: str = ""
    most: int = MOST_OBJECTS
    accept: Callable[[Mapping[str, Any]], dict[str, Any]] = field(default=lambda _given: {})
    # Whether runs may be ready to start afterwards.
    makes_runs: bool = False
    paced_above: int | None = None
    per_minute: int = 10
    # Of more than so many, somebody has to type the number before it begins.
    typed_above: int | None = None

    def pace(self, total: int) -> int | None:
        """How many a minute by default; None for as fast as it goes."""
        return self.per_minute if self.paced_above is not None and total > self.paced_above else None

    def must_type(self, total: int) -> bool:
        """Whether whoever begins it has to type how many they are."""
        return self.typed_above is not None and total > self.typed_above

    def ask_of(self, total: int) -> str:
        """“Add a tag to 38 schedules”."""
        return (self.ask or self.title).format(things=self.family.counted(total))

    def title_of(self, total: int, parameters: Mapping[str, Any]) -> str:
        """“Disable 38 schedules”."""
        return self.title.format(things=self.family.counted(total), **parameters)

    def past_of(self, total: int, parameters: Mapping[str, Any]) -> str:
        """“38 schedules disabled”."""
        return self.past.format(things=self.family.counted(total), **parameters)
