"""Landed figures as CSV, safe to open in a spreadsheet: names come from outside. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from app.core.spreadsheets import safe_cell
from app.syncs.figures import Level, Metric
from app.syncs.series import FigureRow

HEADINGS = ("day", "connection", "level", "id", "name", "metric", "value", "currency", "quality")


def csv_lines(
    rows: Iterable[FigureRow], *, level: Level, metric: Metric, connections: Mapping[UUID, str]
) -> Iterator[str]:
    """The heading and a line for each figure, as they are read. Numbers have a point and all their places."""
    yield _line(HEADINGS)
    for row in rows:
        yield _line(
            (
                row.day.isoformat(),
                connections.get(row.connection_id, ""),
                level.value,
                row.entity_id,
                row.name,
                metric.value,
                row.value,
                row.currency,
                " ".join(row.flags),
            )
        )


def _line(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([safe_cell(value) for value in values])
    return out.getvalue()
