"""From what was read of landed figures to what the API answers."""

from collections.abc import Sequence

from app.api.data_shapes import (
    CurrencySeriesOut,
    DataChangeOut,
    FigureOut,
    FreshnessOut,
    PartOut,
    PointOut,
    SeriesOut,
    SourceOut,
    SourceStreamOut,
)
from app.ops.data_freshness import StreamFreshness
from app.ops.kpi_changes import KpiChange
from app.ops.kpi_report import KpiPoint, KpiReport, KpiSeries
from app.syncs.figure_sources import FigureSource
from app.syncs.movements import EntityMovement
from app.syncs.series import FigureRow
from app.syncs.service_metrics import metrics_of


def source_out(one: FigureSource) -> SourceOut:
    """A connection with its streams."""
    streams = [
        SourceStreamOut(
            name=stream.name,
            level=stream.level,
            data_through=stream.data_through,
            fetched_at=stream.fetched_at,
            promised_minute=stream.promised_minute,
            doubt=stream.doubt,
        )
        for stream in one.streams
    ]
    return SourceOut(
        id=one.id,
        name=one.name,
        service=one.service,
        zone=one.zone,
        currency=one.currency,
        state=one.state,
        metrics=list(metrics_of(one.service)),
        streams=streams,
    )


def series_out(report: KpiReport, name: str | None) -> SeriesOut:
    """A series with what the question was taken for."""
    question = report.question
    before = question.before if question.compares else None
    return SeriesOut(
        source=question.args["source"],
        service=question.service,
        metric=question.metric,
        level=question.level,
        entity=question.entity_id,
        entity_name=name,
        grain=question.grain,
        first_day=question.days.first,
        last_day=question.days.last,
        previous_first_day=None if before is None else before.first,
        previous_last_day=None if before is None else before.last,
        zones=list(question.zones),
        data_through=report.data_through,
        known_from=report.first_day,
        absent=[source.id for source in report.absent],
        incomplete_points=report.incomplete,
        series=[_currency(one) for one in report.series],
    )


def _currency(one: KpiSeries) -> CurrencySeriesOut:
    return CurrencySeriesOut(
        currency=one.currency,
        total=one.total,
        previous_total=one.before_total,
        previous_known_from=one.before_known_from,
        change_percent=one.percent,
        change=one.change_words,
        points=[_point(point) for point in one.points],
    )


def _point(point: KpiPoint) -> PointOut:
    return PointOut(
        first_day=point.days.first,
        last_day=point.days.last,
        value=point.value,
        previous=point.before,
        previous_first_day=None if point.before_days is None else point.before_days.first,
        previous_last_day=None if point.before_days is None else point.before_days.last,
        marks=list(point.marks),
        flags=list(point.flags),
        words=point.words,
    )


def change_out(one: KpiChange) -> DataChangeOut:
    """A change with its largest figures."""
    moved = one.movement
    return DataChangeOut(
        at=moved.at,
        day=moved.day,
        connection_id=moved.connection_id,
        connection=one.connection,
        run_id=moved.run_id,
        run_is_kept=one.has_run,
        currency=moved.currency,
        delta=moved.delta,
        figures=moved.figures,
        largest=_parts(one.parts),
    )


def _parts(parts: Sequence[EntityMovement]) -> list[PartOut]:
    return [
        PartOut(
            entity=part.entity_id,
            name=part.name,
            old_value=part.old_value,
            new_value=part.new_value,
            delta=part.delta,
        )
        for part in parts
    ]


def figure_out(row: FigureRow) -> FigureOut:
    """One figure."""
    return FigureOut(
        connection_id=row.connection_id,
        day=row.day,
        entity=row.entity_id,
        name=row.name,
        value=row.value,
        currency=row.currency,
        flags=list(row.flags),
    )


def freshness_out(one: StreamFreshness) -> FreshnessOut:
    """How new one stream is."""
    standing = one.standing
    return FreshnessOut(
        connection_id=one.source.id,
        connection=one.source.name,
        stream=one.stream.name,
        level=one.stream.level,
        data_through=one.stream.data_through,
        fetched_at=one.stream.fetched_at,
        deadline=None if standing is None else standing.deadline,
        freshness=None if standing is None else standing.freshness,
        doubt=one.stream.doubt,
        words=one.words,
    )
