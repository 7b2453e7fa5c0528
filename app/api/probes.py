"""`/healthz` and `/readyz`: for whoever watches the process from outside. They tell no secrets and need no sign-in.

`/health/deep` says whether work comes through from end to end, to platform admins and whoever has the token for it.
"""

from hmac import compare_digest
from typing import Any

from flask import Blueprint, Response, jsonify, request

from app.api.admission import check_bearer
from app.core.errors import AppError
from app.core.scopes import PLATFORM
from app.edge.errors import status_of
from app.edge.identity import current_actor, request_now
from app.edge.permissions import Access, declare
from app.edge.readiness import CHECKS, Finding
from app.edge.runtime import runtime, working_as
from app.ops.canary.report import read_report
from app.tenants.platform import require_platform_admin

probes = Blueprint("probes", __name__)


def healthz() -> Response:
    """The process answers. Says nothing about what it depends on, or a watcher would restart it in vain."""
    return jsonify({"ok": True})


def readyz() -> tuple[Response, int]:
    """Whether everything that is needed is there: 200 or 503, with each check by name.

    Degraded is who is ready to serve, but lacks something that is not vital: no reason to take it out of service.
    """
    findings = [check() for check in CHECKS]
    wrong = [finding for finding in findings if not finding.is_ok]
    is_ready = not any(finding.is_vital for finding in wrong)
    body = {"ready": is_ready, "degraded": is_ready and bool(wrong), "checks": [_as_json(one) for one in findings]}
    return jsonify(body), 200 if is_ready else 503


def health_deep() -> tuple[Response, int]:
    """The age of each hop from a slot to a message that arrived: 200 when all are within their bounds, else 503."""
    try:
        _admit()
    except AppError as error:
        return jsonify({"well": None, "problem": error.message}), status_of(error)
    settings = runtime().settings
    with working_as(PLATFORM) as session:
        found = read_report(
            session, is_on=settings.canary, is_pinged=settings.heartbeat_url is not None, now=request_now()
        )
    return jsonify(found.as_json()), 200 if found.is_well else 503


def _admit() -> None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        own = runtime().settings.health_token
        if own is not None and compare_digest(token.strip().encode(), own.encode()):
            return
        check_bearer(token.strip())
    require_platform_admin(current_actor())


def _as_json(finding: Finding) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": finding.name, "ok": finding.is_ok}
    if finding.message:
        shown["message"] = finding.message
    if finding.command:
        shown["command"] = finding.command
    return shown


for _rule, _view in (("/healthz", healthz), ("/readyz", readyz)):
    probes.add_url_rule(_rule, view_func=declare(_view, Access(is_public=True, without_schema=True)))
# It looks for itself at who asks: the token for it is nobody's.
probes.add_url_rule("/health/deep", view_func=declare(health_deep, Access(is_public=True)))
