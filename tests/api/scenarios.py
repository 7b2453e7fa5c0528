"""One good request for each operation that changes something. Walks and the schema test go through all of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.ids import new_id, new_token
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.jobs.services import Service
from app.runs.models import Run
from app.runs.queue_models import Queue
from app.schedules.defaults import give_default_schedules
from app.schedules.stops import stop_scheduling
from app.syncs.models import StreamState
from app.tenants.models import SYSTEM_ORGANIZATION_ID, LoginSession
from app.tenants.roles import Role
from tests.api.conftest import Caller
from tests.factories.figures import make_connection
from tests.factories.notifications import make_incident, make_incident_thing
from tests.factories.outcomes import make_running
from tests.factories.tenants import make_member
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.scenarios import EU, TOKEN

DISCORD_HOOK = "https://discord.com/api/webhooks/123456789012345678/" + "w" * 68


@dataclass(frozen=True)
class Call:
    """What to send: a path without the prefix, and a body unless the operation needs none."""

    path: str
    body: Any = None


@dataclass(frozen=True)
class World:
    """An organization to act in. `caller` is its owner and a platform admin, with a token of all scopes.

    Each call of a maker adds a row of its own.
    """

    database: OpenDatabase
    caller: Caller
    now: datetime

    @property
    def organization_id(self) -> UUID:
        return self.caller.organization_id

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction of the tables' owner, for whatever has no maker here."""
        with self.database.transaction() as session:
            yield session

    def job(self, **more: Any) -> UUID:
        with self.session() as session:
            return make_job(session, self.organization_id, **more).id

    def schedule(self, job_id: UUID | None = None, **columns: Any) -> UUID:
        job_id = job_id or self.job(name=f"Job of a schedule {columns.get('name', '')}")
        columns.setdefault("next_run_at", self.now.replace(year=self.now.year + 1))
        with self.session() as session:
            return make_schedule(session, session.get_one(Job, job_id), **columns).id

    def run(self, job_id: UUID | None = None) -> UUID:
        """A run that is ready."""
        job_id = job_id or self.job(name="Job of a run")
        with self.session() as session:
            return make_run(session, session.get_one(Job, job_id), now=self.now)

    def failed_run(self, job_id: UUID | None = None) -> UUID:
        run_id = self.run(job_id)
        with self.session() as session:
            run = session.get_one(Run, run_id)
            run.state, run.finished_at, run.error = "failed", self.now, "It went wrong."
        return run_id

    def waiting_run(self) -> UUID:
        """A run that waits for its next try."""
        run_id = self.run()
        with self.session() as session:
            run = session.get_one(Run, run_id)
            run.state, run.reason, run.attempt, run.ready_at = (
                "waiting_retry",
                "error",
                1,
                self.now + timedelta(hours=1),
            )
        return run_id

    def member(self, **more: Any) -> UUID:
        """Another member of the organization."""
        with self.session() as session:
            return make_member(session, organization_id=self.organization_id, **more).user_id


def stream_path(world: World, rest: str) -> str:
    """A stream of a connection that a job reads."""
    with world.session() as session:
        connection = make_connection(session, world.organization_id, name=f"Account {new_id().hex[-6:]}")
        here = {"organization_id": world.organization_id, "connection_id": connection.id}
        session.add(StreamState(name="campaigns", level="campaign", doubt="volume", **here))
        job = make_job(session, world.organization_id, name=f"Sync {connection.name}", kind=KindName.SYNC)
        job.service, job.definition = "meta", {"service": "meta", "connection_id": str(connection.id)}
    return f"/connections/{connection.id}/{rest}"


Scenario = Callable[[World], Call]
DAILY = "0 2 * * *"

