"""All schedules of the organization of this request, at a glance, and how many of them need somebody."""

from collections.abc import Sequence

from app.edge.identity import current_actor, request_now, tenant_scope
from app.edge.runtime import request_session, runtime, working_as
from app.ops.attention import Attention
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


def own_attention() -> Attention:
    """Of whoever is signed in, on whichever page."""
    found = news()
    with working_as(tenant_scope()):
        return runtime().attention.read(
            current_actor().organization_id, news=found, now=request_now(), glances=own_glances
        )


def own_overdue() -> int:
    """How many of their schedules should have been planned by now and were not."""
    now = request_now()
    with working_as(tenant_scope()):
        return sum(one.next_run_at is not None and one.next_run_at < now for one in own_glances())
