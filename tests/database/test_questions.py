"""Questions that are asked together get the answers that each gets alone."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, literal, select, union_all
from sqlalchemy.orm import Session

from app.core.questions import Question, ask, ask_together
from app.jobs.models import Job
from app.runs.models import Run
from app.runs.states import RunState
from app.schedules.models import Schedule
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import make_job, make_organization, make_schedule
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.fakes.statements import counted

NOW = utc("2027-01-05 12:00").replace(microsecond=123_456)


def as_tuples(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


def question(query: Any) -> Question[list[tuple[Any, ...]]]:
    return Question(query, as_tuples)


@pytest.fixture
def questions(session: Session) -> list[Question[list[tuple[Any, ...]]]]:
    """Ids, instants, nothings, texts with every kind of quote, booleans, fractions; a union, and no rows at all."""
    job = make_job(session, make_organization(session), name="“Ads” 'n' \"more\" \\ ✓ <b>")
    schedule = make_schedule(session, job, name="Hourly")
    make_succeeded(session, job, now=NOW, schedule_id=schedule.id)
    make_failed(session, job, now=NOW - timedelta(hours=1), error="line 1\nline 2\t\x7f")
    make_running(session, job, now=NOW - timedelta(days=400))
    session.flush()
    facts = Run.id, Run.schedule_id, Run.job_name, Run.created_at, Run.finished_at, Run.error, Run.attempt
    states = [select(Run.state, func.count()).where(Run.state == state).group_by(Run.state) for state in RunState]
    return [
        question(select(*facts).order_by(Run.created_at.desc())),
        question(select(Schedule.enabled, Schedule.deleted_at, Job.id, Schedule.id, literal(1.5)).join(Job)),
        question(union_all(*states).order_by(Run.state)),
        question(select(Run.id).where(Run.state == "no such state")),
    ]


class TestAskedTogether:
    def test_get_what_each_gets_alone(self, session: Session, questions: list[Question[Any]]) -> None:
        alone = [ask(session, each) for each in questions]

        assert list(ask_together(session, *questions)) == alone
        assert [len(each) for each in alone] == [3, 1, 3, 0]

    def test_take_one_statement(self, database: OpenDatabase, session: Session, questions: list[Question[Any]]) -> None:
        with counted(database.owner) as statements:
            ask_together(session, *questions)

        assert len(statements) == 1

    def test_leave_a_place_for_what_is_not_asked(self, session: Session, questions: list[Question[Any]]) -> None:
        first, second = questions[:2]

        assert ask_together(session, None, first, None) == (None, ask(session, first), None)
        assert ask_together(session, first, None, second) == (ask(session, first), None, ask(session, second))
        assert ask_together(session, None) == (None,)

    def test_refuse_what_json_could_not_give_back(self, session: Session, questions: list[Question[Any]]) -> None:
        with pytest.raises(TypeError, match="JSON"):
            ask_together(session, question(select(Run.definition)), questions[0])
