"""Which pages are taken, and what is done on them before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Page

from bench.camera import Camera, Prepare, Shot
from bench.screenshot_data import LINES
from bench.screenshot_moments import People

# The pictures of parts of pages, which are read at half the width of a screen.
NARROW, SHORT = {"width": 1180, "height": 850}, {"width": 1180, "height": 420}
NOBODY = ""
# Every page of the owner, by the name of its pictures. What stands in braces is found on other pages.
PAGES = """
overview                /
schedules               /schedules
schedules-failing       /schedules?status=failing
schedules-none          /schedules?q=nothing+like+it
deleted                 /schedules/deleted
schedule                {schedule}
schedule-edit           {schedule}/edit
schedule-versions       {schedule}/versions
schedule-restore        {schedule}/versions/1/restore
schedule-slots          {schedule}/slots
schedule-history        {schedule}/history
schedule-delete         {schedule}/delete
runs                    /runs
runs-failed             /runs?state=failed&last=7d
run                     {long_run}
run-running             {running_run}
run-again               {long_run}/again
run-compare             {failed_run}/compare
queue-waiting           /queue?tab=waiting
queue-running           /queue?tab=running
queue-retrying          /queue?tab=retrying
queue-dead              /queue?tab=dead
queue-removed           /queue?tab=removed
queue-all               /queue?tab=all
queue-everybody         /queue?of=all&tab=dead
queue-hour              /queue/hours/workflow
queue-limits            /queue/workflow/limits
queue-organizations     /queue/organizations
queue-new               /queue/new
workers                 /queue/workers
jobs                    /jobs
job                     {job}
job-edit                {job}/edit
job-chains              {job}/chains
job-delete              {job}/delete
job-new                 /jobs/new
job-new-workflow        /jobs/new?kind=workflow
job-new-code            /jobs/new?kind=code
job-new-sync            /jobs/new?kind=sync
connections             /connections
connection-choose       /connections/new
connection-new          /connections/new/meta
data                    /data
data-month              /data?level=campaign&range=this_month
data-clicks             /data?metric=clicks&range=90d&grain=week
data-changes            /data/changes
incidents               /incidents
incidents-closed        /incidents?state=closed
incident                {incident}
incident-close          {incident}/close
incident-retry          {incident}/retry
notifications           /notifications
channel-choose          /notifications/channels/new
channel-new             /notifications/channels/new/discord
rule-new                /notifications/rules/new
deliveries              /notifications/deliveries
notification-settings   /notifications/settings
team                    /settings/team
audit                   /audit
audit-all               /admin/audit
account                 /account
tokens                  /account/tokens
organizations           /organizations
help                    /help
system                  /admin/system
pause                   /admin/system/pause
code                    /admin/schedules
code-skipped            /admin/skipped-slots
bulk                    /bulk
views                   /views
view-new                /views/new?list=runs&state=failed
missing                 /nothing-here
"""
# The same for who is new and has nothing, for a viewer, and for names that nobody expects.
EMPTY_PAGES = """
empty                   /
empty-schedules         /schedules
empty-runs              /runs
empty-queue             /queue
empty-jobs              /jobs
empty-data              /data
empty-incidents         /incidents
empty-notifications     /notifications
empty-deliveries        /notifications/deliveries
empty-audit             /audit
empty-team              /settings/team
empty-deleted           /schedules/deleted
empty-bulk              /bulk
empty-views             /views
"""
VIEWER_PAGES = """
viewer-schedules        /schedules
viewer-schedule         {schedule}
viewer-queue            /queue?tab=dead
viewer-job              {job}
viewer-run              {long_run}
viewer-incident         {incident}
viewer-notifications    /notifications
viewer-deliveries       /notifications/deliveries
viewer-refused          /jobs/new
"""
EDGE_PAGES = """
edges                   /
edges-schedules         /schedules
edges-runs              /runs
edges-queue             /queue?tab=dead
edges-jobs              /jobs
edges-audit             /audit
edges-account           /account
edges-team              /settings/team
edges-deleted           /schedules/deleted
"""


@dataclass(frozen=True)
class Places:
    """Addresses that are found on other pages."""

    schedule: str
    rarer: str
    failed_run: str
    long_run: str
    running_run: str
    job: str
    incident: str


def find_places(camera: Camera) -> Places:
    """Look them up as a person would."""
    return Places(
        schedule=camera.read(f"/schedules?q={LINES[0].name}", _first("#rows .name")),
        rarer=camera.read(f"/schedules?q={LINES[1].name}", _first("#rows .name")),
        failed_run=camera.read(f"/runs?state=failed&q={LINES[0].job}", _first("tbody .name")),
        long_run=camera.read("/runs?state=failed&q=Catalogue", _first("tbody .name")),
        running_run=camera.read("/queue?tab=running", _first("#queue-runs .name")),
        job=camera.read("/jobs", _first("tbody .name")).removesuffix("/edit"),
        # The oldest one is told for sure; the newest may still wait for its turn.
        incident=camera.read("/incidents", _first("#incident-rows tr:last-child .name")),
    )


def _first(selector: str) -> Callable[[Page], str]:
    return lambda page: str(page.locator(selector).first.get_attribute("href"))


def open_form(page: Page) -> None:
    """The dialog, half filled."""
    page.get_by_role("link", name="New schedule").first.click()
    page.get_by_label("Name", exact=True).fill("Prices before the shops open")
    page.get_by_label("Job", exact=True).select_option(label="Price feed")
    page.get_by_label("Cron text").fill("30 2 * * *")
    page.locator("select#timezone").select_option("America/New_York", force=True)
    page.locator("#form-preview").get_by_text("does not exist").first.wait_for(state="attached")


def search_zone(page: Page) -> None:
    open_form(page)
    page.get_by_role("combobox", name="Time zone").focus()
    page.keyboard.type("india")
    page.get_by_role("listbox").get_by_role("option").first.wait_for()


def go_to_yesterday(page: Page) -> None:
    page.get_by_role("link", name="Previous day").click()


def tick_two(page: Page) -> None:
    for number in (0, 1):
        page.locator("tbody .tick").nth(number).check()
    page.locator(".bulk").wait_for()


def ask_about_two(page: Page) -> None:
    tick_two(page)
    page.locator(".bulk button[name=action]").nth(1).click()
    page.locator("dialog[open]").wait_for()


def press(selector: str) -> Prepare:
    """Press it, and wait for the dialog if it opens one."""

    def do(page: Page) -> None:
        page.locator(selector).first.click()
        page.wait_for_load_state("networkidle")

    return do


def fail_to_sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("ana@example.com")
    page.get_by_label("Password").fill("not this one")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")


def send_empty(page: Page) -> None:
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    page.locator("main form button[data-kind=primary]").last.click()
    page.wait_for_load_state("networkidle")


def shoot_docs(camera: Camera, places: Places) -> None:
    """What README and docs show."""
    schedule = places.schedule
    camera.take(Shot("schedules", "/schedules"))
    camera.take(Shot("queue", "/queue?tab=dead"))
    camera.take(Shot("run", places.long_run))
    camera.take(Shot("overview-dark", "/"), is_dark=True)
    camera.take(Shot("data", "/data"))
    camera.take(Shot("notifications", "/notifications"), size={"width": 1180, "height": 620})
    camera.take(Shot("incident", places.incident), size={"width": 1180, "height": 1480})
    for is_dark in (False, True):
        dark = "-dark" if is_dark else ""
        camera.take(Shot("schedule", schedule), name=f"schedule{dark}", is_dark=is_dark)
        camera.take(Shot("form", "/schedules", prepare=open_form), name=f"schedule-form{dark}", is_dark=is_dark)
        for name in ("trend", "history"):
            camera.take(Shot(name, schedule), name=f"{name}{dark}", part=f"#{name}", size=NARROW, is_dark=is_dark)
    camera.take(Shot("zone-picker", "/schedules", prepare=search_zone), part="dialog", size=NARROW)
    camera.take(Shot("versions", f"{schedule}/versions"), size=SHORT)
    yesterday = Shot("slots", f"{places.rarer}/slots", prepare=go_to_yesterday)
    camera.take(yesterday, size={"width": 1180, "height": 620})


def every_page(places: Places, people: People) -> Iterator[Shot]:
    """All there is to look at: every page, its dialogs, and how it is empty, refused, and with names nobody expects."""
    for text, who in (
        (PAGES, people.ana),
        (EMPTY_PAGES, people.newcomer),
        (VIEWER_PAGES, people.viewer),
        (EDGE_PAGES, people.edges),
    ):
        for line in text.split("\n")[1:-1]:
            name, path = line.split(maxsplit=1)
            yield Shot(name, path.format_map(vars(places)), who.email)
    yield Shot("schedules-ticked", "/schedules", prepare=tick_two)
    yield Shot("schedules-question", "/schedules", prepare=ask_about_two)
    yield Shot("schedules-menu", "/schedules", prepare=press("tbody [data-menu] summary"))
    yield Shot("schedule-form", "/schedules", prepare=open_form)
    yield Shot("schedule-zones", "/schedules", prepare=search_zone)
    yield Shot("schedule-refused", "/schedules/new", prepare=send_empty)
    yield Shot("channel-refused", "/notifications/channels/new/discord", prepare=send_empty)
    yield Shot("job-refused", "/jobs/new?kind=workflow", prepare=send_empty)
    yield Shot("queue-ticked", "/queue?tab=dead", prepare=tick_two)
    yield Shot("queue-stuck", "/queue?tab=running", prepare=press("[id^=look-]"))
    yield Shot("queue-cause", "/queue?tab=dead", prepare=press("#causes form button"))
    yield Shot("bulk-done", "/bulk", prepare=press("main tbody a"))
    yield Shot("audit-open", "/audit", prepare=press("main details summary"))
    yield Shot("help-dialog", "/", prepare=lambda page: page.keyboard.press("?"))
    yield Shot("account-menu", "/", prepare=press(".account summary"))
    yield Shot("code-one", "/admin/schedules", prepare=press("main tbody .name"))
    yield Shot("login", "/login", NOBODY)
    yield Shot("login-refused", "/login", NOBODY, fail_to_sign_in)
    edges = people.edges.email
    yield Shot("edges-schedule", "/schedules", edges, press("#rows .name"))
    yield Shot("edges-run", "/runs?state=failed", edges, press("tbody .name"))
    yield Shot("edges-bulk", "/bulk", edges, press("main tbody a"))
