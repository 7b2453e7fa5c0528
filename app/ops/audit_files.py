"""The audit as a file, in parts: each is a short read of its own, so that a slow download keeps nothing open."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.core.db import Database
from app.core.scopes import Scope
from app.core.spreadsheets import safe_cell
from app.ops.audit_lines import AuditLine, list_lines
from app.tenants.audit_filter import AuditFilter

ROWS_PER_READ = 1_000
HEADINGS = ("at", "by", "by_kind", "action", "done", "subject_kind", "subject_id", "summary", "changes", "id")
# Everything that matches, a list for each read.
Parts = Iterator[list[AuditLine]]


def read_parts(
    database: Database, *, organization_id: UUID, audit_filter: AuditFilter, user_id: UUID | None = None
) -> Parts:
    """All that matches, the newest first. What is done meanwhile is not in it."""
    before = None
    while True:
        with database.reading(Scope.tenant(organization_id, user_id)) as session:
            lines = list_lines(
                session, organization_id=organization_id, audit_filter=audit_filter, limit=ROWS_PER_READ, before=before
            )
        yield lines
        if len(lines) < ROWS_PER_READ:
            return
        before = lines[-1].row.place


def csv_parts(parts: Parts) -> Iterator[str]:
    """An entry a line, below the names of the columns, safe to open in a spreadsheet."""
    yield _csv_text([HEADINGS])
    for lines in parts:
        yield _csv_text([[safe_cell(value) for value in _cells(line)] for line in lines])


def json_parts(parts: Parts) -> Iterator[str]:
    """A JSON list of all entries. One that was cut short is no JSON."""
    opening = "["
    for lines in parts:
        for line in lines:
            yield f"{opening}\n{json.dumps(line_facts(line), ensure_ascii=False)}"
            opening = ","
    yield "[]\n" if opening == "[" else "\n]\n"


WRITERS: dict[str, Callable[[Parts], Iterator[str]]] = {"csv": csv_parts, "json": json_parts}


def line_facts(line: AuditLine) -> dict[str, Any]:
    """An entry for programs: the same in files, commands and the API."""
    row = line.row
    return {
        "id": str(row.id),
        "at": _instant(row.at),
        "by": row.by,
        "by_kind": row.by_kind.value,
        "action": row.action,
        "done": line.done,
        "subject_kind": row.subject_kind,
        "subject_id": None if row.subject_id is None else str(row.subject_id),
        "summary": row.summary,
        "changes": [
            {"field": change.field, "before": change.before, "after": change.after, "words": change.words}
            for change in line.changes
        ],
    }


def _cells(line: AuditLine) -> list[Any]:
    facts = line_facts(line)
    return [facts[name] if name != "changes" else "\n".join(line.words) for name in HEADINGS]


def _csv_text(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
