"""Calls of the fake functions."""

from typing import Any
from uuid import uuid4

from app.core.config import Settings
from app.jobs.kinds.code.protocol import FunctionCall


def call_of(function: str, *, settings: Settings, **arguments: Any) -> FunctionCall:
    return FunctionCall(
        module="tests.fakes.code_functions",
        function=function,
        arguments=arguments,
        run_id=uuid4(),
        organization_id=uuid4(),
        idempotency_key="the key",
        settings=settings,
    )
