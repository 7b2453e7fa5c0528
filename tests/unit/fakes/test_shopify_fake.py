"""The fake of Shopify keeps the rules of the real one, and its two ways to the figures agree."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.providers.shopify import scenarios
from tests.fakes.providers.shopify.fake import ShopifyFake
from tests.fakes.providers.shopify.scenarios import (
    ACME,
    CLIENT_ID,
    CLIENT_SECRET,
    GULF,
    LONG_ORDER,
    NIPPON,
    OTHER_TOKEN,
    REFRESH_TOKEN,
    SCOPELESS_TOKEN,
    TOKEN,
)
from tests.fakes.providers.wire import Answer, Call
from tests.fakes.providers.world import World

Ask = Callable[..., Any]
MONEY = "{shopMoney{amount currencyCode}}"
SALES = f"id actionType lineType totalAmount{MONEY} totalTaxAmount{MONEY} totalDiscountAmountBeforeTaxes{MONEY}"
ORDERS = f"""
query Orders($q: String!, $first: Int!, $after: String) {{
  orders(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ id test processedAt updatedAt
      agreements(first: 50) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id happenedAt reason
        sales(first: 250) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {SALES} }} }} }} }} }} }} }}
"""
SHOP = "query ShopFacts { shop { name ianaTimezone currencyCode } }"
BULK = f"{{ orders {{ edges {{ node {{ id test agreements {{ edges {{ node {{ id happenedAt sales {{ edges {{ node {{ {SALES} }} }} }} }} }} }} }} }} }} }}"  # noqa: E501
START = "mutation OrdersBulk($q: String!) { bulkOperationRunQuery(query: $q) { bulkOperation { id status } userErrors { message code } } }"  # noqa: E501
STATUS = "query BulkStatus($id: ID!) { bulkOperation(id: $id) { status errorCode objectCount url partialDataUrl } }"


@pytest.fixture
def world() -> World:
    made = World(ShopifyFake())
    for shop in made.provider("shopify").state.shops.values():
        # Whoever reads without a pause would have none of them left soon.
        shop.bucket_size = 100_000.0
    return made


@pytest.fixture
def send(world: World) -> Callable[..., Answer]:
    def ask(query: str, *, shop: str = ACME, version: str = "2026-10", token: str = TOKEN, **variables: Any) -> Answer:
        headers = {"x-shopify-access-token": token, "content-type": "application/json"}
        body = json.dumps({"query": query, "variables": variables}).encode()
        return world.answer(Call.of("POST", f"/shopify/{shop}/admin/api/{version}/graphql.json", headers, body))

    return ask


@pytest.fixture
def sign_in(world: World) -> Callable[..., Answer]:
    def ask(**said: Any) -> Answer:
        said = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | said
        path = f"/shopify/{ACME}/admin/oauth/access_token"
        return world.answer(Call.of("POST", path, {"content-type": "application/json"}, json.dumps(said).encode()))

    return ask


def all_orders(send: Callable[..., Answer], *, shop: str, first: int = 3, **more: Any) -> list[dict[str, Any]]:
    found, after = [], None
    while True:
        content = send(ORDERS, shop=shop, q="", first=first, after=after, **more).content
        found += content["data"]["orders"]["nodes"]
        page = content["data"]["orders"]["pageInfo"]
        if not page["hasNextPage"]:
            return found
        after = page["endCursor"]


def counted(orders: list[dict[str, Any]], zone: str) -> dict[tuple[str, str], Decimal]:
    """The figures that follow from the records of sales, as the definition says."""
    found: dict[tuple[str, str], Decimal] = {}
    for order in orders:
        if order["test"]:
            continue
        add(found, day_of(order["processedAt"], zone), orders=Decimal(1))
        for agreement in order["agreements"]["nodes"]:
            day = day_of(agreement["happenedAt"], zone)
            for sale in agreement["sales"]["nodes"]:
                if sale["lineType"] == "PRODUCT":
                    add(found, day, **parts(sale))
    return found


def parts(sale: dict[str, Any]) -> dict[str, Decimal]:
    total, tax, off = (
        Decimal(sale[name]["shopMoney"]["amount"])
        for name in ("totalAmount", "totalTaxAmount", "totalDiscountAmountBeforeTaxes")
    )
    if sale["actionType"] == "RETURN":
        return {"returns": tax - total, "net_sales": total - tax}
    return {"gross_sales": total - tax + off, "discounts": off, "net_sales": total - tax}


def add(found: dict[tuple[str, str], Decimal], day: str, **values: Decimal) -> None:
    for metric in ("orders", "gross_sales", "discounts", "returns", "net_sales"):
        found[day, metric] = found.get((day, metric), Decimal(0)) + values.get(metric, Decimal(0))


def day_of(text: str, zone: str) -> str:
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).date().isoformat()


def oracle(world: World, shop: str, **query: str) -> dict[tuple[str, str], Decimal]:
    return {
        (row["day"], row["metric"]): Decimal(row["value"]) for row in world.oracle("shopify", shop=shop, **query)
    }  # fmt: skip


class TestFigures:
    @pytest.mark.parametrize(
        ("shop", "zone"), [(ACME, "America/New_York"), (NIPPON, "Asia/Tokyo"), (GULF, "Asia/Kuwait")]
    )
    def test_the_records_of_sales_lead_to_the_oracle(
        self, world: World, send: Callable[..., Answer], shop: str, zone: str
    ) -> None:
        orders = [whole_order(send, each, shop) for each in all_orders(send, shop=shop)]

        assert counted(orders, zone) == oracle(world, shop)

    def test_the_night_of_the_clock_change_has_its_orders_on_the_right_days(self, world: World) -> None:
        changed = {number: world.provider("shopify").state.shops[ACME].orders[910 + number] for number in range(6)}
        shop = world.provider("shopify").state.shops[ACME]

        days = [shop.day_of(order.processed_at).isoformat() for order in changed.values()]

        assert days == ["2026-10-31", *["2026-11-01"] * 4, "2026-11-02"]

    def test_yen_have_no_places_and_dinars_three(self, world: World) -> None:
        yen = [value for (_, metric), value in oracle(world, NIPPON).items() if metric == "gross_sales"]
        dinars = [value for (_, metric), value in oracle(world, GULF).items() if metric == "gross_sales"]

        assert all(value == value.to_integral_value() for value in yen)
        assert any(value != round(value, 2) for value in dinars)

    def test_a_refund_of_the_future_is_not_seen_before(self, world: World) -> None:
        before = oracle(world, ACME)
        world.advance(days=6)

        returns = oracle(world, ACME).get(("2026-11-25", "returns"))

        assert ("2026-11-25", "returns") not in before
        assert returns == Decimal("44.40")


def whole_order(send: Callable[..., Answer], order: dict[str, Any], shop: str) -> dict[str, Any]:
    """The same with what did not fit on the first page of a nested list."""
    while (page := order["agreements"]["pageInfo"])["hasNextPage"]:
        query = f"query OrderAgreements($id: ID!, $after: String) {{ order(id: $id) {{ agreements(first: 50, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ id happenedAt sales(first: 250) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {SALES} }} }} }} }} }} }}"  # noqa: E501
        more = send(query, shop=shop, id=order["id"], after=page["endCursor"]).content["data"]["order"]["agreements"]
        order["agreements"] = {"pageInfo": more["pageInfo"], "nodes": order["agreements"]["nodes"] + more["nodes"]}
    for place, agreement in enumerate(order["agreements"]["nodes"]):
        while (page := agreement["sales"]["pageInfo"])["hasNextPage"]:
            query = f"query OrderSales($id: ID!, $after: String) {{ order(id: $id) {{ agreements(first: 250) {{ nodes {{ sales(first: 250, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {SALES} }} }} }} }} }} }}"  # noqa: E501
            nodes = send(query, shop=shop, id=order["id"], after=page["endCursor"]).content["data"]["order"]
            more = nodes["agreements"]["nodes"][place]["sales"]
            agreement["sales"] = {"pageInfo": more["pageInfo"], "nodes": agreement["sales"]["nodes"] + more["nodes"]}
    return order


class TestQuestions:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("query A { shop { nmae } }", "Field 'nmae' doesn't exist on type 'Shop'"),
            ("query A { orders(first: 1) { nodes { totalRefundedSett { shopMoney { amount } } } } }", "totalRefunded"),
            ("query A { orders(first: 251) { nodes { id } } }", "first cannot exceed 250"),
            ("query A { orders { nodes { id } } }", "first or last"),
            ("query A { orders(first: 1, sortedBy: ID) { nodes { id } } }", "doesn't accept argument"),
            ("query A { shop }", "must have selections"),
            ("query A { shop { name ", "ends too early"),
            ("query A { orders(first: 1, query: \"updated_at:>2026-11-01\") { nodes { id } } }", "Say a moment as"),
            ("query A { orders(first: 1, query: \"total:>5\") { nodes { id } } }", "Cannot search for"),
        ],
    )  # fmt: skip
    def test_what_there_is_not_is_refused(self, send: Callable[..., Answer], query: str, words: str) -> None:
        answer = send(query)

        assert answer.status == 200
        assert words in answer.content["errors"][0]["message"]
        assert "data" not in answer.content

    def test_a_search_finds_what_was_changed_between_two_moments(self, send: Callable[..., Answer]) -> None:
        search = "updated_at:>='2026-11-14T00:00:00Z' AND updated_at:<'2026-11-15T00:00:00Z'"

        nodes = send(ORDERS, q=search, first=20).content["data"]["orders"]["nodes"]

        assert [node["updatedAt"] for node in nodes] == sorted(node["updatedAt"] for node in nodes)
        assert {node["updatedAt"][:10] for node in nodes} == {"2026-11-14"}

    def test_parts_and_other_names_are_answered(self, send: Callable[..., Answer]) -> None:
        query = "query A($id: ID!) { it: node(id: $id) { __typename ... on Order { name } ... on Shop { myshopifyDomain } } }"  # noqa: E501

        data = send(query, id=f"gid://shopify/Order/{LONG_ORDER}").content["data"]

        assert data == {"it": {"__typename": "Order", "name": f"#{LONG_ORDER}"}}

    def test_a_query_that_costs_too_much_is_not_answered(self, send: Callable[..., Answer]) -> None:
        nested = "query A { orders(first: 250) { nodes { agreements(first: 250) { nodes { sales(first: 250) { nodes { totalAmount { shopMoney { amount } } totalTaxAmount { shopMoney { amount } } } } } } } } }"  # noqa: E501

        assert send(nested).content["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"

    def test_points_come_back_by_the_clock(self, world: World, send: Callable[..., Answer]) -> None:
        cost = [send(SHOP).content["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] for _ in range(3)]
        world.advance(seconds=1)

        assert cost[0] > cost[1] > cost[2]
        assert send(SHOP).content["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] > cost[2]


class TestWhoMaySee:
    def test_orders_older_than_sixty_days_are_absent_without_the_scope(
        self, world: World, send: Callable[..., Answer]
    ) -> None:
        seen = {order["id"] for order in all_orders(send, shop=ACME, token=OTHER_TOKEN, first=20)}
        known = {order["id"] for order in all_orders(send, shop=ACME, first=20)}

        assert known - seen == {f"gid://shopify/Order/{scenarios.OLD_ORDER}"}
        assert oracle(world, ACME, visible="60") != oracle(world, ACME)

    def test_without_the_scope_there_is_an_error_beside_the_rest(self, send: Callable[..., Answer]) -> None:
        query = "query A { shop { name } orders(first: 1) { nodes { id } } }"

        content = send(query, token=SCOPELESS_TOKEN).content

        assert content["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
        assert content["data"]["orders"] is None
        assert content["data"]["shop"]

    def test_a_wrong_token_is_told_in_one_text(self, send: Callable[..., Answer]) -> None:
        answer = send(SHOP, token="shpatWrong")

        assert answer.status == 401
        assert isinstance(answer.content["errors"], str)

    @pytest.mark.parametrize(
        ("asked", "served"), [("2026-10", "2026-10"), ("2025-01", "2026-01"), ("2026-04", "2026-04")]
    )
    def test_a_version_that_is_gone_is_answered_by_another(
        self, send: Callable[..., Answer], asked: str, served: str
    ) -> None:
        assert dict(send(SHOP, version=asked).headers)["X-Shopify-API-Version"] == served

    def test_a_version_that_never_was_is_not_found(self, send: Callable[..., Answer]) -> None:
        assert send(SHOP, version="2026-11").status == 404
        assert send(SHOP, version="2030-01").status == 404
        assert send(SHOP, shop="other.myshopify.com").status == 404


class TestSignIn:
    def test_credentials_get_a_token_for_a_day(
        self, world: World, send: Callable[..., Answer], sign_in: Callable[..., Answer]
    ) -> None:
        said = sign_in(grant_type="client_credentials").content
        good = send(SHOP, token=said["access_token"]).status
        world.advance(seconds=said["expires_in"])

        assert (good, send(SHOP, token=said["access_token"]).status) == (200, 401)
        assert "refresh_token" not in said

    def test_a_refresh_token_is_another_one_after_each_use(self, sign_in: Callable[..., Answer]) -> None:
        said = sign_in(grant_type="refresh_token", refresh_token=REFRESH_TOKEN).content
        again = sign_in(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
        after = sign_in(grant_type="refresh_token", refresh_token=said["refresh_token"])

        assert (again.status, again.content["error"]) == (400, "invalid_request")
        assert after.status == 200
        assert after.content["refresh_token"] not in {REFRESH_TOKEN, said["refresh_token"]}

    def test_where_the_old_one_is_kept_it_is_good_until_the_new_one_is_used(
        self, world: World, sign_in: Callable[..., Answer]
    ) -> None:
        world.provider("shopify").state.apps[CLIENT_ID].keeps_old = True
        sign_in(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
        said = sign_in(grant_type="refresh_token", refresh_token=REFRESH_TOKEN).content
        sign_in(grant_type="refresh_token", refresh_token=said["refresh_token"])

        assert sign_in(grant_type="refresh_token", refresh_token=REFRESH_TOKEN).status == 400

    def test_what_was_said_to_sign_in_is_not_kept(self, world: World, sign_in: Callable[..., Answer]) -> None:
        sign_in(grant_type="refresh_token", refresh_token=REFRESH_TOKEN)

        assert [asked.body for asked in world.requests("access_token")] == ["(not kept)"]


class TestBulk:
    def test_a_file_holds_what_pages_hold(self, world: World, send: Callable[..., Answer]) -> None:
        made = send(START, q=BULK).content["data"]["bulkOperationRunQuery"]["bulkOperation"]
        states = [send(STATUS, id=made["id"]).content["data"]["bulkOperation"] for _ in range(3)]
        lines = [json.loads(line) for line in fetch(world, states[-1]["url"]).body.splitlines()]
        sales = [line for line in lines if "/Sale/" in line["id"]]
        orders = [line for line in lines if "/Order/" in line["id"]]

        assert [state["status"] for state in states] == ["CREATED", "RUNNING", "COMPLETED"]
        assert states[-1]["objectCount"] == str(len(lines))
        assert len(orders) == len(all_orders(send, shop=ACME, first=20))
        assert {sale["__parentId"] for sale in sales} <= {line["id"] for line in lines}

    def test_the_file_is_never_handed_to_a_token(self, world: World, send: Callable[..., Answer]) -> None:
        made = send(START, q=BULK).content["data"]["bulkOperationRunQuery"]["bulkOperation"]
        for _ in range(2):
            send(STATUS, id=made["id"])
        url = send(STATUS, id=made["id"]).content["data"]["bulkOperation"]["url"]

        assert fetch(world, url).status == 200
        assert fetch(world, url, **{"x-shopify-access-token": TOKEN}).status == 403
        assert fetch(world, url.replace("Signature=fake", "Signature=")).status == 403

    @pytest.mark.parametrize(
        ("fault", "status", "is_partial"),
        [("async_failed", "FAILED", True), ("async_expired", "EXPIRED", False), ("async_canceled", "CANCELED", True)],
    )
    def test_an_end_that_is_none(
        self, world: World, send: Callable[..., Answer], fault: str, status: str, is_partial: bool
    ) -> None:
        world.fail("shopify", fault)
        made = send(START, q=BULK).content["data"]["bulkOperationRunQuery"]["bulkOperation"]
        for _ in range(2):
            send(STATUS, id=made["id"])
        said = send(STATUS, id=made["id"]).content["data"]["bulkOperation"]

        assert (said["status"], said["url"], bool(said["partialDataUrl"])) == (status, None, is_partial)

    def test_nothing_found_has_no_file(self, world: World, send: Callable[..., Answer]) -> None:
        world.fail("shopify", "async_empty")
        made = send(START, q=BULK).content["data"]["bulkOperationRunQuery"]["bulkOperation"]
        for _ in range(2):
            send(STATUS, id=made["id"])
        said = send(STATUS, id=made["id"]).content["data"]["bulkOperation"]

        assert (said["status"], said["objectCount"], said["url"]) == ("COMPLETED", "0", None)

    def test_a_sixth_one_at_once_is_refused(self, send: Callable[..., Answer]) -> None:
        said = [send(START, q=BULK).content["data"]["bulkOperationRunQuery"] for _ in range(6)]

        assert [len(each["userErrors"]) for each in said] == [0, 0, 0, 0, 0, 1]


def fetch(world: World, url: str, **headers: str) -> Answer:
    return world.answer(Call.of("GET", url.removeprefix("http://127.0.0.1:1"), headers))


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "options", "status", "words"),
        [
            ("expired_token", {}, 401, "unrecognized login"),
            ("rate_limit_hint", {}, 429, "Exceeded"),
            ("rate_limit_nohint", {}, 200, "THROTTLED"),
            ("rate_limit_nohint", {"variant": "no_code"}, 200, "Throttled"),
            ("no_permission", {}, 200, "ACCESS_DENIED"),
            ("no_permission", {"variant": "403"}, 403, "merchant approval"),
            ("5xx", {}, 502, "Bad Gateway"),
            ("5xx", {"variant": "graphql"}, 200, "INTERNAL_SERVER_ERROR"),
            ("account_state", {"variant": "402"}, 402, "Unavailable Shop"),
            ("account_state", {"variant": "403"}, 403, "Unavailable Shop"),
            ("account_state", {"variant": "423"}, 423, "Locked"),
            ("text_errors", {}, 200, "Something new"),
        ],
    )
    def test_refusals(
        self, world: World, send: Callable[..., Answer], fault: str, options: dict[str, Any], status: int, words: str
    ) -> None:
        world.fail("shopify", fault, **options)

        answer = send(ORDERS, q="", first=1)

        assert answer.status == status
        assert words in answer.body.decode()
        assert send(SHOP).status == 200

    def test_a_page_may_be_empty_and_another_one_follow(self, world: World, send: Callable[..., Answer]) -> None:
        whole = [order["id"] for order in all_orders(send, shop=ACME, first=10)]
        world.fail("shopify", "empty_page_with_next", match={"nth": 2})

        assert [order["id"] for order in all_orders(send, shop=ACME, first=10)] == whole

    def test_an_order_may_stand_on_two_pages(self, world: World, send: Callable[..., Answer]) -> None:
        whole = [order["id"] for order in all_orders(send, shop=ACME, first=10)]
        world.fail("shopify", "duplicate_page", match={"nth": 2})

        found = [order["id"] for order in all_orders(send, shop=ACME, first=10)]

        assert len(found) == len(whole) + 1
        assert set(found) == set(whole)

    def test_a_cursor_may_stand_still(self, world: World, send: Callable[..., Answer]) -> None:
        world.fail("shopify", "duplicate_page", variant="cursor", match={"nth": 2})
        first = send(ORDERS, q="", first=10).content["data"]["orders"]["pageInfo"]["endCursor"]

        page = send(ORDERS, q="", first=10, after=first).content["data"]["orders"]["pageInfo"]

        assert page == {"hasNextPage": True, "endCursor": first}

    def test_a_nested_list_may_be_cut(self, world: World, send: Callable[..., Answer]) -> None:
        world.fail("shopify", "truncated_page", size=1)

        orders = send(ORDERS, q="id:906", first=1).content["data"]["orders"]["nodes"]

        assert orders[0]["agreements"]["pageInfo"]["hasNextPage"]
        assert len(orders[0]["agreements"]["nodes"][0]["sales"]["nodes"]) == 1

    def test_an_order_that_changes_meanwhile_moves_to_the_end(self, world: World, send: Callable[..., Answer]) -> None:
        world.fail("shopify", "reordered")
        found = [order["id"] for order in all_orders(send, shop=ACME, first=10)]

        assert found[0] == found[-1]

    def test_the_zone_may_be_another_one(self, world: World, send: Callable[..., Answer]) -> None:
        world.fail("shopify", "zone_change")

        assert send(SHOP).content["data"]["shop"]["ianaTimezone"] == "Europe/Berlin"

    def test_a_word_that_nobody_knows(self, world: World, send: Callable[..., Answer]) -> None:
        world.fail("shopify", "schema_drift", action="EXCHANGE", version="2027-01")

        answer = send(ORDERS, q="id:906", first=1)

        assert '"EXCHANGE"' in answer.body.decode()
        assert dict(answer.headers)["X-Shopify-API-Version"] == "2027-01"


class TestScale:
    def test_a_listing_ends_at_its_cap(self) -> None:
        world = World(ShopifyFake(), now=datetime(2026, 11, 20, 12, tzinfo=UTC))
        world.reset("S4")
        world.provider("shopify").state.shops[ACME].bucket_size = 1_000_000.0
        query = "query Orders($after: String) { orders(first: 250, after: $after, sortKey: UPDATED_AT) { pageInfo { hasNextPage endCursor } nodes { id } } }"  # noqa: E501
        headers = {"x-shopify-access-token": TOKEN}
        after, found = None, 0
        errors: list[dict[str, Any]] = []
        while not errors:
            body = json.dumps({"query": query, "variables": {"after": after}}).encode()
            content = world.answer(
                Call.of("POST", f"/shopify/{ACME}/admin/api/2026-10/graphql.json", headers, body)
            ).content
            errors = content.get("errors", [])
            if not errors:
                found += len(content["data"]["orders"]["nodes"])
                after = content["data"]["orders"]["pageInfo"]["endCursor"]

        assert found == 25_000
        assert "limited to 25000" in errors[0]["message"]
