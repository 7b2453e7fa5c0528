"""Small questions to the database, several of them in one statement: a page waits for one answer instead of for ten.

For what gives few rows. Their columns may hold texts, numbers, ids, instants and booleans.
"""

import json
from collections import namedtuple
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import JSON, Boolean, CompoundSelect, DateTime, ScalarSelect, Select, String, Uuid, cast, func, select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.core.columns import UTCDateTime

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Question(Generic[Answer]):
    """What is asked, and what is made of the rows that come back."""

    query: Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]
    take: Callable[[Sequence[Any]], Answer]


def is_postgres(session: Session) -> bool:
    """Which of the two engines a question has to be put for."""
    return session.get_bind().dialect.name == "postgresql"


def ask(session: Session, question: Question[Answer]) -> Answer:
    """The answer to one question. One statement."""
    return question.take(session.execute(question.query).all())


def ask_together(session: Session, *questions: Question[Any] | None) -> tuple[Any, ...]:
    """The answers to all of them, in their order, and None where nothing is asked. One statement, or none."""
    asked = [question for question in questions if question is not None]
    if len(asked) > 1:
        row = session.execute(select(*(packed(session, each.query) for each in asked))).one()
        found = iter([each.take(unpacked(each.query, text)) for each, text in zip(asked, row, strict=True)])
    else:
        found = iter([ask(session, each) for each in asked])
    return tuple(None if question is None else next(found) for question in questions)


def packed(session: Session, query: Any) -> ScalarSelect[str]:
    """All rows of a query as one value, a list of lists in JSON: a column of another one, for `unpacked`."""
    columns = query.subquery().c
    if is_postgres(session):
        return select(cast(func.json_agg(func.json_build_array(*columns)), String)).scalar_subquery()
    return select(func.json_group_array(func.json_array(*columns))).scalar_subquery()


def unpacked(query: Any, text: str | None) -> list[Any]:
    """The rows of such a column."""
    columns = query.selected_columns
    row, readers = _row_of(tuple(columns.keys())), [_reader_of(column.type) for column in columns]
    return [
        row(
            *(
                value if read is None or value is None else read(value)
                for read, value in zip(readers, each, strict=True)
            )
        )
        for each in json.loads(text or "[]")
    ]


@lru_cache(maxsize=256)
def _row_of(names: tuple[str, ...]) -> Any:
    # Where two columns have one name, or one has none that Python takes, they are told by their place alone.
    return namedtuple("Row", names, rename=True)


def _reader_of(kind: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """What makes of a value in JSON what the column means."""
    if isinstance(kind, JSON):
        raise TypeError("a column of JSON does not fit into a question that is asked with others")
    if isinstance(kind, UTCDateTime | DateTime):
        return _instant
    if isinstance(kind, Uuid):
        return UUID
    return bool if isinstance(kind, Boolean) else None


def _instant(text: str) -> datetime:
    # A file keeps no offset, because all of it is UTC.
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
