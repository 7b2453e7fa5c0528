"""Words of the pages of figures: days, whose days they are, and what changed from what to what."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for

from app.core.clock_words import zone_label
from app.ops.kpi_changes import KpiChange
from app.ops.kpi_question import KpiQuestion
from app.syncs.amounts import amount
from app.syncs.days import DayRange
from app.syncs.figures import Level
from app.syncs.movements import EntityMovement


@dataclass(frozen=True)
class ChangeRow:
    """A day that one run changed."""

    at: datetime
    day: str
    connection: str
    words: str
    parts: list[str]
    more: int
    run_href: str


def day_words(day: date) -> str:
    """`Thu 5 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def days_words(days: DayRange) -> str:
    """`5 Nov 2026`, `26 Oct – 1 Nov 2026`."""
    first, last = days.first, days.last
    end = f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day} {first:%b}{year} – {end}"


def zones_words(question: KpiQuestion) -> str:
    """In whose days it is told."""
    zones = question.zones
    if not zones:
        return "days of the account"
    return (
        f"days in {zone_label(zones[0])}"
        if len(zones) == 1
        else f"days of each account: {', '.join(map(zone_label, zones))}"
    )


def link_args(question: KpiQuestion) -> dict[str, Any]:
    """The words of a question as `url_for` takes them."""
    return dict(question.args)


def change_row(question: KpiQuestion, change: KpiChange) -> ChangeRow:
    """A change with its largest parts, each from what to what."""
    moved = change.movement
    if change.is_of_one:
        words = _from_to(change.parts[0], with_name=question.level is not Level.ACCOUNT)
        parts = []
    else:
        words = f"{amount(moved.delta, moved.currency, sign=True)} in {moved.figures:,} figures"
        parts = [_from_to(part, with_name=True) for part in change.parts]
    return ChangeRow(
        at=moved.at,
        day=day_words(moved.day),
        connection=change.connection,
        words=words,
        parts=parts,
        more=moved.figures - len(parts) if parts else 0,
        run_href=url_for("web.run", run_id=moved.run_id) if change.has_run else "",
    )


def _from_to(part: EntityMovement, *, with_name: bool) -> str:
    old, new = part.old_value, part.new_value
    name = f"{part.name or part.entity_id}: " if with_name else ""
    if old is None and new is not None:
        return f"{name}appeared with {amount(new, part.currency)}"
    if new is None and old is not None:
        return f"{name}vanished, was {amount(old, part.currency)}"
    assert old is not None
    assert new is not None
    by = amount(part.delta, part.currency, sign=True)
    return f"{name}{amount(old, part.currency)} → {amount(new, part.currency)} ({by})"
