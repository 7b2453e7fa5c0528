"""Bulk operations: all orders of a search at once, in a file that Shopify makes while we wait or come back for it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from tempfile import TemporaryFile
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from app.core.http import OutboundLimits
from app.core.ids import digest
from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass, failed
from app.syncs.figures import FigureInvalid
from app.syncs.shopify.graphql import ShopCalls
from app.syncs.shopify.queries import BULK_STATUS, RUN_BULK, bulk_query
from app.syncs.shopify.sales import Agreement, Order, Sale, read_agreement, read_order, read_sale
from app.syncs.shopify.shop import ShopFacts
from app.syncs.sources import OrderedReport, ReportShelf

# The waits between looks, up to the longest; after the last one it is better to come back.
_WAITS = (2.0, 5.0, 10.0, 20.0, 40.0)
COME_BACK_AFTER = timedelta(minutes=2)
BUSY_WAIT = timedelta(minutes=5)
LONGEST = timedelta(hours=6)
MOST_ORDERED = 2
# A file that cannot be read is asked for so often: it may have broken off on the way.
MOST_DOWNLOADS = 3
FILE_LIMITS = OutboundLimits(
    connect_seconds=5.0, total_seconds=300.0, max_response_bytes=1024 * 1_048_576, max_redirects=0
)
_UNDER_WAY = frozenset({"CREATED", "RUNNING", "CANCELING"})
_DENIED = "ACCESS_DENIED"
_PARENT = "__parentId"


@dataclass(frozen=True)
class FinishedBulk:
    """The orders of a file, and when it was asked for: what became known later may be missing in it."""

    ordered_at: datetime
    orders: list[Order]


class _GoneAgain(Exception):
    """This operation gives no file, and another one may."""


@dataclass
class BulkReader:
    """Has files made of one shop's orders. Without the shelf they are waited for in place alone."""

    calls: ShopCalls
    shop: ShopFacts
    shelf: ReportShelf

    def read(self, search: str) -> FinishedBulk:
        """All orders of a search, whole. Raises SyncFailed, REPORT_PENDING when to come back, and ReadStopped."""
        key = digest(json.dumps([self.shop.domain, search]))
        for turn in range(MOST_ORDERED):
            report = self.shelf.waiting.get(key) or self._order(search, key)
            try:
                found = self._fetch(report)
            except _GoneAgain as error:
                del self.shelf.waiting[key]
                if turn + 1 == MOST_ORDERED:
                    raise failed(TroubleClass.TRANSIENT, f"{error} Nothing of it was kept.") from None
                self._log(f"{error} Asking for another one.")
            except SyncFailed as error:
                if error.until is None:
                    # Whatever is wrong with it, the next attempt asks for another one.
                    del self.shelf.waiting[key]
                raise
            else:
                del self.shelf.waiting[key]
                return FinishedBulk(report.ordered_at, found)
        raise AssertionError

    def _order(self, search: str, key: str) -> OrderedReport:
        ordered_at = self.calls.client.watch.now()
        said = self.calls.ask(RUN_BULK, query=bulk_query(search)).get("bulkOperationRunQuery")
        payload = said if isinstance(said, dict) else {}
        self._refuse_errors(payload.get("userErrors"))
        operation = payload.get("bulkOperation")
        id_ = operation.get("id") if isinstance(operation, dict) else None
        if not isinstance(id_, str) or not id_:
            raise failed(TroubleClass.INTERNAL, "Shopify took the order for a file and did not say its number.")
        self._log("Shopify makes a file of all orders: they are too many to be read page by page.")
        self.shelf.waiting[key] = report = OrderedReport(id_, ordered_at)
        return report

    def _refuse_errors(self, errors: Any) -> None:
        if not errors:
            return
        words = self.calls.client.clean(" ".join(_message(error) for error in errors if isinstance(error, dict)))
        if "already in progress" in words:
            message = "Shopify makes other files for this app and takes no more orders. The sync comes back then."
            trouble = Trouble(TroubleClass.REPORT_PENDING, message, "OPERATION_IN_PROGRESS")
            raise SyncFailed(trouble, until=self.calls.client.watch.now() + BUSY_WAIT)
        raise failed(TroubleClass.INTERNAL, f"Shopify does not make a file of the orders. It said: {words[:200]}.")

    def _fetch(self, report: OrderedReport) -> list[Order]:
        status = self._wait(report)
        count = _count(status.get("objectCount"))
        url = status.get("url")
        if url is None and count == 0:
            return []
        if not isinstance(url, str) or count is None:
            raise failed(TroubleClass.INTERNAL, "Shopify says that its file is complete, and not where it is.")
        self._refuse_address(url)
        return self._download(url, count)

    def _wait(self, report: OrderedReport) -> Mapping[str, Any]:
        """What Shopify says of an operation that is complete."""
        for pause in (0.0, *_WAITS):
            if pause:
                self.calls.client.watch.pause(pause)
            status = self._look(report)
            if status is not None:
                return status
        if self.calls.client.watch.now() - report.ordered_at > LONGEST:
            raise _GoneAgain(f"Shopify did not finish its file within {LONGEST.total_seconds() / 3600:.0f} hours.")
        message = "Shopify still makes the file of all orders. The sync goes on with it then."
        trouble = Trouble(TroubleClass.REPORT_PENDING, message)
        raise SyncFailed(trouble, until=self.calls.client.watch.now() + COME_BACK_AFTER)

    def _look(self, report: OrderedReport) -> Mapping[str, Any] | None:
        """The operation when it is complete, None while it is under way. What is there of a failed one is left."""
        said = self.calls.ask(BULK_STATUS, id=report.id).get("node")
        if not isinstance(said, dict) or not said:
            raise _GoneAgain("Shopify does not know the file any more that it was asked for.")
        status, error = said.get("status"), said.get("errorCode")
        if status == "COMPLETED":
            return said
        if status in _UNDER_WAY:
            return None
        if error == _DENIED:
            message = "Shopify does not let this app read the orders. Grant it the scope read_orders, then reconnect."
            raise SyncFailed(Trouble(TroubleClass.PERMISSION_MISSING, message, _DENIED))
        shown = self.calls.client.clean(f"{status}/{error}" if error else f"{status}")[:60]
        raise _GoneAgain(f"Shopify could not make the file of all orders ({shown}).")

    def _refuse_address(self, url: str) -> None:
        """A file comes over an encrypted connection, or from where the operator said that Shopify is."""
        own = urlsplit(self.calls.client.base_url)
        there = urlsplit(url)
        if there.scheme != "https" and (there.scheme, there.netloc) != (own.scheme, own.netloc):
            raise failed(TroubleClass.INTERNAL, "Shopify names an address for its file that is not encrypted.")

    def _download(self, url: str, count: int) -> list[Order]:
        with TemporaryFile() as file:
            for turn in range(MOST_DOWNLOADS):
                self.calls.client.save(url, file, limits=FILE_LIMITS)
                file.seek(0)
                try:
                    return read_file(file, count=count, currency=self.shop.currency)
                except FileBroken as error:
                    if turn + 1 == MOST_DOWNLOADS:
                        raise failed(TroubleClass.TRANSIENT, f"{error} Nothing of it was kept.") from None
                    self._log(f"{error} Asking for it again.")
        raise AssertionError

    def _log(self, text: str) -> None:
        self.calls.client.watch.log(text)


