"""Where a bulk action and each of its things stand. Pure."""

from enum import StrEnum


class BulkState(StrEnum):
    """How far a bulk action is."""

    DRAFT = "draft"  # things were selected, and nothing is done to them yet
    GOING = "going"  # it is carried out, piece by piece
    DONE = "done"  # each thing has an outcome
    STOPPED = "stopped"  # somebody stopped it; what was left is as it was


class ItemState(StrEnum):
    """What became of one thing."""

    PENDING = "pending"  # not looked at yet
    DONE = "done"  # changed
    UNCHANGED = "unchanged"  # it was as wanted already
    REFUSED = "refused"  # left as it is, with the reason