SCENARIOS: dict[str, Scenario] = {
    "call_stream_normal": lambda world: Call(stream_path(world, "streams/campaigns/normal")),
    "promise_connection_stream": lambda world: Call(stream_path(world, "streams/campaigns/promise"), {"by": "07:00"}),
    "sync_connection_again": lambda world: Call(stream_path(world, "sync")),
    "settle_notifications": lambda _world: Call(
        "/notification-settings", {"zone": "Europe/Riga", "quiet_from": "22:00", "quiet_until": "07:00"}
    ),
    "put_notification_text": lambda _world: Call("/notification-texts/late", {"title": "{{job}} is late", "body": ""}),
    "forget_notification_text": lambda world: Call(own_text(world)),
    "add_maintenance_window": lambda world: Call("/maintenance-windows", window(world)),
    "end_maintenance_window": lambda world: Call(f"/maintenance-windows/{planned_window(world)}"),
    "acknowledge_api_incident": lambda world: Call(incident(world, "/acknowledge")),
    "unacknowledge_api_incident": lambda world: Call(
        incident(world, "/acknowledge", state="acknowledged", acknowledged_by="Ada")
    ),
    "snooze_api_incident": lambda world: Call(
        incident(world, "/snooze"), {"until": (world.now + timedelta(hours=4)).isoformat()}
    ),
    "assign_api_incident": lambda world: Call(
        incident(world, "/assignee"), {"user_id": str(world.member(role=Role.VIEWER))}
    ),
    "note_api_incident": lambda world: Call(incident(world, "/notes"), {"text": "The shop is being moved."}),
    "close_api_incident": lambda world: Call(incident(world, "/close")),
    "retry_api_incident": lambda world: Call(incident_of_a_run(world)),
    "create_token": lambda world: Call("/tokens", {"name": "Deploys", "scopes": ["view", "run"]}),
    "revoke_token": lambda world: Call(f"/tokens/{own_token(world)}"),
    "change_own_first_steps": lambda _world: Call("/me/first-steps", {"hidden": True}),
    "change_profile": lambda _world: Call("/me/profile", {"clock": "12"}),
    "sign_out_browsers": lambda world: Call(own_browser(world, "/me/browsers")),
    "sign_out_one_browser": lambda world: Call(own_browser(world, "/me/browsers/{}")),
    "invite_member": lambda world: Call("/invitations", {"email": "grace@example.com", "role": "viewer"}),
    "renew_invitation": lambda world: Call(f"/invitations/{invitation(world)}/link"),
    "revoke_invitation": lambda world: Call(f"/invitations/{invitation(world)}"),
    "change_member_role": lambda world: Call(f"/members/{world.member(role=Role.VIEWER)}", {"role": "admin"}),
    "remove_member": lambda world: Call(f"/members/{world.member(role=Role.VIEWER)}"),
    "change_organization": lambda world: Call("/organization", {"name": "Southwind"}),
    "create_organization": lambda world: Call("/organizations", {"name": "Eastwind"}),
    "create_job": lambda world: Call("/jobs", {"name": "New", "kind": "code", "definition": {"ends": "succeeded"}}),
    "change_job": lambda world: Call(f"/jobs/{world.job()}", {"name": "Renamed"}),
    "delete_job": lambda world: Call(f"/jobs/{world.job()}"),
    "add_job_chain": lambda world: Call(
        f"/jobs/{world.job()}/chains",
        {"outcome": "success", "then_job_id": str(world.job(name="Next")), "parameters": {"rows": 3}},
    ),
    "remove_job_chain": lambda world: Call(chain(world)),
    "run_job": lambda world: Call(f"/jobs/{world.job()}/run"),
    "retry_run": lambda world: Call(f"/runs/{world.failed_run()}/retry"),
    "run_again": lambda world: Call(f"/runs/{world.failed_run()}/again", {"parameters": {"rows": 3}}),
    "save_view": lambda world: Call("/views", {"list": "runs", "name": "Failed", "query": {"state": "failed"}}),
    "put_discord": lambda _world: Call("/discord/config", {"webhook_url": DISCORD_HOOK}),
    "delete_discord": lambda world: Call(discord(world)),
    "test_discord": lambda world: Call(discord(world, "/discord/test")),
    "notify_discord": lambda world: Call(
        discord(world, "/discord/notify"), {"type": "run_failed", "data": {"job": "Meta ads"}}
    ),
    "create_channel": lambda _world: Call(
        "/channels", {"kind": "discord", "name": "#ops", "settings": {"webhook_url": DISCORD_HOOK}}
    ),
    "change_api_channel": lambda world: Call(f"/channels/{channel(world)}", {"name": "#data"}),
    "renew_api_signing_key": lambda world: Call(f"/channels/{webhook(world)}/signing-key"),
    "test_api_channel": lambda world: Call(f"/channels/{channel(world)}/tests"),
    "delete_api_channel": lambda world: Call(f"/channels/{channel(world)}"),
    "restore_api_channel": lambda world: Call(f"/channels/{deleted_channel(world)}/restore"),
    "create_notification_rule": lambda world: Call("/notification-rules", {"channel_ids": [channel(world)]}),
    "change_notification_rule": lambda world: Call(f"/notification-rules/{rule(world)}", {"after_failures": 2}),
    "snooze_notification_rule": lambda world: Call(f"/notification-rules/{rule(world)}/snooze", {"until": None}),
    "delete_notification_rule": lambda world: Call(f"/notification-rules/{rule(world)}"),
    "restore_notification_rule": lambda world: Call(f"/notification-rules/{deleted_rule(world)}/restore"),
    "resend_delivery": lambda world: Call(f"/deliveries/{delivery(world)}/resend"),
    "mute_api_schedule": lambda world: Call(f"/schedules/{world.schedule()}/mute", {"hours": 24}),
    "unmute_api_schedule": lambda world: Call(muted(world)),
    "mute_api_job": lambda world: Call(f"/jobs/{world.job()}/mute", {"until_success": True}),
    "unmute_api_job": lambda world: Call(muted_job(world)),
    "create_connection": lambda _world: Call("/connections", {"service": "meta", "account_id": EU, "token": TOKEN}),
    "rename_api_connection": lambda world: Call(f"/connections/{connection(world)}", {"name": "Renamed"}),
    "test_api_connection": lambda world: Call(f"/connections/{connection(world)}/tests"),
    "replace_connection_login": lambda world: Call(f"/connections/{connection(world)}/login", {"token": TOKEN}),
    "disconnect_account": lambda world: Call(f"/connections/{connection(world)}"),
    "rename_view": lambda world: Call(f"/views/{saved_view(world)}", {"name": "Renamed"}),
    "delete_view": lambda world: Call(f"/views/{saved_view(world)}"),
    "cancel_run": lambda world: Call(f"/runs/{world.run()}/cancel"),
    "retry_run_now": lambda world: Call(f"/runs/{world.waiting_run()}/retry-now"),
    "give_run_up": lambda world: Call(f"/runs/{world.waiting_run()}/give-up"),
    "begin_queue_bulk_action": lambda world: Call(
        "/admin/queue-runs/bulk-actions", {"action": "retry", "ids": [str(world.failed_run())]}
    ),
    "remove_stuck_run": lambda world: Call(f"/admin/queue-runs/{stuck_run(world)}/removal", {"retry": True}),
    "remove_run": lambda world: Call(f"/runs/{world.run()}"),
    "create_schedule": lambda world: Call("/schedules", {"name": "New", "job_id": str(world.job()), "cron": DAILY}),
    "set_schedule_owner": lambda world: Call(
        f"/schedules/{world.schedule(owner_id=world.member(role=Role.VIEWER), owner='ada@example.com')}/owner",
        {"owner": None},
    ),
    "edit_schedule": lambda world: Call(f"/schedules/{world.schedule()}", {"cron": DAILY, "version": 1}),
    "delete_schedule": lambda world: Call(f"/schedules/{world.schedule()}"),
    "begin_schedule_bulk_action": lambda world: Call(
        "/schedules/bulk-actions", {"action": "disable", "ids": [str(world.schedule())]}
    ),
    "stop_bulk": lambda world: Call(f"/bulk-actions/{bulk_action(world, per_minute=1)}/stop"),
    "undo_bulk": lambda world: Call(f"/bulk-actions/{bulk_action(world)}/undo"),
    "restore_deleted_schedule": lambda world: Call(f"/schedules/deleted/{deleted_schedule(world)}/restore"),
    "run_schedule": lambda world: Call(f"/schedules/{world.schedule()}/run"),
    "restore_schedule_version": lambda world: Call(f"/schedules/{changed_schedule(world)}/versions/1/restore"),
    "duplicate_schedule_as_it_is": lambda world: Call(f"/schedules/{world.schedule()}/duplicate"),
    "pause_schedule": lambda world: Call(f"/schedules/{world.schedule()}/pause"),
    "resume_schedule": lambda world: Call(f"/schedules/{world.schedule(enabled=False)}/resume"),
    "set_default_schedule": lambda world: Call(
        f"/schedules/{default_service(world)}", {"cron": DAILY, "enabled": True}
    ),
    "run_default_schedule": lambda world: Call(f"/schedules/{default_service(world)}/run"),
    "create_workflow_schedule": lambda world: Call(f"/workflows/{workflow(world)}/schedule", {"cron": DAILY}),
    "edit_workflow_schedule": lambda world: Call(f"/workflows/{scheduled_workflow(world)}/schedule", {"cron": DAILY}),
    "delete_workflow_schedule": lambda world: Call(f"/workflows/{scheduled_workflow(world)}/schedule"),
    "change_code_schedule": lambda world: Call(f"/admin/code-schedules/{in_code(world)}", {"cron": "0 3 * * *"}),
    "enable_code_schedule": lambda world: Call(f"/admin/code-schedules/{in_code(world)}/enable"),
    "disable_code_schedule": lambda world: Call(f"/admin/code-schedules/{in_code(world, enabled=True)}/disable"),
    "revert_code_schedule": lambda world: Call(
        f"/admin/code-schedules/{in_code(world, cron='0 5 * * *', code_overrides='cron')}/revert"
    ),
    "run_code_schedule": lambda world: Call(f"/admin/code-schedules/{in_code(world)}/run"),
    "run_code_job": lambda world: Call(f"/admin/code-jobs/{job_in_code(world)}/run"),
    "start_scheduler": lambda world: Call(f"/scheduler/{stopped(world)}"),
    "stop_scheduler": lambda world: Call("/scheduler/stop", {"reason": "Moving house"}),
    "pause_system": lambda _world: Call("/admin/system/pause", {"reason": "Moving house"}),
    "resume_system": lambda world: Call(f"/admin/system/{paused_system(world)}"),
    "create_queue": lambda world: Call("/admin/queues", {"name": "imports", "concurrency": 2}),
    "limit_queue": lambda world: Call("/admin/queues/sync", {"concurrency": 8}),
    "delete_queue": lambda world: Call(f"/admin/queues/{own_queue(world)}"),
    "change_organization_limit": lambda world: Call(
        f"/admin/organizations/{world.organization_id}", {"concurrency": 20}
    ),
    "steer_queue": lambda world: Call("/admin/queues/code", {"action": "retry", "jobIds": [str(world.failed_run())]}),
}


