"""What a job in code is called and where it runs, as its code says it: what stands in @job, checked. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from app.core.names import has_unshowable
from app.jobs.kinds.code.names import NAME_RULE, is_name
from app.jobs.kinds.code.said import is_a, plain, shown

# As much as the settings of an installation allow.
MOST_MEMORY_MIB = 1_048_576
MOST_PROCESSES = 30_000


class Isolation(StrEnum):
    """Where a function runs."""

    PROCESS = "process"  # a process of its own, ended by force at its limits
    THREAD = "thread"  # the worker's own thread: starts at once, and ends only where it looks whether it has to


@dataclass(frozen=True)
class FactsSaid:
    """The arguments of @job that are no policies, whatever somebody wrote there."""

    name: Any
    title: Any = ""
    summary: Any = ""
    group: Any = None
    queue: Any = None
    idempotent: Any = False
    isolation: Any = Isolation.PROCESS
    platform_only: Any = False
    memory_mib: Any = None
    processes: Any = None


@dataclass(frozen=True)
class Facts:
    """The same, to be used."""

    name: str
    title: str
    summary: str
    group: str | None
    queue: str | None
    is_idempotent: bool
    isolation: Isolation
    platform_only: bool
    memory_mib: int | None
    processes: int | None


def read_facts(given: FactsSaid, problems: list[str]) -> Facts:
    """What somebody said, as far as it is possible; what is not is added to the problems."""
    said = FactsSaid(**{one.name: plain(getattr(given, one.name)) for one in fields(FactsSaid)})
    problems += [*_problems_of_names(said), *_problems_of_flags(said), *_problems_of_room(said)]
    name = said.name if is_a(said.name, str) else shown(said.name)
    isolation = said.isolation if is_a(said.isolation, str) else ""
    return Facts(
        name=name,
        title=_text(said.title) or name.replace("_", " ").replace("-", " ").capitalize(),
        summary=_text(said.summary),
        group=_text(said.group) or None,
        queue=said.queue if is_a(said.queue, str) else None,
        is_idempotent=said.idempotent is True,
        isolation=Isolation(isolation) if isolation in set(Isolation) else Isolation.PROCESS,
        platform_only=said.platform_only is not False,
        memory_mib=said.memory_mib if is_a(said.memory_mib, int) else None,
        processes=said.processes if is_a(said.processes, int) else None,
    )


def _text(value: object) -> str:
    return plain(value) if is_a(value, str) else ""


def _problems_of_names(said: FactsSaid) -> Iterator[str]:
    if not is_name(said.name):
        yield f"{shown(said.name)} cannot name a job. {NAME_RULE}"
    if said.group is not None and not is_name(said.group):
        yield f"{shown(said.group)} cannot name a group. {NAME_RULE}"
    if said.queue is not None and (not is_a(said.queue, str) or has_unshowable(said.queue)):
        yield f"queue={shown(said.queue)} is not possible. Use the name of a queue."
    for name, text in (("title", said.title), ("summary", said.summary)):
        if not is_a(text, str):
            yield f"{name}={shown(text)} is not possible. Use a text."
        elif has_unshowable(text, besides="\n\t"):
            yield f"{name}={shown(text)} has characters that cannot be shown. Leave them out."


def _problems_of_flags(said: FactsSaid) -> Iterator[str]:
    for name, flag in (("idempotent", said.idempotent), ("platform_only", said.platform_only)):
        if not is_a(flag, bool):
            yield f"{name}={shown(flag)} is not possible. Use True or False."
    if not is_a(said.isolation, str) or said.isolation not in set(Isolation):
        yield f"isolation={shown(said.isolation)} is not possible. Use 'process' or 'thread'."


def _problems_of_room(said: FactsSaid) -> Iterator[str]:
    for name, number, most in (
        ("memory_mib", said.memory_mib, MOST_MEMORY_MIB),
        ("processes", said.processes, MOST_PROCESSES),
    ):
        is_whole = is_a(number, int) and not is_a(number, bool)
        if number is not None and not (is_whole and 1 <= number <= most):
            yield f"{name}={shown(number)} is not possible. Use a whole number from 1 to {most}, or leave it out."
