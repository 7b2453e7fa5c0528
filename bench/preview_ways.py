"""The three ways to ask for the preview of a schedule: the API's, that of the form of a new one and of an old one."""

from collections.abc import Callable
from urllib.parse import quote_plus, urlencode
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.core.clock import DatabaseClock
from app.core.ids import digest, new_id, new_token
from app.jobs.models import Job
from app.schedules.models import Schedule
from app.tenants.models import ApiToken
from app.tenants.roles import Role
from app.tenants.sign_in import start_session
from app.tenants.token_queries import SCOPE_WORDS
from bench.installation import Installation
from tests.factories.tenants import Member, make_member
from tests.web.filled_form import filled_form

# Takes a text and a time zone.
Ask = Callable[[str, str], TestResponse]
# What gunicorn lets through of a request line; the form asks by an address.
LONGEST_ADDRESS = 4_094
_API_PATH, _FORM_PATH = "/api/v1/schedules/preview", "/schedules/preview"


def ways_to_ask(place: Installation, app: Flask) -> dict[str, Ask]:
    """Each as somebody of the organization asks: the API by a token, the forms filled as a browser has them."""
    person = _make_person(place)
    with place.database.reading() as session:
        job_id = session.scalars(select(Job.id)).one()
        schedule_id = session.scalars(select(Schedule.id).limit(1)).one()
    browser = _signed_in(place, app, person)
    new, old = (_filled(browser, path, job_id) for path in ("/schedules/new", f"/schedules/{schedule_id}/edit"))
    return {"api": _by_api(place, app, person, job_id), "new": _by_form(browser, new), "edit": _by_form(browser, old)}


def _by_api(place: Installation, app: Flask, person: Member, job_id: UUID) -> Ask:
    client, headers = app.test_client(), {"Authorization": f"Bearer {_make_token(place, person)}"}

    def ask(cron: str, zone: str) -> TestResponse:
        return client.post(_API_PATH, json={"cron": cron, "timezone": zone, "job_id": str(job_id)}, headers=headers)

    return ask


def _by_form(browser: FlaskClient, fields: dict[str, list[str]]) -> Ask:
    others = urlencode(
        {name: values for name, values in fields.items() if name not in {"cron", "timezone"}}, doseq=True
    )
    headers = {"HX-Request": "true", "HX-Request-Type": "partial"}

    def ask(cron: str, zone: str) -> TestResponse:
        begin = f"{others}&timezone={quote_plus(zone)}&cron="
        room = LONGEST_ADDRESS - len(f"GET {_FORM_PATH}?{begin} HTTP/1.1")
        return browser.get(_FORM_PATH, query_string=begin + quote_plus(cron[:room])[:room], headers=headers)

    return ask


def _filled(browser: FlaskClient, path: str, job_id: UUID) -> dict[str, list[str]]:
    # The script of the form leaves these out.
    fields = filled_form(browser.get(path).text)
    return {name: values for name, values in fields.items() if name not in {"csrf_token", "notes"}} | {
        "job_id": [str(job_id)]
    }


def _signed_in(place: Installation, app: Flask, person: Member) -> FlaskClient:
    with place.database.transaction() as session:
        now = DatabaseClock().now(session)
        token = start_session(session, user_id=person.user_id, email=person.email, user_agent="bench", now=now)
    browser = app.test_client()
    with browser.session_transaction() as cookie:
        cookie["_user_id"] = token
    return browser


def _make_person(place: Installation) -> Member:
    with place.database.transaction() as session:
        # Who sits in the zone of no schedule is told the most.
        return make_member(session, organization_id=place.actor.organization_id, role=Role.OWNER)


def _make_token(place: Installation, person: Member) -> str:
    secret = f"belfry_{new_id().hex[-8:]}_{new_token()}"
    with place.database.transaction() as session:
        session.add(
            ApiToken(
                id=new_id(), organization_id=person.organization_id, user_id=person.user_id, name="Bench",
                prefix=secret[:15], token_digest=digest(secret), scopes={"permissions": list(SCOPE_WORDS)},
                created_at=DatabaseClock().now(session),
            )
        )  # fmt: skip
    return secret
