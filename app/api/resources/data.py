"""`/data`: landed figures over time, what they are made of, why they moved, and how new they are."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from flask import Response, request
from pydantic import Field

from app.api.data_answers import change_out, figure_out, freshness_out, series_out, source_out
from app.api.data_shapes import (
    DataChangeOut,
    DataPaging,
    EntityOut,
    FigureOut,
    FreshnessOut,
    SeriesOut,
    SeriesQuery,
    SourceOut,
    SourceQuery,
)
from app.api.models import Bound, Paging
from app.api.paging import CursorInvalid, cut, read_cursor, write_cursor
from app.api.resource import Page, resource
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.data_freshness import read_freshness
from app.ops.kpi_changes import list_changes
from app.ops.kpi_file import figure_lines, file_name
from app.ops.kpi_question import KpiQuestion
from app.ops.kpi_reading import asked_question, entity_name, read_sources
from app.ops.kpi_report import list_top, read_report, read_totals
from app.syncs.amounts import share_of
from app.syncs.figure_sources import list_sources
from app.syncs.series import list_figures
from app.tenants.access import Permission

_TAG = "Data"


class FiguresFormat(StrEnum):
    """How the answer is written."""

    JSON = "json"
    CSV = "csv"


class SourcePaging(Paging):
    """The parameters of a list of sources."""


class FreshnessPaging(SourceQuery, Paging):
    """How new which source is."""


class ChangesPaging(DataPaging):
    """Changes of the days of a question."""

    since: Annotated[Bound | None, Field(description="Nothing that had changed before it.")] = None


class FiguresPaging(DataPaging):
    """Every figure of a question."""

    format: Annotated[
        FiguresFormat | None,
        Field(description="`csv` for a file of all of them, one a line, as with `Accept: text/csv`. It has no pages."),
    ] = None


@resource(
    "GET", "/data/sources", permission=Permission.VIEW, query=SourcePaging, answer=SourceOut, is_list=True, tag=_TAG
)
def list_data_sources(query: SourcePaging) -> Page[SourceOut]:
    """The connections that figures come from, with their streams. Ended ones keep their figures."""
    found = list_sources(request_session(), organization_id=current_actor().organization_id)
    shown = cut([source_out(one) for one in found], query, key=lambda one: (one.service, one.name, str(one.id)))
    return Page(shown.items, shown.next)


@resource("GET", "/data/series", permission=Permission.VIEW, query=SeriesQuery, answer=SeriesOut, tag=_TAG)
def show_data_series(query: SeriesQuery) -> SeriesOut:
    """One metric over time, compared with the period before. People are never added up, nor are two currencies."""
    session, question = request_session(), _question(query.texts())
    # A sum that would be wrong is refused here; a page explains it instead.
    question.refuse_wrong_sums()
    return series_out(read_report(session, question), entity_name(session, question))


@resource(
    "GET", "/data/entities", permission=Permission.VIEW, query=DataPaging, answer=EntityOut, is_list=True, tag=_TAG
)
def list_data_entities(query: DataPaging) -> Page[EntityOut]:
    """The campaigns or channels that a metric is made of, the largest first; `limit` of them in each currency.

    Of people those of the last complete day. Figures that land between two pages may move rows from one to the other.
    """
    session, question = request_session(), _question({"level": "campaign", **query.texts()})
    skip = _skip(query)
    found = list_top(session, question, limit=query.limit + 1, skip=skip)
    totals = read_totals(session, question)
    shown: list[EntityOut] = []
    has_more = False
    for currency in dict.fromkeys(one.currency for one in found):
        mine = [one for one in found if one.currency == currency]
        has_more = has_more or len(mine) > query.limit
        total = totals.get(currency)
        shown += [
            EntityOut(
                connection_id=one.connection_id,
                id=one.entity_id,
                name=one.name,
                currency=currency,
                value=one.value,
                share_percent=None if total is None else share_of(one.value, total),
            )
            for one in mine[: query.limit]
        ]
    return Page(shown, write_cursor(str(skip + query.limit)) if has_more else None)


@resource(
    "GET", "/data/changes", permission=Permission.VIEW, query=ChangesPaging, answer=DataChangeOut, is_list=True,
    tag=_TAG,
)  # fmt: skip
def list_data_changes(query: ChangesPaging) -> Page[DataChangeOut]:
    """Why numbers moved: the days that were changed after they had been complete, the newest change first."""
    question = _question(query.texts())
    found = list_changes(
        request_session(), question, limit=query.limit + 1, since=query.since, before=_last_change(query)
    )
    shown = found[: query.limit]
    at, day, connection_id = shown[-1].movement.place if shown else (None, None, None)
    next_ = write_cursor(str(at), str(day), str(connection_id)) if len(found) > len(shown) else None
    return Page([change_out(one) for one in shown], next_)


@resource(
    "GET", "/data/figures", permission=Permission.VIEW, query=FiguresPaging, answer=FigureOut, is_list=True,
    has_csv=True, tag=_TAG,
)  # fmt: skip
def list_data_figures(query: FiguresPaging) -> Page[FigureOut] | Response:
    """Every figure of the days as it landed, by connection, day and campaign."""
    question = _question(query.texts())
    if _wants_csv(query):
        lines = figure_lines(runtime().database, question, user_id=current_actor().user_id)
        response = Response(lines, mimetype="text/csv")
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name(question)}"'
        response.vary.add("Accept")
        return response
    after = _last_figure(query)
    found = list_figures(request_session(), question.wanted, limit=query.limit + 1, after=after)
    shown = found[: query.limit]
    last = shown[-1] if len(found) > len(shown) else None
    next_ = None if last is None else write_cursor(str(last.connection_id), str(last.day), last.entity_id)
    return Page([figure_out(one) for one in shown], next_)


@resource(
    "GET", "/data/freshness", permission=Permission.VIEW, query=FreshnessPaging, answer=FreshnessOut, is_list=True,
    tag=_TAG,
)  # fmt: skip
def list_data_freshness(query: FreshnessPaging) -> Page[FreshnessOut]:
    """How new each stream is, apart from whether its runs succeed. Without `source`, of all that are connected."""
    session, organization_id = request_session(), current_actor().organization_id
    sources = read_sources(session, organization_id=organization_id, source=query.source)
    found = read_freshness(session, sources, organization_id=organization_id, now=request_now())
    return cut(
        [freshness_out(one) for one in found],
        query,
        key=lambda one: (one.connection, str(one.connection_id), one.stream),
    )


def _question(texts: dict[str, str]) -> KpiQuestion:
    organization_id = current_actor().organization_id
    return asked_question(request_session(), texts, organization_id=organization_id, now=request_now())


def _wants_csv(query: FiguresPaging) -> bool:
    if query.format is not None:
        return query.format is FiguresFormat.CSV
    accepted = request.accept_mimetypes
    return accepted.best_match(["application/json", "text/csv"], default="application/json") == "text/csv"


def _skip(query: Paging) -> int:
    cursor = read_cursor(query)
    try:
        return 0 if cursor is None else int(cursor[0])
    except (ValueError, IndexError) as error:
        raise _not_of_this_list() from error


def _last_change(query: Paging) -> tuple[datetime, date, UUID] | None:
    cursor = read_cursor(query)
    try:
        if cursor is None:
            return None
        return datetime.fromisoformat(cursor[0]), date.fromisoformat(cursor[1]), UUID(cursor[2])
    except (ValueError, IndexError) as error:
        raise _not_of_this_list() from error


def _last_figure(query: Paging) -> tuple[UUID, date, str] | None:
    cursor = read_cursor(query)
    try:
        return None if cursor is None else (UUID(cursor[0]), date.fromisoformat(cursor[1]), cursor[2])
    except (ValueError, IndexError) as error:
        raise _not_of_this_list() from error


def _not_of_this_list() -> CursorInvalid:
    return CursorInvalid("This cursor is not one of this list.", field="cursor")
