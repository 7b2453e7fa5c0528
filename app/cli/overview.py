"""`belfry overview`: how an organization fares, as the first page tells it."""

from dataclasses import asdict
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import click

from app.cli.console import Console, Desk, as_json, demo_lines, moment, pass_console, show, with_organization
from app.ops.needs_attention import Trouble
from app.ops.overview import Situation, read_situation
from app.ops.schedule_glances import read_glances
from app.runs.run_hours import Counts
from app.schedules.load import LoadBook
from app.schedules.stops import current_stop
from app.tenants.roster import get_organization


@click.command()
@with_organization
@as_json
@pass_console
def overview(console: Console, is_json: bool) -> None:
    """What is broken, what runs next, how the last week went, and the hours around now."""
    with console.reading() as desk:
        found = _situation(desk)
    facts = {"is_demo": console.settings.is_demo} | _facts(found)
    show(facts, "\n".join([*demo_lines(console), *_lines(found)]), is_json=is_json)


def _situation(desk: Desk) -> Situation:
    session, here, now = desk.session, desk.actor.organization_id, desk.now
    is_stopped = current_stop(session) is not None
    clock = ZoneInfo(get_organization(session, organization_id=here).timezone)
    return read_situation(
        session,
        read_glances(session, organization_id=here, now=now, is_stopped=is_stopped),
        organization_id=here,
        load=LoadBook().look_up(session, organization_id=here, now=now),
        is_stopped=is_stopped,
        today=datetime.combine(now.astimezone(clock).date(), time(), clock),
        now=now,
    )


def _lines(found: Situation) -> list[str]:
    coming = found.next_run
    return [
        f"Enabled schedules: {found.enabled:,} of {found.total:,}",
        f"Succeeded within 7 days: {found.ended.good:,} of {found.ended.finished:,}"
        f" (the 7 days before: {found.ended_before.good:,} of {found.ended_before.finished:,})",
        f"Failing now: {found.failing:,}, {found.failing_new:,} of them new today",
        f"Running: {found.running:,} of {found.slots:,} slots, {found.waiting:,} waiting",
        f"Next run: {'none' if coming is None else f'{coming.name} at {moment(coming.next_run_at)}'}",
        f"Due within {(found.hours.until - found.hours.now).total_seconds() / 3600:.0f} h: {found.hours.coming:,}",
        *(f"Needs attention: {_words(one)}" for one in found.troubles.shown),
        *([f"Needs attention: and {found.troubles.more:,} more"] if found.troubles.more else []),
    ]


def _words(trouble: Trouble) -> str:
    facts = trouble.facts
    since = f" since {moment(trouble.since)}" if trouble.since else ""
    name = f"{facts.name}, " if facts.name else ""
    runs = f" ({facts.failed_runs:,}{'+' if facts.is_cut else ''} runs)" if facts.failed_runs > 1 else ""
    return f"{name}{facts.kind.replace('_', ' ')}{runs}{since}: {facts.text.splitlines()[0] if facts.text else '-'}"


def _facts(found: Situation) -> dict[str, Any]:
    coming = found.next_run
    return {
        "enabled": found.enabled,
        "schedules": found.total,
        "last_7_days": _ends(found.ended),
        "the_7_days_before": _ends(found.ended_before),
        "failing": found.failing,
        "failing_new_today": found.failing_new,
        "running": found.running,
        "waiting": found.waiting,
        "slots": found.slots,
        "next_run": None if coming is None else {"name": coming.name, "at": coming.next_run_at},
        "needs_attention": [asdict(one.facts) | {"since": one.since} for one in found.troubles.shown],
        "more_need_attention": found.troubles.more,
        "hours": [{"begin": one.begin, "ended": _ends(one.ended), "coming": one.coming} for one in found.hours.hours],
    }


def _ends(counts: Counts) -> dict[str, int]:
    return asdict(counts) | {"finished": counts.finished}
