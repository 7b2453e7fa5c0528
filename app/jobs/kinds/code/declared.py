"""Schedules that code declares, as it says them. Whether their times can be read is known further up."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.jobs.kinds.code.catalog import CodeFunction
from app.jobs.kinds.code.places import place_of_frame

# Where a module keeps what it declared, in the order of its lines.
DECLARED_SCHEDULES = "__belfry_schedules__"


@dataclass(frozen=True)
class Group:
    """Every job of a group; without a name every job there is."""

    name: str | None


ALL_JOBS = Group(None)
Target = Group | CodeFunction | str


def group(name: str) -> Group:
    """The jobs that say `group=name`."""
    return Group(name)


@dataclass(frozen=True)
class DeclaredSchedule:
    """A schedule as its code says it. Without `environments` it is for all of them."""

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
    names = None if environments is None else _words(environments)
    found = DeclaredSchedule(
        id, cron, zone, run, names, str(missed), str(overlap), description, place_of_frame(frame),
        clock_change=str(clock_change), tags=_words(tags), missed_limit=missed_limit, missed_max_age=missed_max_age,
    )  # fmt: skip
    frame.f_globals.setdefault(DECLARED_SCHEDULES, []).append(found)
    return found


def _words(value: Any) -> tuple[str, ...]:
    """Several words, or what stands in their place: that is refused later, by name, and costs nobody else."""
    is_several = isinstance(value, Iterable) and not isinstance(value, str)
    return tuple(map(str, value)) if is_several else (str(value),)
