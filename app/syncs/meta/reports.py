"""Reports that Meta makes while we wait, for what it does not hand out directly."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.ids import digest
from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass, failed
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.paging import Row, read_pages
from app.syncs.meta.refusals import UNKNOWN_OBJECT, class_of
from app.syncs.sources import OrderedReport, ReportShelf

# The waits between looks: growing up to what a worker may wait for in place.
_WAITS = (10.0, 20.0, 40.0)
LONGEST_WAIT_SECONDS = 60.0
LONGEST_SECONDS = 1_800.0
# How long somebody who can come back waits here, and how long he stays away then.
PATIENCE_SECONDS = sum(_WAITS)
COME_BACK_AFTER = timedelta(minutes=2)
# A report that was just ordered is not always found at once.
_MOST_LOOKS_IN_VAIN = 3
MOST_ORDERS = 2
_COMPLETED = "Job Completed"
_UNDER_WAY = frozenset({"Job Not Started", "Job Started", "Job Running"})
_FAILED = "Job Failed"
_SKIPPED = "Job Skipped"
_NOT_FOUND = "/".join(str(part) for part in UNKNOWN_OBJECT)


@dataclass(frozen=True)
class FinishedReport:
    """The pages of a report, and when it was ordered: what became known later may be missing in it."""

    ordered_at: datetime
    pages: Iterator[list[Row]]


@dataclass(frozen=True)
class _Order:
    """One report that was asked for, now or by an attempt before."""

    client: ServiceClient
    report: OrderedReport
    is_old: bool = False

    def wait(self, *, may_come_back: bool) -> None:
        """Return when the report is complete. Raises SyncFailed, REPORT_PENDING where somebody may come back for it."""
        if self.is_old and self._is_complete(may_be_unknown=False):
            return
        waited = 0.0
        for pause in _pauses():
            self._refuse_endless(waited + pause)
            if may_come_back and waited + pause > PATIENCE_SECONDS:
                raise self._come_back()
            self.client.watch.pause(pause)
            waited += pause
            is_young = not self.is_old and waited <= sum(_WAITS[:_MOST_LOOKS_IN_VAIN])
            if self._is_complete(may_be_unknown=is_young):
                return

    def _refuse_endless(self, seconds: float) -> None:
        age = (self.client.watch.now() - self.report.ordered_at).total_seconds() if self.is_old else 0.0
        if age + seconds > LONGEST_SECONDS:
            raise failed(
                TroubleClass.TRANSIENT, f"Meta did not finish the report within {LONGEST_SECONDS / 60:.0f} minutes."
            )

    def _come_back(self) -> SyncFailed:
        message = "Meta still makes the report of what it does not hand out directly. The sync goes on with it then."
        trouble = Trouble(TroubleClass.REPORT_PENDING, message)
        return SyncFailed(trouble, until=self.client.watch.now() + COME_BACK_AFTER)

    def _is_complete(self, *, may_be_unknown: bool) -> bool:
        try:
            said = self.client.get(f"/{self.report.id}")
        except SyncFailed as error:
            if may_be_unknown and error.trouble.code == _NOT_FOUND:
                return False
            raise
        status = said.get("async_status")
        status = status if isinstance(status, str) else None
        if status in {_FAILED, _SKIPPED}:
            raise self.client.failure_of(_why_it_failed(said))
        if status == _COMPLETED:
            # Said before it is so; only with the percentage it is the end.
            return bool(said.get("async_percent_completion") == 100)
        if status not in _UNDER_WAY:
            raise failed(TroubleClass.INTERNAL, "Meta names a state of its report that Belfry does not know.")
        return False


def read_report(
    client: ServiceClient, account: MetaAccount, parameters: Mapping[str, str], shelf: ReportShelf | None = None
) -> FinishedReport:
    """A report, once it is complete. Raises SyncFailed.

    One that failed for no reason of its own is ordered once more; a second failure is taken to be about its size.
    With a shelf, one that takes long is left on it, to be asked for again later: REPORT_PENDING says when.
    """
    key = digest(json.dumps([account.id, sorted(parameters.items())]))
    for orders in range(1, MOST_ORDERS + 1):
        order = _place(client, account, parameters, shelf, key)
        try:
            order.wait(may_come_back=shelf is not None)
        except SyncFailed as error:
            if shelf is not None and error.until is None:
                # Whatever is wrong with it, the next one is another report.
                shelf.waiting.pop(key, None)
            if order.is_old and error.trouble.code == _NOT_FOUND:
                # Meta has thrown it away meanwhile.
                continue
            if error.trouble.code is None or not error.trouble.code.startswith("report"):
                raise
            if error.trouble_class is not TroubleClass.TRANSIENT:
                raise
            if orders == MOST_ORDERS:
                raise SyncFailed(Trouble(TroubleClass.TOO_LARGE, error.message, error.trouble.code)) from error
        else:
            limit = {"limit": parameters["limit"]}
            return FinishedReport(order.report.ordered_at, read_pages(client, f"/{order.report.id}/insights", limit))
    raise AssertionError


def _place(
    client: ServiceClient, account: MetaAccount, parameters: Mapping[str, str], shelf: ReportShelf | None, key: str
) -> _Order:
    old = None if shelf is None else shelf.waiting.get(key)
    if old is not None:
        client.watch.log("Going on with the report that Meta has made, or is making, for an attempt before.")
        return _Order(client, old, is_old=True)
    ordered_at = client.watch.now()
    report = OrderedReport(_order(client, account, parameters), ordered_at)
    client.watch.log("Meta makes a report of what it does not hand out directly.")
    if shelf is not None:
        shelf.waiting[key] = report
    return _Order(client, report)


def _order(client: ServiceClient, account: MetaAccount, parameters: Mapping[str, str]) -> str:
    said = client.post(f"{account.path}/insights", parameters)
    report_id = said.get("report_run_id")
    if isinstance(report_id, int):
        report_id = str(report_id)
    if not isinstance(report_id, str) or not report_id.isascii() or not report_id.isdigit():
        raise failed(TroubleClass.INTERNAL, "Meta took the order for a report and did not say its number.")
    return report_id


def _pauses() -> Iterator[float]:
    yield from _WAITS
    while True:
        yield LONGEST_WAIT_SECONDS


def _why_it_failed(said: Mapping[str, Any]) -> Trouble:
    """The trouble of a report that ended without being complete. Codes come since v25, and not always."""
    code, subcode, words = said.get("error_code"), said.get("error_subcode"), said.get("error_message")
    has_code = isinstance(code, int)
    found = TroubleClass.TRANSIENT
    if has_code:
        found = class_of(
            code,
            subcode if isinstance(subcode, int) else None,
            words if isinstance(words, str) else "",
            is_transient=False,
        )
    # A report without rows for a reason that nobody gave is ordered again, and then made smaller.
    shown = f"report {code}/{subcode}" if has_code else f"report {said.get('async_status')}"
    return Trouble(found, f"Meta could not make the report ({shown}).", shown)
