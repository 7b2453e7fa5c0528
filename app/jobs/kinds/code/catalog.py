"""The functions that code jobs can run: how one is declared, and how modules are searched for them."""

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel

from app.core.errors import Invalid
from app.jobs.kinds.code.context import FunctionContext

Arguments = TypeVar("Arguments", bound=BaseModel)
Result = Mapping[str, Any] | None
Catalog = Mapping[str, "CodeFunction"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class JobModuleInvalid(Invalid):
    """A module that should offer functions cannot be used."""


@dataclass(frozen=True)
class CodeFunction:
    """A function on offer. With `platform_only` it concerns the installation, not an organization.

    `memory_mib` and `processes` are limits of its own, instead of the installation's.
    """

    name: str
    title: str
    summary: str
    arguments: type[BaseModel]
    is_idempotent: bool
    platform_only: bool
    call: Callable[[FunctionContext, Any], Result]
    memory_mib: int | None = None
    processes: int | None = None

    @property
    def module(self) -> str:
        """Where a new process finds it."""
        return self.call.__module__


def code_job(
    *,
    name: str,
    title: str,
    summary: str,
    arguments: type[Arguments],
    is_idempotent: bool,
    platform_only: bool = False,
    memory_mib: int | None = None,
    processes: int | None = None,
) -> Callable[[Callable[[FunctionContext, Arguments], Result]], CodeFunction]:
    """Offer the decorated function to code jobs. `is_idempotent` promises that doing it twice does no harm.

    `memory_mib` and `processes` say what a run of it may use, where the installation's limits do not fit.
    """
    if not _NAME.fullmatch(name):
        raise JobModuleInvalid(f"{name!r} cannot name a function. Use small letters, digits and underscores.")

    def offer(call: Callable[[FunctionContext, Arguments], Result]) -> CodeFunction:
        return CodeFunction(name, title, summary, arguments, is_idempotent, platform_only, call, memory_mib, processes)

    return offer


def load_catalog(modules: Sequence[str]) -> Catalog:
    """All functions the modules offer, by name. Raises JobModuleInvalid for a module that cannot be used."""
    catalog: dict[str, CodeFunction] = {}
    for module in modules:
        for function in _offered_by(_load(module)):
            known = catalog.setdefault(function.name, function)
            # The same function may come in by two modules, when one imports it from the other.
            if known is not function:
                where = f"in {known.module} and in {function.module}"
                raise JobModuleInvalid(f"There are two functions named “{function.name}”: {where}. Rename one.")
    return catalog


def _load(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            advice = "Check BELFRY_JOBS, and that the module lies on PYTHONPATH or is installed."
            raise JobModuleInvalid(f"There is no module “{name}” with functions for jobs. {advice}") from error
        raise JobModuleInvalid(f"The module “{name}” cannot be loaded: {error}.") from error
    except Exception as error:
        # The module is the operator's, and may fail in any way.
        what = f"{type(error).__name__}: {error}"
        raise JobModuleInvalid(f"The module “{name}” cannot be loaded: {what}") from error


def _offered_by(module: ModuleType) -> list[CodeFunction]:
    return [value for value in vars(module).values() if isinstance(value, CodeFunction)]
