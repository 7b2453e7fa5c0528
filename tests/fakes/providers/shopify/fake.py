"""The Admin API as far as orders, bulk operations and tokens go: who may ask, what is answered, what is refused."""

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.shopify import bulk, refusals, scenarios, schema
from tests.fakes.providers.shopify.bucket import Bucket
from tests.fakes.providers.shopify.bulk import BulkOperation
from tests.fakes.providers.shopify.changes import change
from tests.fakes.providers.shopify.graphql import Field, NotGraphql, Operation, read_operation
from tests.fakes.providers.shopify.listing import Listing, Visible, list_orders
from tests.fakes.providers.shopify.records import Records
from tests.fakes.providers.shopify.refusals import Refused
from tests.fakes.providers.shopify.scenarios import State, Token
from tests.fakes.providers.shopify.search import SearchUnknown, matching
from tests.fakes.providers.shopify.sign_in import Grant, hand_out
from tests.fakes.providers.shopify.truth import Order, Shop, figures
from tests.fakes.providers.wire import Answer, Call

CURRENT = "2026-10"
SERVED = ("2026-01", "2026-04", "2026-07", CURRENT)
SEEN_DAYS = 60
_GRAPHQL = re.compile(r"/(?P<shop>[^/]+)/admin/api/(?P<version>[^/]+)/graphql\.json")
_TOKENS = re.compile(r"/(?P<shop>[^/]+)/admin/oauth/access_token")
_FILE = re.compile(r"/files/(?P<number>\d+)\.jsonl")
_NAME = re.compile(r"^\s*(?:query|mutation)\s+(\w+)", re.MULTILINE)
# These bend the orders of an answer, so they wait for one that has some.
_OF_ORDERS = {"truncated_page", "duplicate_page", "empty_page_with_next", "reordered"}


