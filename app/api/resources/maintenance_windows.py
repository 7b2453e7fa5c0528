"""`/maintenance-windows`: times in which trouble is expected, and nobody is told of it."""

from uuid import UUID

from app.api.models import Paging
from app.api.paging import cut
from app.api.resource import Message, Page, resource
from app.api.telling_shapes import WindowIn, WindowOut, window_out
from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session
from app.notifications.rule_rows import list_windows
from app.notifications.telling_settings import add_window, end_window
from app.tenants.access import Permission


@resource(
    "GET", "/maintenance-windows", permission=Permission.VIEW, query=Paging, answer=WindowOut, is_list=True
)  # fmt: skip
def list_maintenance_windows(query: Paging) -> Page[WindowOut]:
    """Those that are not over, by when they begin."""
    return cut(_windows(), query, key=lambda one: (one.starts_at.isoformat(), str(one.id)))


@resource(
    "POST", "/maintenance-windows", permission=Permission.MANAGE_NOTIFICATIONS, body=WindowIn, answer=WindowOut,
    status=201,
)  # fmt: skip
def add_maintenance_window(body: WindowIn) -> WindowOut:
    """A time in which nobody is told of trouble. Runs go on."""
    window_id = add_window(request_session(), actor=current_actor(), draft=body.draft(), now=request_now())
    return next(one for one in _windows() if one.id == window_id)


@resource("DELETE", "/maintenance-windows/<uuid:window_id>", permission=Permission.MANAGE_NOTIFICATIONS)
def end_maintenance_window(window_id: UUID) -> Message:
    """End one now, or take away one that has not begun."""
    end_window(request_session(), actor=current_actor(), window_id=window_id, now=request_now())
    return Message(None, "Ended. What is wrong is told again.")


def _windows() -> list[WindowOut]:
    here = current_actor().organization_id
    return [window_out(row) for row in list_windows(request_session(), organization_id=here, now=request_now())]
