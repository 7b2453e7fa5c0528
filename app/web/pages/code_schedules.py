"""Pages of the schedules and jobs that code defines, for platform admins. What their forms do is in actions/."""

from typing import Any

from flask import Response, request, url_for

from app.core.ids import new_id
from app.edge.identity import acting_for_installation, current_actor, request_now
from app.edge.runtime import runtime
from app.jobs.queries import JobRow, list_jobs
from app.ops.code_board import CodeBoard, read_code_board
from app.ops.code_rows import CodeScheduleRow, get_code_job, get_code_schedule
from app.ops.passed_over import list_passed_over
from app.runs.in_hand import going_on_since
from app.schedules.code_origin import refuse_left
from app.tenants.platform import for_the_installation
from app.web.blueprint import web
from app.web.context import viewer_zone
from app.web.daemon import news, scheduling_stop
from app.web.forms.arguments import ParametersForm, parameters_form
from app.web.forms.code_schedules import CodeTimesForm, NotesForm, times_of
from app.web.pages.code_lines import (
    CodeLine,
    HistoryLine,
    code_line,
    function_of,
    history_of,
    job_line,
    scheduler_lines,
)
from app.web.pages.resume_question import ResumeQuestion, ask_about_missed, resume_question
from app.web.pages.run_questions import beside_words
from app.web.pages.why_notes import note_on_code_schedule, telling, words_for_row
from app.web.permissions import route
from app.web.responses import go_to, invalid, page, page_or_fragment

ROWS_PER_PAGE = 50
MOST_PAGES = 10_000


@route(web, "/admin/schedules", platform_admin=True)
def code_schedules() -> Response:
    """All of them, with the scheduler above."""
    with acting_for_installation() as (session, _actor):
        board = read_code_board(session, definitions=runtime().definitions, telling=telling())
    lines = [_line(row, board.job_of.get(row.schedule.job_id), _why(row, board)) for row in board.schedules]
    return page_or_fragment(
        "admin/schedules.html",
        "admin/_schedules.html",
        lines=lines,
        jobs=[job_line(row, kinds=runtime().kinds) for row in board.jobs],
        schedulers=scheduler_lines(board.processes, now=request_now()),
        next_due_at=board.next_due_at,
        ended_at=news().ended_at,
        passed_over=sum(line.row.passed_over for line in lines),
        standing=board.standing,
    )


@route(web, "/admin/skipped-slots", platform_admin=True)
def skipped_slots() -> Response:
    """What was not run within the last seven days, and why."""
    number = min(max(request.args.get("page", 1, type=int), 1), MOST_PAGES)
    offset = (number - 1) * ROWS_PER_PAGE
    with acting_for_installation() as (session, _actor):
        found = list_passed_over(session, now=request_now(), limit=ROWS_PER_PAGE, offset=offset)
    newer = url_for("web.skipped_slots", page=number - 1) if number > 1 else ""
    older = url_for("web.skipped_slots", page=number + 1) if offset + len(found.rows) < found.total else ""
    return page("admin/skipped.html", slots=found.rows, first=offset + 1, total=found.total, newer=newer, older=older)


@route(web, "/admin/schedules/<code_id>", platform_admin=True)
def code_schedule(code_id: str) -> Response:
    """One of them: what it does, what was changed here, how it went."""
    line, history = read_code_schedule(code_id)
    return code_page(line, history, NotesForm(data={"notes": line.row.notes}))


@route(web, "/admin/schedules/<code_id>/edit", platform_admin=True)
def edit_code_schedule(code_id: str) -> Response:
    """The form that says otherwise than the code when it runs."""
    line, _history = read_code_schedule(code_id)
    refuse_left(line.row.code)
    return times_page(line, CodeTimesForm(data=times_of(line.row)))


@route(web, "/admin/schedules/<code_id>/resume", platform_admin=True)
def resume_code_schedule(code_id: str) -> Response:
    """The question before one is switched on that missed something meanwhile."""
    question, back = missed_of(code_id), url_for("web.code_schedule", code_id=code_id)
    if question is None:
        return go_to(back)
    crumbs = [("Schedules in code", url_for("web.code_schedules")), (code_id, back)]
    url = url_for("web.switch_code_schedule", code_id=code_id)
    return ask_about_missed(question, name=code_id, crumbs=crumbs, url=url, back=back)


