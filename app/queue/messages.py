"""How tasks travel: as JSON, so that whoever can write to the broker can at most send an id."""

import json
from typing import Any

from huey.registry import Message
from huey.serializer import Serializer


class JSONSerializer(Serializer):  # type: ignore[misc]
    """Writes huey's messages as JSON objects. Anything else on the queue is refused before it is looked into."""

    def _serialize(self, data: Any) -> bytes:
        fields = {name: value for name, value in data._asdict().items() if value is not None}
        return json.dumps(fields).encode()

    def _deserialize(self, data: bytes) -> Any:
        fields = json.loads(bytes(data))
        if not isinstance(fields, dict) or not fields.keys() <= set(Message._fields):
            raise ValueError("not a message of ours")
        if fields.get("args") or fields.get("on_complete") or fields.get("on_error"):
            raise ValueError("our messages carry keywords alone")
        return Message(**{"args": (), "kwargs": {}, **fields})
