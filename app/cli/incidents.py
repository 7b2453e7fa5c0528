"""`belfry incidents`: what goes wrong, each cause once, and what people do about it."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import click

from app.cli.bulk import finish
from app.cli.console import (
    Console,
    Desk,
    as_json,
    choice_of,
    moment,
    pass_console,
    show,
    table,
    with_organization,
)
from app.cli.terminal import say
from app.core.errors import Invalid
from app.core.text import storable
from app.notifications import handling
from app.notifications.incident_rows import (
    IncidentFilter,
    IncidentRow,
    get_incident,
    list_entries,
    list_incidents,
    list_messages,
    list_things,
)
from app.notifications.incident_words import ENTRY_WORDS, MESSAGE_KINDS, MESSAGE_STATES, state_words
from app.notifications.told_of import ToldOf, read_told
from app.notifications.types import NotificationType
from app.ops.incident_retry import retry_incident
from app.ops.run_incident import get_incident_of_run
from app.schedules.owners import NOBODY
from app.tenants.roster import find_member

MOST = 200
incident_argument = click.argument("incident_id", metavar="ID", type=click.UUID)


class SnoozeUnclear(Invalid):
    """It is not said for how long, or twice."""


@click.group()
def incidents() -> None:
    """See what goes wrong, and say who sees to it."""


@incidents.command("list")
@click.option("--over", "is_over", is_flag=True, help="Those that are over. They are kept for 90 days.")
@click.option("--all", "is_all", is_flag=True, help="Open ones and those that are over.")
@click.option("--type", "type_", type=choice_of(NotificationType), help="Those of this type.")
@click.option("--of", metavar="EMAIL|nobody", help="Those that were given to this member, or to nobody.")
@click.option("--search", default="", help="Those with this in their title.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, MOST), help="How many at most.")
@with_organization
@as_json
@pass_console
def list_command(
    console: Console, is_over: bool, is_all: bool, type_: str | None, of: str | None, search: str, limit: int,
    is_json: bool,
) -> None:  # fmt: skip
    """List what is open, by when it last happened."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        wanted = IncidentFilter(
            is_open=None if is_all else not is_over,
            type=None if type_ is None else NotificationType(type_),
            assigned_to=_member_id(desk, of),
            is_unassigned=of == NOBODY,
            words=storable(search),
        )
        found = list_incidents(desk.session, organization_id=here, limit=limit, wanted=wanted)
    cells = [
        [str(row.id), state_words(row), row.title, str(row.happened), moment(row.opened_at) or "",
         moment(row.last_at) or ""]
        for row in found
    ]  # fmt: skip
    headings = ["ID", "STATE", "TITLE", "TIMES", "BEGAN", "LAST"]
    show([_facts(row) for row in found], table(headings, cells, empty="None."), is_json=is_json)


@incidents.command("show")
@incident_argument
@with_organization
@as_json
@pass_console
def show_command(console: Console, incident_id: UUID, is_json: bool) -> None:
    """Show one: what it concerns, who was told, its messages and its timeline."""
    _show(console, lambda _desk: incident_id, is_json=is_json)


@incidents.command("of")
@click.argument("run_id", metavar="RUN", type=click.UUID)
@with_organization
@as_json
@pass_console
def of_command(console: Console, run_id: UUID, is_json: bool) -> None:
    """Show the one that a failed run belongs to."""

    def find(desk: Desk) -> UUID:
        return get_incident_of_run(desk.session, organization_id=desk.actor.organization_id, run_id=run_id).id

    _show(console, find, is_json=is_json)


@incidents.command()
@incident_argument
@with_organization
@pass_console
def acknowledge(console: Console, incident_id: UUID) -> None:
    """Say that somebody sees to it: nobody is reminded any more."""
    with console.desk() as desk:
        is_new = handling.acknowledge(desk.session, actor=desk.actor, incident_id=incident_id, now=desk.now)
    say("Acknowledged." if is_new else "Somebody had acknowledged it already.")


@incidents.command()
@incident_argument
@with_organization
@pass_console
def unacknowledge(console: Console, incident_id: UUID) -> None:
    """Take that back: reminders go on."""
    with console.desk() as desk:
        handling.unacknowledge(desk.session, actor=desk.actor, incident_id=incident_id, now=desk.now)
    say("It waits for somebody again.")


@incidents.command()
@incident_argument
@click.option("--hours", type=click.IntRange(1, 30 * 24), help="For so many hours from now.")
@click.option("--end", "is_end", is_flag=True, help="End a snooze.")
@with_organization
@pass_console
def snooze(console: Console, incident_id: UUID, hours: int | None, is_end: bool) -> None:
    """Tell nothing more of it for some time, but its end."""
    if (hours is None) != is_end:
        raise SnoozeUnclear("Say for how long with --hours, or use --end.")
    with console.desk() as desk:
        until: datetime | None = None if hours is None else desk.now + timedelta(hours=hours)
        handling.snooze(desk.session, actor=desk.actor, incident_id=incident_id, until=until, now=desk.now)
    say("Snoozed no longer." if until is None else f"Snoozed until {moment(until)}.")


