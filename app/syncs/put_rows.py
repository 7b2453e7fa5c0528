"""Puts many rows into a table with few statements: the rows of a batch go over as one JSON text.

Row by row the same takes several times as long, and on SQLite everybody else who writes waits meanwhile.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.core.columns import Millionths, UTCDateTime

# Rows that go to the database at once.
BATCH = 1_000

Row = TypeVar("Row")


def batches(rows: Iterable[Row], size: int = BATCH) -> Iterator[list[Row]]:
    """The rows in pieces that are sent at once."""
    left = iter(rows)
    while batch := list(islice(left, size)):
        yield batch


def insert_into(session: Session, table: type[Any]) -> Any:
    """An INSERT that can say what to do where a row is there already."""
    return (sqlite if session.get_bind().dialect.name == "sqlite" else postgresql).insert(table)


def from_json(new: Any, names: Sequence[str], of_all: Mapping[str, Any]) -> Any:
    """An INSERT of the rows that `as_json` wrote: `names` are their columns, `of_all` is what all have in common."""
    is_sqlite = isinstance(new, sqlite.Insert)
    columns = new.table.c
    given, value = bindparam("rows", type_=Text), column("value", JSON)
    # PostgreSQL has to be told what the column is called, and SQLite knows.
    of_postgres = func.json_array_elements(cast(given, JSON)).table_valued(value).render_derived()
    row = func.json_each(given).table_valued(value) if is_sqlite else of_postgres
    values = {
        name: _typed(row.c.value[place].as_string(), columns[name], is_sqlite=is_sqlite)
        for place, name in enumerate(names)
    }
    common = {name: literal(value, columns[name].type) for name, value in of_all.items()}
    all_ = values | common
    # Without a condition SQLite would take the ON of what follows for one of a join.
    return new.from_select([*all_], select(*all_.values()).select_from(row).where(true()))


def as_json(rows: Iterable[Sequence[Any]]) -> dict[str, str]:
    """The rows of a batch as parameters of a statement that `from_json` made."""
    return {"rows": json.dumps([[_plain(value) for value in row] for row in rows], ensure_ascii=False)}


def _typed(said: ColumnElement[Any], target: Column[Any], *, is_sqlite: bool) -> ColumnElement[Any]:
    kind = target.type
    if isinstance(kind, Millionths | Integer):
        return cast(said, BigInteger)
    if isinstance(kind, Boolean):
        return type_coerce(cast(said, Integer), Boolean) if is_sqlite else cast(said, Boolean)
    # SQLite keeps days and instants as the texts they are, and would read a year as a number.
    if isinstance(kind, Date):
        return type_coerce(said, Date) if is_sqlite else cast(said, Date)
    if isinstance(kind, UTCDateTime):
        return type_coerce(said, DateTime) if is_sqlite else cast(func.concat(said, "+00"), DateTime(timezone=True))
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return Millionths.whole(value)
    if isinstance(value, datetime):
        # As SQLite keeps it: always with six places, and in UTC without saying so.
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    return value.isoformat() if isinstance(value, date) else value
