"""Searches modules for the jobs and schedules that they declare. What is wrong is named, and everything else loaded."""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from app.jobs.kinds.code.arguments import why_no_form
from app.jobs.kinds.code.catalog import DECLARED_JOBS, CodeFunction, offered_by
from app.jobs.kinds.code.declared import DECLARED_SCHEDULES, DeclaredSchedule
from app.jobs.kinds.code.places import place_of_error
from app.jobs.kinds.code.said import contents_of, is_a, kind_and_words, plain, shown, words_of


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
    for module in modules.values():
        for function in offered_by(module):
            problems += _add_function(function, functions)
        schedules += [one for one in contents_of(module).get(DECLARED_SCHEDULES, []) if is_a(one, DeclaredSchedule)]
    return Loaded(functions, tuple(schedules), tuple(problems), tuple(modules), is_complete)


def _add_function(function: CodeFunction, known: dict[str, CodeFunction]) -> list[CodeProblem]:
    name = function.name
    first = known.get(name)
    # The same function may come in by two modules, when one imports it from the other.
    if first is function:
        return []
    problems = function.problems or tuple(filter(None, [why_no_form(function)]))
    if problems:
        return [CodeProblem(function.source, text, job=name) for text in problems]
    if first is not None:
        return [CodeProblem(function.source, f"There is a job “{name}” already, at {first.source}. Rename one.")]
    known[name] = function
    return []


def _import_all(names: Iterable[str]) -> tuple[dict[str, ModuleType], list[CodeProblem]]:
    found: dict[str, ModuleType] = {}
    problems = []
    waiting = list(dict.fromkeys(names))
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        try:
            module, below = _import(name)
        except BaseException as error:  # noqa: BLE001 - the module is the operator's, and may do anything
            problems.append(_problem_of(name, error))
            continue
        found[name] = module
        waiting += below
    return found, problems


def _import(name: str) -> tuple[ModuleType, list[str]]:
    """A module, and the names of those below it. Raises whatever it raises."""
    module = importlib.import_module(name)
    if not is_a(module, ModuleType):
        raise ImportError(f"it put {shown(module)} in its own place in sys.modules")
    # Not asked of the module, which may answer for names that it does not have.
    here = contents_of(module)
    below = pkgutil.iter_modules(here.get("__path__", ()), prefix=f"{name}.")
    for declared in (DECLARED_JOBS, DECLARED_SCHEDULES):
        if not is_a(here.get(declared, []), list):
            raise ImportError(f"it uses the name {declared}, which is Belfry's")
    return module, [each.name for each in below if not each.name.rpartition(".")[2].startswith("_")]


def _problem_of(name: str, error: BaseException) -> CodeProblem:
    if type(error) is ModuleNotFoundError and _is_itself(name, plain(error.name)):
        advice = "Check BELFRY_JOBS, and that the module lies on PYTHONPATH or is installed."
        return CodeProblem(name, f"There is no module “{name}”. {advice}", module=name)
    what = words_of(error) if is_a(error, ImportError) else kind_and_words(error)
    text = f"The module “{name}” cannot be loaded: {what.rstrip('.')}. Mend it, then restart."
    return CodeProblem(_place_of(name, error), text, module=name)


def _place_of(name: str, error: BaseException) -> str:
    try:
        return place_of_error(error, module=name)
    except Exception:  # noqa: BLE001 - what the module says of itself may be of any type
        return name


def _is_itself(name: str, missing: object) -> bool:
    return isinstance(missing, str) and (name == missing or name.startswith(f"{missing}."))
