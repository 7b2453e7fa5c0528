"""Whole windows of Meta's figures, however small the parts they have to be asked for in. Knows no database.

What Meta does not hand out at once is ordered as a report, then day by day, then for fewer campaigns, then field by
field. DayRange are handed on as they come; parts of a day are put together again first.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.days import DayRange, split_days
from app.syncs.figures import FetchedWindow, FigureInvalid, Level, Metric, Stream
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.assembly import Assembly
from app.syncs.meta.days import MOST_DAYS
from app.syncs.meta.paging import read_pages
from app.syncs.meta.reports import read_report
from app.syncs.meta.rows import EntityDay, OtherCurrency, fields_of, read_row
from app.syncs.sources import ReportShelf

PAGE_ROWS = 500
# The next smaller size of a window that is too large; after the last one its day is taken apart.
_SMALLER = {MOST_DAYS: 7, 7: 1}


@dataclass
class MetaReader:
    """Reads one stream of one account. `version` is the API's, for the record."""

    client: ServiceClient
    account: MetaAccount
    stream: Stream
    version: str
    page_rows: int = PAGE_ROWS
    # Reports that an attempt before ordered, for whoever can come back for one.
    shelf: ReportShelf | None = None
    # When the oldest report was ordered of those that the current window is made of.
    _ordered_at: datetime | None = field(default=None, init=False)
    _needs_reports: bool = field(default=False, init=False)

    def read(self, days: DayRange) -> Iterator[FetchedWindow]:
        """The windows of these days, each complete, oldest first.

        Raises SyncFailed and ReadStopped: what was handed on before is whole, and of the rest nothing is.
        """
        for part in split_days(days, MOST_DAYS):
            yield from self._windows(part, MOST_DAYS)

    def _windows(self, days: DayRange, size: int) -> Iterator[FetchedWindow]:
        started = self.client.watch.now()
        self._ordered_at = None
        rows = self._whole(_Part(days, self.stream.metrics))
        if rows is None and days.days > 1:
            smaller = _next_size(days.days, size)
            self.client.watch.log(f"{days.days} days are too many for Meta at once. Asking for {smaller} at a time.")
            for part in split_days(days, smaller):
                yield from self._windows(part, smaller)
            return
        yield self._window(days, self._take_day_apart(days) if rows is None else rows, started)

    def _whole(self, part: "_Part") -> list[EntityDay] | None:
        """The rows of a part, None when it is too large to be had at once. Raises SyncFailed."""
        try:
            return self._fetch(part)
        except SyncFailed as error:
            if error.trouble_class is not TroubleClass.TOO_LARGE:
                raise
            return None

    def _window(self, days: DayRange, rows: Iterable[EntityDay], started: datetime) -> FetchedWindow:
        assembly = Assembly(self.account, self.stream, days)
        try:
            for row in rows:
                assembly.add(row)
            fetched_at = min(started, self._ordered_at or started)
            return assembly.finish(fetched_at=fetched_at, api_version=self.version)
        except FigureInvalid as error:
            raise self._unreadable(error) from None

    def _fetch(self, part: "_Part") -> list[EntityDay]:
        """All rows of a part. Raises SyncFailed; TOO_LARGE only when a report of it is too large as well."""
        if not self._needs_reports:
            try:
                return self._rows(part, read_pages(self.client, f"{self.account.path}/insights", self._query(part)))
            except SyncFailed as error:
                if error.trouble_class is not TroubleClass.TOO_LARGE:
                    raise
                # What is too large for a direct answer once will be again: each attempt costs quota.
                self._needs_reports = True
        report = read_report(self.client, self.account, self._query(part), self.shelf)
        self._ordered_at = min(report.ordered_at, self._ordered_at or report.ordered_at)
        return self._rows(part, report.pages)

    def _rows(self, part: "_Part", pages: Iterable[list[Any]]) -> list[EntityDay]:
        try:
            return [
                read_row(row, account=self.account, stream=self.stream, metrics=part.metrics)
                for rows in pages
                for row in rows
            ]
        except FigureInvalid as error:
            raise self._unreadable(error) from None

    def _take_day_apart(self, day: DayRange) -> list[EntityDay]:
        """The rows of a day that is too large as a whole, in parts of its campaigns, or of the fields."""
        self.client.watch.log(f"Meta does not hand out {day.first} as a whole. Asking for parts of it.")
        if self.stream.level is Level.ACCOUNT:
            return self._by_fields(_Part(day, self.stream.metrics))
        # With next to nothing asked about them, all campaigns of the day can be had.
        light = self._fetch(_Part(day, frozenset({Metric.IMPRESSIONS})))
        ids = tuple(dict.fromkeys(row.entity_id for row in light))
        return self._by_campaigns(day, ids) if ids else []

    def _by_campaigns(self, day: DayRange, ids: tuple[str, ...]) -> list[EntityDay]:
        """Halves until they are small enough. The whole was too large already, so it is not asked for again."""
        if len(ids) == 1:
            return self._by_fields(_Part(day, self.stream.metrics, ids))
        middle = len(ids) // 2
        return [row for half in (ids[:middle], ids[middle:]) for row in self._half(day, half)]

    def _half(self, day: DayRange, ids: tuple[str, ...]) -> list[EntityDay]:
        rows = self._whole(_Part(day, self.stream.metrics, ids))
        return self._by_campaigns(day, ids) if rows is None else rows

    def _by_fields(self, part: "_Part") -> list[EntityDay]:
        """One field at a time. Raises SyncFailed when even that is too large, or when the fields do not fit."""
        found: dict[tuple[date, str], dict[Metric, Any]] = {}
        names: dict[str, str] = {}
        for number, metric in enumerate(sorted(part.metrics)):
            rows = {
                (row.day, row.entity_id): row for row in self._fetch(_Part(part.days, frozenset({metric}), part.ids))
            }
            if number and rows.keys() != found.keys():
                message = "Meta changed its figures while they were read field by field. Nothing of the day was kept."
                raise failed(TroubleClass.TRANSIENT, message)
            for key, row in rows.items():
                found.setdefault(key, {}).update(row.values)
                names[row.entity_id] = row.name
        return [EntityDay(day, id_, names[id_], values) for (day, id_), values in found.items()]

    def _query(self, part: "_Part") -> dict[str, str]:
        query = {
            "level": self.stream.level.value,
            "fields": fields_of(self.stream, part.metrics),
            "time_range": _compact({"since": part.days.first.isoformat(), "until": part.days.last.isoformat()}),
            "time_increment": "1",
            "limit": str(self.page_rows),
            "use_unified_attribution_setting": "true",
        }
        if part.ids:
            query["filtering"] = _compact([{"field": "campaign.id", "operator": "IN", "value": list(part.ids)}])
        return query

    def _unreadable(self, error: FigureInvalid) -> SyncFailed:
        # It may quote what Meta wrote.
        said = self.client.clean(str(error))
        if isinstance(error, OtherCurrency):
            message = f"The currency of the account seems to have changed: {said}. Look at it at Meta. Nothing landed."
            return failed(TroubleClass.DATA_QUALITY, message)
        return failed(TroubleClass.INTERNAL, f"Meta's figures cannot be read: {said}. Nothing of them landed.")


@dataclass(frozen=True)
class _Part:
    """What one request asks for: some days, some metrics, and some campaigns or all."""

    days: DayRange
    metrics: frozenset[Metric]
    ids: tuple[str, ...] = ()


def _next_size(count: int, size: int) -> int:
    """The largest size of the ladder that is smaller than so many days."""
    smaller = _SMALLER[size]
    return smaller if smaller < count else _SMALLER[smaller]


def _compact(said: Any) -> str:
    return json.dumps(said, separators=(",", ":"))
