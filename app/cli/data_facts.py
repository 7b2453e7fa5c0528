"""Landed figures for programs, as `belfry data … --json` prints them: amounts are decimals in texts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from app.ops.data_freshness import StreamFreshness
from app.ops.kpi_changes import KpiChange
from app.ops.kpi_report import KpiReport, KpiSeries
from app.syncs.figure_sources import FigureSource
from app.syncs.movements import EntityMovement
from app.syncs.series import FigureRow
from app.syncs.service_metrics import metrics_of


def plain(value: Decimal | None) -> str | None:
    """An amount for programs: a decimal in a text, never a float."""
    return None if value is None else f"{value:f}"


def _day(value: Any) -> str | None:
    return None if value is None else str(value)


def source_facts(one: FigureSource) -> dict[str, Any]:
    """A connection with its streams."""
    return {
        "id": one.id, "name": one.name, "service": one.service, "zone": one.zone, "currency": one.currency,
        "state": one.state.value, "metrics": [metric.value for metric in metrics_of(one.service)],
        "streams": [
            {"name": each.name, "level": each.level.value, "data_through": _day(each.data_through)}
            for each in one.streams
        ],
    }  # fmt: skip


def report_facts(report: KpiReport) -> dict[str, Any]:
    """A series with what it was taken for."""
    question = report.question
    return {
        "source": question.args["source"], "service": question.service, "metric": question.metric.value,
        "level": question.level.value, "entity": question.entity_id, "grain": question.grain.value,
        "first_day": _day(question.days.first), "last_day": _day(question.days.last), "zones": list(question.zones),
        "data_through": _day(report.data_through), "known_from": _day(report.first_day),
        "absent": [source.id for source in report.absent],
        "incomplete_points": report.incomplete, "series": [_series(one) for one in report.series],
    }  # fmt: skip


def _series(one: KpiSeries) -> dict[str, Any]:
    points = [
        {
            "first_day": _day(point.days.first), "last_day": _day(point.days.last), "value": plain(point.value),
            "previous": plain(point.before),
            "previous_first_day": _day(point.before_days and point.before_days.first),
            "previous_last_day": _day(point.before_days and point.before_days.last),
            "marks": [mark.value for mark in point.marks],
            "flags": list(point.flags), "words": point.words,
        }
        for point in one.points
    ]  # fmt: skip
    return {
        "currency": one.currency, "total": plain(one.total), "previous_total": plain(one.before_total),
        "previous_known_from": _day(one.before_known_from),
        "change_percent": plain(one.percent), "change": one.change_words, "points": points,
    }  # fmt: skip


def change_facts(one: KpiChange) -> dict[str, Any]:
    """A change with its largest figures."""
    moved = one.movement
    return {
        "at": moved.at, "day": _day(moved.day), "connection_id": moved.connection_id, "connection": one.connection,
        "run_id": moved.run_id, "run_is_kept": one.has_run, "currency": moved.currency, "delta": plain(moved.delta),
        "figures": moved.figures, "largest": [_part(part) for part in one.parts],
    }  # fmt: skip


def _part(part: EntityMovement) -> dict[str, Any]:
    return {
        "entity": part.entity_id, "name": part.name, "old_value": plain(part.old_value),
        "new_value": plain(part.new_value), "delta": plain(part.delta),
    }  # fmt: skip


def figure_facts(row: FigureRow) -> dict[str, Any]:
    """One figure as it landed."""
    return {
        "connection_id": row.connection_id, "day": _day(row.day), "entity": row.entity_id, "name": row.name,
        "value": plain(row.value), "currency": row.currency, "flags": list(row.flags),
    }  # fmt: skip


def freshness_facts(one: StreamFreshness) -> dict[str, Any]:
    """How new one stream is."""
    standing = one.standing
    deadline: datetime | None = None if standing is None else standing.deadline
    return {
        "connection_id": one.source.id, "connection": one.source.name, "stream": one.stream.name,
        "level": one.stream.level.value, "data_through": _day(one.stream.data_through),
        "fetched_at": one.stream.fetched_at, "deadline": deadline,
        "freshness": None if standing is None else standing.freshness.value,
        "doubt": None if one.stream.doubt is None else one.stream.doubt.value, "words": one.words,
    }  # fmt: skip
