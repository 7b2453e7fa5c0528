"""How this installation speaks with Meta, and what comes of trying a login: once, within ten seconds, in words."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from app.core.deadline import Deadline, boot_seconds
from app.core.service_settings import ServiceSettings
from app.syncs.calls.client import Sender, ServiceClient, Spent, Watch
from app.syncs.calls.trials import InTime, Moment, once
from app.syncs.calls.troubles import SyncFailed
from app.syncs.days import DayRange
from app.syncs.doors import LONGEST_SHOWN, MOST_ACCOUNTS, TEST_SECONDS, FoundAccount, FoundAccounts
from app.syncs.meta.accounts import read_account, read_accounts
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.dialect import meta_client
from app.syncs.meta.login_facts import read_login_facts
from app.syncs.meta.refusal_words import no_answer, words_for
from app.syncs.standing import NOTHING_KNOWN, LoginFacts, Seen, Tried

_LOOK_BACK = timedelta(days=28)


@dataclass(frozen=True)
class MetaDoor:
    """Where Meta answers, the app of this installation there, if it has one, and what carries requests."""

    base_url: str
    version: str
    sender: Sender
    app_id: str | None = None
    app_secret: str | None = field(default=None, repr=False)
    chance: Callable[[], float] = random.random
    seconds: float = TEST_SECONDS

    @classmethod
    def of(cls, services: ServiceSettings, sender: Sender) -> "MetaDoor":
        return cls(
            services.meta_base_url, services.meta_api_version, sender, services.meta_app_id, services.meta_app_secret
        )

    def client(
        self, token: str, *, app_id: str | None, watch: Watch, also_secret: tuple[str, ...] = ()
    ) -> ServiceClient:
        """A client for a token. `app_id` is of the app that the token was given to, where that is known."""
        is_ours = app_id is not None and app_id == self.app_id
        # It is in the requests of a test, and may come back in any answer.
        hidden = (*also_secret, *([self.app_secret] if self.app_secret else []))
        return meta_client(
            base_url=self.base_url, version=self.version, token=token, sender=self.sender, watch=watch,
            chance=self.chance, app_secret=self.app_secret if is_ours else None, also_secret=hidden,
        )  # fmt: skip

    def try_login(self, token: str, account_id: str, *, now: datetime) -> Tried:
        """Read an account and one campaign of it with a token. Never raises for what Meta says or does not say."""
        started, hurried = boot_seconds(), self._hurried()
        watch = Moment(now)
        facts = hurried._facts(token, watch, Spent())
        client = once(hurried.client(token, app_id=facts.app_id, watch=watch))
        try:
            account = read_account(client, account_id)
            campaigns = _count_campaigns(client, account, now)
        except SyncFailed as error:
            seconds = boot_seconds() - started
            words = words_for(error, account_id=account_id, now=now, seconds=self.seconds)
            return Tried(words, seconds, trouble=error.trouble_class)
        seconds, name = boot_seconds() - started, client.clean(account.name)[:LONGEST_SHOWN]
        seen = Seen(account.id, name, account.zone, account.currency, facts)
        return Tried(_good_words(name, campaigns, seconds), seconds, seen)

    def find_accounts(self, token: str, *, now: datetime) -> FoundAccounts:
        """The ad accounts that a token reads, by name."""
        client = once(self._hurried().client(token, app_id=None, watch=Moment(now)))
        try:
            found = list(islice(read_accounts(client), MOST_ACCOUNTS + 1))
        except SyncFailed as error:
            words = words_for(error, account_id=None, now=now, seconds=self.seconds)
            return FoundAccounts(problem=words, trouble=error.trouble_class)
        shown = [
            FoundAccount(one.id, client.clean(one.name)[:LONGEST_SHOWN], one.currency, one.zone)
            for one in found[:MOST_ACCOUNTS]
        ]
        return FoundAccounts(
            tuple(sorted(shown, key=lambda one: (one.name.casefold(), one.id))), len(found) > len(shown)
        )

    def _hurried(self) -> "MetaDoor":
        """The same, for as long as somebody may be kept waiting."""
        return replace(self, sender=InTime(self.sender, Deadline.after(self.seconds), no_answer(self.seconds)))

    def look_at_login(self, token: str, *, watch: Watch, spent: Spent) -> LoginFacts:
        """What Meta says of a token to the app of this installation. Raises ReadStopped, and nothing for what it says.

        What that costs is added to `spent`, but nothing of the app's own quota, which is not the account's.
        """
        cost = Spent()
        facts = self._hurried()._facts(token, watch, cost)
        spent.requests += cost.requests
        spent.bytes += cost.bytes
        return facts

    def _facts(self, token: str, watch: Watch, spent: Spent) -> LoginFacts:
        if self.app_id is None or self.app_secret is None:
            return NOTHING_KNOWN
        client = once(self.client(f"{self.app_id}|{self.app_secret}", app_id=None, watch=watch, also_secret=(token,)))
        client.spent = spent
        try:
            return read_login_facts(client, token, now=watch.now())
        except SyncFailed:
            # A token of another app, for one; what it is good for, the account says.
            return NOTHING_KNOWN


def _count_campaigns(client: ServiceClient, account: MetaAccount, now: datetime) -> int:
    """1, or 0 where none was shown lately: reading one proves that figures can be read."""
    days = DayRange(account.today(now) - _LOOK_BACK, account.today(now))
    answer = client.get(
        f"{account.path}/insights",
        {
            "level": "campaign",
            "fields": "campaign_id,campaign_name,spend",
            "time_range": f'{{"since":"{days.first}","until":"{days.last}"}}',
            "time_increment": "1",
            "limit": "1",
        },
    )
    rows = answer.get("data")
    return min(len(rows), 1) if isinstance(rows, list) else 0


def _good_words(name: str, campaigns: int, seconds: float) -> str:
    if campaigns:
        return f"Read 1 campaign from {name}: ok, {seconds:.1f} s"
    return f"Read {name}: ok, {seconds:.1f} s. None of its campaigns was shown in the last 28 days."
