"""The accounts, people and apps of the scenarios. The same scenario and clock always give the same data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.fakes.providers.meta.truth import Account, Campaign, Delivery, Late, Pixel, days_before

# Not shaped like real ones, so that nobody's scanner is frightened; long, so that a search for them proves something.
TOKEN = "EAAfakeS1tokenOfAnna0123456789abcdefghijklmnopqrstuvwxyz"
OTHER_TOKEN = "EAAfakeS5tokenOfBoris0123456789abcdefghijklmnopqrstuvwx"
SCOPELESS_TOKEN = "EAAfakeTokenWithoutScope0123456789abcdefghijklmnopqrst"
APP_ID = "1234567890"
APP_SECRET = "fakeAppSecret0123456789abcdef0123"
EU, JP = "1001", "2002"
SECRETS = (TOKEN, OTHER_TOKEN, SCOPELESS_TOKEN, APP_SECRET)


@dataclass
class Token:
    """A person's permission for an app. `expires_at` None: never."""

    value: str
    user_id: str
    account_ids: tuple[str, ...]
    issued_at: datetime
    expires_at: datetime | None
    data_access_expires_at: datetime
    scopes: tuple[str, ...] = ("ads_read",)


@dataclass
class State:
    """All that one scenario knows."""

    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    # Whether the app takes calls with a proof of its secret alone, which its owner decides.
    needs_proof: bool = False

    def add(self, account: Account) -> None:
        self.accounts[account.id] = account

    def grant(self, value: str, now: datetime, *, days: int = 60, scopes: tuple[str, ...] = ("ads_read",)) -> None:
        """Let whoever has this token read every account there is so far."""
        person = f"77{len(self.tokens)}"
        ends = now + timedelta(days=days)
        self.tokens[value] = Token(value, person, tuple(self.accounts), now, ends, now + timedelta(days=90), scopes)


def build(scenario: str, now: datetime) -> State:
    """The data of a scenario, whose last day is today in each account's zone."""
    state = State()
    _BUILDERS[scenario](state, now)
    state.grant(TOKEN, now)
    state.grant(OTHER_TOKEN, now)
    state.grant(SCOPELESS_TOKEN, now, scopes=("public_profile",))
    return state


def _two_accounts(state: State, now: datetime) -> None:
    """S1: dollars and yen, three campaigns each, forty days, days without delivery, names that hurt."""
    state.add(_account(EU, "Acme EU", "USD", "Europe/Berlin", now, days=40))
    state.add(_account(JP, "アクメ 日本", "JPY", "Asia/Tokyo", now, days=40))


def _many_rows(state: State, now: datetime) -> None:
    """S4: twenty thousand campaign-days."""
    account = Account(EU, "Acme Large", "USD", "Europe/Berlin")
    for number in range(500):
        _fill(account, Campaign(f"{EU}{number:05}", f"Campaign {number}"), number, days_before(account.today(now), 40))
    state.add(account)


_BUILDERS: dict[str, Callable[[State, datetime], None]] = {
    "S1": _two_accounts,
    "S4": _many_rows,
    "S5": _two_accounts,  # the same account with two people: both tokens can read it in every scenario
}
NAMES = tuple(_BUILDERS)


def _account(id_: str, name: str, currency: str, zone: str, now: datetime, *, days: int) -> Account:
    account = Account(id_, name, currency, zone)
    campaigns = (
        Campaign(f"{id_}01", "=cmd|' /C calc'!A0", Pixel.OMNI),
        Campaign(f"{id_}02", "Sommer 🏖️ \u202eSale", Pixel.PLAIN),
        Campaign(f"{id_}03", "N" * 300, Pixel.PIXEL),
    )
    for number, campaign in enumerate(campaigns):
        _fill(account, campaign, number + int(id_), days_before(account.today(now), days))
    return account


def _fill(account: Account, campaign: Campaign, seed: int, days: list[date]) -> None:
    account.campaigns[campaign.id] = campaign
    for number, day in enumerate(days):
        # Some days have no delivery at all: the wire then has no row.
        if (number + seed) % 9 != 4:
            account.deliveries[day, campaign.id] = _delivery(seed * 131 + number * 17, account.currency, campaign)


def _delivery(seed: int, currency: str, campaign: Campaign) -> Delivery:
    """Figures without a pattern that adding, rounding or mixing up columns would leave alone."""
    impressions = 900 + seed * 7919 % 12_007
    purchases = seed * 31 % 6
    in_apps = purchases // 2 if campaign.pixel is Pixel.OMNI else 0
    return Delivery(
        spend=_money(20 + seed * 7_907 % 99_991, currency),
        impressions=impressions,
        clicks=impressions // 37,
        link_clicks=impressions // 53,
        reach=impressions * 4 // 5,
        purchases=purchases,
        value=_money(purchases * (1_999 + seed % 701), currency),
        in_apps=in_apps,
        late=(
            Late(1, spend=_money(-(seed % 13), currency)),
            Late(3, purchases=seed % 2, value=_money(seed % 2 * 4_999, currency)),
            Late(16 + seed % 12, purchases=1, value=_money(1_250 + seed % 97, currency)),
        ),
    )


def _money(minor: int, currency: str) -> Decimal:
    return Decimal(minor) if currency == "JPY" else Decimal(minor) / 100
