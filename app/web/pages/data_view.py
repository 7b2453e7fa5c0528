"""What the page of figures shows, in words: series with their pictures, what they are made of, and why they moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import current_app, url_for

from app.ops.data_freshness import StreamFreshness
from app.ops.kpi_changes import KpiChange
from app.ops.kpi_question import RANGE_WORDS, KpiQuestion, Range, service_name
from app.ops.kpi_reading import Reading
from app.ops.kpi_report import MARK_WORDS, KpiPoint, KpiReport, KpiSeries, Mark, top_days
from app.syncs.amounts import LEVEL_WORDS, amount, change_words, metric_name, share_of
from app.syncs.days import DayRange
from app.syncs.figure_sources import FigureSource
from app.syncs.figures import Level
from app.syncs.freshness import Freshness
from app.syncs.periods import Grain
from app.syncs.series import EntitySum
from app.syncs.service_metrics import metrics_of
from app.syncs.streams import Doubt
from app.web.pages.data_words import ChangeRow, change_row, day_words, days_words, link_args, zones_words
from app.web.pages.tabs import Tab
from app.web.pictures.kpi_bars import KpiBars, draw_bars

# More pictures below each other nobody compares.
MOST_SERIES = 4
NAMES_SHOWN = 3
_STATES = {Freshness.FRESH: "ok", Freshness.AT_RISK: "warning", Freshness.STALE: "failing"}
_DOUBT_WORDS = {
    Doubt.LOSS: "in doubt: most of what was there is missing, so nothing was taken away",
    Doubt.VOLUME: "in doubt: another size than usual",
}


@dataclass(frozen=True)
class PointRow:
    """One point as a row of the table."""

    label: str
    value: str
    before: str
    before_days: str
    change: str
    words: str


@dataclass(frozen=True)
class SeriesView:
    """One picture with its sentence and its table."""

    title: str
    total: str
    compared: str
    label: str
    bars: KpiBars
    first: str
    last: str
    rows: list[PointRow]


@dataclass(frozen=True)
class EntityRow:
    """A campaign or channel, and what it adds."""

    name: str
    id: str
    href: str
    value: str
    share: str


@dataclass(frozen=True)
class StreamRow:
    """How new one stream is."""

    connection: str
    name: str
    state: str
    label: str
    words: str
    doubt: str
    # Where somebody says that it is normal; empty where nothing is in doubt.
    doubt_href: str
    fetched_at: datetime | None


@dataclass(frozen=True)
class DataView:
    """The page. What it is asked, what it answers, and where other questions lead."""

    question: KpiQuestion
    title: str
    subject: str
    ranges: list[Tab]
    choices: Mapping[str, list[tuple[str, str]]]
    entity: str
    whole_href: str
    refusal: str
    series: list[SeriesView]
    hidden_series: int
    caution: str
    absent: str
    marks: list[str]
    days: str
    zone: str
    data_through: str
    entities: list[EntityRow]
    entity_title: str
    deeper: list[tuple[str, str]]
    changes: list[ChangeRow]
    changes_href: str
    streams: list[StreamRow]
    csv_href: str
    here: str


def data_view(
    reading: Reading, report: KpiReport, sources: Sequence[FigureSource], *, entity_name: str,
    entities: Sequence[EntitySum], changes: Sequence[KpiChange], has_more_changes: bool,
    freshness: Sequence[StreamFreshness],
) -> DataView:  # fmt: skip
    """Everything that the template needs."""
    question = report.question
    shown = report.series[:MOST_SERIES]
    return DataView(
        question=question,
        title=metric_name(question.metric),
        subject=f"{question.name} · {entity_name}" if entity_name else question.name,
        ranges=[_range_tab(question, one) for one in RANGE_WORDS if one is not Range.CUSTOM],
        choices=_choices(question, sources),
        entity=entity_name,
        whole_href=_href(question, entity="") if entity_name else "",
        refusal=report.refusal,
        series=[_series_view(question, one) for one in shown],
        hidden_series=len(report.series) - len(shown),
        caution=_caution(report),
        absent=_absent(report),
        marks=[MARK_WORDS[mark] for mark in report.marks if mark is not Mark.SETTLING],
        days=days_words(question.days),
        zone=zones_words(question),
        data_through="" if report.data_through is None else day_words(report.data_through),
        entities=_entity_rows(question, report, entities),
        entity_title=_entity_title(question),
        deeper=_deeper(question),
        changes=[change_row(question, one) for one in changes],
        changes_href=url_for("web.data_changes", **link_args(question)) if has_more_changes else "",
        streams=[_stream_row(one) for one in freshness],
        csv_href="" if reading.problems else url_for("web.data_csv", **link_args(question)),
        here=url_for("web.data", **link_args(question)),
    )


def _href(question: KpiQuestion, **other: str) -> str:
    args = {name: text for name, text in {**link_args(question), **other}.items() if text}
    return url_for("web.data", **args)


def _range_tab(question: KpiQuestion, wanted: Range) -> Tab:
    href = _href(question, **{"range": wanted.value, "from": "", "to": ""})
    return Tab(RANGE_WORDS[wanted], href, question.range is wanted)


def _choices(question: KpiQuestion, sources: Sequence[FigureSource]) -> dict[str, list[tuple[str, str]]]:
    services = [one.service for one in sources if one.is_connected]
    several = [name for name in dict.fromkeys(services) if services.count(name) > 1]
    return {
        "source": [
            *((name, f"All of {service_name(name)} ({services.count(name)})") for name in several),
            *((str(one.id), _source_label(one)) for one in sources),
        ],
        "metric": [(metric.value, metric_name(metric)) for metric in metrics_of(question.service)],
        "level": [(level.value, f"By {LEVEL_WORDS[level]}") for level in question.levels or (question.level,)],
        "grain": [(grain.value, f"By {grain}") for grain in (Grain if question.is_additive else (Grain.DAY,))],
        "compare": [("previous", "With the period before"), ("none", "Compare with nothing")],
    }


def _source_label(source: FigureSource) -> str:
    ended = "" if source.is_connected else ", disconnected"
    return f"{source.name} ({service_name(source.service)}{ended})"


def _series_view(question: KpiQuestion, series: KpiSeries) -> SeriesView:
    name = metric_name(question.metric)
    title = name if series.currency is None else f"{name}, {series.currency}"
    points = series.points
    total = "" if series.total is None else amount(series.total, series.currency)
    compared = _compared(question, series)
    said = f"{title}, {days_words(question.days)}, by {question.grain}."
    label = " ".join([said, f"In all {total}." if total else "", compared]).strip()
    return SeriesView(
        title=title,
        total=total,
        compared=compared,
        label=label,
        bars=draw_bars(series),
        first=_short(points[0].days) if points else "",
        last=_short(points[-1].days) if len(points) > 1 else "",
        rows=[_point_row(point, series.currency) for point in reversed(points)],
    )


def _compared(question: KpiQuestion, series: KpiSeries) -> str:
    if not question.compares or not question.is_additive:
        return ""
    before = days_words(question.before)
    if series.before_known_from is not None:
        since = day_words(series.before_known_from)
        return f"Of {before} all is known from {since} on, so there is nothing whole to compare with."
    if series.before_total is None:
        return f"Nothing is known of {before}, so there is nothing to compare with."
    if not series.change_words:
        return ""
    was = amount(series.before_total, series.currency)
    return f"{series.change_words[0].upper()}{series.change_words[1:]} compared with {before}, which had {was}."


def _point_row(point: KpiPoint, currency: str | None) -> PointRow:
    value, before = point.value, point.before
    has_both = value is not None and before is not None
    return PointRow(
        label=day_words(point.days.first) if point.days.days == 1 else days_words(point.days),
        value="–" if value is None else amount(value, currency),
        before="–" if before is None else amount(before, currency),
        before_days="" if point.before_days is None else _short_days(point.before_days),
        change=change_words(before or Decimal(0), value or Decimal(0), currency) if has_both else "–",
        words=point.words,
    )


def _short(days: DayRange) -> str:
    return f"{days.first.day} {days.first:%b}"


def _short_days(days: DayRange) -> str:
    """`Sat 31 Oct`, `26 Oct – 1 Nov`."""
    return f"{days.first:%a} {_short(days)}" if days.days == 1 else f"{_short(days)} – {days.last.day} {days.last:%b}"


def _absent(report: KpiReport) -> str:
    """Of which accounts nothing is in it."""
    names = [source.name for source in report.absent]
    if not names or not report.series:
        return ""
    more = len(names) - NAMES_SHOWN
    said = ", ".join(names[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"Nothing has come in from {said} yet."


def _caution(report: KpiReport) -> str:
    """What makes the sums too small, or says nothing."""
    missing, points = report.incomplete, len(report.series[0].points) if report.series else 0
    if not missing:
        return ""
    grain = report.question.grain
    part = f"{missing} of {points} {grain}s {'is' if missing == 1 else 'are'} not complete"
    return f"{part}: sums, and what they are compared with, may still change."


def _entity_title(question: KpiQuestion) -> str:
    word = LEVEL_WORDS[question.level]
    if question.is_additive:
        return f"Largest {word}s"
    return f"{word.capitalize()}s on {day_words(top_days(question).last)}"


def _entity_rows(question: KpiQuestion, report: KpiReport, entities: Sequence[EntitySum]) -> list[EntityRow]:
    totals = {one.currency: one.total for one in report.series}
    sources = {source.id: source.name for source in question.sources}
    return [
        EntityRow(
            name=one.name or one.entity_id,
            id=f"{sources.get(one.connection_id, '')} · {one.entity_id}" if len(sources) > 1 else one.entity_id,
            href=_href(question, source=str(one.connection_id), entity=one.entity_id),
            value=amount(one.value, one.currency),
            share=_share(one, totals.get(one.currency)),
        )
        for one in entities
    ]


def _share(one: EntitySum, total: Decimal | None) -> str:
    share = None if total is None else share_of(one.value, total)
    return "–" if share is None else f"{share}%"


def _deeper(question: KpiQuestion) -> list[tuple[str, str]]:
    """The levels below the one that is shown."""
    if question.level is not Level.ACCOUNT:
        return []
    others = [level for level in question.levels if level is not Level.ACCOUNT]
    return [(f"By {LEVEL_WORDS[level]}", _href(question, level=level.value)) for level in others]


def _stream_row(found: StreamFreshness) -> StreamRow:
    stream, standing = found.stream, found.standing
    state = "planned" if standing is None else _STATES[standing.freshness]
    label = "No promise" if standing is None else str(standing.freshness).capitalize()
    doubt = "" if stream.doubt is None else _DOUBT_WORDS[stream.doubt]
    # Where connections are kept is a page of its own, which may not be part of this installation.
    has_page = stream.doubt is not None and found.source.is_connected and "web.streams" in current_app.view_functions
    href = url_for("web.streams", connection_id=found.source.id) if has_page else ""
    return StreamRow(found.source.name, stream.name, state, label, found.words, doubt, href, stream.fetched_at)
