"""Landing 20,000 campaign-days and 26,000 orders: how long, how much memory, and the same again changes nothing."""

import argparse
import gc
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID

from app.core.ids import new_id
from app.core.scopes import Scope
from app.syncs.figures import METRIC_FACTS, Entity, FetchedWindow, Figure, Level, Metric, Stream, Unit, exact
from app.syncs.landing import Landed, LedgerWindow, land_window
from app.syncs.models import Connection
from app.syncs.shopify.bulk import read_file
from app.syncs.shopify.window import ShopWindow
from bench.figures import print_figures
from bench.installation import Installation, installation
from bench.services import Engine

FIRST = date(2026, 10, 1)
DAYS = 40
CAMPAIGNS = 500
ORDERS = 26_000
METRICS = (
    Metric.SPEND, Metric.IMPRESSIONS, Metric.CLICKS, Metric.LINK_CLICKS, Metric.PURCHASES, Metric.PURCHASE_VALUE,
)  # fmt: skip
STREAM = Stream("campaigns", Level.CAMPAIGN, frozenset(METRICS))
NOW = datetime(2026, 11, 20, 5, tzinfo=UTC)
STATUS = Path("/proc/self/status")
KIB_PER_MIB = 1024


def memory_kib(name: str) -> int:
    """What the kernel says of this process: VmRSS is held now, VmHWM was held at most."""
    return next(int(line.split()[1]) for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))


@dataclass
class Growth:
    """By how much this process grew at most while something was done."""

    mib: float = 0.0


@contextmanager
def growing() -> Iterator[Growth]:
    gc.collect()
    # Makes the kernel forget what was held at most before.
    Path("/proc/self/clear_refs").write_text("5")
    before, growth = memory_kib("VmRSS"), Growth()
    yield growth
    growth.mib = (memory_kib("VmHWM") - before) / KIB_PER_MIB


def fetch(fetched_at: datetime) -> FetchedWindow:
    """As a reader makes it of what came over the wire: texts, one object for each campaign."""
    campaigns = [Entity(Level.CAMPAIGN, f"12020000000{number:04}", f"Campaign {number}") for number in range(CAMPAIGNS)]
    figures = tuple(
        Figure(
            FIRST + timedelta(days=day),
            campaign,
            metric,
            exact(f"{(number * 37 + day * 11) % 5_000}.{number % 100:02}" if is_money(metric) else str(number + day)),
            "EUR" if is_money(metric) else None,
        )
        for day in range(DAYS)
        for number, campaign in enumerate(campaigns)
        for metric in METRICS
    )
    last_day = FIRST + timedelta(days=DAYS - 1)
    return FetchedWindow(STREAM, FIRST, last_day, figures, fetched_at, "Europe/Riga", "EUR", "v26.0")


def is_money(metric: Metric) -> bool:
    return METRIC_FACTS[metric].unit is Unit.MONEY


def connect(place: Installation, service: str = "meta") -> UUID:
    with place.database.transaction() as session:
        connection = Connection(
            organization_id=place.actor.organization_id,
            name=f"Acme of {service}",
            service=service,
            account_id="act_1",
            state="connected",
            created_at=NOW,
            updated_at=NOW,
        )
        session.add(connection)
        session.flush()
        return connection.id


def land(place: Installation, connection_id: UUID, window: FetchedWindow | LedgerWindow) -> tuple[Landed, float]:
    begin = time.perf_counter()
    with place.database.transaction(Scope.tenant(place.actor.organization_id)) as session:
        landed = land_window(
            session,
            organization_id=place.actor.organization_id,
            connection_id=connection_id,
            run_id=new_id(),
            window=window,
            hold_run=lambda _session: None,
            now=window.fetched_at,
        )
    return landed, time.perf_counter() - begin


def shop_file() -> BinaryIO:
    """The file that Shopify makes of a shop's orders: a line for each, for what was agreed on, and for each sale."""
    file: BinaryIO = TemporaryFile()  # noqa: SIM115 - closed by whoever reads it
    for number in range(ORDERS):
        at = f"{NOW - timedelta(days=DAYS) * (ORDERS - number) / ORDERS:%Y-%m-%dT%H:%M:%SZ}"
        order, agreement = f"gid://shopify/Order/{5_000_000_000 + number}", f"gid://shopify/OrderAgreement/{number}"
        moments = {"createdAt": at, "processedAt": at, "updatedAt": at}
        rows: list[dict[str, Any]] = [{"id": order, "test": False, **moments}]
        rows.append({"id": agreement, "happenedAt": at, "reason": "ORDER", "__parentId": order})
        for place, kind in enumerate(("PRODUCT", "SHIPPING")):
            amounts = {
                "totalAmount": _money(f"{number % 400}.{number % 100:02}"),
                "totalTaxAmount": _money("1.5"),
                "totalDiscountAmountBeforeTaxes": _money("0.0"),
            }
            words = {"actionType": "ORDER", "lineType": kind, "quantity": 1, "__parentId": agreement}
            rows.append({"id": f"gid://shopify/Sale/{number * 2 + place}", **words, **amounts})
        file.write("".join(f"{json.dumps(row)}\n" for row in rows).encode())
    return file


def _money(amount: str) -> dict[str, dict[str, str]]:
    return {"shopMoney": {"amount": amount, "currencyCode": "USD"}}


def read_shop_file(file: BinaryIO, fetched_at: datetime) -> ShopWindow:
    """As a reader makes it of the file that came."""
    file.seek(0)
    return ShopWindow(
        orders=read_file(file, count=4 * ORDERS, currency="USD"),
        first_day=FIRST - timedelta(days=DAYS),
        next_day=FIRST - timedelta(days=DAYS),
        fetched_at=fetched_at,
        zone="America/New_York",
        currency="USD",
        shop_name="Acme",
        api_version="2026-10",
        mark={},
        mark_in_doubt={},
        all_since=NOW - timedelta(days=DAYS),
    )


def measure_shop(place: Installation) -> dict[str, float]:
    """Read and land the orders of a shop, and all of them again an hour later."""
    connection_id = connect(place, "shopify")
    with shop_file() as file:
        with growing() as growth:
            first, seconds = land(place, connection_id, read_shop_file(file, NOW))
        again, again_seconds = land(place, connection_id, read_shop_file(file, NOW + timedelta(hours=1)))
    return {
        "orders": ORDERS,
        "orders_figures": first.rows_changed,
        "orders_seconds": seconds,
        "orders_peak_mib": growth.mib,
        "orders_rerun_seconds": again_seconds,
        "orders_rerun_changed": again.rows_changed,
    }


def measure(place: Installation) -> dict[str, float]:
    """Fetch and land everything, and the same an hour later."""
    connection_id = connect(place)
    with growing() as growth:
        first, seconds = land(place, connection_id, fetch(NOW))
    again, again_seconds = land(place, connection_id, fetch(NOW + timedelta(hours=1)))
    return {
        "figures": first.rows_changed,
        "seconds": seconds,
        "peak_mib": growth.mib,
        "rerun_seconds": again_seconds,
        "rerun_changed": again.rows_changed,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", type=Engine, choices=list(Engine), default=Engine.EMBEDDED)
    options = parser.parse_args()
    if not STATUS.exists():
        sys.exit("What a process held in memory is told by Linux alone.")
    with installation(options.engine) as place:
        figures = measure(place) | measure_shop(place)
    print_figures("sync", options.engine, figures)


if __name__ == "__main__":
    main()
