"""The decorator that makes a page's route: who may use it, its checks and its transaction."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, TypeVar

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app.edge.forgery import refuse_cross_site, refuse_forgery
from app.edge.permissions import Access, declare, enforce
from app.edge.transactions import in_transaction
from app.tenants.access import Permission
from app.web.context import tell_time_as_wished

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


def route(
    blueprint: Blueprint,
    rule: str,
    *,
    permission: Permission | None = None,
    public: bool = False,
    signed_in: bool = False,
    platform_admin: bool = False,
    empty_without_schema: bool = False,
    methods: Sequence[str] = ("GET",),
) -> Callable[[View], View]:
    """Serve a view at `blueprint.function_name`. Exactly one of the first four says who may use it.

    In this order: another site's request is refused, then an unready schema, then whoever may not, then a form without
    a valid token. The view's transaction is committed when its answer is below 400, else forgotten.
    """
    access = Access(
        permission=permission,
        is_public=public,
        signed_in=signed_in,
        platform_admin=platform_admin,
        empty_without_schema=empty_without_schema,
    )

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> Response:
            refuse_cross_site()
            enforce(access)
            tell_time_as_wished()
            refuse_forgery()
            return in_transaction(lambda: view(**arguments))

        blueprint.add_url_rule(rule, view.__name__, declare(guarded, access), methods=list(methods))
        return view

    return decorate
