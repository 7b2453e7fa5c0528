"""What a fake provider is asked and what it answers, free of sockets."""

import json
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Call:
    """One request. Header names are in lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: dict[str, str], body: bytes = b"") -> "Call":
        parts = urlsplit(target)
        return cls(method, parts.path, dict(parse_qsl(parts.query, keep_blank_values=True)), headers, body)

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def parameters(self) -> dict[str, str]:
        """What the address and a form say together."""
        is_form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return self.query | (dict(parse_qsl(self.text, keep_blank_values=True)) if is_form else {})

    @property
    def bearer(self) -> str | None:
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" and token else None

    def below(self, prefix: str) -> "Call":
        """The same request as the provider behind a prefix sees it."""
        return replace(self, path=self.path[len(prefix) :] or "/")


class Delivery(Enum):
    """How the bytes of an answer reach whoever asked."""

    WHOLE = "whole"
    CUT = "cut"  # the length of all, half of the bytes, and then the connection is reset
    SLOW = "slow"  # the head at once, the body when nobody waits any more
    DRIP = "drip"  # the head at once, the body byte by byte


@dataclass(frozen=True)
class Answer:
    """What the provider says."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE

    @classmethod
    def of_json(cls, content: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> "Answer":
        kind = ("Content-Type", "application/json; charset=UTF-8")
        return cls(status, json.dumps(content).encode(), (kind, *headers))

    @classmethod
    def of_html(cls, status: int, text: str) -> "Answer":
        return cls(status, text.encode(), (("Content-Type", "text/html"),))

    @property
    def content(self) -> Any:
        return json.loads(self.body)