def window(world: World) -> dict[str, str]:
    """A time of maintenance that begins in an hour."""
    at = world.now + timedelta(hours=1)
    return {"starts_at": at.isoformat(), "ends_at": (at + timedelta(hours=2)).isoformat()}


def planned_window(world: World) -> str:
    return str(world.caller.post("/maintenance-windows", window(world)).json["data"]["id"])


def incident(world: World, rest: str, **columns: Any) -> str:
    """A path of an incident that is open."""
    with world.session() as session:
        found = make_incident(session, world.organization_id, opened_at=world.now, last_at=world.now, **columns)
    return f"/incidents/{found.id}{rest}"


def incident_of_a_run(world: World) -> str:
    """Where an incident's failed runs are retried."""
    run_id = world.failed_run()
    with world.session() as session:
        run = session.get_one(Run, run_id)
        opened_at = run.finished_at or world.now
        found = make_incident(session, world.organization_id, opened_at=opened_at, last_at=opened_at)
        make_incident_thing(session, found, run.job_id, subject_kind="job")
    return f"/incidents/{found.id}/retry"


def paused_system(world: World) -> str:
    """What ends a pause of everything, which is made here."""
    stopped(world)
    return "resume"


def own_browser(world: World, path: str) -> str:
    """A path with the session of a browser in which the caller has just signed in."""
    with world.session() as session:
        values = {"user_id": world.caller.actor.user_id, "organization_id": world.organization_id}
        moments = {"created_at": world.now, "seen_at": world.now, "expires_at": world.now + timedelta(days=1)}
        row = LoginSession(id=new_id(), token_digest=new_token(), user_agent="tests", **values, **moments)
        session.add(row)
        return path.format(row.id)


