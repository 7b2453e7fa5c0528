"""How Google Sheets speaks: JSON in both directions, and the errors of all services of Google."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from app.core.hiding import Cleaner
from app.core.http import OutboundResponse
from app.core.retry_after import break_asked_for
from app.syncs.calls.client import LIMITS as USUAL_LIMITS
from app.syncs.calls.client import Sender, Spent, Watch
from app.syncs.calls.retries import MOST_TRIES
from app.syncs.calls.troubles import Trouble
from app.syncs.calls.usage import Usage
from app.syncs.google.errors import UNREADABLE, read_google_error
from app.syncs.google.session import GoogleSession, open_session
from app.syncs.sheets.refusals import NAME, trouble_of
from app.syncs.signs.key_files import ServiceKey

# Google itself takes three minutes at most; pasting the largest of tables takes its time.
LIMITS = replace(USUAL_LIMITS, total_seconds=180.0)
SCOPE = "https://www.googleapis.com/auth/spreadsheets"


class Calls(Protocol):
    """What reading and writing a spreadsheet needs of whoever is signed in."""

    @property
    def watch(self) -> Watch: ...

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer. Raises SyncFailed and ReadStopped."""

    def post_json(self, path: str, said: Any) -> Any:
        """The same. Only for what may be sent twice."""


@dataclass
class SheetsDialect:
    """Of one service account, whose e-mail stands in the advice."""

    key: ServiceKey
    name: str = NAME

    def usage(self, headers: Mapping[str, str], content: Any) -> Usage | None:
        """It says nothing about its quota before that is used up."""
        return None

    def judge(
        self, response: OutboundResponse, content: Any, usage: Usage | None, *, clean: Cleaner, now: datetime
    ) -> Trouble | None:
        if response.status == 400 and content is None:
            # Cut off on its way: what Google refused is not known, and it says so again.
            return UNREADABLE
        error = read_google_error(response.status, content, clean=clean)
        if error is not None:
            return trouble_of(error, key=self.key, wait=break_asked_for(response.status, response.headers, now=now))
        return None if isinstance(content, dict) else UNREADABLE


@dataclass(frozen=True)
class SheetsCalls:
    """Calls of one service account."""

    session: GoogleSession

    @property
    def spent(self) -> Spent:
        return self.session.spent

    @property
    def email(self) -> str:
        """Who it signs in as."""
        return self.session.key.client_email

    def clean(self, text: str) -> str:
        """A text without the key."""
        return self.session.client.clean(text)

    @property
    def watch(self) -> Watch:
        return self.session.client.watch

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        return self.session.ask(lambda client: client.get(path, parameters))

    def post_json(self, path: str, said: Any) -> Any:
        return self.session.post_json(path, said)


def sheets_calls(
    key: ServiceKey,
    *,
    base_url: str,
    token_url: str,
    sender: Sender,
    watch: Watch,
    chance: Callable[[], float],
    most_tries: int = MOST_TRIES,
) -> SheetsCalls:
    """Nothing is asked yet. Both addresses are the operator's settings."""
    session = open_session(
        key, scope=SCOPE, base_url=base_url, token_url=token_url, dialect=SheetsDialect(key), sender=sender,
        watch=watch, chance=chance, most_tries=most_tries,
    )  # fmt: skip
    session.client.limits = LIMITS
    return SheetsCalls(session)
