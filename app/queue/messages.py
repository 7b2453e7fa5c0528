"""How tasks travel: as JSON, so that whoever can write to the broker can at most send an id."""

import json
from typing import Any

from huey.registry import Message
from huey.serializer import Serializer

# All that a hint needs. huey's other fields ask for delays, repetitions and follow-ups, which the ledger decides.
CARRIED = ("id", "name", "kwargs")


class MessageRefused(ValueError):
    """It lay on our queue and is none of ours."""


class JSONSerializer(Serializer):  # type: ignore[misc]
    """Writes huey's messages as JSON objects. Anything else on the queue is refused before it is looked into."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps({name: getattr(data, name) for name in CARRIED}).encode()

    def _deserialize(self, data: bytes) -> Any:
        try:
            fields = json.loads(bytes(data))
        except (ValueError, RecursionError) as error:
            raise MessageRefused("not JSON") from error
        if not isinstance(fields, dict) or not fields.keys() <= set(Message._fields):
            raise MessageRefused("not a message of ours")
        task_id, name, kwargs = (fields.pop(field, None) for field in CARRIED)
        # Versions before this one wrote the others too, as zero or empty.
        if any(fields.values()):
            raise MessageRefused("our messages carry keywords alone")
        if not (isinstance(task_id, str) and isinstance(name, str) and isinstance(kwargs, dict)):
            raise MessageRefused("not a message of ours")
        return Message(id=task_id, name=name, args=(), kwargs=kwargs)
