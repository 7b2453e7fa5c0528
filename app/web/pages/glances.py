"""All schedules of the organization of this request, at a glance."""

from collections.abc import Sequence

from app.edge.identity import current_actor, request_now
from app.edge.runtime import request_session, runtime
from app.ops.schedule_glances import Glance
from app.web.daemon import news, scheduling_stop


def own_glances() -> Sequence[Glance]:
    """As new as the counters that the page has of what changed."""
    return runtime().glances.look_up(
        request_session(),
        organization_id=current_actor().organization_id,
        newest=news().newest,
        is_stopped=scheduling_stop() is not None,
        now=request_now(),
    )
