"""Every figure of a question as a file, in parts: each is a short read, so that a slow download keeps nothing open."""

from collections.abc import Iterator
from uuid import UUID

from app.core.db import Database
from app.core.scopes import Scope
from app.ops.kpi_question import KpiQuestion
from app.syncs.csv_text import csv_lines
from app.syncs.series import FigurePlace, FigureRow, list_figures

ROWS_PER_READ = 1_000


def read_figures(
    database: Database, question: KpiQuestion, *, user_id: UUID | None = None, limit: int | None = None
) -> Iterator[FigureRow]:
    """The figures as they were landed, by connection, day and entity; at most so many."""
    scope, place, left = Scope.tenant(question.organization_id, user_id), None, limit
    while left is None or left > 0:
        size = ROWS_PER_READ if left is None else min(left, ROWS_PER_READ)
        with database.reading(scope) as session:
            rows = list_figures(session, question.wanted, limit=size, after=place)
        yield from rows
        if len(rows) < size:
            return
        place, left = _place(rows[-1]), None if left is None else left - len(rows)


def figure_lines(database: Database, question: KpiQuestion, *, user_id: UUID | None = None) -> Iterator[str]:
    """The same as lines of CSV below their headings, safe to open in a spreadsheet."""
    names = {source.id: source.name for source in question.sources}
    rows = read_figures(database, question, user_id=user_id)
    return csv_lines(rows, level=question.level, metric=question.metric, connections=names)


def file_name(question: KpiQuestion) -> str:
    """`spend-campaign-2026-11-01-2026-11-28.csv`: words of ours and days alone, which any system takes."""
    days = question.days
    return f"{question.metric}-{question.level}-{days.first}-{days.last}.csv".replace("_", "-")


def _place(row: FigureRow) -> FigurePlace:
    return row.connection_id, row.day, row.entity_id
