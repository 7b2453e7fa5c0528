"""Schedules that code declares, as it says them. Whether their times can be read is known further up."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.names import NAME_RULE, is_name
from app.jobs.kinds.code.places import place_of_frame
from app.jobs.kinds.code.said import entries, is_a, plain, shown

# Where a module keeps what it declared, in the order of its lines.
DECLARED_SCHEDULES = "__belfry_schedules__"


@dataclass(frozen=True)
class Group:
    """Every job of a group; without a name every job there is. `problem` says why it is neither."""

    name: str | None
    problem: str = ""


ALL_JOBS = Group(None)
Target = Group | CodeFunction | str


def group(name: str) -> Group:
    """The jobs that say `group=name`."""
    if is_a(name, str):
        return Group(plain(name))
    return Group("", f"group({shown(name)}) is not possible. Use the name of a group, or ALL_JOBS for every job.")


@dataclass(frozen=True)
class DeclaredSchedule:
    """A schedule as its code says it. Without `environments` it is for all of them.

    `problems` say what of it cannot be used; in the place of that stands nothing.
    """

    id: str
    cron: str
    zone: str
    run: Target
    environments: tuple[str, ...] | None
    missed: str
    overlap: str
    description: str
    source: str
    clock_change: str = "once"
    tags: tuple[str, ...] = ()
    missed_limit: int | None = None
    missed_max_age: int | str | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)


def schedule(
    id: str,  # noqa: A002 - what it is, to whoever writes it
    cron: str,
    zone: str = "UTC",
    *,
    run: Target,
    environments: Iterable[str] | None = None,
    missed: str = "skip",
    overlap: str = "skip",
    description: str = "",
    clock_change: str = "once",
    tags: Iterable[str] = (),
    missed_limit: int | None = None,
    missed_max_age: int | str | None = None,
) -> DeclaredSchedule:
    """Declare when something runs: ALL_JOBS, group("matching"), or a job by its name. It is off until a person says.

    Which runs are made up for that were missed, what becomes of a run that comes while the one before still goes on,
    and what happens when the clocks change, are said in the words of the pages. `missed_max_age` is in seconds, or a
    length such as "36 hours". `environments` are those in which it exists.
    """
    # The caller's own module, at its top level: that is where it is looked for.
    frame = sys._getframe(1)
    reader = _Reader()
    found = DeclaredSchedule(
        reader.name(id), reader.text("cron", cron), reader.text("zone", zone),
        reader.target(run),
        None if environments is None else reader.words("environments", environments, "production"),
        reader.text("missed", missed), reader.text("overlap", overlap), reader.text("description", description),
        place_of_frame(frame), clock_change=reader.text("clock_change", clock_change),
        tags=reader.words("tags", tags, "nightly"), missed_limit=reader.whole("missed_limit", missed_limit),
        missed_max_age=reader.length("missed_max_age", missed_max_age), problems=tuple(reader.problems),
    )  # fmt: skip
    frame.f_globals.setdefault(DECLARED_SCHEDULES, []).append(found)
    return found


class _Reader:
    """Takes what somebody wrote, and keeps what of it is not possible: that costs this one alone."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def name(self, given: Any) -> str:
        if not is_name(given):
            self.problems.append(f"{shown(given)} cannot name a schedule. {NAME_RULE}")
        return plain(given) if is_a(given, str) else shown(given)

    def text(self, name: str, given: Any) -> str:
        return str(plain(given)) if self._may_be(name, given, (str,), "Use a text.") else ""

    def words(self, name: str, given: object, example: str) -> tuple[str, ...]:
        found = entries(given)
        if found is not None and all(is_a(word, str) for word in found):
            return found
        self._refuse(name, given, f"Use a list of texts, such as ['{example}'].")
        # One without its brackets: what is meant is plain, and says where the mistake counts.
        return (plain(given),) if is_a(given, str) else ()

    def whole(self, name: str, given: Any) -> int | None:
        is_fine = given is None or self._may_be(name, given, (int,), "Use a whole number.")
        return plain(given) if is_fine else None

    def length(self, name: str, given: Any) -> int | str | None:
        advice = "Use a whole number of seconds, or a length such as '36 hours'."
        is_fine = given is None or self._may_be(name, given, (int, str), advice)
        return plain(given) if is_fine else None

    def target(self, given: Any) -> Target:
        advice = "Use the name of a job, group('name') or ALL_JOBS."
        if is_a(given, Group) and given.problem:
            self.problems.append(given.problem)
        is_fine = self._may_be("run", given, (str, Group, CodeFunction), advice)
        return plain(given) if is_fine else ""

    def _may_be(self, name: str, given: object, types: tuple[type, ...], advice: str) -> bool:
        # True and False are whole numbers to Python, and to nobody else.
        is_fine = is_a(given, *types) and not is_a(given, bool)
        if not is_fine:
            self._refuse(name, given, advice)
        return is_fine

    def _refuse(self, name: str, given: object, advice: str) -> None:
        self.problems.append(f"{name}={shown(given)} is not possible. {advice}")