class ShopifyFake:
    """Some shops with their apps, orders and bulk operations."""

    name = "shopify"
    scenarios: tuple[str, ...] = scenarios.NAMES

    def __init__(self) -> None:
        self.state = State()
        self.operations: dict[int, BulkOperation] = {}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self.listing = Listing()

    def reset(self, scenario: str, now: datetime) -> None:
        self.state = self.build(scenario, now)
        self.operations.clear()
        self._buckets.clear()
        self.listing = Listing()

    def build(self, scenario: str, now: datetime) -> State:
        """The data of a scenario. A fake with scenarios of its own has its own."""
        return scenarios.build(scenario, now)

    def route_of(self, call: Call) -> str:
        """The name of the operation in snake case, or what the address is of."""
        if _GRAPHQL.fullmatch(call.path):
            named = _NAME.search(_said(call).get("query", ""))
            return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", named[1]).lower() if named else "unnamed"
        if _TOKENS.fullmatch(call.path):
            return "access_token"
        return "bulk_file" if _FILE.fullmatch(call.path) else "unknown"

    def meets(self, fault: Fault, call: Call) -> bool:
        """Without a route of its own a fault of what a list holds waits for a list of orders, and so on."""
        query = _said(call).get("query", "")
        if fault.fault.startswith("async_"):
            return "bulkOperationRunQuery" in query
        if fault.fault in _OF_ORDERS:
            return "orders(" in query and "bulkOperation" not in query
        if fault.fault in {"zone_change", "currency_change"}:
            return "shop" in query
        if fault.fault in {"no_expiry", "no_rotation"}:
            return self.route_of(call) == "access_token"
        is_login = self.route_of(call) == "access_token"
        return fault.match.route is not None or not is_login

    def mutate(self, said: dict[str, Any], now: datetime) -> None:
        change(self.state.shops[said["shop"]], said, now)
        self.listing = Listing()

    def oracle(self, query: dict[str, str], now: datetime) -> list[dict[str, Any]]:
        """`visible` is how many days back orders can be seen; without it, all can."""
        shop = self.state.shops[query["shop"]]
        since, until = (
            date.fromisoformat(query.get("since", "2000-01-01")),
            date.fromisoformat(query.get("until", "2100-01-01")),
        )
        oldest = now - timedelta(days=int(query["visible"])) if "visible" in query else None
        seen = (order for order in shop.seen(now) if oldest is None or order.created_at >= oldest)
        return figures(shop, seen, since, until, now)

    def answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        """What Shopify would say, or what the fault makes of it."""
        route = self.route_of(call)
        try:
            return (refusals.refusal_of(fault, route) if fault else None) or self._true_answer(call, fault, now)
        except Refused as refused:
            return refused.answer

    def _true_answer(self, call: Call, fault: Fault | None, now: datetime) -> Answer:
        if found := _TOKENS.fullmatch(call.path):
            self._shop(found["shop"])
            return hand_out(self.state, Grant.of(found["shop"], call, fault, now))
        if found := _FILE.fullmatch(call.path):
            return self._file(int(found["number"]), call, now)
        found = _GRAPHQL.fullmatch(call.path)
        if found is None or call.method != "POST" or not re.fullmatch(r"20\d\d-(01|04|07|10)", found["version"]):
            raise Refused(refusals.plain(404, "Not Found"))
        served = _served(found["version"])
        shop = self._shop(found["shop"])
        token = self._token_of(call, shop, now)
        answer = _Asked(self, shop, token, call, fault, now).answer()
        version = fault.options.get("version", "2027-01") if fault and fault.fault == "schema_drift" else served
        return replace(answer, headers=(*answer.headers, ("X-Shopify-API-Version", version)))

    def _shop(self, domain: str) -> Shop:
        shop = self.state.shops.get(domain)
        if shop is None:
            raise Refused(refusals.plain(404, "Not Found"))
        return shop

    def _token_of(self, call: Call, shop: Shop, now: datetime) -> Token:
        token = self.state.tokens.get(call.headers.get("x-shopify-access-token", ""))
        if token is None or shop.domain not in token.shops:
            raise Refused(refusals.not_accepted())
        if token.expires_at is not None and token.expires_at <= now:
            raise Refused(refusals.not_accepted())
        return token

    def _file(self, number: int, call: Call, now: datetime) -> Answer:
        """The file lies with somebody else, who must never see the token."""
        if "x-shopify-access-token" in call.headers or "authorization" in call.headers:
            raise Refused(Answer.of_html(403, "<Error><Code>AccessDenied</Code></Error>"))
        operation = self.operations.get(number)
        if operation is None or operation.is_running or now - operation.created_at > bulk.FILE_LIVES:
            raise Refused(Answer.of_html(404, "<Error><Code>NoSuchKey</Code></Error>"))
        if call.query.get("Signature") != f"fake{number:012}":
            raise Refused(Answer.of_html(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>"))
        return Answer(200, operation.file(), (("Content-Type", "application/jsonl"),))

    def bucket(self, shop: Shop, token: Token, now: datetime) -> Bucket:
        """The points that whoever has this token has left in this shop."""
        key = (shop.domain, token.value)
        return self._buckets.setdefault(key, Bucket(shop.bucket_size, shop.restore_rate, now))


class _Asked:
    """One request to the one address that answers everything."""

    def __init__(
        self, fake: ShopifyFake, shop: Shop, token: Token, call: Call, fault: Fault | None, now: datetime
    ) -> None:
        self.fake, self.shop, self.token, self.call, self.fault, self.now = fake, shop, token, call, fault, now
        self.denied: list[dict[str, Any]] = []
        kind = fault.fault if fault else ""
        options = fault.options if fault else {}
        words = {"actionType": options.get("action"), "lineType": options.get("line")} if kind == "schema_drift" else {}
        self.records = Records(
            shop, now, self._root, options.get("size", 1) if kind == "truncated_page" else None,
            {name: word for name, word in words.items() if word},
        )  # fmt: skip

    def answer(self) -> Answer:
        operation = self._operation()
        wanted = schema.cost_of(operation.fields)
        bucket = self.fake.bucket(self.shop, self.token, self.now)
        if wanted > schema.MOST_COST:
            words = f"Query cost is {wanted}, which exceeds the single query max cost limit ({schema.MOST_COST})."
            raise Refused(refusals.graphql(words, "MAX_COST_EXCEEDED"))
        if self._is_fault("rate_limit_nohint"):
            bucket.drain(self.fault.options.get("left", 0) if self.fault else 0, self.now)
        if not bucket.take(wanted, self.now):
            has_code = not (self._is_fault("rate_limit_nohint") and self._variant == "no_code")
            cost = {"requestedQueryCost": wanted, "actualQueryCost": None, "throttleStatus": bucket.state(self.now)}
            raise Refused(refusals.throttled(cost, has_code=has_code))
        data = self._data(operation)
        actual = max(1, min(wanted, wanted * 2 // 3))
        bucket.give_back(wanted - actual)
        if self._is_fault("near_limit"):
            bucket.drain(self.fault.options.get("left", 10) if self.fault else 10, self.now)
        cost = {"requestedQueryCost": wanted, "actualQueryCost": actual, "throttleStatus": bucket.state(self.now)}
        said = {"data": data, "extensions": {"cost": cost}} | ({"errors": self.denied} if self.denied else {})
        return Answer.of_json(said, headers=(refusals.request_id(),))

    def _operation(self) -> Operation:
        said = _said(self.call)
        try:
            operation = read_operation(said.get("query", ""), said.get("variables") or {})
            schema.check(operation.fields, "Query" if operation.kind == "query" else "Mutation")
        except NotGraphql as error:
            raise Refused(refusals.graphql(f"syntax error: {error}", "BAD_REQUEST")) from None
        except schema.FieldUnknown as error:
            raise Refused(refusals.graphql(str(error), "undefinedField")) from None
        return operation

    def _data(self, operation: Operation) -> dict[str, Any]:
        try:
            kind = "Query" if operation.kind == "query" else "Mutation"
            return self.records.project(kind, None, operation.fields)
        except SearchUnknown as error:
            raise Refused(refusals.graphql(str(error), "BAD_REQUEST")) from None

    def _root(self, asked: Field) -> Any:
        arguments = asked.arguments
        match asked.name:
            case "shop":
                return self._shop_facts()
            case "orders" if self._may_read("orders"):
                return list_orders(self.fake.listing, self.shop, self._visible, asked, self.fault, self.now)
            case "ordersCount" if self._may_read("ordersCount"):
                count = len(
                    [
                        each
                        for each in matching(self.shop, arguments.get("query", ""), self.now)
                        if self._visible.sees(each)
                    ]
                )
                most = min(arguments.get("limit", 10_000), 25_001)
                return {"count": min(count, most), "precision": "EXACT" if count <= most else "AT_LEAST"}
            case "order" if self._may_read("order"):
                return self._order(arguments["id"])
            case "node":
                return self._order(arguments["id"]) if "/Order/" in arguments["id"] else self._look(arguments["id"])
            case "bulkOperation":
                return self._look(arguments["id"])
            case "currentBulkOperation":
                mine = [each for each in self.fake.operations.values() if each.shop == self.shop.domain]
                return self._look(mine[-1].id) if mine else None
            case "currentAppInstallation":
                scopes = [{"handle": scope} for scope in self.token.scopes]
                return {"id": "gid://shopify/AppInstallation/1", "accessScopes": scopes}
            case "bulkOperationRunQuery":
                return self._start(arguments)
            case "bulkOperationCancel":
                return self._cancel(arguments["id"])
        return None

    def _may_read(self, field: str) -> bool:
        if self._is_fault("no_permission") or "read_orders" not in self.token.scopes:
            self.denied.append(refusals.denied(field))
            return False
        return True

    @property
    def _visible(self) -> Visible:
        """Without the scope for all, older orders are not there at all: nobody says so."""
        is_all = "read_all_orders" in self.token.scopes
        return Visible(None if is_all else self.now - timedelta(days=SEEN_DAYS))

    def _order(self, id_: str) -> Order | None:
        number = id_.rpartition("/")[2]
        order = self.shop.orders.get(int(number)) if number.isdecimal() else None
        return order if order and order.created_at <= self.now and self._visible.sees(order) else None

    def _shop_facts(self) -> dict[str, Any]:
        options = self.fault.options if self.fault else {}
        zone = options.get("zone", "Europe/Berlin") if self._is_fault("zone_change") else self.shop.zone
        currency = options.get("currency", "EUR") if self._is_fault("currency_change") else self.shop.currency
        return {
            "id": "gid://shopify/Shop/1", "name": self.shop.name, "myshopifyDomain": self.shop.domain,
            "ianaTimezone": zone, "currencyCode": currency, "taxesIncluded": self.shop.taxes_included,
            "plan": {"displayName": "Basic", "publicDisplayName": "Basic"},
        }  # fmt: skip

    def _look(self, id_: str) -> dict[str, Any] | None:
        operation = self._bulk_of(id_)
        return operation.look(self._host, self.now) if operation else None

    def _bulk_of(self, id_: str) -> BulkOperation | None:
        number = id_.rpartition("/")[2]
        operation = self.fake.operations.get(int(number)) if number.isdecimal() else None
        return operation if operation and operation.shop == self.shop.domain else None

    def _start(self, arguments: dict[str, Any]) -> dict[str, Any]:
        running = [each for each in self.fake.operations.values() if each.shop == self.shop.domain and each.is_running]
        if self._is_fault("async_busy") or len(running) >= bulk.MOST_RUNNING:
            words = f"A bulk query operation for this app and shop is already in progress: {len(running)} are running."
            return _payload(None, words, "OPERATION_IN_PROGRESS")
        try:
            asked = bulk.read_bulk_query(arguments["query"])
        except (NotGraphql, schema.FieldUnknown) as error:
            return _payload(None, f"Invalid bulk query: {error}", "INVALID")
        top = asked.fields[0]
        if not isinstance(top, Field) or top.name != "orders" or not self._may_read("orders"):
            return _payload(None, "Bulk queries need read_orders, and are about orders here", "INVALID")
        orders = [
            each for each in matching(self.shop, top.arguments.get("query", ""), self.now) if self._visible.sees(each)
        ]
        shown = self.records.project("OrderConnection", bulk.whole(orders), top.fields)
        lines = bulk.flatten(bulk.nodes_of(shown) or [], is_grouped=bool(arguments.get("groupObjects")))
        number = 7_000_001 + len(self.fake.operations)
        made = BulkOperation(number, self.shop.domain, arguments["query"], self.now, lines, len(orders))
        if self.fault is not None:
            made.decide(self.fault)
        self.fake.operations[number] = made
        return _payload(made.said(self._host))

    def _cancel(self, id_: str) -> dict[str, Any]:
        operation = self._bulk_of(id_)
        if operation is None or not operation.is_running:
            return _payload(None, "A bulk operation cannot be canceled when it is not running.", "INVALID")
        operation.end = "CANCELED"
        return _payload(operation.said(self._host) | {"status": "CANCELING"})

    @property
    def _host(self) -> str:
        return self.call.headers.get("host", "127.0.0.1:1")

    @property
    def _variant(self) -> str:
        return str(self.fault.options.get("variant") or "") if self.fault else ""

    def _is_fault(self, name: str) -> bool:
        return self.fault is not None and self.fault.fault == name


def _payload(operation: dict[str, Any] | None, words: str = "", code: str = "") -> dict[str, Any]:
    errors = [{"field": ["query"], "message": words, "code": code}] if words else []
    return {"bulkOperation": operation, "userErrors": errors}


def _served(asked: str) -> str:
    """The version itself, or for one that is no longer served the oldest that is: nobody says so but a header."""
    if asked > CURRENT:
        raise Refused(refusals.plain(404, "Not Found"))
    return max(asked, SERVED[0])


def _said(call: Call) -> dict[str, Any]:
    try:
        said = json.loads(call.body or b"{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