def own_queue(world: World) -> str:
    with world.session() as session:
        session.add(Queue(name="own", updated_at=world.now))
    return "own"


def workflow(world: World) -> UUID:
    return world.job(name="Flow", kind=KindName.WORKFLOW)


def scheduled_workflow(world: World) -> UUID:
    workflow_id = workflow(world)
    world.schedule(workflow_id)
    return workflow_id


def changed_schedule(world: World) -> str:
    """A schedule that says something else than it did when it was made."""
    job_id = str(world.job())
    made = world.caller.post("/schedules", {"name": "Changed", "job_id": job_id, "cron": DAILY})
    path = f"/schedules/{made.json['data']['id']}"
    world.caller.open("PATCH", path, json={"cron": "30 2 * * *"})
    return str(made.json["data"]["id"])


def bulk_action(world: World, **more: Any) -> str:
    """Something that is done to two schedules."""
    job_id = world.job(name="Job of many")
    ids = [str(world.schedule(job_id, name=f"Many {number}")) for number in range(2)]
    made = world.caller.post("/schedules/bulk-actions", {"action": "disable", "ids": ids, **more})
    return str(made.json["data"]["id"])


def deleted_schedule(world: World) -> UUID:
    schedule_id = world.schedule()
    world.caller.open("DELETE", f"/schedules/{schedule_id}")
    return schedule_id


