"""What an app was built with. Pages, resources and commands reach it through the current app."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app
from sqlalchemy.orm import Session

from app.core.clock import Clock
from app.core.config import Settings
from app.core.db import Database
from app.core.schema import SchemaGate
from app.edge.database import RequestDatabase
from app.jobs.kinds.base import JobKinds

EXTENSION = "belfry"


@dataclass(frozen=True)
class Runtime:
    """The parts that were put together at the start. `dispatch` hands ready runs to the workers."""

    settings: Settings
    database: Database
    requests: RequestDatabase
    schema: SchemaGate
    kinds: JobKinds
    clock: Clock
    dispatch: Callable[[], object]


def runtime() -> Runtime:
    """The current app's parts."""
    return cast("Runtime", current_app.extensions[EXTENSION])


def request_session() -> Session:
    """The session of this request."""
    return cast("Session", runtime().requests.session())
