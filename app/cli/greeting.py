"""What `belfry up` says once pages are served: where to go next, or what is missing until then."""

import logging
import time
from collections.abc import Callable

from app.cli.terminal import say
from app.cli.users import first_account_address
from app.core.clock import DatabaseClock
from app.core.config import Settings
from app.core.db import Database
from app.core.schema import SchemaGate
from app.core.scopes import IDENTITY
from app.tenants.queries import has_users

log = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0


class Greeter:
    """Greets once, as soon as the database can be asked. Its own failures are never the caller's."""

    def __init__(
        self,
        database: Database,
        schema: SchemaGate,
        settings: Settings,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._schema = schema
        self._settings = settings
        self._ticks = ticks
        self._is_over = False
        self._is_excused = False
        self._look_at = ticks()

    def greet(self) -> None:
        """Say what there is to say now. For a loop: costs nothing when there is nothing."""
        if self._is_over or self._ticks() < self._look_at:
            return
        self._look_at = self._ticks() + AGAIN_SECONDS
        try:
            self._say()
        except Exception:
            log.exception("greeting postponed")

    def _say(self) -> None:
        problem = self._schema.sentence()
        if problem is None:
            say(first_steps(self._database, self._settings))
            self._is_over = True
        elif not self._is_excused:
            self._is_excused = True
            say(f"\nBelfry runs, but cannot be used yet. {problem}\n")


def first_steps(database: Database, settings: Settings) -> str:
    """What to do once everything runs: open the address, or make the first account."""
    with database.transaction(IDENTITY) as session:
        if has_users(session):
            return f"\nBelfry runs. Open {settings.public_url}\nStop it with Ctrl-C.\n"
        address = first_account_address(session, settings.public_url, now=DatabaseClock().now(session))
    return (
        "\nBelfry runs. Make the first account within the hour; only this link can:\n\n"
        f"  {address}\n\nStop it with Ctrl-C.\n"
    )
