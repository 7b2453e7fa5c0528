"""Puts the pages of a report together. Pure."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from app.syncs.days import DayRange
from app.syncs.figures import (
    METRIC_FACTS,
    Entity,
    FetchedWindow,
    Figure,
    FigureInvalid,
    Level,
    Metric,
    QualityFlag,
    Stream,
    Unit,
)
from app.syncs.ga4.rows import MAPPING_VERSION, OTHER, ChannelDay, ReportPage


def assemble(
    pages: Sequence[ReportPage], *, stream: Stream, days: DayRange, name: str, fetched_at: datetime, api_version: str
) -> FetchedWindow:
    """The window of all pages of one report, of which none is missing. `name` is the property's.

    Raises FigureInvalid for what cannot be landed.
    """
    zone, currency = pages[0].zone, pages[0].currency
    if zone is None or currency is None:
        raise FigureInvalid("a report does not say in which zone its days are, or in which currency its money is")
    rows = [row for page in pages for row in page.rows]
    for row in rows:
        if not days.first <= row.day <= days.last:
            raise FigureInvalid(f"a row of {row.day} was not asked for")
    hidden = frozenset(metric for page in pages for metric in page.hidden)
    return FetchedWindow(
        stream=stream,
        first_day=days.first,
        last_day=days.last,
        figures=tuple(_figures(rows, stream, name, currency, hidden)),
        fetched_at=fetched_at,
        zone=zone,
        currency=currency,
        api_version=api_version,
        mapping_version=MAPPING_VERSION,
        flags=frozenset(flag for page in pages for flag in page.flags),
    )


def keys_of(pages: Sequence[ReportPage]) -> list[tuple[date, str]]:
    """Day and channel of every row, in the order in which they came; twice what came twice."""
    return [(row.day, row.channel) for page in pages for row in page.rows]


def _figures(
    rows: Sequence[ChannelDay], stream: Stream, name: str, currency: str, hidden: frozenset[Metric]
) -> Iterator[Figure]:
    is_account = stream.level is Level.ACCOUNT
    entities = {channel: Entity(stream.level, channel, name if is_account else channel) for channel in _channels(rows)}
    for row in sorted(rows, key=lambda row: (row.day, row.channel)):
        for metric in sorted(row.values):
            flags = _flags(row.channel, is_hidden=metric in hidden)
            yield _figure(row.day, entities[row.channel], metric, row.values[metric], currency, flags)


def _channels(rows: Sequence[ChannelDay]) -> set[str]:
    return {row.channel for row in rows}


def _flags(channel: str, *, is_hidden: bool) -> frozenset[QualityFlag]:
    marks = {QualityFlag.OTHER_ROW: channel == OTHER, QualityFlag.RESTRICTED: is_hidden}
    return frozenset(flag for flag, is_so in marks.items() if is_so)


def _figure(
    day: date, entity: Entity, metric: Metric, value: Decimal, currency: str, flags: frozenset[QualityFlag]
) -> Figure:
    is_money = METRIC_FACTS[metric].unit is Unit.MONEY
    return Figure(day, entity, metric, value, currency if is_money else None, flags)
