"""`belfry notifications` and `belfry maintenance`: when nobody is told, and what is told once a day."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, choice_of, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.notifications.clock_minutes import minute_of, time_words
from app.notifications.rule_rows import SettingsRow, WindowRow, list_windows, read_settings
from app.notifications.telling_settings import SettingsDraft, WindowDraft, add_window, end_window, save_settings
from app.notifications.types import NotificationType, ScopeKind
from app.ops.time_bounds import read_bound
from app.tenants.roster import get_organization

NONE = "none"


@click.group()
def notifications() -> None:
    """See and settle quiet hours and the daily summary."""


@notifications.command("show")
@with_organization
@as_json
@pass_console
def show_command(console: Console, is_json: bool) -> None:
    """Show quiet hours and the daily summary."""
    with console.reading() as desk:
        _print(_read(desk), is_json=is_json)


@notifications.command()
@click.option("--zone", help="The IANA time zone of all these times.")
@click.option("--quiet", metavar="FROM-UNTIL", help="Quiet hours, such as 22:00-07:00, or none.")
@click.option(
    "--let-through", "through", multiple=True, type=choice_of(NotificationType),
    help="A type that is told in quiet hours as well; once for each, in place of those before.",
)  # fmt: skip
@click.option("--summary", metavar="TIME", help="When the daily summary is told, such as 08:00, or none.")
@click.option(
    "--channel", "channels", multiple=True, type=click.UUID,
    help="The id of a channel that tells the summary; once for each, in place of those before.",
)  # fmt: skip
@with_organization
@as_json
@pass_console
def change(
    console: Console, zone: str | None, quiet: str | None, through: tuple[str, ...], summary: str | None,
    channels: tuple[UUID, ...], is_json: bool,
) -> None:  # fmt: skip
    """Change what is named; the rest stays."""
    with console.desk() as desk:
        row = _read(desk)
        draft = SettingsDraft(
            zone or row.zone, row.quiet_from, row.quiet_until, through or row.quiet_lets_through, row.summary_minute,
            channels or row.summary_channel_ids,
        )  # fmt: skip
        if quiet is not None:
            begins, _, ends = ("", "", "") if quiet == NONE else quiet.partition("-")
            hours = minute_of(begins, field="quiet_from"), minute_of(ends, field="quiet_until")
            draft = replace(draft, quiet_from=hours[0], quiet_until=hours[1])
        if summary is not None:
            minute = minute_of("" if summary == NONE else summary, field="summary_at")
            draft = replace(draft, summary_minute=minute)
        save_settings(desk.session, actor=desk.actor, draft=draft, now=desk.now)
        _print(_read(desk), is_json=is_json)


@click.group()
def maintenance() -> None:
    """See, plan and end times in which nobody is told of trouble."""


@maintenance.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List those that are not over."""
    with console.reading() as desk:
        rows = list_windows(desk.session, organization_id=desk.actor.organization_id, now=desk.now)
    cells = [
        [str(row.id), moment(row.starts_at) or "", moment(row.ends_at) or "", _about(row), row.reason or "-"]
        for row in rows
    ]
    headings = ["ID", "FROM", "UNTIL", "ABOUT", "WHY"]
    show([_window_facts(row) for row in rows], table(headings, cells, empty="None."), is_json=is_json)


@maintenance.command()
@click.argument("starts", metavar="FROM")
@click.argument("ends", metavar="UNTIL")
@click.option("--about", type=choice_of(ScopeKind), default=ScopeKind.ORGANIZATION.value, show_default=True,
              help="What it is about.")  # fmt: skip
@click.option("--which", help="The id of a schedule or job, a tag, or a service.")
@click.option("--reason", default="", help="Why.")
@with_organization
@pass_console
def add(console: Console, starts: str, ends: str, about: str, which: str | None, reason: str) -> None:
    """Plan one: from and until when, as 2026-01-31T20:00 in UTC or with an offset."""
    with console.desk() as desk:
        draft = WindowDraft(_moment(starts, "FROM"), _moment(ends, "UNTIL"), about, which, reason)
        window_id = add_window(desk.session, actor=desk.actor, draft=draft, now=desk.now)
    say(str(window_id))


@maintenance.command()
@click.argument("window_id", metavar="ID", type=click.UUID)
@with_organization
@pass_console
def end(console: Console, window_id: UUID) -> None:
    """End one now, or take away one that has not begun."""
    with console.desk() as desk:
        end_window(desk.session, actor=desk.actor, window_id=window_id, now=desk.now)
    say("Ended.")


def _read(desk: Desk) -> SettingsRow:
    here = desk.actor.organization_id
    zone = get_organization(desk.session, organization_id=here).timezone
    return read_settings(desk.session, organization_id=here, zone=zone)


def _moment(text: str, name: str) -> datetime:
    found = read_bound(text, zone="UTC", name=name)
    if found is None:
        raise click.BadParameter(f"{name} is empty.")
    return found


def _print(row: SettingsRow, *, is_json: bool) -> None:
    quiet = None if row.quiet_from is None else f"{time_words(row.quiet_from)}-{time_words(row.quiet_until)}"
    facts: dict[str, Any] = {
        "zone": row.zone,
        "quiet": quiet,
        "let_through": list(row.quiet_lets_through),
        "summary": time_words(row.summary_minute) or None,
        "summary_channels": [str(one) for one in row.summary_channel_ids],
    }
    lines = [
        f"{name.replace('_', ' ')}: {(', '.join(value) if isinstance(value, list) else value) or '-'}"
        for name, value in facts.items()
    ]
    show(facts, "\n".join(lines), is_json=is_json)


def _about(row: WindowRow) -> str:
    return " ".join(part for part in (row.scope_kind.value, row.scope_name or row.scope_value) if part)


def _window_facts(row: WindowRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "from": moment(row.starts_at),
        "until": moment(row.ends_at),
        "about": row.scope_kind.value,
        "which": row.scope_value,
        "name": row.scope_name,
        "reason": row.reason,
        "made_by": row.made_by,
        "until_success": row.until_success,
    }
