"""`belfry rules`: what is told, and by which channels."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import click

from app.cli.console import Console, Desk, as_json, moment, pass_console, show, table, with_organization
from app.cli.terminal import say
from app.core.errors import Invalid
from app.notifications.channel_rows import list_channels
from app.notifications.history import Preview, preview_rule
from app.notifications.rule_changes import (
    RuleDraft,
    add_rule,
    change_rule,
    delete_rule,
    restore_rule,
    sentence_of,
    snooze_rule,
    switch_rule,
    terms_of_draft,
)
from app.notifications.rule_rows import RuleRow, get_rule, list_rules
from app.notifications.scope_names import value_of_scope
from app.notifications.sentences import CHOSEN_TYPES, TYPE_NAMES
from app.notifications.types import ScopeKind

_TYPES = [type_.value for type_ in CHOSEN_TYPES]
_OPTIONS = (
    click.option("--about", metavar="KIND=NAME", help="schedule=, job=, tag= or service=; without it, anything."),
    click.option("--when", "types", multiple=True, type=click.Choice(_TYPES), help="What it tells; may come often."),
    click.option("--tell", "channels", multiple=True, metavar="CHANNEL", help="The name or id; may come often."),
    click.option("--after", "after_failures", type=int, help="From this failure in a row on."),
    click.option("--recovery/--no-recovery", "tells_recovery", default=None, help="Tell again when it works again."),
    click.option("--cooldown", "cooldown_minutes", type=int, help="Minutes before the same cause is told again."),
)
_rule_id = click.argument("rule_id", metavar="ID", type=click.UUID)


class ChannelUnclear(Invalid):
    """A rule names a channel that is not there."""


def _with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def rules() -> None:
    """See, make, preview, snooze and delete rules: what is told, and by which channels."""


@rules.command("list")
@with_organization
@as_json
@pass_console
def list_command(console: Console, is_json: bool) -> None:
    """List the rules, each as a sentence."""
    with console.reading() as desk:
        found = list_rules(desk.session, organization_id=desk.actor.organization_id)
        cells = [[str(row.terms.id), _state(row, desk), row.sentence] for row in found]
    empty = "None. Nobody is told."
    show([_facts(row) for row in found], table(["ID", "STATE", "RULE"], cells, empty=empty), is_json=is_json)


@rules.command()
@as_json
def types(is_json: bool) -> None:
    """List what a rule can tell."""
    found = [{"type": type_.value, "words": TYPE_NAMES[type_]} for type_ in CHOSEN_TYPES]
    show(
        found, table(["TYPE", "WORDS"], [[one["type"], one["words"]] for one in found], empty="None."), is_json=is_json
    )


@rules.command()
@_with_options
@with_organization
@as_json
@pass_console
def add(console: Console, /, is_json: bool, **wanted: Any) -> None:
    """Make a rule: belfry rules add --about tag=revenue --after 2 --tell '#data'."""
    with console.desk() as desk:
        rule_id = add_rule(desk.session, actor=desk.actor, draft=_draft(desk, RuleDraft(()), wanted), now=desk.now)
        sentence = get_rule(desk.session, organization_id=desk.actor.organization_id, rule_id=rule_id).sentence
    show({"rule": str(rule_id), "sentence": sentence}, f"{sentence}\n{rule_id}", is_json=is_json)


@rules.command()
@_rule_id
@_with_options
@with_organization
@pass_console
def change(console: Console, /, rule_id: UUID, **wanted: Any) -> None:
    """Change a rule. What is not named stays."""
    with console.desk() as desk:
        before = get_rule(desk.session, organization_id=desk.actor.organization_id, rule_id=rule_id)
        draft = _draft(desk, _stored(before), wanted)
        change_rule(desk.session, actor=desk.actor, rule_id=rule_id, draft=draft, now=desk.now)
        after = get_rule(desk.session, organization_id=desk.actor.organization_id, rule_id=rule_id)
    say(after.sentence)


@rules.command()
@click.argument("rule_id", metavar="[ID]", type=click.UUID, required=False)
@_with_options
@with_organization
@as_json
@pass_console
def preview(console: Console, /, rule_id: UUID | None, is_json: bool, **wanted: Any) -> None:
    """Say what a rule would have sent in the last seven days: one that is there, changed or not, or a new one."""
    with console.reading() as desk:
        draft = RuleDraft(())
        if rule_id is not None:
            draft = _stored(get_rule(desk.session, organization_id=desk.actor.organization_id, rule_id=rule_id))
        terms = terms_of_draft(desk.session, actor=desk.actor, draft=_draft(desk, draft, wanted))
        found = preview_rule(desk.session, rule=terms, now=desk.now)
        sentence = sentence_of(desk.session, terms)
    show(_preview_facts(found, sentence), f"{sentence}\n{found.words}", is_json=is_json)


@rules.command()
@_rule_id
@with_organization
@pass_console
def enable(console: Console, rule_id: UUID) -> None:
    """Heed a rule."""
    with console.desk() as desk:
        switch_rule(desk.session, actor=desk.actor, rule_id=rule_id, is_enabled=True, now=desk.now)
    say("It is on.")


@rules.command()
@_rule_id
@with_organization
@pass_console
def disable(console: Console, rule_id: UUID) -> None:
    """Do not heed a rule for now."""
    with console.desk() as desk:
        switch_rule(desk.session, actor=desk.actor, rule_id=rule_id, is_enabled=False, now=desk.now)
    say("It is off.")


@rules.command()
@_rule_id
@click.argument("hours", type=click.IntRange(0, 30 * 24))
@with_organization
@pass_console
def snooze(console: Console, rule_id: UUID, hours: int) -> None:
    """Let a rule tell nothing for so many HOURS; 0 ends it."""
    with console.desk() as desk:
        until = desk.now + timedelta(hours=hours) if hours else None
        snooze_rule(desk.session, actor=desk.actor, rule_id=rule_id, until=until, now=desk.now)
    say(f"It tells nothing until {moment(until)}." if until else "It tells again.")


@rules.command()
@_rule_id
@with_organization
@pass_console
def delete(console: Console, rule_id: UUID) -> None:
    """Delete a rule."""
    with console.desk() as desk:
        delete_rule(desk.session, actor=desk.actor, rule_id=rule_id, now=desk.now)
    say(f"Deleted. Bring it back with: belfry rules restore {rule_id}")


@rules.command()
@_rule_id
@with_organization
@pass_console
def restore(console: Console, rule_id: UUID) -> None:
    """Bring a deleted rule back."""
    with console.desk() as desk:
        restore_rule(desk.session, actor=desk.actor, rule_id=rule_id, now=desk.now)
    say("It is back.")


def _draft(desk: Desk, before: RuleDraft, wanted: dict[str, Any]) -> RuleDraft:
    """What is wanted, and as `before` what is not named. Raises ScopeUnclear or ChannelUnclear."""
    plain = {name: wanted[name] for name in ("after_failures", "tells_recovery", "cooldown_minutes")}
    changes: dict[str, Any] = {name: value for name, value in plain.items() if value is not None}
    if wanted["types"]:
        changes["types"] = wanted["types"]
    if wanted["channels"]:
        changes["channel_ids"] = _channel_ids(desk, wanted["channels"])
    if wanted["about"]:
        kind, _, text = wanted["about"].partition("=")
        here = desk.actor.organization_id
        value = value_of_scope(desk.session, organization_id=here, kind=kind, text=text)
        changes |= {"scope_kind": kind, "scope_value": value}
    return replace(before, **changes)


def _channel_ids(desk: Desk, names: tuple[str, ...]) -> list[UUID]:
    rows = list_channels(desk.session, organization_id=desk.actor.organization_id)
    known = {row.name.casefold(): row.id for row in rows} | {str(row.id): row.id for row in rows}
    unknown = [name for name in names if name.casefold() not in known]
    if unknown:
        raise ChannelUnclear(f"There is no channel “{unknown[0]}”. See: belfry channels list")
    return [known[name.casefold()] for name in names]


def _stored(row: RuleRow) -> RuleDraft:
    terms = row.terms
    return RuleDraft(
        terms.channel_ids, tuple(sorted(terms.types)), terms.scope_kind.value, terms.scope_value, terms.after_failures,
        terms.tells_recovery, int(terms.cooldown.total_seconds() // 60),
    )  # fmt: skip


def _state(row: RuleRow, desk: Desk) -> str:
    until = row.terms.snoozed_until
    if not row.terms.is_enabled:
        return "off"
    return f"snoozed until {moment(until)}" if until and until > desk.now else "on"


def _facts(row: RuleRow) -> dict[str, Any]:
    terms = row.terms
    return {
        "id": str(terms.id),
        "rule": row.sentence,
        "enabled": terms.is_enabled,
        "types": sorted(terms.types),
        "about": None if terms.scope_kind is ScopeKind.ORGANIZATION else f"{terms.scope_kind.value}={row.scope_name}",
        "after_failures": terms.after_failures,
        "tells_recovery": terms.tells_recovery,
        "cooldown_minutes": int(terms.cooldown.total_seconds() // 60),
        "channels": [str(one) for one in terms.channel_ids],
        "snoozed_until": moment(terms.snoozed_until),
    }


def _preview_facts(found: Preview, sentence: str) -> dict[str, Any]:
    left_out = [type_.value for type_ in found.left_out]
    return {"rule": sentence, "words": found.words, "messages": found.messages, "left_out": left_out}
