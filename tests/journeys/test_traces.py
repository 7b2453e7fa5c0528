"""What somebody did is in the audit, with who and what changed; and what is secret is on no page afterwards."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select
from werkzeug.routing import Rule

from app.api.blueprint import VERSION_PREFIX
from app.edge.runtime import EXTENSION, Runtime
from app.jobs.models import Job
from app.notifications.incident_models import Incident
from app.notifications.models import Channel, Delivery
from app.notifications.models import Rule as NotifyRule
from app.notifications.outbox import put_notice
from app.notifications.types import DeliveryKind, Facts, NotificationType
from app.ops.code_loader import put_in_force
from app.ops.models import BulkAction
from app.runs.models import Run
from app.schedules.models import Schedule
from app.syncs.models import Connection
from app.tenants.models import SYSTEM_ORGANIZATION_ID, ApiToken, Invitation, SavedView
from tests.api.conftest import caller_for
from tests.factories.figures import make_connection
from tests.factories.notifications import make_incident
from tests.factories.outcomes import make_failed, make_running
from tests.factories.tenants import PASSWORD, Member, password_hash
from tests.fakes.vault import VAULT_KEY
from tests.journeys.axe import violations
from tests.journeys.looks import PHONE, is_too_wide, show
from tests.journeys.schedules.form import (
    choose_zone,
    dialog,
    go,
    name_field,
    open_edit,
    open_new,
    row_of,
    save_and_close,
    toasts,
    type_text,
)
from tests.journeys.schedules.site import Site, open_site

pytestmark = pytest.mark.journey

HEADER = "Bearer canary-of-a-header"
HOOK = "https://discord.com/api/webhooks/123456789012345678/" + "canary-of-a-webhook".ljust(68, "w")
OTHER_HEADER = "canary-of-a-changed-header"
IN_CODE = "hourly-matching"
# Each action of the audit in words, and what it changed from and to where it changed something.
DONE: dict[str, tuple[str, str] | None] = {
    "Made a job": None,
    "Changed a job": ("Tell the shop", "Tell the warehouse"),
    "Made a schedule": None,
    "Changed a schedule": ("0 6 * * *", "30 7 * * *"),
    "Disabled a schedule": None,
    "Enabled a schedule": None,
    "Started a run": None,
    "Cancelled a run": None,
    "Retried a failed run": None,
    "Ran a run again": None,
    "Removed a run from the queue": None,
    "Deleted a schedule": None,
    "Restored a deleted schedule": None,
    "Began a bulk action": None,
    "Saved a view": None,
    "Made a channel": None,
    "Added a rule": None,
    "Made an API token": None,
    "Invited somebody": None,
}
DONE_TO_THE_INSTALLATION = [
    "Enabled a schedule", "Started a run", "Stopped all scheduling", "Started scheduling again",
]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), kinds=None) as site:
        parts: Runtime = site.app.extensions[EXTENSION]
        put_in_force(site.database, site.clock, parts.definitions, is_asked_for=True)
        yield site


@pytest.fixture(scope="module")
def ana(site: Site, page: Page) -> Member:
    return site.enter(page.context, is_platform_admin=True)


@pytest.fixture(scope="module")
def shown_once(page: Page, site: Site, ana: Member) -> list[str]:
    """Do one thing after the other. Returns what was secret and shown to who made it, and only then."""
    make_and_change_job(page, site)
    make_and_change_schedule(page, site)
    steer_runs(page, site, ana)
    take_away_and_back(page, site)
    send(page, site, f"/admin/schedules/{IN_CODE}/enabled", enabled="yes")
    send(page, site, f"/admin/schedules/{IN_CODE}/run")
    send(page, site, "/scheduling/stop", reason="Moving house")
    send(page, site, "/scheduling/start")
    send(page, site, "/views", list="runs", name="Failed", state="failed")
    send(page, site, "/notifications/channels/new/discord", name="#data", webhook_url=HOOK, tells_everything="y")
    with site.database.transaction() as session:
        make_connection(session, ana.organization_id)
        make_incident(session, ana.organization_id)
        channel_id = session.scalars(select(Channel.id)).one()
        facts = Facts(NotificationType.RUN_FAILED, DeliveryKind.EVENT, "Nightly fails")
        put_notice(session, actor=ana.actor, channel_id=channel_id, facts=facts, now=site.clock.moment)
    return [make_token(page, site), invite(page, site), make_webhook(page, site)]


def send(page: Page, site: Site, path: str, **fields: str) -> None:
    """Send a form as its page would."""
    token = page.locator('meta[name="csrf-token"]').get_attribute("content")
    answer = page.request.post(f"{site.url}{path}", form={"csrf_token": token or "", **fields}, max_redirects=0)
    assert answer.status in {200, 204, 303}, f"{path}: {answer.status} {answer.text()}"


def make_and_change_job(page: Page, site: Site) -> None:
    go(page, f"{site.url}/jobs/new?kind=workflow")
    page.get_by_label("Name", exact=True).fill("Tell the shop")
    page.get_by_label("Address").fill("https://hooks.example.com/sync")
    page.get_by_label("Headers").fill(f"Authorization: {HEADER}")
    page.get_by_role("button", name="Save job").click()
    expect(page.get_by_role("link", name="Tell the shop")).to_be_visible()
    page.get_by_role("link", name="Tell the shop").first.click()
    expect(page.get_by_label("Headers")).to_have_value("Authorization: •••")
    page.get_by_label("Name", exact=True).fill("Tell the warehouse")
    page.get_by_label("Headers").fill(f"Authorization: •••\nX-Api-Key: {OTHER_HEADER}")
    page.get_by_role("button", name="Save job").click()
    expect(page.get_by_role("link", name="Tell the warehouse").first).to_be_visible()


def make_and_change_schedule(page: Page, site: Site) -> None:
    open_new(page, site)
    name_field(page).fill("Nightly")
    page.get_by_label("Job", exact=True).select_option(label="Tell the warehouse")
    choose_zone(page, "UTC")
    type_text(page, "0 6 * * *")
    save_and_close(page)
    open_edit(page, site, "Nightly")
    type_text(page, "30 7 * * *")
    save_and_close(page)
    switch = row_of(page, "Nightly").get_by_role("switch")
    for state in ("false", "true"):
        switch.click()
        expect(switch).to_have_attribute("aria-checked", state)
    row_of(page, "Nightly").get_by_label("Actions for Nightly").click()
    row_of(page, "Nightly").get_by_role("button", name="Run now").click()
    expect(toasts(page)).to_contain_text("View run")


def steer_runs(page: Page, site: Site, ana: Member) -> None:
    """Cancel the run that was started, and repeat and remove those that failed."""
    with site.database.transaction() as session:
        job = session.scalars(select(Job).where(Job.name == "Tell the warehouse")).one()
        started = session.scalars(select(Run.id).where(Run.job_id == job.id)).one()
        failed = [make_failed(session, job, now=site.clock.moment - timedelta(hours=n)) for n in (1, 2, 3)]
        make_running(session, job, now=site.clock.moment - timedelta(minutes=1))
    send(page, site, f"/runs/{started}/cancel")
    send(page, site, f"/runs/{failed[0]}/retry")
    send(page, site, f"/runs/{failed[1]}/again")
    send(page, site, f"/runs/{failed[2]}/removal")


def take_away_and_back(page: Page, site: Site) -> None:
    """Delete the schedule and bring it back, and then do something to all that are ticked."""
    go(page, f"{site.url}/schedules")
    row_of(page, "Nightly").get_by_label("Actions for Nightly").click()
    row_of(page, "Nightly").get_by_role("button", name="Delete").click()
    expect(toasts(page)).to_contain_text("Nightly deleted.")
    toasts(page).get_by_role("button", name="Undo").last.click()
    expect(row_of(page, "Nightly")).to_be_visible()
    page.get_by_role("checkbox", name="Tick Nightly", exact=True).check()
    page.locator("#bulk").get_by_role("button", name="Tag 1", exact=True).click()
    dialog(page).get_by_label("Tag", exact=True).fill("nightly")
    dialog(page).get_by_role("button", name="Add a tag to 1 schedule").click()
    expect(toasts(page)).to_contain_text("1 schedule tagged “nightly”.")


def make_token(page: Page, site: Site) -> str:
    go(page, f"{site.url}/account/tokens")
    page.get_by_label("Name", exact=True).fill("Deploys")
    page.locator("#new input[type=checkbox]").first.check()
    page.get_by_role("button", name="Make the token").click()
    return page.locator("#token").input_value()


def make_webhook(page: Page, site: Site) -> str:
    """Returns the key that it signs with."""
    go(page, f"{site.url}/notifications/channels/new/webhook")
    page.get_by_label("Address").fill("https://hooks.example.com/told")
    page.get_by_role("button", name="Add the channel").click()
    return page.locator("#key").input_value()


def invite(page: Page, site: Site) -> str:
    """Returns the token in the link."""
    go(page, f"{site.url}/settings/team")
    page.get_by_label("Email").fill("grace@example.com")
    page.get_by_role("button", name="Make the invitation").click()
    return page.locator("#link").input_value().rpartition("=")[2]


def entries(page: Page, words: str) -> Locator:
    return page.locator("tr[id^='e-']").filter(has_text=words)


class TestTheAudit:
    @pytest.mark.parametrize("words", DONE)
    def test_says_who_did_what_and_what_changed(
        self, page: Page, site: Site, ana: Member, shown_once: list[str], words: str
    ) -> None:
        """A53: each thing that was done is there with its actor, and a change with its old and new value."""
        go(page, f"{site.url}/audit")
        entry = entries(page, words).last
        expect(entry).to_contain_text(ana.email)
        changed = DONE[words]
        if changed is not None:
            entry.locator("summary").click()
            expect(entry.locator("del", has_text=changed[0])).to_be_visible()
            expect(entry.locator("ins", has_text=changed[1])).to_be_visible()

    @pytest.mark.parametrize("words", DONE_TO_THE_INSTALLATION)
    def test_says_so_of_the_installation(
        self, page: Page, site: Site, ana: Member, shown_once: list[str], words: str
    ) -> None:
        """A53: what was done to schedules in code, and to all scheduling, is in the audit of the installation."""
        go(page, f"{site.url}/admin/audit")

        expect(entries(page, words).last).to_contain_text(ana.email)


@pytest.fixture(scope="module")
def secret(site: Site, shown_once: list[str]) -> list[str]:
    """What nobody may read anywhere: headers, tokens and passwords of people, and the keys of the installation."""
    found = [
        HEADER.removeprefix("Bearer "), OTHER_HEADER, HOOK.rpartition("/")[2], *shown_once, PASSWORD,
        password_hash(), VAULT_KEY, str(site.app.secret_key),
    ]  # fmt: skip
    assert all(len(text) > 12 for text in found)
    return found


class TestASecret:
    def test_is_on_no_page(self, page: Page, site: Site, ana: Member, secret: list[str]) -> None:
        """A53: no answer of any page has one in it."""

        def ask(path: str) -> tuple[int, str]:
            answer = page.request.get(f"{site.url}{path}")
            return answer.status, answer.text()

        go(page, f"{site.url}/")
        paths = [path for path in paths_of_everything(site, ana) if not path.startswith("/api")]
        assert leaks(paths, ask, secret) == {}

    def test_is_in_no_answer_of_the_api(self, site: Site, ana: Member, secret: list[str]) -> None:
        """A53: nor has any answer to a program, which has a token of all scopes; not even this token."""
        caller = caller_for(site.app, site.database, site.clock, ana)

        def ask(path: str) -> tuple[int, str]:
            answer = caller.get(path)
            return answer.status_code, answer.text

        paths = [path for path in paths_of_everything(site, ana) if path.startswith(VERSION_PREFIX)]
        assert leaks(paths, ask, [*secret, str(caller.token)]) == {}


def test_every_page_is_found_without_fault(page: Page, site: Site, ana: Member, shown_once: list[str]) -> None:
    """A02, A03, A04: whatever has a page, with something in it; fragments of pages are looked at within those."""
    show(page, "dark", PHONE)
    found = {}
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for path in paths_of_everything(site, ana):
        answer = page.request.get(f"{site.url}{path}")
        if path.startswith("/api") or not answer.ok or "<main" not in answer.text():
            continue
        go(page, f"{site.url}{path}")
        found[path] = [*violations(page), *(["wider than the screen"] if is_too_wide(page) else [])]
    show(page)

    assert len(found) > 40
    assert [url for url in asked if not url.startswith((f"{site.url}/", "data:"))] == []
    assert {path: words for path, words in found.items() if words} == {}


def leaks(paths: list[str], ask: Callable[[str], tuple[int, str]], secret: list[str]) -> dict[str, list[str]]:
    """The answers that have something secret in them. Nearly all have something to show: refusals prove nothing."""
    found, refused = {}, []
    for path in paths:
        status, text = ask(path)
        assert status < 500, f"{path}: {status}"
        found[path] = [each for each in secret if each in text]
        refused += [f"{path}: {status}"] if status >= 400 else []
    assert len(refused) < len(paths) / 10, refused
    return {path: each for path, each in found.items() if each}


def paths_of_everything(site: Site, ana: Member) -> list[str]:
    return sorted({path for rule in site.app.url_map.iter_rules() for path in paths_of(rule, site, ana)})


def paths_of(rule: Rule, site: Site, ana: Member) -> Iterator[str]:
    """Where a route leads to for the first and the last thing there is, unless it serves a file."""
    if "GET" not in (rule.methods or set()) or rule.rule.startswith("/static"):
        return
    # Runs of what code defines are the installation's own.
    here = SYSTEM_ORGANIZATION_ID if "/code-runs/" in rule.rule else ana.organization_id
    choices = {name: values(name, site, ana, here) for name in rule.arguments}
    for number in (0, -1):
        found = rule.build({name: each[number] for name, each in choices.items()})
        assert found is not None, f"{rule.rule} cannot be walked: give its parts a value here"
        yield str(found[1])


def values(name: str, site: Site, ana: Member, organization_id: UUID) -> list[Any]:
    """What a part of a path can be."""
    tables: dict[str, Any] = {
        "schedule_id": Schedule, "job_id": Job, "workflow_id": Job, "run_id": Run, "invitation_id": Invitation,
        "token_id": ApiToken, "view_id": SavedView, "bulk_id": BulkAction, "connection_id": Connection,
        "channel_id": Channel, "delivery_id": Delivery, "rule_id": NotifyRule, "incident_id": Incident,
    }  # fmt: skip
    if name in tables:
        with site.database.reading() as session:
            here = tables[name].organization_id == organization_id
            # In the order they were made in: the last run is one that goes on.
            begun_at = tables[name].opened_at if name == "incident_id" else tables[name].created_at
            query = select(tables[name].id).where(here).order_by(begun_at, tables[name].id)
            ids: list[UUID] = list(session.scalars(query))
        assert ids, f"there is no {name}"
        return ids
    words = {
        "code_id": IN_CODE, "code_name": "example_quick_test", "name": "workflow", "number": 1, "service": "meta",
        "kind": "discord", "type_name": "run_failed", "user_id": ana.user_id, "organization_id": ana.organization_id,
    }  # fmt: skip
    return [words[name]]
