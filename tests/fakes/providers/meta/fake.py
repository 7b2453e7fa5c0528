"""The Graph API as far as ad accounts, insights and tokens go: who may ask, what is answered, what is refused."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.meta import refusals, scenarios
from tests.fakes.providers.meta.insights import Query, Refused, make_page, make_rows, read_query
from tests.fakes.providers.meta.reports import Report, started
from tests.fakes.providers.meta.scenarios import State, Token
from tests.fakes.providers.meta.tokens import exchange, refuse_proof, token_facts
from tests.fakes.providers.meta.truth import Account, Campaign, figures
from tests.fakes.providers.meta.usage import Quota, usage_headers
from tests.fakes.providers.wire import Answer, Call

CURRENT = 26
OLDEST_SERVED = 24
ACCOUNT_FIELDS = frozenset(
    {"id", "account_id", "name", "currency", "timezone_name", "timezone_offset_hours_utc", "account_status"}
    | {"disable_reason", "amount_spent", "balance"}
)
_ROUTES = (
    ("POST", r"/act_(?P<account>[^/]+)/insights", "report_start"),
    ("GET", r"/act_(?P<account>[^/]+)/insights", "insights"),
    ("GET", r"/act_(?P<account>[^/]+)", "account"),
    ("GET", r"/me/adaccounts", "accounts"),
    ("GET", r"/debug_token", "debug_token"),
    ("GET", r"/oauth/access_token", "exchange"),
    ("GET", r"/(?P<report>\d+)/insights", "report_rows"),
    ("GET", r"/(?P<report>\d+)", "report_status"),
)
_VERSION = re.compile(r"/v(\d+)\.(\d+)(/.*)")
# These bend the true answer or decide the fate of a report; all others take the answer's place.
_ACCOUNT_FAULTS = {"account_state", "currency_change", "zone_change"}


class MetaFake:
    """One installation of Meta with a few accounts, people and reports."""

    name = "meta"
    scenarios: tuple[str, ...] = scenarios.NAMES

    def __init__(self) -> None:
        self.state = State()
        self.reports: dict[str, Report] = {}
        self._quotas: dict[str, Quota] = {}
        self._last_rows: tuple[object, list[dict[str, Any]]] | None = None

    def reset(self, scenario: str, now: datetime) -> None:
        self.state = self.build(scenario, now)
        self.reports.clear()
        self._quotas.clear()
        self._last_rows = None

    def build(self, scenario: str, now: datetime) -> State:
        """The data of a scenario. A fake with scenarios of its own has its own."""
        return scenarios.build(scenario, now)

    def route_of(self, call: Call) -> str:
        return self._find(call)[0]

    def meets(self, fault: Fault, call: Call) -> bool:
        """`days_over`, `campaigns_over` and `field` let a fault hit only requests that are as large as that."""
        said, options = call.parameters, fault.options
        if fault.fault.startswith("async_") and self.route_of(call) != "report_start":
            return False
        if fault.fault in _ACCOUNT_FAULTS and self.route_of(call) != "account":
            return False
        try:
            span = json.loads(said["time_range"]) if "days_over" in options else None
            campaigns = json.loads(said["filtering"])[0]["value"] if "filtering" in said else None
        except (ValueError, KeyError):
            return False
        if span and (date.fromisoformat(span["until"]) - date.fromisoformat(span["since"])).days < options["days_over"]:
            return False
        if "campaigns_over" in options and campaigns is not None and len(campaigns) <= options["campaigns_over"]:
            return False
        metrics = {"spend", "impressions", "clicks", "inline_link_clicks", "reach", "actions", "action_values"}
        asked = metrics & set(said.get("fields", "").split(","))
        return len(asked) > int(options.get("fields_over", -1))

    def mutate(self, change: dict[str, Any], now: datetime) -> None:
        self._last_rows = None
        account = self.state.accounts[change["account"]]
        if "new_campaign" in change:
            account.campaigns[change["campaign"]] = Campaign(change["campaign"], change["new_campaign"])
        account.mutate(change)

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        account = self.state.accounts[query["account"]]
        since, until = date.fromisoformat(query["since"]), date.fromisoformat(query["until"])
        return list(figures(account, query.get("level", "campaign"), since, until, now))

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """What Meta would say, or what the fault makes of it. Every call about an account counts, refused or not."""
        route, found = self._find(call)
        account_id = self._account_of(found)
        self._count(account_id, now)
        answer = (refusals.refusal_of(fault) if fault else None) or self._true_answer(route, found, call, fault, now)
        return self._with_usage(answer, account_id, fault, now)

    def _find(self, call: Call) -> tuple[str, dict[str, str]]:
        versioned = _VERSION.fullmatch(call.path)
        rest = versioned[3] if versioned else call.path
        for method, pattern, route in _ROUTES:
            found = re.fullmatch(pattern, rest)
            if found and method == call.method:
                return route, found.groupdict()
        return "unknown", {}

    def _account_of(self, found: dict[str, str]) -> str | None:
        if "report" in found:
            report = self.reports.get(found["report"])
            return report.account_id if report else None
        return found.get("account")

    def _true_answer(self, route: str, found: dict[str, str], call: Call, fault: Fault | None, now: datetime) -> Answer:
        try:
            self._refuse_version(call.path)
            if route == "unknown":
                raise Refused(refusals.unknown_object(call.path.rpartition("/")[2]))
            if route in {"debug_token", "exchange"}:
                return {"debug_token": token_facts, "exchange": exchange}[route](self.state, call, now)
            token = self._token_of(call, now)
            if route == "accounts":
                return self._accounts(token, call, now)
            account = self._reachable(token, self._account_of(found) or found.get("report", ""))
            self._refuse_over_quota(account, now)
            handlers: dict[str, Callable[[], Answer]] = {
                "account": lambda: self._account(account, call, fault, now),
                "insights": lambda: self._insights(account, call, fault, now),
                "report_start": lambda: self._start(account, call, fault, now),
                "report_status": lambda: Answer.of_json(self._report(found["report"], now).look()),
                "report_rows": lambda: self._report_rows(account, found["report"], call, fault, now),
            }
            return handlers[route]()
        except Refused as refused:
            return refused.answer

    def _refuse_version(self, path: str) -> None:
        versioned = _VERSION.fullmatch(path)
        if versioned is None or int(versioned[1]) > CURRENT or versioned[2] != "0":
            words = f"Unknown path components: {path}"
            raise Refused(refusals.graph_error(2500, words, status=404))
        if int(versioned[1]) < OLDEST_SERVED:
            words = f"(#2635) You are calling a deprecated version of the Ads API. Please update to v{CURRENT}.0."
            raise Refused(refusals.graph_error(2635, words))

    def _token_of(self, call: Call, now: datetime) -> Token:
        said = call.bearer or call.parameters.get("access_token")
        if said is None:
            words = "An access token is required to request this resource."
            raise Refused(refusals.graph_error(104, words, status=401))
        token = self.state.tokens.get(said)
        if token is None:
            raise Refused(refusals.graph_error(190, "Invalid OAuth access token - Cannot parse access token"))
        if token.expires_at is not None and token.expires_at <= now:
            raise Refused(refusals.expired())
        if "ads_read" not in token.scopes:
            raise Refused(refusals.missing_scope())
        refuse_proof(self.state, token.value, call)
        return token

    def _reachable(self, token: Token, account_id: str) -> Account:
        account = self.state.accounts.get(account_id)
        if account is None or account.id not in token.account_ids:
            raise Refused(refusals.unknown_object(f"act_{account_id}"))
        return account

    def _refuse_over_quota(self, account: Account, now: datetime) -> None:
        if self._quotas[account.id].is_over(now):
            raise Refused(refusals.rate_limited("80000"))

    def _count(self, account_id: str | None, now: datetime) -> None:
        account = self.state.accounts.get(account_id or "")
        if account is not None:
            self._quotas.setdefault(account.id, Quota(account.quota_per_hour)).count(now)

    def _with_usage(self, answer: Answer, account_id: str | None, fault: Fault | None, now: datetime) -> Answer:
        quota = self._quotas.get(account_id or "")
        if fault is not None and fault.fault == "rate_limit_hint":
            headers = usage_headers(account_id or "app", percent=100, regain_minutes=fault.options.get("regain", 3))
        elif fault is not None and fault.fault == "near_limit":
            percent, regain = fault.options.get("percent", 96), fault.options.get("regain", 0)
            headers = usage_headers(account_id or "app", percent=percent, regain_minutes=regain)
        elif fault is not None and fault.fault == "usage_garbage":
            headers = (("X-Business-Use-Case-Usage", "{not json"), ("X-Ad-Account-Usage", "[]"))
        elif quota is not None and (answer.status == 200 or quota.is_over(now)):
            percent, regain = quota.percent(now), quota.minutes_to_regain(now)
            headers = usage_headers(account_id or "app", percent=percent, regain_minutes=regain)
        elif answer.status == 200:
            headers = usage_headers("app", percent=0)
        else:
            return answer
        return replace(answer, headers=(*answer.headers, *headers))

    def _account(self, account: Account, call: Call, fault: Fault | None, now: datetime) -> Answer:
        fields = self._account_fields(call)
        said = self._facts(account, now)
        options = fault.options if fault else {}
        match fault.fault if fault else "":
            case "account_state":
                said |= {"account_status": options.get("status", 2), "disable_reason": 1}
            case "currency_change":
                said |= {"currency": options.get("currency", "EUR")}
            case "zone_change":
                said |= {"timezone_name": options.get("zone", "America/New_York")}
        return Answer.of_json({name: said[name] for name in fields})

    def _account_fields(self, call: Call) -> list[str]:
        fields = call.query.get("fields", "id").split(",")
        for field in fields:
            if field not in ACCOUNT_FIELDS:
                words = f"Tried accessing nonexisting field ({field}) on node type (AdAccount)"
                raise Refused(refusals.bad_parameter(words))
        return list(dict.fromkeys([*fields, "id"]))

    def _facts(self, account: Account, now: datetime) -> dict[str, Any]:
        spent = sum((delivery.spend for delivery in account.deliveries.values()), start=0)
        # The account speaks in minor units where its insights speak in major ones.
        minor = spent if account.currency == "JPY" else spent * 100
        offset = now.astimezone(ZoneInfo(account.zone)).utcoffset() or timedelta()
        return {
            "id": f"act_{account.id}", "account_id": account.id, "name": account.name, "currency": account.currency,
            "timezone_name": account.zone, "timezone_offset_hours_utc": offset / timedelta(hours=1),
            "account_status": account.status, "disable_reason": 0, "amount_spent": str(int(minor)), "balance": "0",
        }  # fmt: skip

    def _accounts(self, token: Token, call: Call, now: datetime) -> Answer:
        fields = self._account_fields(call)
        listed = []
        for account_id in token.account_ids:
            facts = self._facts(self.state.accounts[account_id], now)
            listed.append({name: facts[name] for name in fields})
        limit = int(call.query.get("limit", 25))
        query = Query("account", (), date.min, date.min, limit, call.query.get("after"), None)
        return Answer.of_json(make_page(listed, query, None, path=f"/v{CURRENT}.0/me/adaccounts", token=token.value))

    def _insights(self, account: Account, call: Call, fault: Fault | None, now: datetime) -> Answer:
        query = read_query(call.parameters, account.today(now))
        rows = self._rows(account, query, now)
        token = call.bearer or call.parameters["access_token"]
        path = f"/v{CURRENT}.0/act_{account.id}/insights"
        return Answer.of_json(make_page(rows, query, fault, path=path, token=token))

    def _rows(self, account: Account, query: Query, now: datetime) -> list[dict[str, Any]]:
        """The rows of a report, kept until another one is asked for: the next page is of the same."""
        key = (account.id, replace(query, after=None), account.today(now))
        if self._last_rows is None or self._last_rows[0] != key:
            self._last_rows = (key, make_rows(account, query, now))
        return self._last_rows[1]

    def _start(self, account: Account, call: Call, fault: Fault | None, now: datetime) -> Answer:
        query = read_query(call.parameters, account.today(now))
        report = Report(f"9{len(self.reports):014}", account.id, query, now)
        if fault is not None:
            report.decide(fault)
        self.reports[report.id] = report
        return started(report)

    def _report(self, report_id: str, now: datetime) -> Report:
        report = self.reports.get(report_id)
        if report is None or report.is_gone(now):
            raise Refused(refusals.unknown_object(report_id))
        return report

    def _report_rows(self, account: Account, report_id: str, call: Call, fault: Fault | None, now: datetime) -> Answer:
        report = self._report(report_id, now)
        report.refuse_rows_too_early()
        rows = [] if report.is_empty else self._rows(account, report.query, now)
        limit = int(call.query.get("limit", 25))
        query = replace(report.query, limit=limit, after=call.query.get("after"))
        path = f"/v{CURRENT}.0/{report_id}/insights"
        token = call.bearer or call.parameters["access_token"]
        return Answer.of_json(make_page(rows, query, fault, path=path, token=token))
