"""What an app was built with. Pages, resources and commands reach it through the current app."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import current_app, g
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.config import Settings
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import Scope, rescope, rescoped
from app.edge.database import RequestDatabase
from app.jobs.kinds.base import JobKinds
from app.notifications.channel_desk import ChannelDesk
from app.ops.attention import AttentionBook
from app.ops.code_definitions import Definitions
from app.ops.glance_book import GlanceBook
from app.ops.login_desk import LoginDesk
from app.ops.preview_books import PreviewBooks

EXTENSION = "belfry"


@dataclass(frozen=True)
class Runtime:
    """The parts that were put together at the start. `dispatch` hands ready runs to the workers.

    `definitions` are what the code said when the process started; what could not be loaded then is not tried again.
    `broker_problem` says what is wrong with the broker, and nothing when it answers. `previews`, `glances` and
    `attention` know for a moment what pages ask for again and again. `logins` tries what signs in to services,
    `channels` checks and tests where people are told.
    """

    settings: Settings
    database: Database
    requests: RequestDatabase
    schema: SchemaGate
    definitions: Definitions
    kinds: JobKinds
    clock: Clock
    dispatch: Callable[[], object]
    broker_problem: Callable[[], str | None]
    previews: PreviewBooks
    glances: GlanceBook
    attention: AttentionBook
    logins: LoginDesk
    channels: ChannelDesk


def runtime() -> Runtime:
    """The current app's parts."""
    return cast("Runtime", current_app.extensions[EXTENSION])


def request_session() -> Session:
    """The session of this request."""
    return cast("Session", runtime().requests.session())


def fresh_session() -> Session:
    """The session of this request, reading anew: commands write past the objects that were read before."""
    session = request_session()
    session.flush()
    session.expire_all()
    return session


def work_as(scope: Scope) -> None:
    """Let this request's session go on as somebody else, in the same transaction."""
    g.scope = scope
    rescope(request_session(), scope)


@contextmanager
def working_as(scope: Scope) -> Iterator[Session]:
    """The session of this request as somebody else, for as long as the block lasts."""
    session = request_session()
    with rescoped(session, scope):
        yield session
