"""Walks every route of pages and API as every role, and with the ids of another organization. None is left out."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import Table, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.core.db import Base
from app.core.ids import digest
from app.edge.permissions import Access, access_of
from app.jobs.models import Job, JobChain
from app.tenants.access import SMALLEST_ROLE, Actor
from app.tenants.invitations import invite
from app.tenants.models import ApiToken, Membership
from app.tenants.roles import Role
from app.tenants.sign_in import start_session
from tests.factories.work import make_job
from tests.fakes.database import OpenDatabase
from tests.isolation.conftest import NOW, furnish
from tests.web.conftest import Browser

SAFE = {"GET", "HEAD", "OPTIONS"}
ROLES = list(Role)
# What a path may hold that is no id of a tenant's row.
WORDS = {
    "name": "workflow",
    "service": "meta",
    "stream": "campaigns",
    "filename": "nothing.css",
    "path": "nothing",
    "code_id": "nightly",
    "code_name": "fetch",
    "number": "1",
    "kind": "webhook",
    "type_name": "run_failed",
}
# Reached before anybody is known, or by nobody's choice: they have tests of their own.
# The deep probe looks at who asks by itself: besides platform admins, whoever has the token for it alone.
UNWALKED = {"web.sign_out_person", "probes.health_deep"}
# Everybody may leave; only some may send others away. The command itself decides.
DECIDED_LATER = {"web.remove_member"}
SECRETIVE = "canary-of-ours"
# What operations of the API are sent where an empty object would not come far, by their names.
BODIES: dict[str, Callable[[dict[str, UUID]], dict[str, Any]]] = {
    "create_schedule": lambda ids: {"name": "New", "job_id": str(ids["job_id"]), "cron": "0 2 * * *"},
    "add_job_chain": lambda ids: {"outcome": "failure", "then_job_id": str(ids["job_id"])},
    "begin_queue_bulk_action": lambda ids: {"action": "remove", "ids": [str(ids["run_id"])]},
    "begin_schedule_bulk_action": lambda ids: {"action": "delete", "ids": [str(ids["schedule_id"])]},
    "create_workflow_schedule": lambda _ids: {"cron": "0 2 * * *"},
    "mute_api_schedule": lambda _ids: {"hours": 1},
    "mute_api_job": lambda _ids: {"until_success": True},
    "set_schedule_owner": lambda _ids: {"owner": None},
    "set_default_schedule": lambda _ids: {"cron": "0 2 * * *", "enabled": True},
    "change_member_role": lambda _ids: {"role": "viewer"},
    "pause_system": lambda _ids: {"reason": "Moving house"},
    "stop_scheduler": lambda _ids: {"reason": "Moving house"},
    "steer_queue": lambda ids: {"action": "retry", "jobIds": [str(ids["run_id"])]},
    "rename_view": lambda _ids: {"name": "Renamed"},
    "settle_notifications": lambda _ids: {"zone": "UTC", "quiet_from": "22:00", "quiet_until": "07:00"},
    "put_notification_text": lambda _ids: {"title": "{{job}} is down"},
    "add_maintenance_window": lambda _ids: {"starts_at": "2100-01-01T00:00:00Z", "ends_at": "2100-01-02T00:00:00Z"},
    "snooze_api_incident": lambda _ids: {"until": None},
    "assign_api_incident": lambda ids: {"user_id": str(ids["user_id"])},
    "note_api_incident": lambda _ids: {"text": "Noted"},
    "promise_connection_stream": lambda _ids: {"by": "07:00"},
    "rename_api_connection": lambda _ids: {"name": "Renamed"},
    "replace_connection_login": lambda _ids: {"token": "EAAnothing"},
    "create_notification_rule": lambda ids: {"channel_ids": [str(ids["channel_id"])]},
    "preview_new_rule": lambda ids: {"channel_ids": [str(ids["channel_id"])]},
    "change_notification_rule": lambda ids: {"channel_ids": [str(ids["channel_id"])]},
    "snooze_notification_rule": lambda _ids: {"until": None},
    "change_api_channel": lambda _ids: {"name": "Renamed"},
    "validate_cron": lambda _ids: {"cron": "0 2 * * *"},
    "preview_new_schedule": lambda ids: {"cron": "0 2 * * *", "job_id": str(ids["job_id"])},
}
# Parameters behind the `?` that name a tenant's row.
QUERIES: dict[str, Callable[[dict[str, UUID]], dict[str, str]]] = {
    "list_api_deliveries": lambda ids: {"channel": str(ids["channel_id"])},
    "list_schedules": lambda ids: {"workflow": str(ids["job_id"])},
    "list_audit_entries": lambda ids: {"subject": str(ids["schedule_id"])},
    **dict.fromkeys(
        ("show_data_series", "list_data_entities", "list_data_changes", "list_data_figures", "list_data_freshness"),
        lambda ids: {"source": str(ids["connection_id"])},
    ),
    "list_all_incidents": lambda ids: {"assigned_to": str(ids["user_id"])},
    "list_runs": lambda ids: {"job": str(ids["job_id"]), "schedule": str(ids["schedule_id"])},
}


def walked_rules(app: Flask) -> Iterator[tuple[Rule, str, Access]]:
    for rule in app.url_map.iter_rules():
        access = access_of(app.view_functions[rule.endpoint])
        assert access is not None, f"{rule.endpoint} does not say who may use it"
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.endpoint not in UNWALKED:
                yield rule, method, access


def operation_of(rule: Rule) -> str:
    """The name of an operation of the API, which is mounted twice."""
    return rule.endpoint.rpartition(".")[2] if rule.rule.startswith("/api") else ""


def names_rows(rule: Rule) -> bool:
    """Whether a request names rows of a tenant: in its path, its query or its body."""
    name = operation_of(rule)
    return bool(rule.arguments - set(WORDS)) or name in BODIES or name in QUERIES


def address_of(rule: Rule, ids: dict[str, UUID]) -> str:
    values: dict[str, Any] = {name: WORDS.get(name) or ids[name] for name in rule.arguments}
    found = rule.build(values)
    assert found is not None, f"{rule.rule} cannot be walked: give its parts a value here"
    query = QUERIES.get(operation_of(rule))
    return str(found[1]) + (f"?{urlencode(query(ids))}" if query else "")


def call(browser: Browser, method: str, rule: Rule, ids: dict[str, UUID]) -> TestResponse:
    address = address_of(rule, ids)
    if address.startswith("/api"):
        headers = {"X-CSRF-Token": browser.csrf_token, "Sec-Fetch-Site": "same-origin"}
        body = BODIES.get(operation_of(rule), lambda _ids: {})(ids)
        return browser.open(address, method=method, headers=headers, json=None if method in SAFE else body)
    return browser.visit(address) if method in SAFE else browser.send(address)


def without_chance(text: str, ids: dict[str, UUID]) -> str:
    """An answer without what differs from one to the next: the ids asked for, tokens, references."""
    for value in ids.values():
        text = text.replace(str(value), "ID")
    text = re.sub(r'("csrf_token"[^>]*value=|csrf-token" content=|"X-CSRF-Token": ?)"[^"]*"', "TOKEN", text)
    return re.sub(r"[\w.-]{60,}", "TOKEN", text)


def without_new_id(text: str) -> str:
    return re.sub(r'"id": ?"[0-9a-f-]{36}"', "NEW", text)


def rows_of(database: OpenDatabase, organization_id: UUID) -> dict[str, list[tuple[Any, ...]]]:
    tables: list[Table] = [table for table in Base.metadata.sorted_tables if "organization_id" in table.columns]
    with database.reading() as session:
        return {
            table.name: sorted(
                tuple(map(str, row))
                for row in session.execute(select(table).where(table.c.organization_id == organization_id))
            )
            for table in tables
        }


def add_invitation_and_token(session: Session, organization_id: UUID) -> None:
    """What a team has beside its members."""
    members = select(Membership.user_id).where(Membership.organization_id == organization_id)
    user_id = session.scalars(members).one()
    actor = Actor(organization_id, Role.OWNER, SECRETIVE, user_id)
    invite(session, actor=actor, email=f"guest-{SECRETIVE}@example.com", role=Role.VIEWER, now=NOW)
    start_session(session, user_id=user_id, email=f"{SECRETIVE}@example.com", user_agent=SECRETIVE, now=NOW)
    words = {"name": SECRETIVE, "prefix": "belfry_ours", "token_digest": digest(SECRETIVE), "scopes": {}}
    session.add(ApiToken(organization_id=organization_id, user_id=user_id, created_at=NOW, **words))


def add_chain(session: Session, organization_id: UUID) -> None:
    """A job that starts another one."""
    job_id = session.scalars(select(Job.id).where(Job.organization_id == organization_id)).one()
    then = make_job(session, organization_id, name=f"After {SECRETIVE}").id
    words = {"outcome": "success", "parameters": {}, "created_at": NOW}
    session.add(JobChain(organization_id=organization_id, job_id=job_id, then_job_id=then, **words))


@pytest.fixture
def ids_of_ours(database: OpenDatabase) -> dict[str, UUID]:
    """Ids of rows of an organization to which none of the browsers belongs, by the name they have in a path."""
    with database.transaction() as session:
        organization_id = furnish(session, SECRETIVE)
        add_invitation_and_token(session, organization_id)
        add_chain(session, organization_id)
    found = rows_of(database, organization_id)

    def first(table: str, column: str = "id") -> UUID:
        position = list(Base.metadata.tables[table].columns.keys()).index(column)
        return UUID(found[table][0][position])

    return {
        "schedule_id": first("schedules"),
        "workflow_id": first("job_chains", "job_id"),
        "job_id": first("job_chains", "job_id"),
        "run_id": first("runs"),
        "user_id": first("memberships", "user_id"),
        "organization_id": organization_id,
        "invitation_id": first("invitations"),
        "token_id": first("api_tokens"),
        "chain_id": first("job_chains"),
        "browser_id": first("login_sessions"),
        "view_id": first("saved_views"),
        "bulk_id": first("bulk_actions"),
        "connection_id": first("connections"),
        "incident_id": first("incidents"),
        "window_id": first("maintenance_windows"),
        "channel_id": first("notify_channels"),
        "rule_id": first("notify_rules"),
        "delivery_id": first("deliveries"),
    }


class TestEveryRoute:
    def test_refuses_the_roles_that_may_not(
        self, app: Flask, request: pytest.FixtureRequest, ids_of_ours: dict[str, UUID]
    ):
        browsers: dict[str, Browser] = {role.value: request.getfixturevalue(role.value) for role in ROLES}
        wrong = []

        for rule, method, access in walked_rules(app):
            needed = SMALLEST_ROLE[access.permission] if access.permission else None
            for role in ROLES:
                is_refused = access.platform_admin or (needed is not None and ROLES.index(role) < ROLES.index(needed))
                status = call(browsers[role.value], method, rule, ids_of_ours).status_code
                # What is open to everybody who is signed in may still depend on what is asked for.
                depends = access.is_public or access.signed_in or rule.endpoint in DECIDED_LATER
                if (status == 403) != is_refused and not depends:
                    wrong.append(f"{method} {rule.rule} as {role.value}: {status}")
                if status >= 500 and status != 503:
                    wrong.append(f"{method} {rule.rule} as {role.value}: {status}")

        assert wrong == []

    def test_asks_a_stranger_to_sign_in(self, app: Flask, anonymous: Browser, ids_of_ours: dict[str, UUID]):
        wrong = []

        for rule, method, access in walked_rules(app):
            answer = call(anonymous, method, rule, ids_of_ours)
            is_asked = answer.status_code == 401 or (
                answer.status_code == 302 and answer.headers["Location"].startswith("/login")
            )
            if is_asked == access.is_public:
                wrong.append(f"{method} {rule.rule}: {answer.status_code}")

        assert wrong == []

    def test_answers_for_a_foreign_id_as_for_none_at_all(
        self, app: Flask, stranger: Browser, database: OpenDatabase, ids_of_ours: dict[str, UUID]
    ):
        absent = {name: uuid4() for name in ids_of_ours}
        before = rows_of(database, ids_of_ours["organization_id"])
        wrong = []

        for rule, method, access in walked_rules(app):
            if not names_rows(rule):
                continue
            foreign_answer = call(stranger, method, rule, ids_of_ours)
            absent_answer = call(stranger, method, rule, absent)
            same_words = without_chance(foreign_answer.text, ids_of_ours) == without_chance(absent_answer.text, absent)
            if foreign_answer.status_code == 201:
                # Something new of the stranger's own, which has its own id.
                same_words = without_new_id(foreign_answer.text) == without_new_id(absent_answer.text)
            if foreign_answer.status_code != absent_answer.status_code or not same_words:
                wrong.append(f"{method} {rule.rule}: {foreign_answer.status_code}, {absent_answer.status_code}")
            if SECRETIVE in foreign_answer.text:
                wrong.append(f"{method} {rule.rule} shows what is not the stranger's")
            # Some addresses only lead to another one, which the walk visits as well.
            is_list = method in SAFE and operation_of(rule) in QUERIES
            # What is for platform admins alone is refused before anybody looks for a row.
            expected = {403} if access.platform_admin else {303, 404}
            if method in SAFE and not is_list and foreign_answer.status_code not in expected:
                wrong.append(f"{method} {rule.rule}: {foreign_answer.status_code}, which is none of {expected}")

        assert wrong == []
        assert rows_of(database, ids_of_ours["organization_id"]) == before

    def test_shows_nothing_of_another_organization(self, app: Flask, stranger: Browser, ids_of_ours: dict[str, UUID]):
        telling = [
            f"{method} {rule.rule}"
            for rule, method, _access in walked_rules(app)
            if method in SAFE and SECRETIVE in call(stranger, method, rule, ids_of_ours).text
        ]

        assert telling == []
