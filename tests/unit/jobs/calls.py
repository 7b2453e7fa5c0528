"""Calls of the fake functions, and what starts them."""

from typing import Any
from uuid import uuid4

from app.core.config import Settings
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.limits import Limits
from app.jobs.kinds.code.protocol import FunctionCall
from app.jobs.kinds.code.supply import GuardSupply

MODULE = "tests.fakes.code_functions"
HOSTILE = "tests.fakes.hostile_functions"
LIMITS = Limits(memory_mib=512, processes=64)


def guard_supply() -> GuardSupply:
    return GuardSupply(ForkServer([MODULE, HOSTILE]), slots=2)


def call_of(
    function: str, *, settings: Settings, limits: Limits = LIMITS, module: str = MODULE, **arguments: Any
) -> FunctionCall:
    return FunctionCall(
        module=module,
        function=function,
        arguments=arguments,
        run_id=uuid4(),
        organization_id=uuid4(),
        idempotency_key="the key",
        settings=settings,
        limits=limits,
    )
