"""Pages of landed figures: one metric over time, what it is made of, why it moved, and every figure as a file."""

from collections.abc import Iterator, Sequence

from flask import Response, current_app, request, url_for

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.data_freshness import read_freshness
from app.ops.kpi_changes import KpiChange, list_changes, read_place, write_place
from app.ops.kpi_file import figure_lines, file_name
from app.ops.kpi_question import KpiQuestion, Problem, QuestionInvalid
from app.ops.kpi_reading import NOTHING_CONNECTED, Reading, entity_name, read_question
from app.ops.kpi_report import list_top, read_report
from app.syncs.figure_sources import FigureSource, list_sources
from app.syncs.figures import Level
from app.tenants.access import Permission
from app.web.blueprint import web
from app.web.page_size import rows_per_page
from app.web.pages.data_view import data_view
from app.web.pages.data_words import change_row, days_words, link_args, zones_words
from app.web.permissions import route
from app.web.responses import invalid, page, page_or_fragment

NEWEST_CHANGES = 8


@route(web, "/data", permission=Permission.VIEW)
def data() -> Response:
    """A metric over time. htmx gets the part that changes."""
    sources, reading = _read()
    question = reading.question
    if question is None:
        return _nothing_yet()
    name = _entity_name(reading)
    question = reading.question or question
    session, organization_id = request_session(), current_actor().organization_id
    changes = list_changes(session, question, limit=NEWEST_CHANGES + 1)
    has_list = question.level is not Level.ACCOUNT and question.entity_id is None
    view = data_view(
        reading,
        read_report(session, question),
        sources,
        entity_name=name,
        entities=list_top(session, question) if has_list else (),
        changes=changes[:NEWEST_CHANGES],
        has_more_changes=len(changes) > NEWEST_CHANGES,
        freshness=read_freshness(session, question.sources, organization_id=organization_id, now=request_now()),
    )
    if reading.problems:
        return invalid("data/index.html", view=view, problems=reading.problems)
    return page_or_fragment("data/index.html", "data/_report.html", view=view, problems=())


@route(web, "/data/changes", permission=Permission.VIEW)
def data_changes() -> Response:
    """Every change of the days of a question after they had been complete, the newest first."""
    _, reading = _read()
    question = reading.question
    if question is None:
        return _nothing_yet()
    name = _entity_name(reading)
    question = reading.question or question
    given = request.args.get("before", "")
    before = read_place(given)
    if given and before is None:
        words = "The place in the list cannot be read, so these are the newest."
        reading.problems.append(Problem("before", words))
    found = list_changes(request_session(), question, limit=rows_per_page() + 1, before=before)
    shown = found[: rows_per_page()]
    return invalid(
        "data/changes.html",
        status=422 if reading.problems else 200,
        problems=reading.problems,
        question=question,
        subject=f"{question.name} · {name}" if name else question.name,
        days=days_words(question.days),
        zone=zones_words(question),
        back=url_for("web.data", **link_args(question)),
        newest_href=url_for("web.data_changes", **link_args(question)) if before else "",
        older_href=_older(question, shown) if len(found) > len(shown) else "",
        changes=[change_row(question, one) for one in shown],
    )


@route(web, "/data.csv", permission=Permission.VIEW)
def data_csv() -> Response:
    """Every figure that the page is about, one a line, however many they are."""
    _, reading = _read()
    _entity_name(reading)
    # A file that holds other figures than was asked for would be worse than none.
    reading.refuse_problems()
    if reading.question is None:
        raise QuestionInvalid(NOTHING_CONNECTED)
    actor = current_actor()
    lines = figure_lines(runtime().database, reading.question, user_id=actor.user_id)
    response = Response(_bunches(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name(reading.question)}"'
    return response


def _nothing_yet() -> Response:
    # Where accounts are connected is a page of its own, which may not be part of this installation.
    name = "web.connections"
    href = url_for(name) if name in current_app.view_functions else ""
    return page("data/empty.html", connections_href=href)


def _read() -> tuple[list[FigureSource], Reading]:
    session, organization_id = request_session(), current_actor().organization_id
    sources = list_sources(session, organization_id=organization_id)
    return sources, read_question(request.args, sources, organization_id=organization_id, now=request_now())


def _entity_name(reading: Reading) -> str:
    """What the campaign is called that is asked for; one that nobody knows becomes a problem."""
    if reading.question is None or reading.question.entity_id is None:
        return ""
    name = entity_name(request_session(), reading.question)
    if name is None:
        reading.forget_entity()
    return name or ""


def _older(question: KpiQuestion, shown: Sequence[KpiChange]) -> str:
    return url_for("web.data_changes", **link_args(question), before=write_place(shown[-1]))


def _bunches(lines: Iterator[str], size: int = 500) -> Iterator[str]:
    """Many lines in one piece: each piece is sent by itself."""
    bunch: list[str] = []
    for line in lines:
        bunch.append(line)
        if len(bunch) == size:
            yield "".join(bunch)
            bunch = []
    yield "".join(bunch)
