"""The address of the OpenAPI document. What it says is written by openapi.py."""

from flask import Response, current_app, request

from app.api.blueprint import api
from app.edge.permissions import Access, declare

_KEEP_SECONDS = 300


def show_document() -> Response:
    """This document, for everybody and without a look at the database."""
    # What writes it takes megabytes, and most processes are never asked for it.
    from app.api.openapi import document_text  # noqa: PLC0415

    response = Response(document_text(current_app.config["SESSION_COOKIE_NAME"]), mimetype="application/json")
    response.headers["Cache-Control"] = f"public, max-age={_KEEP_SECONDS}"
    response.add_etag()
    response.make_conditional(request)
    return response


api.add_url_rule(
    "/openapi.json", view_func=declare(show_document, Access(is_public=True, without_schema=True)), methods=["GET"]
)
