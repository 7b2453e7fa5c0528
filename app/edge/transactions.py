"""One transaction per request: committed when the answer says that it worked, else forgotten."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue

from app.core.db import again_after_conflict
from app.edge.database import SAFE_METHODS, commit, roll_back
from app.edge.runtime import runtime

Found = TypeVar("Found")


def outside_transaction(call: Callable[[], Found]) -> Found:
    """What a call finds that takes its time, made while this request holds neither a lock nor a connection.

    To be called before the first write: what the request has done so far is committed, and a new transaction follows.
    """
    commit(runtime().requests)
    return call()


def in_transaction(call: Callable[[], ResponseReturnValue]) -> Response:
    """The view's answer, after its transaction has ended. Reads never commit.

    A transaction that the database took back for another's sake is tried again from the start.
    """
    return again_after_conflict(lambda: _attempt(call))


def _attempt(call: Callable[[], ResponseReturnValue]) -> Response:
    requests = runtime().requests
    try:
        response = current_app.make_response(call())
        if response.status_code < 400 and request.method not in SAFE_METHODS:
            commit(requests)
        else:
            roll_back(requests)
    except BaseException:
        roll_back(requests)
        raise
    return response