def chain(world: World) -> str:
    """Where a chain between two jobs is."""
    path = f"/jobs/{world.job()}/chains"
    made = world.caller.post(path, {"outcome": "failure", "then_job_id": str(world.job(name="Next"))})
    return f"{path}/{made.json['data']['id']}"


def default_service(world: World) -> str:
    """A service for which the organization has its default schedule."""
    with world.session() as session:
        give_default_schedules(session, organization_id=world.organization_id, now=world.now)
    return Service.META.value


def in_code(world: World, **columns: Any) -> str:
    """A schedule that code defines, by its name there."""
    says = {"cron": DAILY, "timezone": "UTC", "missed": "skip", "overlap": "skip", "run": "fetch", "description": ""}
    given = {"cron": DAILY, "missed": "skip", "enabled": False, "next_run_at": world.now + timedelta(days=9)} | columns
    with world.session() as session:
        job = make_job(session, SYSTEM_ORGANIZATION_ID, name="Job of a schedule in code")
        make_schedule(session, job, name="nightly", code_id="nightly", code_source="jobs.py:3", code_says=says, **given)
    return "nightly"


def job_in_code(world: World) -> str:
    """A job that code defines, by its name there."""
    with world.session() as session:
        job = make_job(session, SYSTEM_ORGANIZATION_ID, name="fetch")
        job.code_name, job.code_source = "fetch", "jobs.py:1"
    return "fetch"


def stopped(world: World) -> str:
    """The way to start scheduling, which is stopped."""
    with world.session() as session:
        stop_scheduling(session, actor=world.caller.actor, reason="Moving house", now=world.now)
    return "start"


def discord(world: World, path: str = "/discord/config") -> str:
    """A way to the channel for Discord, which is set up."""
    world.caller.put("/discord/config", {"webhook_url": DISCORD_HOOK})
    return path


def channel(world: World) -> str:
    """A channel of its own."""
    body = {"kind": "discord", "name": str(new_id()), "settings": {"webhook_url": DISCORD_HOOK}}
    return str(world.caller.post("/channels", body).get_json()["data"]["id"])


def deleted_channel(world: World) -> str:
    found = channel(world)
    world.caller.delete(f"/channels/{found}")
    return found


def delivery(world: World) -> str:
    """A message that was sent."""
    return str(world.caller.post(f"/channels/{channel(world)}/tests").get_json()["data"]["delivery_id"])


def muted(world: World) -> str:
    path = f"/schedules/{world.schedule(name='Muted')}/mute"
    world.caller.put(path, {"hours": 1})
    return path


def muted_job(world: World) -> str:
    path = f"/jobs/{world.job(name='Muted')}/mute"
    world.caller.put(path, {"hours": 1})
    return path


def rule(world: World) -> str:
    made = world.caller.post("/notification-rules", {"channel_ids": [channel(world)]})
    return str(made.get_json()["data"]["id"])


def webhook(world: World) -> str:
    given = {"kind": "webhook", "name": "Ours", "settings": {"url": "https://hooks.example.com/told"}}
    return str(world.caller.post("/channels", given).get_json()["data"]["id"])


def own_text(world: World) -> str:
    path = "/notification-texts/late"
    world.caller.put(path, {"title": "{{job}} is late"})
    return path


def deleted_rule(world: World) -> str:
    found = rule(world)
    world.caller.delete(f"/notification-rules/{found}")
    return found


def connection(world: World) -> str:
    made = world.caller.post("/connections", {"service": "meta", "account_id": EU, "token": TOKEN})
    return str(made.get_json()["data"]["id"])


def saved_view(world: World) -> str:
    """A view of the caller's own."""
    made = world.caller.post("/views", {"list": "runs", "name": "Mine", "query": {"q": "x"}})
    return str(made.json["data"]["id"])


def invitation(world: World) -> str:
    """An invitation that the caller made."""
    made = world.caller.post("/invitations", {"email": "linus@example.com"})
    return str(made.json["data"]["id"])


def stuck_run(world: World) -> UUID:
    """A run of a worker that nobody ever heard of."""
    with world.session() as session:
        job = make_job(session, world.organization_id, name="Job of a stuck run")
        return make_running(session, job, now=world.now - timedelta(minutes=5))


def own_token(world: World) -> str:
    """Another token of the caller."""
    made = world.caller.post("/tokens", {"name": "Old", "scopes": ["view"]})
    return str(made.json["data"]["id"])
