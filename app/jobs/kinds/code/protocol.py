"""What a worker and a function's process say to each other: JSON, one line a message."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from app.core.config import Settings
from app.jobs.kinds.base import Level
from app.jobs.kinds.code.limits import Limits
from app.jobs.policies import ErrorClass

MAX_RESULT_BYTES = 65_536
# Room for a result, a message, a trace and their escapes; what is longer is no message of ours.
LONGEST_MESSAGE = 524_288


@dataclass(frozen=True)
class FunctionCall:
    """What a new process is to do. Made by `for_child`, it holds no key of the installation."""

    module: str
    function: str
    arguments: dict[str, Any]
    run_id: UUID
    organization_id: UUID
    idempotency_key: str
    settings: Settings
    limits: Limits

    def for_child(self) -> "FunctionCall":
        """The same without what a function must not have."""
        settings = replace(self.settings, secret_key=None, vault_keys=(), database_admin_url=None)
        return replace(self, settings=settings)


@dataclass(frozen=True)
class LogMessage:
    """The function writes a log line."""

    level: Level
    text: str
    kind: Literal["log"] = "log"


@dataclass(frozen=True)
class ProgressMessage:
    """The function says how far it has come."""

    done: int
    total: int | None = None
    text: str = ""
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True)
class EndMessage:
    """The function is over. `message` says why it failed; None means that it did not."""

    message: str | None = None
    detail: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    may_retry: bool = True
    error_class: ErrorClass | None = None
    come_back_seconds: float | None = None
    kind: Literal["end"] = "end"


Message = LogMessage | ProgressMessage | EndMessage

_CALLS = TypeAdapter(FunctionCall)
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode_call(call: FunctionCall) -> bytes:
    """The line that tells a child what to do."""
    return _line(_CALLS.dump_python(call.for_child(), mode="json"))


def decode_call(line: bytes) -> FunctionCall:
    """What `encode_call` wrote."""
    return _CALLS.validate_json(line)


def encode_message(message: Message) -> bytes:
    """The line that carries a message. Never fails for text, however broken it is."""
    return _line(asdict(message))


def decode_message(line: bytes) -> Message | None:
    """The message of a line, or None for a line that carries none: a function can write what it likes."""
    try:
        return _MESSAGES.validate_json(line)
    except ValidationError:
        return None


def encode_result(result: Mapping[str, Any]) -> bytes:
    """A result as it is stored. Raises TypeError or ValueError for what JSON cannot hold."""
    return json.dumps(dict(result), ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")


def write_line(pipe: int, line: bytes) -> None:
    """Write all of it, also when a signal comes in between."""
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _line(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
