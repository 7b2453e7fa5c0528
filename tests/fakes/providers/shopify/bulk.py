"""Bulk operations: a question about all orders at once, whose answer is a file that is made meanwhile."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.shopify.graphql import Field, NotGraphql, Operation, Part, read_operation
from tests.fakes.providers.shopify.records import Page, moment
from tests.fakes.providers.shopify.schema import FieldUnknown, check

MOST_RUNNING = 5
MOST_CONNECTIONS, MOST_DEPTH = 5, 2
FILE_LIVES = timedelta(days=7)
_BLOCK = 50


@dataclass
class BulkOperation:
    """One of them. Its fate is decided when it is asked for; each look at it brings it a step on."""

    number: int
    shop: str
    query: str
    created_at: datetime
    lines: list[str]
    root_count: int
    running_polls: int = 1
    end: str = "COMPLETED"
    error_code: str | None = None
    polls: int = 0
    completed_at: datetime | None = None
    signature: str = field(default="")

    @property
    def id(self) -> str:
        return f"gid://shopify/BulkOperation/{self.number}"

    @property
    def path(self) -> str:
        return f"/shopify/files/{self.number}.jsonl"

    @property
    def status(self) -> str:
        if self.end == "CANCELED" and self.polls:
            return "CANCELED"
        if self.polls == 0:
            return "CREATED"
        return self.end if self.polls > self.running_polls else "RUNNING"

    @property
    def is_running(self) -> bool:
        return self.status in {"CREATED", "RUNNING"}

    @property
    def served(self) -> list[str]:
        """The lines of its file: of one that failed, a part of them."""
        return self.lines if self.end == "COMPLETED" else self.lines[: len(self.lines) // 2]

    def decide(self, fault: Fault) -> None:
        options = fault.options
        match fault.fault:
            case "async_running":
                self.running_polls = options.get("polls", 3)
            case "async_failed":
                self.end, self.error_code = "FAILED", options.get("code", "TIMEOUT")
            case "async_expired":
                self.end = "EXPIRED"
            case "async_canceled":
                self.end = "CANCELED"
            case "async_empty":
                self.lines, self.root_count = [], 0

    def look(self, host: str, now: datetime) -> dict[str, Any]:
        """What it says of itself now, one step on."""
        said = self.said(host)
        self.polls += 1
        if self.status not in {"CREATED", "RUNNING"} and self.completed_at is None:
            self.completed_at = now
        return said | {"completedAt": moment(self.completed_at) if not self.is_running else None}

    def said(self, host: str) -> dict[str, Any]:
        status = self.status
        url = f"http://{host}{self.path}?Signature=fake{self.number:012}" if self.served else None
        is_whole, is_partial = status == "COMPLETED", status in {"FAILED", "CANCELED"}
        return {
            "__typename": "BulkOperation", "id": self.id, "status": status, "type": "QUERY", "query": self.query,
            "errorCode": self.error_code if is_partial else None,
            # Counts of things are texts: there may be more of them than a number of JavaScript holds.
            "objectCount": str(len(self.served)) if is_whole or is_partial else "0",
            "rootObjectCount": str(self.root_count) if is_whole else "0",
            "fileSize": str(sum(len(line) + 1 for line in self.served)) if is_whole else None,
            "url": url if is_whole else None, "partialDataUrl": url if is_partial else None,
            "createdAt": moment(self.created_at), "completedAt": None,
        }  # fmt: skip

    def file(self) -> bytes:
        return "".join(f"{line}\n" for line in self.served).encode()


def read_bulk_query(text: str) -> Operation:
    """The question of a bulk operation. Raises NotGraphql or FieldUnknown for one that is not taken."""
    operation = read_operation(text, {})
    if operation.kind != "query" or len(operation.fields) != 1:
        raise NotGraphql("Bulk queries have one connection at the top")
    check(operation.fields, "Query", is_bulk=True)
    depths = list(_depths(operation.fields, 0))
    if not depths or len(depths) > MOST_CONNECTIONS or max(depths) > MOST_DEPTH:
        raise FieldUnknown("Bulk queries cannot contain that many connections, or nested that deep")
    return operation


def _depths(fields: tuple[Field | Part, ...], depth: int) -> Iterator[int]:
    for each in fields:
        names = {inner.name for inner in each.fields if isinstance(inner, Field)}
        is_connection = isinstance(each, Field) and bool(names & {"edges", "nodes"})
        if is_connection:
            yield depth
        yield from _depths(each.fields, depth + is_connection)


def flatten(rows: list[dict[str, Any]], *, is_grouped: bool) -> list[str]:
    """The lines of a file. Unless they are asked for in groups, children come some time after their parents."""
    lines: list[str] = []
    for start in range(0, len(rows), 1 if is_grouped else _BLOCK):
        block = rows[start : start + (1 if is_grouped else _BLOCK)]
        found = [list(_with_children(row, None)) for row in block]
        parents = [each[0] for each in found]
        children = [line for each in found for line in each[1:]]
        lines += [json.dumps(line) for line in (*parents, *children)]
    return lines


def _with_children(row: dict[str, Any], parent: str | None) -> Iterator[dict[str, Any]]:
    own: dict[str, Any] = {}
    children: list[dict[str, Any]] = []
    for name, value in row.items():
        nodes = nodes_of(value)
        if nodes is None:
            own[name] = value
        else:
            children += nodes
    yield own | ({} if parent is None else {"__parentId": parent})
    for child in children:
        yield from _with_children(child, own["id"])


def nodes_of(value: Any) -> list[dict[str, Any]] | None:
    """What a connection holds; None for what is no connection."""
    if not isinstance(value, dict):
        return None
    if "edges" in value:
        return [edge["node"] for edge in value["edges"]]
    return value.get("nodes")


def whole(orders: list[Any]) -> Page:
    return Page([("", order) for order in orders], has_next=False)
