"""Failures as statuses, for pages and API alike. How they look is up to each."""

import logging
import secrets
from dataclasses import dataclass

from flask import request
from werkzeug.exceptions import HTTPException

from app.core.db import OUTAGES
from app.core.errors import AppError, Conflict, Forbidden, Invalid, NotFound, Unavailable
from app.core.failures import explain
from app.edge.identity import SignInNeeded, ask_no_more
from app.tenants.tries import TooManyTries

log = logging.getLogger(__name__)

# The first family that fits decides, so the special cases come first.
_STATUSES: dict[type[AppError], int] = {
    SignInNeeded: 401,
    TooManyTries: 429,
    NotFound: 404,
    Forbidden: 403,
    Invalid: 422,
    Conflict: 409,
    Unavailable: 503,
}
_HTTP_MESSAGES = {
    400: "The request could not be understood. Nothing was changed.",
    404: "There is nothing at this address. It may have been deleted.",
    405: "This address does not do that. Nothing was changed.",
    413: "That was too much data at once. Nothing was saved.",
}


class DatabaseAway(Unavailable):
    """The database did not answer, or another write took too long."""


@dataclass(frozen=True)
class Failure:
    """What went wrong, in words for a person. `reference` is also in the log, with what is not for everybody."""

    status: int
    message: str
    field: str | None = None
    reference: str | None = None


def describe_failure(error: Exception) -> Failure:
    """The failure behind an exception. What nobody foresaw is logged under a reference, a defect with its trace."""
    if isinstance(error, AppError):
        return Failure(status_of(error), error.message, field=getattr(error, "field", None))
    if isinstance(error, HTTPException):
        status = error.code or 500
        return Failure(status, _HTTP_MESSAGES.get(status, "The request was refused. Nothing was changed."))
    reference = _log_failure(error)
    if isinstance(error, OUTAGES):
        # The page that says so must come out, and soon.
        ask_no_more()
        away = DatabaseAway("The database is busy or away, so nothing was changed. Try again in a moment.")
        return Failure(status_of(away), away.message, reference=reference)
    return Failure(500, "Something went wrong on the server, so nothing was changed.", reference=reference)


def status_of(error: AppError) -> int:
    """The HTTP status of a family."""
    return next((status for family, status in _STATUSES.items() if isinstance(error, family)), 500)


def _log_failure(error: Exception) -> str:
    reference = secrets.token_hex(4)
    facts: dict[str, str | None] = {"reference": reference, "method": request.method, "endpoint": request.endpoint}
    # A database that is away is no defect: its trace would say nothing more, once for each request.
    sentence = explain(error) if isinstance(error, OUTAGES) else None
    if sentence:
        facts["problem"] = sentence
    log.error("request failed", exc_info=None if sentence else error, extra=facts)
    return reference
