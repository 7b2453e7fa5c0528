"""What the audit can tell of, in words: every kind of thing, and everything that is done to one. Pure."""

# Each thing by the word before the dot of an action, with what is done to it.
_DONE: dict[str, dict[str, str]] = {
    "schedule": {
        "created": "Made a schedule",
        "edited": "Changed a schedule",
        "enabled": "Enabled a schedule",
        "disabled": "Disabled a schedule",
        "restored": "Restored a version of a schedule",
        "handed_over": "Gave a schedule to somebody",
        "left_behind": "Left schedules without an owner",
        "noted": "Changed the notes of a schedule",
        "muted": "Muted a schedule",
        "unmuted": "Ended the mute of a schedule",
        "deleted": "Deleted a schedule",
        "undeleted": "Restored a deleted schedule",
    },
    "job": {
        "created": "Made a job",
        "revised": "Changed a job",
        "chained": "Let a job start another one",
        "unchained": "Let a job no longer start another one",
        "muted": "Muted a job",
        "unmuted": "Ended the mute of a job",
        "deleted": "Deleted a job",
    },
    "connection": {
        "created": "Connected an account",
        "renamed": "Renamed a connection",
        "tested": "Tested a connection",
        "opened": "Opened a login",
        "refused": "Found a login refused",
        "rotated": "Replaced a login",
        "renewed": "Renewed a login",
        "reconnected": "Reconnected an account",
        "expiring": "Warned of a login that expires",
        "expired": "Found a login expired",
        "disconnected": "Disconnected an account",
        "called_normal": "Said that figures are normal",
        "promised": "Promised figures",
    },
    "run": {
        "requested": "Started a run",
        "cancelled": "Cancelled a run",
        "retried": "Retried a failed run",
        "repeated": "Ran a run again",
        "retried_now": "Cut short the wait of a run",
        "given_up": "Gave up a run",
        "removed": "Removed a run from the queue",
    },
    "bulk": {
        "started": "Began a bulk action",
        "stopped": "Stopped a bulk action",
        "undone": "Began to undo a bulk action",
    },
    "view": {"saved": "Saved a view", "renamed": "Renamed a view", "deleted": "Deleted a view"},
    "member": {
        "role_changed": "Changed a role",
        "removed": "Removed a member",
        "left": "Left the organization",
    },
    "invitation": {
        "created": "Invited somebody",
        "renewed": "Made a new link for an invitation",
        "revoked": "Revoked an invitation",
        "accepted": "Accepted an invitation",
    },
    "token": {"created": "Made an API token", "revoked": "Revoked an API token"},
    "organization": {
        "created": "Made an organization",
        "changed": "Changed an organization",
        "limited": "Limited an organization",
    },
    "account": {
        "created": "Made an account",
        "signed_in": "Signed in",
        "signed_out": "Signed out",
        "password_changed": "Changed a password",
        "profile_changed": "Changed a profile",
        "browsers_signed_out": "Signed out browsers from afar",
        "organization_switched": "Switched to an organization",
        "first_steps_hidden": "Put the first steps away",
        "first_steps_shown": "Brought the first steps back",
    },
    "queue": {
        "created": "Made a queue",
        "changed": "Changed a queue",
        "paused": "Paused a queue",
        "resumed": "Resumed a queue",
        "deleted": "Deleted a queue",
    },
    "scheduling": {"stopped": "Stopped all scheduling", "started": "Started scheduling again"},
    "keys": {
        "added": "Added a key",
        "removed": "Removed a key",
        "rotation_began": "Began to rotate keys",
        "rotated": "Rotated keys",
    },
    "code": {"loaded": "Loaded new code"},
    "channel": {
        "created": "Made a channel",
        "changed": "Changed a channel",
        "rekeyed": "Made a new signing key for a channel",
        "enabled": "Switched a channel on",
        "disabled": "Switched a channel off",
        "tested": "Tested a channel",
        "told": "Sent a message by hand",
        "broken": "Found a channel broken",
        "mended": "Used a channel again",
        "deleted": "Deleted a channel",
        "restored": "Brought a channel back",
    },
    "incident": {
        "acknowledged": "Acknowledged an incident",
        "unacknowledged": "Took an acknowledgement back",
        "snoozed": "Snoozed an incident",
        "assigned": "Gave an incident to somebody",
        "closed": "Closed an incident",
        "noted": "Noted something on an incident",
    },
    "rule": {
        "added": "Added a rule",
        "changed": "Changed a rule",
        "switched_on": "Switched a rule on",
        "switched_off": "Switched a rule off",
        "snoozed": "Snoozed a rule",
        "deleted": "Deleted a rule",
        "restored": "Brought a rule back",
    },
    "telling": {"settled": "Settled quiet hours and the summary", "worded": "Changed a text of messages"},
    "maintenance": {"added": "Added a time of maintenance", "ended": "Ended a time of maintenance"},
}
GROUPS = {
    "schedule": "Schedules",
    "job": "Jobs",
    "connection": "Connections",
    "run": "Runs",
    "bulk": "Bulk actions",
    "view": "Saved views",
    "member": "Members",
    "invitation": "Invitations",
    "token": "API tokens",
    "organization": "Organizations",
    "account": "Accounts",
    "queue": "Queues",
    "scheduling": "Scheduling",
    "keys": "Keys",
    "code": "Code",
    "channel": "Channels",
    "incident": "Incidents",
    "rule": "Rules",
    "telling": "Being told",
    "maintenance": "Maintenance",
}
ACTIONS = {f"{group}.{verb}": words for group, verbs in _DONE.items() for verb, words in verbs.items()}
KINDS = {
    "schedule": "Schedule",
    "job": "Job",
    "connection": "Connection",
    "run": "Run",
    "bulk_action": "Bulk action",
    "view": "Saved view",
    "user": "Person",
    "invitation": "Invitation",
    "api_token": "API token",
    "organization": "Organization",
    "queue": "Queue",
    "scheduling": "Scheduling",
    "keys": "Keys",
    "code": "Code",
    "channel": "Channel",
    "incident": "Incident",
    "rule": "Rule",
    "telling": "Being told",
    "maintenance": "Maintenance",
}


def action_words(action: str) -> str:
    """“Changed a schedule”. What an older or newer version wrote is told as it stands."""
    return ACTIONS.get(action) or action.replace(".", ": ").replace("_", " ").capitalize()


def kind_words(kind: str) -> str:
    """“API token” for `api_token`."""
    return KINDS.get(kind) or kind.replace("_", " ").capitalize()


def actions_of(group: str) -> dict[str, str]:
    """Everything that is done to one kind of thing, with its words."""
    return {f"{group}.{verb}": words for verb, words in _DONE[group].items()}
