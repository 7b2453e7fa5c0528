"""Orders page by page, each with all that was agreed on about it, however many pages that has itself.

Every list may go on, and every one that does is read to its end: a page that is not asked for is a sale that is lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.syncs.calls.troubles import SyncFailed, TroubleClass, failed
from app.syncs.figures import FigureInvalid
from app.syncs.shopify.graphql import ShopCalls
from app.syncs.shopify.queries import AGREEMENT_SALES, ORDER_AGREEMENTS, ORDERS, Operation
from app.syncs.shopify.refusals import MAX_COST
from app.syncs.shopify.sales import Agreement, Order, Sale, gid, read_agreement, read_id, read_order, read_sale
from app.syncs.shopify.shop import ShopFacts

# What nobody has that sells to people; a list that never ends is a mistake of somebody.
MOST_PAGES = 2_000


@dataclass(frozen=True)
class Sizes:
    """How much is asked for at once. What that costs depends on the query alone, and the most there is differs."""

    orders: int = 50
    agreements: int = 10
    sales: int = 20

    @property
    def smaller(self) -> "Sizes | None":
        """Half as much, None where it cannot be less."""
        if self.orders > 1:
            return replace(self, orders=self.orders // 2)
        if self.agreements > 1 or self.sales > 1:
            return replace(self, agreements=max(1, self.agreements // 2), sales=max(1, self.sales // 2))
        return None


@dataclass(frozen=True)
class Page:
    """One page of a list, and where the next begins, None behind the last one."""

    rows: list[Any]
    after: str | None


@dataclass
class OrderListing:
    """Reads orders of one shop."""

    calls: ShopCalls
    shop: ShopFacts
    sizes: Sizes = field(default_factory=Sizes)

    def read(self, search: str) -> Iterator[Order]:
        """The orders that a search finds, whole; one that is changed meanwhile may come twice.

        Raises SyncFailed, TOO_LARGE where Shopify does not go on with so long a list, FigureInvalid and ReadStopped.
        """
        for rows in _pages(lambda after: self._orders(search, after)):
            for row in rows:
                yield self._whole(row)

    def _orders(self, search: str, after: str | None) -> Page:
        said = self._ask(ORDERS, query=search, after=after)
        facts = said.get("shop")
        told = facts if isinstance(facts, dict) else {}
        self.shop.refuse_other(told.get("ianaTimezone"), told.get("currencyCode"))
        return read_page(said.get("orders"), "nodes")

    def _whole(self, row: Any) -> Order:
        if not isinstance(row, dict):
            raise FigureInvalid("an order is none")
        id_ = read_id(row)
        first = row.get("agreements")
        return read_order(row, tuple(self._sales(id_, first)))

    def _sales(self, order_id: str, first: Any) -> Iterator[Sale]:
        """All sales of all agreements about an order."""
        before: str | None = None
        for edges in _pages(lambda after: self._agreements(order_id, first, after)):
            for edge in edges:
                cursor, said = _edge(edge)
                agreement = read_agreement(said)
                for rows in self._pages_of(order_id, agreement, said.get("sales"), before):
                    yield from (read_sale(row, agreement, currency=self.shop.currency) for row in rows)
                before = cursor

    def _agreements(self, order_id: str, first: Any, after: str | None) -> Page:
        if after is None:
            return read_page(first, "edges")
        order = self._order(ORDER_AGREEMENTS, order_id, after=after)
        return read_page(order.get("agreements"), "edges")

    def _pages_of(
        self, order_id: str, agreement: Agreement, first: Any, before: str | None
    ) -> Iterator[list[Any]]:  # fmt: skip
        def page(after: str | None) -> Page:
            return read_page(first, "nodes") if after is None else self._more(order_id, agreement, before, after)

        return _pages(page)

    def _more(self, order_id: str, agreement: Agreement, before: str | None, after: str) -> Page:
        order = self._order(AGREEMENT_SALES, order_id, before=before, after=after)
        edges = read_page(order.get("agreements"), "edges", may_go_on=True).rows
        said = _edge(edges[0])[1] if len(edges) == 1 else {}
        if not said or read_agreement(said) != agreement:
            raise _lost("Shopify's list of what was agreed on about an order changed while it was read.")
        return read_page(said.get("sales"), "nodes")

    def _order(self, operation: Operation, order_id: str, **variables: Any) -> Mapping[str, Any]:
        order = self._ask(operation, id=gid(order_id), **variables).get("order")
        if not isinstance(order, dict):
            raise _lost("An order was deleted at Shopify while it was read.")
        return order

    def _ask(self, operation: Operation, **variables: Any) -> Mapping[str, Any]:
        """With smaller and smaller sizes where Shopify finds a query too expensive."""
        while True:
            try:
                return self.calls.ask(operation, **variables, **self._sizes_for(operation))
            except SyncFailed as error:
                smaller = self.sizes.smaller
                if error.trouble.code != MAX_COST or smaller is None:
                    raise
                self.sizes = smaller
            self.calls.client.watch.log("Shopify finds the query too expensive. Asking for less at once.")

    def _sizes_for(self, operation: Operation) -> dict[str, int]:
        each = {"orders": self.sizes.orders, "agreements": self.sizes.agreements, "sales": self.sizes.sales}
        return {name: size for name, size in each.items() if f"${name}:" in operation.text}


def read_page(said: Any, name: str, *, may_go_on: bool = False) -> Page:
    """A page as GraphQL writes it. Raises SyncFailed for one that is none, or that says of no next one where it is.

    With `may_go_on` nobody wants the next one.
    """
    info = said.get("pageInfo") if isinstance(said, dict) else None
    rows = said.get(name) if isinstance(said, dict) else None
    if not isinstance(rows, list):
        raise _lost("Shopify's answer has no rows where they belong.")
    if may_go_on:
        return Page(rows, None)
    has_next = info.get("hasNextPage") if isinstance(info, dict) else None
    after = info.get("endCursor") if isinstance(info, dict) else None
    if not isinstance(has_next, bool):
        raise _lost("Shopify does not say whether there is another page.")
    if has_next and (not isinstance(after, str) or not after):
        raise _lost("Shopify says that there is another page, and not where.")
    return Page(rows, after if has_next else None)


def _pages(page: Any) -> Iterator[list[Any]]:
    """The rows of one page after the other. Raises SyncFailed when they lead nowhere."""
    seen: set[str | None] = {None}
    after: str | None = None
    for _ in range(MOST_PAGES):
        found: Page = page(after)
        yield found.rows
        if found.after is None:
            return
        if found.after in seen:
            raise _lost("Shopify's pages lead back to one that was read before.")
        after = found.after
        seen.add(after)
    raise _lost(f"Shopify's list has more than {MOST_PAGES:,} pages.")


def _edge(said: Any) -> tuple[str, Mapping[str, Any]]:
    cursor, node = (said.get("cursor"), said.get("node")) if isinstance(said, dict) else (None, None)
    if not isinstance(cursor, str) or not isinstance(node, dict):
        raise FigureInvalid("an entry of a list is none")
    return cursor, node


def _lost(message: str) -> SyncFailed:
    return failed(TroubleClass.TRANSIENT, f"{message} Nothing of it was kept.")
