"""How incidents, their timelines and their messages are called and marked. Pure."""

from collections.abc import Mapping

from app.notifications.incident_rows import IncidentRow
from app.notifications.types import DeliveryKind, DeliveryState, IncidentEntryKind

# The mark of each state in words, of each message, and of each line of a timeline.
BADGES: Mapping[str, str] = {"Open": "failed", "Acknowledged": "warning", "Recovered": "ok", "Closed": "cancelled"}
MESSAGE_BADGES: Mapping[DeliveryState, str] = {
    DeliveryState.PENDING: "waiting",
    DeliveryState.SENDING: "running",
    DeliveryState.SENT: "succeeded",
    DeliveryState.FAILED: "waiting_retry",
    DeliveryState.GIVEN_UP: "failed",
    DeliveryState.SUPPRESSED: "skipped",
}
MESSAGE_STATES: Mapping[DeliveryState, str] = {
    DeliveryState.PENDING: "Waiting",
    DeliveryState.SENDING: "Being sent",
    DeliveryState.SENT: "Sent",
    DeliveryState.FAILED: "Will be tried again",
    DeliveryState.GIVEN_UP: "Given up",
    DeliveryState.SUPPRESSED: "Left out",
}
MESSAGE_KINDS: Mapping[DeliveryKind, str] = {
    DeliveryKind.OPENED: "First message",
    DeliveryKind.UPDATED: "First message, brought up to date",
    DeliveryKind.REMINDER: "Reminder",
    DeliveryKind.RECOVERED: "That it is over",
    DeliveryKind.EVENT: "News",
    DeliveryKind.DIGEST: "Several in one",
    DeliveryKind.SUMMARY: "Daily summary",
    DeliveryKind.TEST: "Test",
}
ENTRY_WORDS: Mapping[IncidentEntryKind, tuple[str, str]] = {
    IncidentEntryKind.OPENED: ("failed", "It began"),
    IncidentEntryKind.HAPPENED: ("failed", "It happened again"),
    IncidentEntryKind.REOPENED: ("failed", "It came back"),
    IncidentEntryKind.TOLD: ("running", "People were told"),
    IncidentEntryKind.HELD: ("waiting", "Nobody was told yet"),
    IncidentEntryKind.RECOVERED: ("succeeded", "It works again"),
    IncidentEntryKind.CLOSED: ("cancelled", "It was closed"),
    IncidentEntryKind.ACKNOWLEDGED: ("planned", "Somebody sees to it"),
    IncidentEntryKind.SNOOZED: ("planned", "It was snoozed"),
    IncidentEntryKind.ASSIGNED: ("planned", "It was given to somebody"),
    IncidentEntryKind.RETRIED: ("running", "Its runs are retried"),
    IncidentEntryKind.NOTED: ("planned", "Note"),
}


def state_words(row: IncidentRow) -> str:
    """“Open” or “Acknowledged”; of one that is over, whether it works again: “Recovered” or “Closed”."""
    if row.is_open:
        return row.state.value.capitalize()
    return "Recovered" if row.has_recovered else "Closed"
