"""The functions that code jobs can run: how one is declared. How modules are searched for them is in loading.py."""

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from app.core.errors import Invalid
from app.core.names import has_unshowable
from app.jobs.kinds.code.context import FunctionContext
from app.jobs.kinds.code.declared_policies import (
    DEFAULT_RETRY_DELAY_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_TRIES,
    USUAL_POLICIES,
    DeclaredPolicies,
    PoliciesSaid,
    read_policies,
)
from app.jobs.kinds.code.names import NAME_RULE, is_name
from app.jobs.kinds.code.places import place_in, place_of_frame
from app.jobs.kinds.code.signatures import NoArguments, Signature, SignatureUnreadable, read_signature
from app.jobs.policies import DEFAULT_LONGEST_DELAY_SECONDS, Backoff, Priority, WhenLost

Result = Mapping[str, Any] | None
Catalog = Mapping[str, "CodeFunction"]

# Where a module keeps what it declared, in the order of its lines.
DECLARED_JOBS = "__belfry_jobs__"


class JobModuleInvalid(Invalid):
    """A module that should offer functions cannot be used."""


class Isolation(StrEnum):
    """Where a function runs."""

    PROCESS = "process"  # a process of its own, ended by force at its limits
    THREAD = "thread"  # the worker's own thread: starts at once, and has to look at its deadline itself


@dataclass(frozen=True)
class CodeFunction:
    """A function on offer, and what its code says about running it. Called like the function that it decorates.

    With `platform_only` it concerns the installation, not an organization. `memory_mib` and `processes` are limits of
    its own, instead of the installation's. `problems` say why it cannot be used.
    """

    name: str
    title: str
    summary: str
    call: Callable[..., Result]
    signature: Signature
    source: str
    is_idempotent: bool = False
    group: str | None = None
    queue: str | None = None
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    policies: DeclaredPolicies = USUAL_POLICIES
    isolation: Isolation = Isolation.PROCESS
    platform_only: bool = False
    memory_mib: int | None = None
    processes: int | None = None
    problems: tuple[str, ...] = field(default=(), compare=False)

    def __call__(self, *given: Any, **named: Any) -> Result:
        return self.call(*given, **named)

    @property
    def module(self) -> str:
        """Where a new process finds it."""
        return self.call.__module__

    @property
    def arguments(self) -> type[BaseModel]:
        """What it takes."""
        return self.signature.arguments

    @property
    def starts_by_itself(self) -> bool:
        """Whether it can be started without being told anything."""
        return not self.signature.required

    def invoke(self, context: FunctionContext, arguments: BaseModel) -> Result:
        """Call it with arguments that were checked."""
        return self.call(**self.signature.bind(context, arguments))


def job(
    name: str,
    *,
    title: str = "",
    summary: str = "",
    group: str | None = None,
    queue: str | None = None,
    timeout: int = DEFAULT_TIMEOUT_SECONDS,
    soft_timeout: int | None = None,
    tries: int = DEFAULT_TRIES,
    retry_delay: int = DEFAULT_RETRY_DELAY_SECONDS,
    backoff: str = Backoff.EXPONENTIAL,
    longest_delay: int = DEFAULT_LONGEST_DELAY_SECONDS,
    jitter: bool = True,
    not_on: Iterable[str] = (),
    when_lost: str = WhenLost.KIND,
    priority: str = Priority.NORMAL.word,
    concurrency: int | None = None,
    idempotent: bool = False,
    isolation: str = Isolation.PROCESS,
    platform_only: bool = False,
    memory_mib: int | None = None,
    processes: int | None = None,
) -> Callable[[Callable[..., Result]], CodeFunction]:
    """Make a job of the decorated function.

    Times are in seconds: at `timeout` a run is ended, at `soft_timeout` it is marked. `retry_delay` to `not_on` say
    when it is tried again, `when_lost` what follows when its worker dies, `priority` and `concurrency` who goes first
    and how many at once: all in the words of the pages. `idempotent` promises that doing it twice does no harm. With
    `isolation="thread"` it runs in the worker itself. `memory_mib` and `processes` say what a run may use, where the
    installation's limits do not fit. What is wrong is told by `belfry jobs check` and on the page, and costs this job
    alone.
    """
    said = PoliciesSaid(
        timeout, soft_timeout, tries, retry_delay, backoff, longest_delay, jitter, not_on, when_lost, priority,
        concurrency,
    )  # fmt: skip
    policies, problems = read_policies(said)
    problems += [*_problems(name, group, isolation), *_problems_of_room(queue, memory_mib, processes)]

    def declare(call: Callable[..., Result]) -> CodeFunction:
        frame = sys._getframe(1)
        words = {"title": title or _words(name), "summary": summary or _first_line(call.__doc__)}
        problems.extend(_problems_of_words(words))
        found = CodeFunction(
            name, words["title"], words["summary"], call,
            _signature(call, problems), _place(call) or place_of_frame(frame),
            is_idempotent=idempotent, group=group, queue=queue, timeout_seconds=timeout, policies=policies,
            isolation=Isolation(isolation) if isolation in set(Isolation) else Isolation.PROCESS,
            platform_only=platform_only, memory_mib=memory_mib, processes=processes,
            # Last, because reading the signature may have found one more.
            problems=tuple(problems),
        )  # fmt: skip
        frame.f_globals.setdefault(DECLARED_JOBS, []).append(found)
        return found

    return declare


