"""Runs a function in the worker's own thread: at once, but nobody can end it from outside."""

from dataclasses import replace
from typing import Any

from app.core.config import Settings
from app.jobs.kinds.base import Outcome, RunContext
from app.jobs.kinds.code.catalog import CodeFunction, Result
from app.jobs.kinds.code.context import FunctionContext, RunStopped
from app.jobs.kinds.code.endings import as_told
from app.jobs.kinds.code.limits import Limits
from app.jobs.kinds.code.runner import perform
from app.jobs.kinds.definitions import parse_definition
from app.jobs.kinds.stops import stopped


def run_in_thread(
    function: CodeFunction, arguments: dict[str, Any], context: RunContext, *, settings: Settings, limits: Limits
) -> Outcome:
    """Run a function to its end. It asks the context itself whether to go on, and has no keys of the installation."""

    def work() -> Result:
        given = parse_definition(function.arguments, arguments, prefix="arguments.")
        return function.invoke(_context_for(context, settings), given)

    try:
        return as_told(perform(work, limits))
    except RunStopped as stop:
        return stopped(stop.reason)


def _context_for(context: RunContext, settings: Settings) -> FunctionContext:
    return FunctionContext(
        run_id=context.run_id,
        organization_id=context.organization_id,
        idempotency_key=context.idempotency_key,
        settings=replace(settings, secret_key=None, vault_keys=(), database_admin_url=None),
        write_line=context.log,
        write_progress=context.progress,
        stop_reason=context.stop_reason,
    )
