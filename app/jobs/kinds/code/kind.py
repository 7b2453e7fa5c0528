"""The kind of job that runs a Python function found by name. How the function runs lives in process.py."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.text import storable
from app.jobs.kinds.base import DefinitionInvalid, Outcome, OutcomeStatus, RunContext, StopWay
from app.jobs.kinds.code.catalog import Catalog, CodeFunction
from app.jobs.kinds.code.declared_facts import Isolation
from app.jobs.kinds.code.fork_server import can_run_functions
from app.jobs.kinds.code.group_run import group_title, run_group
from app.jobs.kinds.code.in_thread import run_in_thread
from app.jobs.kinds.code.limits import Limits
from app.jobs.kinds.code.loading import CodeProblem
from app.jobs.kinds.code.process import run_function
from app.jobs.kinds.code.protocol import FunctionCall
from app.jobs.kinds.code.said import kind_and_words
from app.jobs.kinds.code.supply import GuardSupply
from app.jobs.kinds.definitions import parse_definition, refuse_arguments, with_arguments, without_chosen
from app.jobs.kinds.stops import stopped
from app.vault.service import SecretOwner

# They travel to the function's process in one piece.
MAX_ARGUMENT_BYTES = 32_768


def is_group(definition: Mapping[str, Any]) -> bool:
    """Whether a definition starts the jobs of a group, or all of them. Code makes such, and people do not."""
    return "group" in definition


class CodeDefinition(BaseModel):
    """Which function, and with what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    function: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class CodeKind:
    """Runs the functions of a catalog. `problems` say why others are not in it."""

    def __init__(
        self, catalog: Catalog, settings: Settings, supply: GuardSupply, problems: Sequence[CodeProblem] = ()
    ) -> None:
        self._catalog = catalog
        self._problems = problems
        self._settings = settings
        self._supply = supply

    def functions(self) -> tuple[CodeFunction, ...]:
        """Everything on offer, by title."""
        return tuple(sorted(self._catalog.values(), key=lambda function: function.title))

    def check(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        wanted = parse_definition(CodeDefinition, definition)
        function = self._find(wanted.function)
        return {"function": function.name, "arguments": _checked(function, wanted.arguments)}

    def check_arguments(self, definition: Mapping[str, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        if is_group(definition):
            return refuse_arguments(arguments, "A group takes no parameters. Leave them out.")
        checked = self.check(with_arguments(definition, arguments))["arguments"]
        return {name: checked[name] for name in arguments if name in checked}

    def function_of(self, definition: Mapping[str, Any]) -> CodeFunction | None:
        """The function that a definition names, if there is one."""
        return self._catalog.get(str(definition.get("function")))

    def store(
        self,
        session: Session,
        definition: Mapping[str, Any],
        *,
        owner: SecretOwner,
        before: Mapping[str, Any] | None,
        now: datetime,
    ) -> dict[str, Any]:
        # Arguments are no place for secrets: they are shown in forms, and travel to the function's process.
        return dict(definition)

    def secret_ids(self, definition: Mapping[str, Any]) -> frozenset[UUID]:
        return frozenset()

    def without_secrets(self, definition: Mapping[str, Any]) -> dict[str, Any]:
        return dict(definition)

    def describe(self, definition: Mapping[str, Any]) -> str:
        if is_group(definition):
            return group_title(definition["group"])
        function = self.function_of(definition)
        return f"{definition.get('function')} (not installed any more)" if function is None else function.title

    def is_for_platform(self, definition: Mapping[str, Any]) -> bool:
        function = self.function_of(definition)
        return is_group(definition) or (function is not None and function.platform_only)

    def may_repeat(self, definition: Mapping[str, Any]) -> bool:
        # What is unknown promises nothing. What a group started before is found again, and nothing is started twice.
        function = self.function_of(definition)
        return is_group(definition) or (function is not None and function.is_idempotent)

    def why_not_startable(self, definition: Mapping[str, Any]) -> str | None:
        if is_group(definition):
            return None
        name, function = str(definition.get("function")), self.function_of(definition)
        if function is None:
            # Without a mistake that is known, another worker may have it: in a rolling deploy it does.
            return storable(self._why_missing(name)) if any(one.job == name for one in self._problems) else None
        lacking = [each for each in function.signature.required if each not in definition.get("arguments", {})]
        if not lacking:
            return None
        names = " and ".join(f"“{each}”" for each in lacking)
        return f"“{function.name}” ({function.source}) cannot start by itself: give {names} a default."

    def stop_way(self, definition: Mapping[str, Any]) -> StopWay:
        if is_group(definition):
            return StopWay.CHILDREN
        function = self.function_of(definition)
        is_thread = function is not None and function.isolation is Isolation.THREAD
        return StopWay.CHECK if is_thread else StopWay.FORCE

    def run(self, definition: Mapping[str, Any], context: RunContext) -> Outcome:
        if is_group(definition):
            return run_group(definition["group"], context)
        try:
            wanted = parse_definition(CodeDefinition, without_chosen(definition))
            function = self._find(wanted.function)
        except DefinitionInvalid as error:
            return Outcome(OutcomeStatus.FAILED, storable(error.message), may_retry=False)
        reason = context.stop_reason()
        if reason is not None:
            return stopped(reason)
        if function.isolation is Isolation.THREAD:
            limits = self._limits(function)
            return run_in_thread(function, wanted.arguments, context, settings=self._settings, limits=limits)
        if not can_run_functions():
            return Outcome(OutcomeStatus.FAILED, "Functions run on Linux only. Start a worker there.", may_retry=False)
        call = FunctionCall(
            module=function.module,
            function=function.name,
            arguments=wanted.arguments,
            run_id=context.run_id,
            organization_id=context.organization_id,
            idempotency_key=context.idempotency_key,
            settings=self._settings,
            limits=self._limits(function),
        )
        return run_function(call, context, self._supply)

    def _limits(self, function: CodeFunction) -> Limits:
        return Limits(
            function.memory_mib or self._settings.function_memory_mib,
            function.processes or self._settings.function_processes,
        )

    def _find(self, name: str) -> CodeFunction:
        if name not in self._catalog:
            raise DefinitionInvalid({"function": self._why_missing(name)})
        return self._catalog[name]

    def _why_missing(self, name: str) -> str:
        """The mistake that keeps a function away; where there is none, a module that may have had it."""
        mistakes = [problem for problem in self._problems if problem.job == name]
        if mistakes:
            return f"“{name}” cannot run: there is a mistake in it. {mistakes[0]} Mend it, then restart the workers."
        unread = [problem for problem in self._problems if problem.module is not None]
        if unread:
            return f"There is no function “{name}”. A module that may define it was not loaded. {unread[0]}"
        offered = ", ".join(sorted(self._catalog)) or "none"
        return f"There is no function “{name}”. Offered: {offered}."


def _checked(function: CodeFunction, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as they are stored. Raises DefinitionInvalid, also where the function's own checks go wrong."""
    try:
        arguments = parse_definition(function.arguments, given, prefix="arguments.")
        stored: dict[str, Any] = arguments.model_dump(mode="json")
    except DefinitionInvalid:
        raise
    except Exception as error:
        why = f"“{function.name}” ({function.source}) cannot take them: {kind_and_words(error).rstrip('.')}."
        raise DefinitionInvalid({"arguments": f"{why} Give others, or mend its types."}) from error
    try:
        size = len(json.dumps(stored, allow_nan=False))
    except ValueError as error:
        # JSON knows no such number, and one of the databases refuses it.
        raise DefinitionInvalid({"arguments": "One of them is no finite number. Give one that is."}) from error
    if size > MAX_ARGUMENT_BYTES:
        raise DefinitionInvalid({"arguments": f"The arguments take more than {MAX_ARGUMENT_BYTES:,} bytes."})
    return stored
