"""`/healthz` and `/readyz`: for whoever watches the process from outside. They tell no secrets and need no sign-in."""

from typing import Any

from flask import Blueprint, Response, jsonify

from app.edge.permissions import Access, declare
from app.edge.readiness import CHECKS, Finding

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


def _as_json(finding: Finding) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": finding.name, "ok": finding.is_ok}
    if finding.message:
        shown["message"] = finding.message
    if finding.command:
        shown["command"] = finding.command
    return shown


for _rule, _view in (("/healthz", healthz), ("/readyz", readyz)):
    probes.add_url_rule(_rule, view_func=declare(_view, Access(is_public=True, without_schema=True)))
