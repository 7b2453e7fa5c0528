"""How a sync ends that could not be read to the end: what its trouble means for the run and its connection. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.core.wire import FailureKind
from app.jobs.kinds.base import AccountRests, LoginRefused, Outcome, OutcomeStatus
from app.jobs.policies import ErrorClass
from app.syncs.calls.client import BUDGET_SPENT, NEARLY_USED_UP, Spent
from app.syncs.calls.retries import LONGEST_WAIT_IN_PLACE
from app.syncs.calls.troubles import SyncFailed, TroubleClass
from app.syncs.logins import Login

_CLASSES = {
    TroubleClass.AUTH_EXPIRED: ErrorClass.REFUSED,
    TroubleClass.AUTH_REVOKED: ErrorClass.REFUSED,
    TroubleClass.PERMISSION_MISSING: ErrorClass.REFUSED,
    TroubleClass.ACCOUNT_UNAVAILABLE: ErrorClass.REFUSED,
    TroubleClass.RATE_LIMITED: ErrorClass.RATE_LIMITED,
    TroubleClass.QUOTA_EXHAUSTED: ErrorClass.RATE_LIMITED,
    TroubleClass.REPORT_PENDING: ErrorClass.RATE_LIMITED,
    TroubleClass.TRANSIENT: ErrorClass.SERVER,
    TroubleClass.INTERNAL: ErrorClass.JOB,
}
# With these no run of the connection can read anything before a person does something about it.
_NEEDS_RECONNECTING = frozenset(
    {
        TroubleClass.AUTH_EXPIRED,
        TroubleClass.AUTH_REVOKED,
        TroubleClass.PERMISSION_MISSING,
        TroubleClass.ACCOUNT_UNAVAILABLE,
    }
)
# Worth another try of the job: it passes by itself, or at least may.
_MAY_PASS = frozenset(
    {
        TroubleClass.RATE_LIMITED,
        TroubleClass.QUOTA_EXHAUSTED,
        TroubleClass.REPORT_PENDING,
        TroubleClass.TRANSIENT,
        TroubleClass.TOO_LARGE,
    }
)
_LIMITS = frozenset({TroubleClass.RATE_LIMITED, TroubleClass.QUOTA_EXHAUSTED})
_SHORTEST_BREAK = timedelta(seconds=1)


def ending_of(error: SyncFailed, *, login: Login, result: Mapping[str, Any], now: datetime) -> Outcome:
    """The outcome that a trouble means. One that says when to come back uses no try and no slot until then."""
    if error.until is not None:
        wait = max(error.until - now, _SHORTEST_BREAK)
        return Outcome(
            OutcomeStatus.WAITING, error.message, result=result, error_class=class_of(error), come_back_after=wait,
            account_rests=AccountRests(wait, error.message) if _is_of_account(error) else None,
        )  # fmt: skip
    kind = error.trouble_class
    refused = LoginRefused(login.connection_id, kind, error.message, login.set_at)
    return Outcome(
        OutcomeStatus.FAILED, error.message, result=result, may_retry=kind in _MAY_PASS, error_class=class_of(error),
        login_refused=refused if kind in _NEEDS_RECONNECTING else None,
    )  # fmt: skip


def rest_after(spent: Spent) -> AccountRests | None:
    """How long the account is left alone after a sync that went well, because its quota is nearly used up."""
    rest = timedelta() if spent.quota is None else spent.quota.rest
    return AccountRests(rest, NEARLY_USED_UP) if rest > LONGEST_WAIT_IN_PLACE else None


def _is_of_account(error: SyncFailed) -> bool:
    """Whether other runs on the account are to wait as well: its service said so, and not a limit of the run's own."""
    return error.trouble_class in _LIMITS and error.trouble.code != BUDGET_SPENT


def class_of(error: SyncFailed) -> ErrorClass:
    """The class of a trouble as retry policies know it."""
    if error.trouble_class is TroubleClass.TRANSIENT and error.trouble.code in set(FailureKind):
        return ErrorClass.NETWORK
    return _CLASSES.get(error.trouble_class, ErrorClass.REJECTED)


def trouble_facts(error: SyncFailed) -> dict[str, str]:
    """What the run keeps of a trouble: the class, and what the service's support wants to know."""
    trouble = error.trouble
    facts = {"class": trouble.trouble_class.value, "code": trouble.code, "reference": trouble.reference}
    return {name: value for name, value in facts.items() if value}
