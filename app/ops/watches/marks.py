"""What a watch has told of and is not over yet, so that each thing is told once for each time that it begins."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.events.service import Topic, append_event
from app.ops.models import WatchMark

_AT_ONCE = 200


class Watch(StrEnum):
    """What is looked for."""

    LATE = "late"
    LONGER = "longer"
    STUCK = "stuck"
    BACKLOG = "backlog"
    SILENT = "silent"


@dataclass(frozen=True)
class Happening:
    """One event of an organization."""

    topic: Topic
    kind: str
    subject_id: UUID
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, order=True)
class Subject:
    """What is watched: `key` tells it from all others of its organization that the same watch looks at."""

    organization_id: UUID
    key: str


Marks = dict[Watch, set[Subject]]


@dataclass(frozen=True)
class Look:
    """All that a watch has seen at one moment, and what each is told as.

    Without `is_all` there was more than could be looked at: then nothing that was not seen is over. `over` is told of
    what is; with None nothing is, because something else tells it.
    """

    watch: Watch
    seen: dict[Subject, Happening]
    is_all: bool = True
    over: dict[Subject, Happening] | None = None

    def news(self, marks: Marks) -> "News | None":
        """What began and what is over since the last look; None where nothing is new."""
        told = marks.get(self.watch, set())
        began = {subject: self.seen[subject] for subject in sorted(self.seen.keys() - told)}
        ended = sorted(told - self.seen.keys()) if self.is_all else []
        return News(self.watch, began, ended, self.over or {}) if began or ended else None


@dataclass(frozen=True)
class News:
    """What a look has found that nobody was told of."""

    watch: Watch
    began: dict[Subject, Happening]
    ended: Sequence[Subject]
    over: dict[Subject, Happening]


def read_marks(session: Session) -> Marks:
    """Everything that was told and is not over. Works as ENGINE."""
    marks: Marks = {}
    for row in session.execute(select(WatchMark.watch, WatchMark.organization_id, WatchMark.subject)):
        if row.watch in set(Watch):
            marks.setdefault(Watch(row.watch), set()).add(Subject(row.organization_id, row.subject))
    return marks


def tell(session: Session, news: News, *, now: datetime) -> int:
    """Append the events, and remember it. Works as ENGINE. What another process was faster with is left out."""
    told = 0
    for some in _pieces(news.began):
        for subject in _mark(session, news.watch, some, now):
            _append(session, subject, news.began[subject], now)
            told += 1
    for some in _pieces(news.ended):
        for subject in _unmark(session, news.watch, some):
            if subject in news.over:
                _append(session, subject, news.over[subject], now)
                told += 1
    return told


def _mark(session: Session, watch: Watch, subjects: Sequence[Subject], now: datetime) -> list[Subject]:
    rows = [
        {"watch": watch.value, "organization_id": one.organization_id, "subject": one.key, "at": now}
        for one in subjects
    ]
    query = _insert_or_ignore(session).values(rows).returning(WatchMark.organization_id, WatchMark.subject)
    return [Subject(*row) for row in session.execute(query)]


def _unmark(session: Session, watch: Watch, subjects: Sequence[Subject]) -> list[Subject]:
    these = tuple_(WatchMark.organization_id, WatchMark.subject).in_(
        [(one.organization_id, one.key) for one in subjects]
    )
    query = delete(WatchMark).where(WatchMark.watch == watch.value, these)
    gone = query.returning(WatchMark.organization_id, WatchMark.subject).execution_options(synchronize_session=False)
    return [Subject(*row) for row in session.execute(gone)]


def _append(session: Session, subject: Subject, happening: Happening, now: datetime) -> None:
    append_event(
        session, organization_id=subject.organization_id, topic=happening.topic, kind=happening.kind,
        subject_id=happening.subject_id, now=now, data=happening.data,
    )  # fmt: skip


def _insert_or_ignore(session: Session) -> Insert:
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return make(WatchMark).on_conflict_do_nothing()


def _pieces(subjects: Collection[Subject]) -> Iterator[list[Subject]]:
    given = list(subjects)
    for begin in range(0, len(given), _AT_ONCE):
        yield given[begin : begin + _AT_ONCE]
