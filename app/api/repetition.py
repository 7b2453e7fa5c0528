"""The header Idempotency-Key: a POST that is sent again gets its first answer, and does nothing more."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Response, request
from sqlalchemy.exc import OperationalError

from app.core.errors import Invalid
from app.core.ids import digest
from app.core.scopes import Scope
from app.edge.identity import current_actor, request_now, tenant_scope
from app.edge.runtime import working_as
from app.tenants.access import Actor
from app.tenants.replays import Replay, StillAtWork, begin_or_replay, keep_answer, read_answer

HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
LONGEST_KEY = 200
# PostgreSQL's word for having waited too long for somebody else's row: the first request with the key.
_LOCK_NOT_AVAILABLE = "55P03"
_STILL_AT_WORK = "The first request with this Idempotency-Key is not answered yet. Try again in a moment."


class KeyInvalid(Invalid):
    """The key cannot be stored."""


def idempotency_key() -> str | None:
    """The request's key, if it brought one. Raises KeyInvalid."""
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
        message = f"Use 1 to {LONGEST_KEY} printable ASCII characters, for instance a UUID."
        raise KeyInvalid(message, field=HEADER)
    return key


def answer_once(key: str, name: str, answer: Callable[[], Response], *, secret_fields: tuple[str, ...]) -> Response:
    """Answer as before, or for the first time. To be called within the transaction of the command."""
    actor, scope = current_actor(), tenant_scope()
    before = _begin(scope, actor, key, _fingerprint(name, actor))
    if before is not None:
        return _replayed(before)
    response = answer()
    kept = Replay(response.status_code, _without(secret_fields, response.get_data(as_text=True)))
    with working_as(scope) as session:
        keep_answer(session, actor=actor, key=key, replay=kept)
    return response


def answered_before(key: str, name: str) -> Response | None:
    """The answer that this request was given before, if it was. For what takes its time before the command begins."""
    actor = current_actor()
    with working_as(tenant_scope()) as session:
        before = read_answer(session, actor=actor, key=key, fingerprint=_fingerprint(name, actor), now=request_now())
    return None if before is None else _replayed(before)


def _replayed(before: Replay) -> Response:
    return Response(before.body, before.status, {REPLAYED_HEADER: "true"}, mimetype="application/json")


def _begin(scope: Scope, actor: Actor, key: str, fingerprint: str) -> Replay | None:
    try:
        with working_as(scope) as session:
            return begin_or_replay(session, actor=actor, key=key, fingerprint=fingerprint, now=request_now())
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise StillAtWork(_STILL_AT_WORK) from error
        raise


def _fingerprint(name: str, actor: Actor) -> str:
    """What makes two requests the same: the operation, what its path and query name, the body, and the rights.

    With other rights it is judged anew: an answer is no more to be had than by asking for the first time.
    """
    path: Mapping[str, Any] = request.view_args or {}
    parts = [name, *(f"{part}={path[part]}" for part in sorted(path)), request.query_string.decode("latin-1")]
    parts += [actor.role, str(actor.is_platform_admin), "*" if actor.scopes is None else ",".join(sorted(actor.scopes))]
    body = request.get_data().strip() or b"{}"
    return digest("\n".join([*parts, body.decode("latin-1")]))


def _without(secret_fields: tuple[str, ...], body: str) -> str:
    if not secret_fields:
        return body
    content = json.loads(body)
    content["data"].update(dict.fromkeys(secret_fields))
    return json.dumps(content, ensure_ascii=False)
