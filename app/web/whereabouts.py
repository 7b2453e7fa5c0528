"""Says so when a browser sees another organization though nobody switched it: its person was removed."""

from flask import flash, request, session

from app.edge.database import SAFE_METHODS
from app.edge.identity import signed_in_session
from app.web.blueprint import web
from app.web.responses import wants_fragment

_SEEN = "organization"


def expect_move() -> None:
    """The person knows that they will see another organization."""
    session.pop(_SEEN, None)


@web.before_request
def _notice_move() -> None:
    found = signed_in_session()
    is_page = request.method in SAFE_METHODS and not wants_fragment() and request.endpoint != "web.live"
    if found is None or not is_page:
        return
    seen, now_seen = session.get(_SEEN), [str(found.organization_id), found.organization_name]
    if seen == now_seen:
        return
    session[_SEEN] = now_seen
    if seen is not None and seen[0] != now_seen[0]:
        flash(f"You are no longer a member of {seen[1]}. You see {now_seen[1]} now.", "info")
