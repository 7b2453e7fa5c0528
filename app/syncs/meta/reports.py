"""Reports that Meta makes while we wait, for what it does not hand out directly."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.syncs.calls.client import ServiceClient
from app.syncs.calls.troubles import SyncFailed, Trouble, TroubleClass, failed
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.paging import Row, read_pages
from app.syncs.meta.refusals import UNKNOWN_OBJECT, class_of

# The waits between looks: growing up to what a worker may wait for in place.
_WAITS = (10.0, 20.0, 40.0)
LONGEST_WAIT_SECONDS = 60.0
LONGEST_SECONDS = 1_800.0
# A report that was just ordered is not always found at once.
_MOST_LOOKS_IN_VAIN = 3
MOST_ORDERS = 2
_COMPLETED = "Job Completed"
_UNDER_WAY = frozenset({"Job Not Started", "Job Started", "Job Running"})
_FAILED = "Job Failed"
_SKIPPED = "Job Skipped"
_NOT_FOUND = "/".join(str(part) for part in UNKNOWN_OBJECT)


@dataclass(frozen=True)
class _Order:
    """One report that was asked for."""

    client: ServiceClient
    report_id: str

    def wait(self) -> None:
        """Return when the report is complete. Raises SyncFailed."""
        waited = 0.0
        for pause in _pauses():
            if waited + pause > LONGEST_SECONDS:
                break
            self.client.watch.pause(pause)
            waited += pause
            if self._is_complete(may_be_unknown=waited <= sum(_WAITS[:_MOST_LOOKS_IN_VAIN])):
                return
        raise failed(
            TroubleClass.TRANSIENT, f"Meta did not finish the report within {LONGEST_SECONDS / 60:.0f} minutes."
        )

    def _is_complete(self, *, may_be_unknown: bool) -> bool:
        try:
            said = self.client.get(f"/{self.report_id}")
        except SyncFailed as error:
            if may_be_unknown and error.trouble.code == _NOT_FOUND:
                return False
            raise
        status = said.get("async_status")
        if status in {_FAILED, _SKIPPED}:
            raise self.client.failure_of(_why_it_failed(said))
        if status == _COMPLETED:
            # Said before it is so; only with the percentage it is the end.
            return bool(said.get("async_percent_completion") == 100)
        if status not in _UNDER_WAY:
            raise failed(TroubleClass.INTERNAL, "Meta names a state of its report that Belfry does not know.")
        return False


def read_report(client: ServiceClient, account: MetaAccount, parameters: Mapping[str, str]) -> Iterator[list[Row]]:
    """The pages of a report, once it is complete. Raises SyncFailed.

    One that failed for no reason of its own is ordered once more; a second failure is taken to be about its size.
    """
    for orders in range(1, MOST_ORDERS + 1):
        order = _Order(client, _order(client, account, parameters))
        client.watch.log("Meta makes a report of what it does not hand out directly.")
        try:
            order.wait()
        except SyncFailed as error:
            if error.trouble.code is None or not error.trouble.code.startswith("report"):
                raise
            if error.trouble_class is not TroubleClass.TRANSIENT:
                raise
            if orders == MOST_ORDERS:
                raise SyncFailed(Trouble(TroubleClass.TOO_LARGE, error.message, error.trouble.code)) from error
        else:
            limit = {"limit": parameters["limit"]}
            yield from read_pages(client, f"/{order.report_id}/insights", limit)
            return


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
