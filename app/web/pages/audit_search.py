"""What somebody looks for in the audit: read from an address, and written back into links."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from app.core.errors import Invalid
from app.ops.audit_bounds import BoundInvalid, read_bound
from app.tenants.audit import Place
from app.tenants.audit_filter import AuditFilter
from app.web.context import viewer_zone
from app.web.pages.places import read_place

LONGEST = 254


class AuditSearchInvalid(Invalid):
    """The address asks for something that cannot be looked for."""


@dataclass(frozen=True)
class AuditSearch:
    """A filter with the words it was read from. `problems` say what could not be read and was left out."""

    filter: AuditFilter
    # As they were typed, to be shown again and put into links.
    args: dict[str, str]
    before: Place | None = None
    problems: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.args

    def given(self, name: str) -> str:
        return self.args.get(name, "")

    def refuse_problems(self) -> None:
        """Raises AuditSearchInvalid."""
        if self.problems:
            raise AuditSearchInvalid(" ".join(self.problems))


def read_search(args: Mapping[str, str]) -> AuditSearch:
    """What an address asks for. Days are meant on the clock of whoever looks."""
    texts = {name: _clean(args.get(name, "")) for name in ("actor", "action", "kind", "subject", "since", "until")}
    problems: list[str] = []
    wanted = AuditFilter(actor=texts["actor"], action=texts["action"], subject_kind=texts["kind"])
    wanted = replace(
        wanted,
        subject_id=_read_subject(texts["subject"], problems),
        since=_read_day(texts["since"], "From", problems, is_end=False),
        until=_read_day(texts["until"], "To", problems, is_end=True),
    )
    before = read_place(args.get("before", ""))
    return AuditSearch(wanted, {name: text for name, text in texts.items() if text}, before, tuple(problems))


def _clean(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable()).strip()[:LONGEST]


def _read_subject(text: str, problems: list[str]) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        problems.append(f"“{text[:40]}” is not the id of anything. Follow “History” on the page of a thing.")
        return None


def _read_day(text: str, name: str, problems: list[str], *, is_end: bool) -> datetime | None:
    try:
        return read_bound(text, zone=viewer_zone(), name=name, is_end=is_end)
    except BoundInvalid as error:
        problems.append(error.message)
        return None