@route(web, "/admin/schedules/<code_id>/run", platform_admin=True)
def run_code_schedule_form(code_id: str) -> Response:
    """The parameters of a run."""
    line, _history = read_code_schedule(code_id)
    refuse_left(line.row.code)
    with acting_for_installation() as (session, actor):
        job = next(
            each
            for each in list_jobs(session, organization_id=actor.organization_id)
            if each.id == line.row.schedule.job_id
        )
    return run_page(job, code_id, url_for("web.run_code_schedule", code_id=code_id), parameters_of(job))


@route(web, "/admin/code-jobs/<code_name>/run", platform_admin=True)
def run_code_job_form(code_name: str) -> Response:
    """The parameters of a run of a job alone."""
    with acting_for_installation() as (session, _actor):
        job = get_code_job(session, code_name=code_name).job
    return run_page(job, code_name, url_for("web.run_code_job", code_name=code_name), parameters_of(job))


def read_code_schedule(code_id: str) -> tuple[CodeLine, tuple[HistoryLine, ...]]:
    """One of them for its pages. Raises CodeScheduleNotFound."""
    with acting_for_installation() as (session, actor):
        session.expire_all()
        row = get_code_schedule(session, code_id=code_id, now=request_now())
        jobs = {job.id: job for job in list_jobs(session, organization_id=actor.organization_id)}
        return _line(row, jobs.get(row.schedule.job_id)), history_of(session, row)


def missed_of(code_id: str) -> ResumeQuestion | None:
    """What is to be asked before one is switched on. Raises CodeScheduleNotFound, or ScheduleOwnedByCode."""
    with acting_for_installation() as (session, _actor):
        row = get_code_schedule(session, code_id=code_id, now=request_now())
    refuse_left(row.code)
    return resume_question(row.schedule, now=request_now())


def code_page(line: CodeLine, history: tuple[HistoryLine, ...], notes: NotesForm, *, status: int = 200) -> Response:
    """The page of one, with the form of its notes."""
    system = for_the_installation(current_actor()).organization_id
    sees_runs = current_actor().organization_id == system
    question = None if line.has_left else resume_question(line.row.schedule, now=request_now())
    with acting_for_installation() as (session, _actor):
        why = note_on_code_schedule(session, line.row.schedule, sees_runs=sees_runs)
    return invalid(
        "admin/schedule.html",
        status=status,
        line=line,
        history=history,
        notes=notes,
        missed_meanwhile="" if question is None else question.sentence,
        why=why,
        sees_runs=sees_runs,
        system=system,
    )


def times_page(line: CodeLine, form: CodeTimesForm, *, status: int = 200) -> Response:
    """The form of its times and policies."""
    return invalid("admin/times.html", status=status, line=line, form=form)


def run_page(job: JobRow, name: str, url: str, form: ParametersForm, *, status: int = 200) -> Response:
    """The form of the parameters of a run."""
    function = function_of(runtime().kinds, job)
    title = name if function is None else function.title
    with acting_for_installation() as (session, actor):
        since = going_on_since(session, organization_id=actor.organization_id, job_id=job.id)
    return invalid(
        "admin/run.html", status=status, name=name, title=title, url=url, form=form, request_key=new_id().hex,
        beside="" if since is None else beside_words(since),
    )  # fmt: skip


def parameters_of(job: JobRow) -> ParametersForm:
    """The form for a run of a job, filled by what was sent or else by the job."""
    stored: dict[str, Any] = job.definition.get("arguments", {})
    return parameters_form(function_of(runtime().kinds, job), stored)


def _why(row: CodeScheduleRow, board: CodeBoard) -> str:
    return words_for_row(board.whys[row.schedule.id], is_on=row.schedule.enabled)


def _line(row: CodeScheduleRow, job: JobRow | None, why: str = "") -> CodeLine:
    return code_line(
        row,
        kinds=runtime().kinds,
        job=job,
        is_stopped=scheduling_stop() is not None,
        viewer_zone=viewer_zone(),
        now=request_now(),
        why=why,
    )