def find_function(module: str, name: str) -> CodeFunction:
    """A function in a process that has it in hand. Raises JobModuleInvalid."""
    found = [function for function in offered_by(importlib.import_module(module)) if function.name == name]
    if not found:
        raise JobModuleInvalid(f"The module “{module}” has no job “{name}” any more. Restart the workers.")
    return found[0]


def offered_by(module: ModuleType) -> list[CodeFunction]:
    """What a module declares or imports by name, each once."""
    imported = [value for value in vars(module).values() if isinstance(value, CodeFunction)]
    declared: list[CodeFunction] = vars(module).get(DECLARED_JOBS, [])
    return declared + [function for function in imported if all(function is not one for one in declared)]


def _problems(name: str, group: str | None, isolation: str) -> list[str]:
    found = []
    if not is_name(name):
        found.append(f"{name!r} cannot name a job. {NAME_RULE}")
    if group is not None and not is_name(group):
        found.append(f"{group!r} cannot name a group. {NAME_RULE}")
    if isolation not in set(Isolation):
        found.append(f"isolation={isolation!r} is not possible. Use 'process' or 'thread'.")
    return found


def _problems_of_room(queue: object, memory_mib: object, processes: object) -> list[str]:
    found = []
    if queue is not None and (not isinstance(queue, str) or has_unshowable(queue)):
        found.append(f"queue={queue!r} is not possible. Use the name of a queue.")
    for name, number in (("memory_mib", memory_mib), ("processes", processes)):
        if number is not None and not _is_from_one(number):
            found.append(f"{name}={number!r} is not possible. Use a whole number from 1, or leave it out.")
    return found


def _problems_of_words(words: Mapping[str, object]) -> Iterator[str]:
    for name, text in words.items():
        if not isinstance(text, str):
            yield f"{name}={text!r} is not possible. Use a text."
        elif has_unshowable(text, besides="\n\t"):
            yield f"{name}={text!r} has characters that cannot be shown. Leave them out."


def _is_from_one(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1


def _signature(call: Callable[..., Result], problems: list[str]) -> Signature:
    if not hasattr(call, "__code__"):
        problems.append(f"@job stands above {call!r}, which is no function. Put it above a def.")
        return Signature(NoArguments)
    try:
        return read_signature(call)
    except SignatureUnreadable as error:
        problems.append(error.message)
        return Signature(NoArguments)


def _place(call: Callable[..., Result]) -> str:
    """Where it begins; nothing for what is no function."""
    code = getattr(call, "__code__", None)
    return place_in(call.__module__, code.co_filename, code.co_firstlineno) if code else ""


def _words(name: str) -> str:
    return str(name).replace("_", " ").replace("-", " ").capitalize()


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
