"""`belfry data`: landed figures over time, what they are made of, why they moved, and how new they are."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

import click

from app.cli.console import (
    Command,
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
from app.cli.data_facts import change_facts, figure_facts, freshness_facts, plain, report_facts, source_facts
from app.cli.terminal import say
from app.ops.data_freshness import read_freshness
from app.ops.kpi_changes import KpiChange, list_changes
from app.ops.kpi_file import figure_lines, read_figures
from app.ops.kpi_question import Compare, KpiQuestion, Range, service_name
from app.ops.kpi_reading import asked_question, read_sources
from app.ops.kpi_report import KpiReport, KpiSeries, list_top, read_report, read_totals
from app.ops.time_bounds import read_bound
from app.syncs.amounts import amount, change_words, metric_name, share_of
from app.syncs.figure_sources import list_sources
from app.syncs.figures import Level, Metric
from app.syncs.periods import Grain
from app.tenants.roster import get_organization

USUAL = 50


@click.group()
def data() -> None:
    """See the figures that syncs have landed."""


_QUESTION = (
    click.option("--source", default="", metavar="ID|SERVICE", help="A connection, or meta for all of it."),
    click.option("--metric", type=choice_of(Metric), help="What is counted; the first that the service tells."),
    click.option("--level", type=choice_of(Level), help="Of the account as a whole, its campaigns or channels."),
    click.option("--entity", default="", metavar="ID", help="One campaign or channel of that level."),
    click.option("--range", "days", type=choice_of(Range), help="Which days; the last 28 whole ones."),
    click.option("--from", "first", default="", metavar="DAY", help="From this day on, as 2026-11-05."),
    click.option("--to", "last", default="", metavar="DAY", help="Up to this day, included."),
)


def _asks(command: Command) -> Command:
    """Add the options that a question is made of."""
    for option in reversed(_QUESTION):
        command = option(command)
    return command


@dataclass(frozen=True)
class _Asked:
    """What the options of a question said."""

    source: str
    metric: str | None
    level: str | None
    entity: str
    days: str | None
    first: str
    last: str

    def question(self, desk: Desk, **more: str | None) -> KpiQuestion:
        """Raises QuestionInvalid."""
        texts = {
            "source": self.source, "metric": self.metric, "level": self.level, "entity": self.entity,
            "range": self.days, "from": self.first, "to": self.last, **more,
        }  # fmt: skip
        given = {name: text for name, text in texts.items() if text}
        return asked_question(desk.session, given, organization_id=desk.actor.organization_id, now=desk.now)


@data.command("sources")
@with_organization
@as_json
@pass_console
def sources_command(console: Console, is_json: bool) -> None:
    """List the connections that figures come from."""
    with console.reading() as desk:
        found = list_sources(desk.session, organization_id=desk.actor.organization_id)
    cells = [
        [str(one.id), one.name, service_name(one.service), one.zone or "-", one.currency or "-", one.state.value]
        for one in found
    ]
    text = table(["ID", "NAME", "SERVICE", "ZONE", "CURRENCY", "STATE"], cells, empty="Nothing is connected yet.")
    show([source_facts(one) for one in found], text, is_json=is_json)


@data.command("show")
@_asks
@click.option("--grain", type=choice_of(Grain), help="By day, by week or by month.")
@click.option("--compare", type=choice_of(Compare), help="With the period before, or with nothing.")
@with_organization
@as_json
@pass_console
def show_command(console: Console, /, grain: str | None, compare: str | None, is_json: bool, **asked: Any) -> None:
    """Show one metric over time, compared with the period before."""
    with console.reading() as desk:
        question = _Asked(**asked).question(desk, grain=grain, compare=compare)
        question.refuse_wrong_sums()
        report = read_report(desk.session, question)
    show(report_facts(report), "\n\n".join([_head(report), *map(_series_table, report.series)]), is_json=is_json)


@data.command("entities")
@_asks
@click.option(
    "--limit", type=click.IntRange(1, 1_000), default=20, show_default=True, help="How many of each currency."
)
@with_organization
@as_json
@pass_console
def entities_command(console: Console, /, limit: int, is_json: bool, **asked: Any) -> None:
    """List the campaigns or channels that a metric is made of, the largest first."""
    options = _Asked(**{**asked, "level": asked["level"] or Level.CAMPAIGN.value})
    with console.reading() as desk:
        question = options.question(desk)
        found = list_top(desk.session, question, limit=limit)
        totals = read_totals(desk.session, question)
    facts = [
        {
            "connection_id": one.connection_id, "id": one.entity_id, "name": one.name, "value": plain(one.value),
            "currency": one.currency, "share_percent": plain(_share(one.value, totals.get(one.currency))),
        }
        for one in found
    ]  # fmt: skip
    cells = [
        [one.entity_id, one.name or "-", amount(one.value, one.currency),
         _or_dash(_share(one.value, totals.get(one.currency)), "%")]
        for one in found
    ]  # fmt: skip
    show(facts, table(["ID", "NAME", "VALUE", "SHARE"], cells, empty="Nothing landed of these days."), is_json=is_json)


@data.command("changes")
@_asks
@click.option("--since", default="", metavar="WHEN", help="Only what changed from then on: a day, or an instant.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=USUAL, show_default=True, help="How many at most.")
@with_organization
@as_json
@pass_console
def changes_command(console: Console, /, since: str, limit: int, is_json: bool, **asked: Any) -> None:
    """Say why numbers moved: which days that had been complete were changed, from what to what, by which run."""
    with console.reading() as desk:
        question = _Asked(**asked).question(desk)
        zone = get_organization(desk.session, organization_id=desk.actor.organization_id).timezone
        begin = read_bound(since, zone=zone, name="--since")
        found = list_changes(desk.session, question, limit=limit, since=begin)
    cells = [
        [str(moment(one.movement.at)), str(one.movement.day), one.connection,
         amount(one.movement.delta, one.movement.currency, sign=True), _parts_words(one), str(one.movement.run_id)]
        for one in found
    ]  # fmt: skip
    headings = ["AT", "DAY", "ACCOUNT", "BY HOW MUCH", "FROM WHAT TO WHAT", "RUN"]
    empty = "None of these days was changed after it had been complete."
    show([change_facts(one) for one in found], table(headings, cells, empty=empty), is_json=is_json)


@data.command("figures")
@_asks
@click.option(
    "--limit", type=click.IntRange(1), help=f"How many at most; {USUAL} in a table, all with --csv or --json."
)
@click.option("--csv", "is_csv", is_flag=True, help="Print comma-separated values.")
@with_organization
@as_json
@pass_console
def figures_command(console: Console, /, limit: int | None, is_csv: bool, is_json: bool, **asked: Any) -> None:
    """List every figure as it landed, by connection, day and campaign."""
    if is_csv and is_json:
        raise click.UsageError("Say --csv or --json, not both.")
    with console.reading() as desk:
        question = _Asked(**asked).question(desk)
    if is_csv:
        # Printed as it is read: it may be more than fits into memory. One line more is the headings.
        for line in islice(figure_lines(console.database, question), None if limit is None else limit + 1):
            click.echo(line, nl=False)
        return
    rows = read_figures(console.database, question, limit=limit if is_json else limit or USUAL)
    if is_json:
        show([figure_facts(row) for row in rows], "", is_json=True)
        return
    cells = [
        [
            str(row.day),
            row.entity_id or "-",
            row.name or "-",
            amount(row.value, row.currency),
            " ".join(row.flags) or "-",
        ]
        for row in rows
    ]
    say(table(["DAY", "ID", "NAME", "VALUE", "QUALITY"], cells, empty="Nothing landed of these days."))


@data.command("freshness")
@click.option("--source", default="", metavar="ID|SERVICE", help="A connection, or meta for all of it; else all.")
@with_organization
@as_json
@pass_console
def freshness_command(console: Console, source: str, is_json: bool) -> None:
    """Say how new the figures are, and whether what was promised is kept."""
    with console.reading() as desk:
        here = desk.actor.organization_id
        sources = read_sources(desk.session, organization_id=here, source=source)
        found = read_freshness(desk.session, sources, organization_id=here, now=desk.now)
    cells = [
        [one.source.name, one.stream.name, one.words, one.stream.doubt.value if one.stream.doubt else "-"]
        for one in found
    ]
    text = table(["ACCOUNT", "STREAM", "HOW NEW", "IN DOUBT"], cells, empty="Nothing has landed yet.")
    show([freshness_facts(one) for one in found], text, is_json=is_json)


def _head(report: KpiReport) -> str:
    question = report.question
    zones = ", ".join(question.zones) or "the account"
    lines = [
        f"{metric_name(question.metric)} of {question.name}, {question.days.first} to {question.days.last}, "
        f"days in {zones}"
    ]
    if report.data_through is not None:
        lines.append(f"Data through {report.data_through}")
    if report.incomplete:
        lines.append(f"Not complete: {report.incomplete} of {len(report.series[0].points)} {question.grain}s")
    if report.series and report.absent:
        lines.append(f"Nothing has come in from: {', '.join(one.name for one in report.absent)}")
    if not report.series:
        lines.append("Nothing landed of these days.")
    return "\n".join(lines)


def _series_table(series: KpiSeries) -> str:
    cells = [
        [
            str(point.days.first) if point.days.days == 1 else f"{point.days.first} to {point.days.last}",
            _words(point.value, series.currency),
            _words(point.before, series.currency),
            change_words(point.before, point.value, series.currency)
            if point.value is not None and point.before is not None
            else "-",
            point.words or "final",
        ]
        for point in series.points
    ]
    total = [["In all", _words(series.total, series.currency), _words(series.before_total, series.currency),
              series.change_words or "-", ""]]  # fmt: skip
    headings = ["DAYS", "VALUE", "BEFORE", "CHANGE", "WHAT IS KNOWN OF IT"]
    shown = table(headings, [*cells, *(total if series.total is not None else [])], empty="")
    if series.before_known_from is None:
        return shown
    return f"{shown}\nOf the period before all is known from {series.before_known_from} on: it is not compared with."


def _words(value: Decimal | None, currency: str | None) -> str:
    return "-" if value is None else amount(value, currency)


def _or_dash(value: Decimal | None, unit: str) -> str:
    return "-" if value is None else f"{value}{unit}"


def _share(value: Decimal, total: Decimal | None) -> Decimal | None:
    return None if total is None else share_of(value, total)


def _parts_words(one: KpiChange) -> str:
    said = [
        f"{part.name or part.entity_id or one.connection}: {_words(part.old_value, part.currency)} → "
        f"{_words(part.new_value, part.currency)}"
        for part in one.parts
    ]
    more = one.movement.figures - len(one.parts)
    return "; ".join([*said, *([f"and {more:,} more"] if more > 0 else [])])
