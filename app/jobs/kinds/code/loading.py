"""Searches modules for the jobs and schedules that they declare. What is wrong is named, and everything else loaded."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from app.jobs.kinds.code.catalog import CodeFunction, offered_by
from app.jobs.kinds.code.declared import DECLARED_SCHEDULES, DeclaredSchedule
from app.jobs.kinds.code.places import place_of_error


@dataclass(frozen=True)
class CodeProblem:
    """Something that cannot be used: where it stands, and what is wrong with what to do about it.

    `job` or `schedule` is the name of the one that is lost by it, when it is no more than that.
    """

    source: str
    text: str
    job: str | None = None
    schedule: str | None = None
    # The module that could not be loaded: nobody knows what is lost by that.
    module: str | None = None

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


@dataclass(frozen=True)
class Loaded:
    """What modules declare. Without `is_complete` some could not be loaded, and nobody knows what they declare.

    Of schedules all are here, also those for other environments; two may have the same id.
    """

    functions: Mapping[str, CodeFunction] = field(default_factory=dict)
    schedules: tuple[DeclaredSchedule, ...] = ()
    problems: tuple[CodeProblem, ...] = ()
    modules: tuple[str, ...] = ()
    is_complete: bool = True


def load_modules(names: Sequence[str]) -> Loaded:
    """What modules declare, and those below them where one is a package. Never raises for what is wrong with one."""
    modules, problems = _import_all(names)
    is_complete = not problems
    functions: dict[str, CodeFunction] = {}
    schedules: list[DeclaredSchedule] = []
    for module in modules:
        for function in offered_by(module):
            problems += _add_function(function, functions)
        schedules += vars(module).get(DECLARED_SCHEDULES, [])
    return Loaded(functions, tuple(schedules), tuple(problems), tuple(one.__name__ for one in modules), is_complete)


def _add_function(function: CodeFunction, known: dict[str, CodeFunction]) -> list[CodeProblem]:
    name = str(function.name)
    if function.problems:
        return [CodeProblem(function.source, text, job=name) for text in function.problems]
    first = known.setdefault(name, function)
    # The same function may come in by two modules, when one imports it from the other.
    if first is function:
        return []
    return [CodeProblem(function.source, f"There is a job “{name}” already, at {first.source}. Rename one.")]


def _import_all(names: Iterable[str]) -> tuple[list[ModuleType], list[CodeProblem]]:
    found: dict[str, ModuleType] = {}
    problems = []
    waiting = list(dict.fromkeys(names))
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the module is the operator's, and may do anything
            problems.append(_problem_of(name, error))
            continue
        found[name] = module
        below = pkgutil.iter_modules(getattr(module, "__path__", ()), prefix=f"{name}.")
        waiting += [each.name for each in below if not each.name.rpartition(".")[2].startswith("_")]
    return list(found.values()), problems


def _problem_of(name: str, error: BaseException) -> CodeProblem:
    if isinstance(error, ModuleNotFoundError) and _is_itself(name, error.name):
        advice = "Check BELFRY_JOBS, and that the module lies on PYTHONPATH or is installed."
        return CodeProblem(name, f"There is no module “{name}”. {advice}", module=name)
    what = str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"
    text = f"The module “{name}” cannot be loaded: {what.rstrip('.')}. Mend it, then restart."
    return CodeProblem(place_of_error(error, module=name), text, module=name)


def _is_itself(name: str, missing: str | None) -> bool:
    return missing is not None and (name == missing or name.startswith(f"{missing}."))
