"""What somebody looks for in the audit: read from an address, and written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from app.core.errors import Invalid
from app.tenants.audit import Place
from app.tenants.audit_filter import AuditFilter
from app.web.pages.places import read_place
from app.web.pages.typed_times import NO_TIME, TypedTime, read_time

LONGEST = 254


class AuditSearchInvalid(Invalid):
    """The address asks for something that cannot be looked for."""


@dataclass(frozen=True)
class AuditSearch:
    """A filter with the words it was read from. `problems` say what could not be read and was left out."""

    filter: AuditFilter
    # As they were typed, to be shown again and put into links; times as instants.
    args: dict[str, str]
    since: TypedTime = NO_TIME
    until: TypedTime = NO_TIME
    before: Place | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.args

    @property
    def is_on_own_clock(self) -> bool:
        """Whether its address would mean other times to somebody else."""
        return self.since.is_plain or self.until.is_plain

    def given(self, name: str) -> str:
        return self.args.get(name, "")

    def refuse_problems(self) -> None:
        """Raises AuditSearchInvalid."""
        if self.problems:
            raise AuditSearchInvalid(" ".join(self.problems))


def read_search(args: Mapping[str, str]) -> AuditSearch:
    """What an address asks for. Days, and times without an offset, are meant on the clock of whoever looks."""
    texts = {name: _clean(args.get(name, "")) for name in ("actor", "action", "kind", "subject", "since", "until")}
    since = read_time(texts["since"], "From", as_day=True)
    until = read_time(texts["until"], "To", is_end=True, as_day=True)
    problems: list[str] = []
    wanted = AuditFilter(actor=texts["actor"], action=texts["action"], subject_kind=texts["kind"])
    wanted = replace(wanted, subject_id=_read_subject(texts["subject"], problems), since=since.at, until=until.at)
    problems += [one.problem for one in (since, until) if one.problem]
    texts |= {"since": since.address, "until": until.address}
    return AuditSearch(
        wanted,
        {name: text for name, text in texts.items() if text},
        since,
        until,
        read_place(args.get("before", "")),
        tuple(problems),
    )


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:LONGEST]


def _read_subject(text: str, problems: list[str]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        problems.append(f"“{text[:40]}” is not the id of anything. Follow “History” on the page of a thing.")
        return None
