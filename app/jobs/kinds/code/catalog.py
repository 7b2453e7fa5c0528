"""The functions that code jobs can run: how one is declared. How modules are searched for them is in loading.py."""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import FunctionType, MethodType, ModuleType
from typing import Any

from pydantic import BaseModel

from app.core.errors import Invalid
from app.core.names import has_unshowable
from app.jobs.kinds.code.context import FunctionContext
from app.jobs.kinds.code.declared_facts import FactsSaid, Isolation, read_facts
from app.jobs.kinds.code.declared_policies import (
    DEFAULT_RETRY_DELAY_SECONDS,
    DEFAULT_TIMEOUT_SECONDS,
    DEFAULT_TRIES,
    USUAL_POLICIES,
    DeclaredPolicies,
    PoliciesSaid,
    read_policies,
    usable_timeout,
)
from app.jobs.kinds.code.places import place_in, place_of_frame
from app.jobs.kinds.code.said import contents_of, is_a, plain, shown
from app.jobs.kinds.code.signatures import NoArguments, Signature, SignatureUnreadable, read_signature
from app.jobs.policies import DEFAULT_LONGEST_DELAY_SECONDS, Backoff, Priority, WhenLost

Result = Mapping[str, Any] | None
Catalog = Mapping[str, "CodeFunction"]

# Where a module keeps what it declared, in the order of its lines.
DECLARED_JOBS = "__belfry_jobs__"
# Such a function does nothing when it is called, but hands back something that would.
_NOT_CALLED_AT_ONCE = CO_COROUTINE | CO_GENERATOR | CO_ASYNC_GENERATOR


class JobModuleInvalid(Invalid):
    """A module that should offer functions cannot be used."""


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
    `isolation="thread"` it runs in the worker itself, where it is only asked to stop and nobody can end it.
    `memory_mib` and `processes` say what a run may use, where the installation's limits do not fit. What is wrong is
    told by `belfry jobs check` and on the page, and costs this job alone.
    """
    said = PoliciesSaid(
        timeout, soft_timeout, tries, retry_delay, backoff, longest_delay, jitter, not_on, when_lost, priority,
        concurrency,
    )  # fmt: skip
    policies, problems = read_policies(said)
    facts = read_facts(
        FactsSaid(name, title, summary, group, queue, idempotent, isolation, platform_only, memory_mib, processes),
        problems,
    )

    def declare(call: Callable[..., Result]) -> CodeFunction:
        frame = sys._getframe(1)
        summary = facts.summary or _first_line(call)
        if not facts.summary and has_unshowable(summary, besides="\t"):
            problems.append(f"Its docstring {shown(summary)} has characters that cannot be shown. Leave them out.")
        found = CodeFunction(
            facts.name, facts.title, summary, call,
            _signature(call, problems), _place(call) or place_of_frame(frame),
            is_idempotent=facts.is_idempotent, group=facts.group, queue=facts.queue,
            timeout_seconds=usable_timeout(timeout), policies=policies, isolation=facts.isolation,
            platform_only=facts.platform_only, memory_mib=facts.memory_mib, processes=facts.processes,
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
    here = contents_of(module)
    imported = [value for value in here.values() if is_a(value, CodeFunction)]
    declared: list[CodeFunction] = [one for one in here.get(DECLARED_JOBS, []) if is_a(one, CodeFunction)]
    return declared + [function for function in imported if all(function is not one for one in declared)]


def _signature(call: Callable[..., Result], problems: list[str]) -> Signature:
    function = _function_of(call)
    if function is None:
        problems.append(f"@job stands above {shown(call)}, which is no function. Put it above a def.")
        return Signature(NoArguments)
    if function.__code__.co_flags & _NOT_CALLED_AT_ONCE:
        problems.append("It is no plain function: “async” and “yield” do nothing here. Write it as a def that returns.")
        return Signature(NoArguments)
    try:
        return read_signature(call)
    except SignatureUnreadable as error:
        problems.append(error.message)
        return Signature(NoArguments)


def _function_of(call: Any) -> FunctionType | None:
    """The function that something is, or the method of an object; None for anything else."""
    inner = call.__func__ if is_a(call, MethodType) else call
    return inner if is_a(inner, FunctionType) else None


def _place(call: object) -> str:
    """Where it begins; nothing for what is no function."""
    function = _function_of(call)
    if function is None:
        return ""
    module, code = plain(function.__module__), function.__code__
    return place_in(module if is_a(module, str) else "__main__", code.co_filename, code.co_firstlineno)


def _first_line(call: object) -> str:
    """What its docstring says first."""
    text = plain(getattr(_function_of(call), "__doc__", None))
    return text.strip().partition("\n")[0] if is_a(text, str) else ""
