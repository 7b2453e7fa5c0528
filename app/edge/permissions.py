"""What each endpoint demands: declared beside it, enforced before it runs. What declares nothing is not served."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request

from app.core.errors import Forbidden
from app.core.schema import SchemaNotReady
from app.core.scopes import IDENTITY, PLATFORM, Scope
from app.edge.database import SAFE_METHODS
from app.edge.identity import current_actor, tenant_scope
from app.edge.runtime import runtime, work_as
from app.tenants.access import Permission, require

View = Callable[..., Any]
_ATTRIBUTE = "belfry_access"


class PlatformAdminNeeded(Forbidden):
    """Only those who look after the whole installation may do this."""


class AccessUndeclared(RuntimeError):
    """An endpoint does not say who may use it: a mistake in the code, found at the start."""


@dataclass(frozen=True)
class Access:
    """Who may use an endpoint. Exactly one of the first four says it."""

    permission: Permission | None = None
    is_public: bool = False
    signed_in: bool = False
    platform_admin: bool = False
    without_schema: bool = False  # works before the database has its tables
    empty_without_schema: bool = False  # until then, its GET shows an empty page with a note

    def __post_init__(self) -> None:
        said = [self.permission is not None, self.is_public, self.signed_in, self.platform_admin]
        if said.count(True) != 1:
            raise AccessUndeclared("say exactly one of: a permission, public, signed_in, platform_admin")


def declare(view: View, access: Access) -> View:
    """Note on a view function who may use it."""
    setattr(view, _ATTRIBUTE, access)
    return view


def access_of(view: View) -> Access | None:
    """What a view function declared."""
    found: Access | None = getattr(view, _ATTRIBUTE, None)
    return found


def refuse_undeclared(app: Flask) -> None:
    """Raises AccessUndeclared when an endpoint says nothing. To be called when every route is in place."""
    silent = sorted(name for name, view in app.view_functions.items() if access_of(view) is None)
    if silent:
        raise AccessUndeclared(f"these endpoints do not declare who may use them: {', '.join(silent)}")


def enforce(access: Access) -> None:
    """Raises SchemaNotReady, SignInNeeded, PermissionMissing or PlatformAdminNeeded unless the request may go on."""
    sentence = None if access.without_schema else runtime().schema.sentence()
    if sentence is not None:
        if not (access.empty_without_schema and request.method in SAFE_METHODS):
            raise SchemaNotReady(sentence)
        g.schema_note = sentence
        return
    if not access.is_public:
        _enforce_actor(access)
    work_as(_scope_of(access))


def _scope_of(access: Access) -> Scope:
    if access.permission is not None:
        return tenant_scope()
    # One's own account and the way in concern no organization; what is for platform admins concerns all of them.
    return PLATFORM if access.platform_admin else IDENTITY


def schema_note() -> str | None:
    """Why the page is empty: set while the database has no usable tables, on endpoints that are empty without them."""
    note: str | None = g.get("schema_note")
    return note


def _enforce_actor(access: Access) -> None:
    actor = current_actor()
    if access.permission is not None:
        require(actor, access.permission)
    if access.platform_admin and not actor.is_platform_admin:
        token = "" if actor.scopes is None else " A token needs the scope platform_admin for it."
        raise PlatformAdminNeeded(f"This is for platform admins, who look after the whole installation.{token}")