class FileBroken(Exception):
    """The file is not the whole one: it breaks off, or lines are missing."""


@dataclass(slots=True)
class _Pending:
    """An order whose sales are still being read."""

    row: Mapping[str, Any]
    sales: list[Sale] = field(default_factory=list)


def read_file(file: BinaryIO, *, count: int, currency: str) -> list[Order]:
    """The orders of a file: one line for each thing, that names what it is part of, which came before.

    Raises FileBroken when there are fewer lines than `count`, and FigureInvalid for what no file says.
    """
    orders: dict[str, _Pending] = {}
    agreements: dict[str, tuple[str, Agreement]] = {}
    lines = 0
    for row in _rows(file):
        lines += 1
        parent = row.get(_PARENT)
        if parent is None:
            orders[str(row.get("id"))] = _Pending(row)
        elif parent in orders:
            agreements[str(row.get("id"))] = str(parent), read_agreement(row)
        elif parent in agreements:
            order_id, agreement = agreements[str(parent)]
            orders[order_id].sales.append(read_sale(row, agreement, currency=currency))
        else:
            raise FigureInvalid("a line of the file belongs to nothing in it")
    if lines < count:
        raise FileBroken(f"Shopify's file has {lines:,} of {count:,} lines.")
    return [read_order(pending.row, tuple(pending.sales)) for pending in orders.values()]


def _rows(file: BinaryIO) -> Iterator[Mapping[str, Any]]:
    for line in file:
        if not line.strip():
            continue
        try:
            row = json.loads(line, parse_float=str)
        except (ValueError, RecursionError):
            raise FileBroken("Shopify's file breaks off in the middle of a line.") from None
        if not isinstance(row, dict):
            raise FigureInvalid("a line of the file is no object")
        yield row


def _count(said: Any) -> int | None:
    """Counts of things are texts."""
    text = str(said) if isinstance(said, int | str) and not isinstance(said, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _message(error: Mapping[str, Any]) -> str:
    said = error.get("message")
    return said if isinstance(said, str) else ""
