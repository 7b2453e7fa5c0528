"""Pages of a shop's orders, with everything that goes wrong with pages."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace
from datetime import datetime

from tests.fakes.providers.faults import Fault
from tests.fakes.providers.shopify import refusals
from tests.fakes.providers.shopify.graphql import Field
from tests.fakes.providers.shopify.records import Page
from tests.fakes.providers.shopify.refusals import Refused
from tests.fakes.providers.shopify.search import cursor_of, in_order, matching, read_cursor, sort_value
from tests.fakes.providers.shopify.truth import Order, Shop

CAP = 25_000


@dataclass(frozen=True)
class Visible:
    """Which orders somebody may see: all, or those that were made since a moment."""

    since: datetime | None

    def sees(self, order: Order) -> bool:
        return self.since is None or order.created_at >= self.since


@dataclass
class Listing:
    """The list that was asked for last, kept for its next page."""

    key: tuple[object, ...] = ()
    orders: list[Order] = field(default_factory=list)
    values: list[tuple[str, int]] = field(default_factory=list)

    def load(self, shop: Shop, visible: Visible, asked: Field, now: datetime) -> None:
        said = asked.arguments
        sort_key, search = said.get("sortKey", "PROCESSED_AT"), said.get("query", "")
        key = (shop.domain, sort_key, search, bool(said.get("reverse")), now, visible)
        if self.key == key:
            return
        found = [order for order in matching(shop, search, now) if visible.sees(order)]
        self.orders = in_order(found, sort_key, now, reverse=bool(said.get("reverse")))
        self.values = [sort_value(order, sort_key, now) for order in self.orders]
        self.key = key


def list_orders(
    listing: Listing, shop: Shop, visible: Visible, asked: Field, fault: Fault | None, now: datetime
) -> Page:
    """One page. Raises Refused beyond the cap, and SearchUnknown."""
    listing.load(shop, visible, asked, now)
    after = asked.arguments.get("after")
    value, served = read_cursor(after) if after else (None, 0)
    if served >= CAP:
        words = f"Pagination is limited to {CAP} objects. Narrow the query."
        raise Refused(refusals.graphql(words, "BAD_REQUEST"))
    start = _first_after(listing, value, is_reverse=bool(asked.arguments.get("reverse")))
    page = _page(listing, start, served, asked.arguments["first"])
    return _bent(page, listing, start, served, after, fault, now) if fault else page


def _first_after(listing: Listing, value: tuple[str, int] | None, *, is_reverse: bool) -> int:
    if value is None:
        return 0
    if is_reverse:
        return sum(each >= value for each in listing.values)
    return bisect_right(listing.values, value)


def _page(listing: Listing, start: int, served: int, first: int) -> Page:
    places = range(start, min(start + first, len(listing.orders)))
    items = [
        (cursor_of(listing.values[place], served + turn + 1), listing.orders[place])
        for turn, place in enumerate(places)
    ]
    return Page(items, start + first < len(listing.orders), served > 0)


def _bent(
    page: Page, listing: Listing, start: int, served: int, after: str | None, fault: Fault, now: datetime
) -> Page:
    variant = str(fault.options.get("variant") or "")
    match fault.fault:
        case "duplicate_page" if variant == "cursor":
            return replace(page, has_next=True, end_cursor=after or cursor_of(("", 0), 0))
        case "duplicate_page" if start > 0:
            again = (cursor_of(listing.values[start - 1], served), listing.orders[start - 1])
            return replace(page, items=[again, *page.items])
        case "empty_page_with_next":
            value = listing.values[start - 1] if start else ("", 0)
            end = None if variant == "null" else cursor_of(value, served + 1)
            return Page([], True, served > 0, end)
        case "reordered" if page.items:
            place = min(start + len(page.items), len(listing.orders) - 1) if variant == "next" else start
            listing.orders[place].touched_at = now
            listing.key = ()
    return page
