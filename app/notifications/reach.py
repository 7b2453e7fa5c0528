"""Whether anybody would be told when a run fails, as the first steps and the page of notifications say it."""

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, select
from sqlalchemy.orm import Session

from app.core.questions import Question, ask_together
from app.notifications.models import Channel, Rule
from app.notifications.types import ChannelState, NotificationType

# Of each channel its state, and whether anything has arrived by it; of each rule for failed runs, whom it tells.
Channels = dict[UUID, tuple[str, bool]]
Rules = list[set[UUID]]


class Reach(StrEnum):
    """How far a failure would come."""

    NO_CHANNEL = "no_channel"
    UNUSED = "unused"  # all channels are off or broken
    NO_RULE = "no_rule"  # no rule tells a channel in use of failed runs
    UNPROVEN = "unproven"  # nothing has arrived by such a channel yet, not even a test
    WORKS = "works"


def read_reach(session: Session, *, organization_id: UUID) -> Reach:
    """One statement."""
    return reach_of(*ask_together(session, *reach_questions(organization_id)))


def reach_questions(organization_id: UUID) -> tuple[Question[Channels], Question[Rules]]:
    """What has to be asked for it, to be asked together with other things. The answers are for `reach_of`."""
    channels = Channel.organization_id == organization_id, Channel.deleted_at.is_(None)
    rules = Rule.organization_id == organization_id, Rule.deleted_at.is_(None), Rule.is_enabled
    # Lists in rows are read as text: questions that are asked together hold no JSON.
    lists = cast(Rule.types, String).label("types"), cast(Rule.channel_ids, String).label("channel_ids")
    return (
        Question(select(Channel.id, Channel.state, Channel.last_ok_at).where(*channels), _channels),
        Question(select(*lists).where(*rules), _told_of_failures),
    )


def reach_of(channels: Channels, told: Rules) -> Reach:
    """What follows from which channels are there, and from which of them the rules for failed runs tell."""
    used = {id_ for id_, (state, _has_arrived) in channels.items() if state == ChannelState.ON.value}
    if not channels:
        return Reach.NO_CHANNEL
    if not used:
        return Reach.UNUSED
    # For one that is broken, another one stands in.
    heard = {id_ for ids in told for id_ in ids if id_ in channels and channels[id_][0] != ChannelState.OFF.value}
    if not heard:
        return Reach.NO_RULE
    return Reach.WORKS if any(channels[id_][1] for id_ in (heard & used) or used) else Reach.UNPROVEN


def _channels(rows: Sequence[Any]) -> Channels:
    return {row.id: (row.state, row.last_ok_at is not None) for row in rows}


def _told_of_failures(rows: Sequence[Any]) -> Rules:
    failures = NotificationType.RUN_FAILED.value
    return [{UUID(id_) for id_ in json.loads(row.channel_ids)} for row in rows if failures in json.loads(row.types)]
