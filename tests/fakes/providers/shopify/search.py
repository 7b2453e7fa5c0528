"""What `orders(query:)` means, and in which order its orders come."""

import base64
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any

from tests.fakes.providers.shopify.truth import Order, Shop

_TERM = re.compile(r"(?P<name>[a-z_]+):(?P<sign>>=|<=|>|<|)(?P<value>'[^']*'|\"[^\"]*\"|[^\s'\"]+)")
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {">=": ge, "<=": le, ">": gt, "<": lt}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class SearchUnknown(ValueError):
    """The real service would only warn and leave the condition out, which nobody must rely on."""


def moment_of(order: Order, name: str, now: datetime) -> datetime:
    """The moment of an order that a condition or an order of sorting means."""
    moments = {
        "updated_at": order.updated_at(now),
        "created_at": order.created_at,
        "processed_at": order.processed_at,
    }
    return moments[name]


def matching(shop: Shop, text: str, now: datetime) -> list[Order]:
    """The orders that a search finds. Raises SearchUnknown."""
    conditions = [_condition(term) for term in text.split(" AND ")] if text.strip() else []
    return [order for order in shop.seen(now) if all(fits(order, now) for fits in conditions)]


def _condition(term: str) -> Callable[[Order, datetime], bool]:
    read = _TERM.fullmatch(term.strip())
    if read is None:
        raise SearchUnknown(f"Cannot read the condition {term!r}")
    name, sign, value = read["name"], read["sign"], read["value"]
    if name == "id":
        return lambda order, now: str(order.number) == value
    if name == "test":
        return lambda order, now: order.is_test == (value == "true")
    if name not in {"updated_at", "created_at", "processed_at"} or sign not in _SIGNS:
        raise SearchUnknown(f"Cannot search for {name!r} with {sign!r}")
    text = value.strip("'\"")
    # Without quotes the colons of a time would be read as conditions of their own; without Z it would be local.
    if value == text or not _MOMENT.fullmatch(text):
        raise SearchUnknown(f"Say a moment as '2026-11-20T00:00:00Z', not {value}")
    bound = datetime.fromisoformat(text).astimezone(UTC)
    return lambda order, now: _SIGNS[sign](moment_of(order, name, now), bound)


def in_order(orders: Iterable[Order], sort_key: str, now: datetime, *, reverse: bool = False) -> list[Order]:
    """Raises SearchUnknown."""
    names = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at", "PROCESSED_AT": "processed_at", "ID": ""}
    if sort_key not in names:
        raise SearchUnknown(f"OrderSortKeys has no {sort_key!r}")
    return sorted(orders, key=lambda order: sort_value(order, sort_key, now), reverse=reverse)


def sort_value(order: Order, sort_key: str, now: datetime) -> tuple[str, int]:
    if sort_key == "ID":
        return "", order.number
    return moment_of(order, sort_key.lower(), now).isoformat(), order.number


def cursor_of(value: tuple[str, int], served: int) -> str:
    """A place in a list, which stays right when something in the list moves. `served` is how far it is from its top."""
    return base64.b64encode(json.dumps([*value, served]).encode()).decode()


def read_cursor(text: str) -> tuple[tuple[str, int], int]:
    """Raises SearchUnknown."""
    try:
        moment, number, served = json.loads(base64.b64decode(text))
    except ValueError:
        raise SearchUnknown("Invalid cursor for current pagination sort.") from None
    return (moment, number), served
