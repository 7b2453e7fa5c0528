"""Puts the rows of a window together. Pure."""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from app.syncs.days import DayRange
from app.syncs.figures import (
    METRIC_FACTS,
    Entity,
    FetchedWindow,
    Figure,
    FigureInvalid,
    Metric,
    QualityFlag,
    Stream,
    Unit,
)
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.rows import MAPPING_VERSION, EntityDay

_AGAIN = frozenset({QualityFlag.DUPLICATE_PAGE})
_ONCE: frozenset[QualityFlag] = frozenset()


class Assembly:
    """The figures of a window that is being fetched."""

    def __init__(self, account: MetaAccount, stream: Stream, days: DayRange) -> None:
        self._account = account
        self._stream = stream
        self._days = days
        self._rows: dict[tuple[date, str], EntityDay] = {}
        self._names: dict[str, str] = {}
        self._again: set[tuple[date, str]] = set()

    def add(self, row: EntityDay) -> None:
        """Take a row; of two for the same day and entity the last one counts. Raises FigureInvalid."""
        if not self._days.first <= row.day <= self._days.last:
            raise FigureInvalid(f"a row of {row.day} was not asked for")
        key = (row.day, row.entity_id)
        if key in self._rows:
            self._again.add(key)
        self._rows[key] = row
        self._names[row.entity_id] = row.name

    def finish(self, *, fetched_at: datetime, api_version: str) -> FetchedWindow:
        """The window. Raises FigureInvalid for what cannot be landed."""
        return FetchedWindow(
            stream=self._stream,
            first_day=self._days.first,
            last_day=self._days.last,
            figures=tuple(self._figures()),
            fetched_at=fetched_at,
            zone=self._account.zone,
            currency=self._account.currency,
            api_version=api_version,
            mapping_version=MAPPING_VERSION,
        )

    def _figures(self) -> Iterator[Figure]:
        entities = {id_: Entity(self._stream.level, id_, name) for id_, name in self._names.items()}
        for key in sorted(self._rows):
            row = self._rows[key]
            flags = _AGAIN if key in self._again else _ONCE
            for metric in sorted(row.values):
                yield self._figure(row.day, entities[row.entity_id], metric, row.values[metric], flags)

    def _figure(
        self, day: date, entity: Entity, metric: Metric, value: Decimal, flags: frozenset[QualityFlag]
    ) -> Figure:
        is_money = METRIC_FACTS[metric].unit is Unit.MONEY
        return Figure(day, entity, metric, value, self._account.currency if is_money else None, flags)
