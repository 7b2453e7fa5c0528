"""The lines of ready runs: each queue and organization has one, and each job whose runs stand aside.

Found by leaps over an index, and not by reading the runs: there may be many more of those.
"""

from typing import Any

from sqlalchemy import CTE, ColumnElement, FromClause, Select, literal_column, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app.runs.models import Run, in_state
from app.runs.states import RunState

ONE: ColumnElement[Any] = literal_column("1")
OF_RUN = ("id", "organization_id", "queue", "job_id", "connection_key", "priority", "ready_at", "aside_at")


def lines(*, lateral: bool) -> CTE:
    """Every queue and organization for which a run waits. `lateral`: whether the engine knows that word."""
    return _leaps("lines", ["queue", "organization_id"], is_aside=False, lateral=lateral)


def aside_lines(*, lateral: bool) -> CTE:
    """Every job for which a run stands aside."""
    return _leaps("aside_lines", ["job_id"], is_aside=True, lateral=lateral)


def is_waiting(run: type[Run] = Run, *, is_aside: bool) -> tuple[ColumnElement[bool], ...]:
    """Ready, not called yet, and in the one kind of line or the other."""
    where = run.aside_at.is_not(None) if is_aside else run.aside_at.is_(None)
    return in_state(RunState.READY, run), run.hinted_at.is_(None), where


def heads_of(
    line: CTE, first: Select[Any], *, lateral: bool, run: Any = Run
) -> tuple[FromClause, dict[str, ColumnElement[Any]]]:
    """Each line beside its first runs, as `first` chooses them. What to select from, and the columns of the runs.

    `run` is where those have their columns for `first`.
    """
    first = first.correlate(line)
    if lateral:
        heads = first.with_only_columns(*(getattr(run, name) for name in OF_RUN)).lateral("heads")
        return line.join(heads, true()), {name: heads.c[name] for name in OF_RUN}
    head = aliased(Run)
    ids = first.with_only_columns(run.id)
    return line.join(head, head.id.in_(ids)), {name: getattr(head, name) for name in OF_RUN}


def _leaps(name: str, keys: list[str], *, is_aside: bool, lateral: bool) -> CTE:
    own = _columns(Run, keys)
    first = select(*own).where(*is_waiting(is_aside=is_aside)).order_by(*own).limit(ONE)
    found = select(first.subquery("first")).cte(name, recursive=True)
    behind: Any = aliased(Run)
    theirs = _columns(behind, keys)
    is_behind = tuple_(*theirs) > tuple_(*(found.c[key] for key in keys))
    following = (
        select(*theirs).where(*is_waiting(behind, is_aside=is_aside), is_behind)
        .order_by(*theirs).limit(ONE).correlate(found)
    )  # fmt: skip
    if lateral:
        # Nothing is joined by its id: planned for an empty table, that would read all runs there ever were.
        leap = following.lateral("leap")
        return found.union_all(select(*(leap.c[key] for key in keys)).select_from(found.join(leap, true())))
    other, leap_id = aliased(Run), following.with_only_columns(behind.id).scalar_subquery()
    return found.union_all(select(*_columns(other, keys)).select_from(found.join(other, other.id == leap_id)))


def _columns(run: Any, keys: list[str]) -> list[InstrumentedAttribute[Any]]:
    return [getattr(run, key) for key in keys]