@incidents.command()
@incident_argument
@click.argument("whom", metavar="EMAIL|nobody")
@with_organization
@pass_console
def assign(console: Console, incident_id: UUID, whom: str) -> None:
    """Give it to a member, or to nobody."""
    with console.desk() as desk:
        handling.assign(
            desk.session, actor=desk.actor, incident_id=incident_id, user_id=_member_id(desk, whom), now=desk.now
        )
    say(f"It is {whom}'s now.")


@incidents.command()
@incident_argument
@click.argument("text")
@with_organization
@pass_console
def note(console: Console, incident_id: UUID, text: str) -> None:
    """Write a line into its timeline."""
    with console.desk() as desk:
        handling.add_note(desk.session, actor=desk.actor, incident_id=incident_id, text=text, now=desk.now)
    say("Noted.")


@incidents.command()
@incident_argument
@with_organization
@pass_console
def close(console: Console, incident_id: UUID) -> None:
    """Close what nobody waits for any more. If it happens again, it is another one."""
    with console.desk() as desk:
        handling.close_by_hand(desk.session, actor=desk.actor, incident_id=incident_id, now=desk.now)
    say("Closed.")


@incidents.command()
@incident_argument
@with_organization
@as_json
@pass_console
def retry(console: Console, incident_id: UUID, is_json: bool) -> None:
    """Retry the newest failed run of each schedule and job of it. Exit status 1 when some could not be."""
    with console.desk() as desk:
        here = desk.actor.organization_id
        bulk_id = retry_incident(desk.session, actor=desk.actor, incident_id=incident_id, now=desk.now)
    finish(console, here, bulk_id, is_json=is_json)


def _member_id(desk: Desk, email: str | None) -> UUID | None:
    if email is None or email == NOBODY:
        return None
    return find_member(desk.session, organization_id=desk.actor.organization_id, email=email).user_id


def _facts(row: IncidentRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "title": row.title,
        "type": row.type.value,
        "state": row.state.value,
        "text": row.text,
        "happened": row.happened,
        "things": row.things,
        "opened_at": moment(row.opened_at),
        "last_at": moment(row.last_at),
        "closed_at": moment(row.closed_at),
        "has_recovered": row.has_recovered,
        "acknowledged_by": row.acknowledged_by,
        "assigned_to": None if row.assigned_to is None else str(row.assigned_to),
        "snoozed_until": moment(row.snoozed_until),
        "next_reminder_at": moment(row.next_reminder_at),
        "missed_slots": row.missed_slots,
        "made_up": row.made_up,
        "last_run": None if row.run_id is None else str(row.run_id),
    }


def _show(console: Console, find: Callable[[Desk], UUID], *, is_json: bool) -> None:
    with console.reading() as desk:
        here: dict[str, Any] = {"organization_id": desk.actor.organization_id, "incident_id": find(desk)}
        row = get_incident(desk.session, **here)
        entries, things = list_entries(desk.session, **here), list_things(desk.session, **here)
        messages = list_messages(desk.session, **here)
        told = read_told(desk.session, organization_id=desk.actor.organization_id, incident=row)
    facts = _facts(row)
    lines = [f"{name.replace('_', ' ')}: {'-' if value is None else value}" for name, value in facts.items()]
    lines += [f"concerns: {one.kind} {one.name}{', in trouble' if one.is_in_trouble else ''}" for one in things]
    lines += [f"told: {words}" for words in _told_lines(told)]
    lines += [
        f"message: {moment(one.created_at)} {MESSAGE_KINDS[one.kind]} to {one.channel}: {MESSAGE_STATES[one.state]}"
        for one in messages
    ]
    lines += [
        f"{moment(one.at)} {ENTRY_WORDS[one.kind][1]}{f' ({one.by})' if one.by else ''}"
        f"{f': {one.words}' if one.words else ''}"
        for one in reversed(entries)
    ]
    more = {
        "concerns": [asdict(one) for one in things],
        "told": asdict(told),
        "messages": [asdict(one) for one in messages],
        "timeline": [asdict(one) for one in reversed(entries)],
    }
    show(facts | more, "\n".join(lines), is_json=is_json)


def _told_lines(told: ToldOf) -> list[str]:
    lines = [
        f"{line.channel}: {', '.join(part for part in (line.how.value, moment(line.at), line.why) if part)}"
        for line in told.lines
    ]
    return lines or [f"nobody. {told.why_nobody}" if told.is_nobody else told.why_nobody]
