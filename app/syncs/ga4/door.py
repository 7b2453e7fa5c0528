"""How this installation speaks with Google Analytics, and what comes of trying a key: once, within ten seconds."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from app.core.deadline import Deadline, boot_seconds
from app.core.service_settings import ServiceSettings
from app.syncs.calls.client import Sender, Watch
from app.syncs.calls.retries import MOST_TRIES
from app.syncs.calls.trials import InTime, Moment
from app.syncs.calls.troubles import SyncFailed
from app.syncs.doors import TEST_SECONDS, FoundAccounts
from app.syncs.figures import METRIC_FACTS
from app.syncs.ga4.dialect import Ga4Dialect
from app.syncs.ga4.error_budget import ErrorBudget
from app.syncs.ga4.properties import Glance, PropertyCalls
from app.syncs.google.session import open_session
from app.syncs.google.trial_words import no_answer, words_for
from app.syncs.logins import ErrorMemory
from app.syncs.signs.ga4 import GA4_SIGN
from app.syncs.signs.key_files import read_key
from app.syncs.standing import LoginFacts, Seen, Tried

_SCOPE = "https://www.googleapis.com/auth/analytics.readonly"


@dataclass(frozen=True)
class Ga4Door:
    """Where Google Analytics and the sign-in of Google answer, and what carries requests."""

    base_url: str
    token_url: str
    sender: Sender
    chance: Callable[[], float] = random.random
    seconds: float = TEST_SECONDS
    errors: ErrorBudget = field(default_factory=ErrorBudget)

    @classmethod
    def of(cls, services: ServiceSettings, sender: Sender) -> "Ga4Door":
        return cls(services.ga4_base_url, services.google_token_url, sender)

    def calls(
        self, secret: str, property_id: str, *, watch: Watch, most_tries: int = MOST_TRIES,
        memory: ErrorMemory | None = None,
    ) -> PropertyCalls:  # fmt: skip
        """Calls about a property with the key that `secret` holds. Nothing is asked yet.

        `memory` knows the errors that other processes met.
        """
        key = read_key(secret)
        dialect = Ga4Dialect(property_id, key, self.errors, watch.now, memory=memory)
        session = open_session(
            key, scope=_SCOPE, base_url=self.base_url, token_url=self.token_url, dialect=dialect, sender=self.sender,
            watch=watch, chance=self.chance, most_tries=most_tries,
        )  # fmt: skip
        return PropertyCalls(session, dialect)

    def try_login(self, secret: str, account_id: str, *, now: datetime) -> Tried:
        """Read four weeks of a property with a key. Never raises for what Google says or does not say."""
        started = boot_seconds()
        in_time = InTime(self.sender, Deadline.after(self.seconds), no_answer(self.seconds))
        calls = replace(self, sender=in_time).calls(secret, account_id, watch=Moment(now), most_tries=1)
        try:
            glance = calls.glance()
        except SyncFailed as error:
            words = words_for(error, now=now, seconds=self.seconds)
            return Tried(words, boot_seconds() - started, trouble=error.trouble_class)
        seconds, found = boot_seconds() - started, glance.found
        # A key ends when somebody deletes it, and at no other time that Google would tell.
        seen = Seen(found.id, found.name, found.zone, found.currency, LoginFacts(known_at=now))
        return Tried(_good_words(glance, seconds), seconds, seen)

    def find_accounts(self, secret: str, *, now: datetime) -> FoundAccounts:
        """None: to list properties takes another API of Google, which many projects never enabled."""
        return FoundAccounts(problem=GA4_SIGN.nothing_found)


def _good_words(glance: Glance, seconds: float) -> str:
    many = f"{glance.sessions:,} session{'' if glance.sessions == 1 else 's'}"
    words = f"Read {many} of the last four weeks from property {glance.found.id}: ok, {seconds:.1f} s."
    if not glance.hidden:
        return words
    names = ", ".join(sorted(METRIC_FACTS[metric].name for metric in glance.hidden))
    return f"{words} This key may not see {names}: Google reports zero for it. Ask for access to it, or live with that."
