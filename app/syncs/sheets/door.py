"""How this installation speaks with Google Sheets, and what comes of trying a key: once, within ten seconds."""

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.core.deadline import Deadline, boot_seconds
from app.core.service_settings import ServiceSettings
from app.syncs.calls.client import Sender, Watch
from app.syncs.calls.retries import MOST_TRIES
from app.syncs.calls.trials import InTime, Moment
from app.syncs.calls.troubles import SyncFailed
from app.syncs.doors import LONGEST_SHOWN, TEST_SECONDS, FoundAccounts
from app.syncs.google.trial_words import no_answer, words_for
from app.syncs.sheets.book import Book, book_path, read_book
from app.syncs.sheets.dialect import SheetsCalls, sheets_calls
from app.syncs.signs.key_files import read_key
from app.syncs.signs.sheets import SHEETS_SIGN
from app.syncs.standing import LoginFacts, Seen, Tried

_TRIED = "belfry.test"


@dataclass(frozen=True)
class SheetsDoor:
    """Where Google Sheets and the sign-in of Google answer, and what carries requests."""

    base_url: str
    token_url: str
    sender: Sender
    chance: Callable[[], float] = random.random
    seconds: float = TEST_SECONDS

    @classmethod
    def of(cls, services: ServiceSettings, sender: Sender) -> "SheetsDoor":
        return cls(services.sheets_base_url, services.google_token_url, sender)

    def calls(self, secret: str, *, watch: Watch, most_tries: int = MOST_TRIES) -> SheetsCalls:
        """Calls with the key that `secret` holds. Nothing is asked yet."""
        return sheets_calls(
            read_key(secret), base_url=self.base_url, token_url=self.token_url, sender=self.sender, watch=watch,
            chance=self.chance, most_tries=most_tries,
        )  # fmt: skip

    def try_login(self, secret: str, account_id: str, *, now: datetime) -> Tried:
        """Look at a spreadsheet and write to it, leaving no trace. Never raises for what Google says or leaves out."""
        started = boot_seconds()
        in_time = InTime(self.sender, Deadline.after(self.seconds), no_answer(self.seconds))
        calls = replace(self, sender=in_time).calls(secret, watch=Moment(now), most_tries=1)
        try:
            book = read_book(calls, account_id)
            _write_and_take_away(calls, account_id, book, now)
        except SyncFailed as error:
            words = words_for(error, now=now, seconds=self.seconds)
            return Tried(words, boot_seconds() - started, trouble=error.trouble_class)
        seconds, title = boot_seconds() - started, calls.clean(book.title)[:LONGEST_SHOWN]
        # A key ends when somebody deletes it, and at no other time that Google would tell.
        seen = Seen(account_id, title, None, None, LoginFacts(known_at=now))
        return Tried(f"Can write to “{title}” as {calls.email}: ok, {seconds:.1f} s", seconds, seen)

    def find_accounts(self, secret: str, *, now: datetime) -> FoundAccounts:
        """None: to list files takes another API of Google, and a right to all of them."""
        return FoundAccounts(problem=SHEETS_SIGN.nothing_found)


def _write_and_take_away(calls: SheetsCalls, account_id: str, book: Book, now: datetime) -> None:
    """Only writing proves that writing is allowed. Both happen in one request, so nobody ever sees the mark."""
    tabs = "".join(str(tab.id) for tab in book.tabs)
    number = int.from_bytes(hashlib.sha256(f"{now.isoformat()} {tabs}".encode()).digest()[:4]) >> 1
    mark = {"metadataId": number, "metadataKey": _TRIED, "location": {"spreadsheet": True}, "visibility": "PROJECT"}
    taken = {"dataFilter": {"developerMetadataLookup": {"metadataId": number}}}
    requests = [{"createDeveloperMetadata": {"developerMetadata": mark}}, {"deleteDeveloperMetadata": taken}]
    calls.post_json(f"{book_path(account_id)}:batchUpdate", {"requests": requests})
