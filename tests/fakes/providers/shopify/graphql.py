"""Reads GraphQL as far as somebody who asks for orders writes it. What fields there are is the affair of schema."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'[\s,\ufeff]+|\#[^\n]*|(?P<token>"""(?:.|\n)*?"""|"(?:\\.|[^"\\\n])*"|\.\.\.|-?\d+(?:\.\d+)?|[_A-Za-z]\w*|[!$&():=@\[\]{}|])'
)


class NotGraphql(ValueError):
    """The text is no document that this fake reads."""


@dataclass(frozen=True)
class Field:
    """One field that is asked for, below the name under which it is answered. Arguments are values by now."""

    name: str
    key: str
    arguments: dict[str, Any] = field(default_factory=dict)
    fields: tuple["Field | Part", ...] = ()


@dataclass(frozen=True)
class Part:
    """`... on Type { }`: fields that only things of a type have."""

    type_name: str
    fields: tuple["Field | Part", ...]


@dataclass(frozen=True)
class Operation:
    """What one request asks for."""

    kind: str
    name: str
    fields: tuple[Field | Part, ...]


def read_operation(text: str, variables: dict[str, Any]) -> Operation:
    """The one operation of a document. Raises NotGraphql."""
    return _Reader(text, variables).operation()


class _Reader:
    def __init__(self, text: str, variables: dict[str, Any]) -> None:
        self._tokens = _tokens(text)
        self._at = 0
        self._variables = dict(variables)
        self._declared: set[str] = set()

    def operation(self) -> Operation:
        kind, name = "query", ""
        if self._ahead != "{":
            kind = self._take()
            if kind not in {"query", "mutation"}:
                raise NotGraphql(f"Unexpected {kind!r}")
            if self._ahead not in {"{", "("}:
                name = self._take()
            if self._ahead == "(":
                self._declare()
        unknown = set(self._variables) - self._declared
        if unknown:
            raise NotGraphql(f"Variables {sorted(unknown)} are not declared")
        fields = self._selection()
        if self._at != len(self._tokens):
            raise NotGraphql("Expected one operation")
        return Operation(kind, name, fields)

    def _declare(self) -> None:
        """`($first: Int! = 5, …)`: a variable that must be there and is not is refused."""
        self._take("(")
        while self._ahead != ")":
            self._take("$")
            name = self._take()
            self._declared.add(name)
            self._take(":")
            is_needed = self._type()
            if self._ahead == "=":
                self._take()
                self._variables.setdefault(name, self._value())
            if is_needed and self._variables.get(name) is None:
                raise NotGraphql(f"Variable ${name} of a type with ! was provided invalid value")
        self._take(")")

    def _type(self) -> bool:
        if self._ahead == "[":
            self._take()
            self._type()
            self._take("]")
        else:
            self._take()
        if self._ahead == "!":
            self._take()
            return True
        return False

    def _selection(self) -> tuple[Field | Part, ...]:
        self._take("{")
        found: list[Field | Part] = []
        while self._ahead != "}":
            found.append(self._one())
        self._take("}")
        if not found:
            raise NotGraphql("Expected a field")
        return tuple(found)

    def _one(self) -> Field | Part:
        name = self._take()
        if name == "...":
            self._take("on")
            return Part(self._take(), self._selection())
        key = name
        if self._ahead == ":":
            self._take()
            name = self._take()
        if not re.fullmatch(r"[_A-Za-z]\w*", name):
            raise NotGraphql(f"Expected a name, not {name!r}")
        arguments = self._arguments() if self._ahead == "(" else {}
        return Field(name, key, arguments, self._selection() if self._ahead == "{" else ())

    def _arguments(self) -> dict[str, Any]:
        self._take("(")
        found = {}
        while self._ahead != ")":
            name = self._take()
            self._take(":")
            found[name] = self._value()
        self._take(")")
        # What is null is as good as left out.
        return {name: value for name, value in found.items() if value is not None}

    def _value(self) -> Any:
        token = self._take()
        if token == "$":
            name = self._take()
            if name not in self._declared:
                raise NotGraphql(f"Variable ${name} is used but not declared")
            return self._variables.get(name)
        if token == "[":
            found = []
            while self._ahead != "]":
                found.append(self._value())
            self._take("]")
            return found
        if token.startswith('"""'):
            return token[3:-3]
        if token.startswith('"'):
            return json.loads(token)
        if re.fullmatch(r"-?\d+", token):
            return int(token)
        return {"true": True, "false": False, "null": None}.get(token, token)

    @property
    def _ahead(self) -> str:
        if self._at == len(self._tokens):
            raise NotGraphql("The document ends too early")
        return self._tokens[self._at]

    def _take(self, wanted: str | None = None) -> str:
        token = self._ahead
        if wanted is not None and token != wanted:
            raise NotGraphql(f"Expected {wanted!r}, not {token!r}")
        self._at += 1
        return token


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise NotGraphql(f"Unexpected character {text[at]!r}")
        if match["token"]:
            found.append(match["token"])
        at = match.end()
    return found
