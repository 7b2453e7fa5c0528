"""The page of the audit: what it shows, to whom, how it is narrowed, and its files."""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, event

from app.core.ids import new_id
from app.tenants.access import Actor
from app.tenants.audit import record
from app.tenants.audit_masks import MASK
from app.tenants.models import AuditEntry
from app.tenants.platform import acting_for_the_installation
from app.tenants.roles import Role
from app.web.page_size import USUAL_SIZE
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser, OpenBrowser

MOST_STATEMENTS = 12
Note = Callable[..., None]


@pytest.fixture
def note(database: OpenDatabase, clock: ManualClock) -> Note:
    """Writes an entry, and forgets that browsers were signed in."""

    def write(actor: Actor, action: str = "job.revised", **more: Any) -> None:
        facts: dict[str, Any] = {"subject_kind": "job", "subject_id": None, "summary": "Did something"}
        with database.transaction() as session:
            session.execute(delete(AuditEntry).where(AuditEntry.action == "account.signed_in"))
            record(session, actor=actor, action=action, **facts | {"now": clock.moment} | more)

    return write


def clocks(text: str) -> list[str]:
    return re.findall(r"<time class=\"unbroken num\"[^>]*>([^<]+)</time>", text)


class TestTheList:
    def test_says_who_did_what_when_to_the_second_by_the_clock_of_whoever_looks(self, admin: Browser, note: Note):
        note(admin.actor, summary="Changed job “Load”", now=utc("2027-01-05 11:59") + timedelta(seconds=7))

        text = admin.visit("/audit").text

        assert clocks(text) == ["13:59:07"]
        assert 'scope="rowgroup" colspan="4">Tue 5 Jan</th>' in text
        assert "Changed job “Load”" in text

    def test_groups_entries_by_day_of_the_viewer(self, admin: Browser, note: Note):
        for moment in ("2027-01-04 21:59", "2027-01-04 22:01", "2027-01-04 23:00"):
            note(admin.actor, now=utc(moment))

        text = admin.visit("/audit").text

        assert re.findall(r"rowgroup\" colspan=\"4\">([^<]+)<", text) == ["Tue 5 Jan", "Mon 4 Jan"]
        assert clocks(text) == ["01:00:00", "00:01:00", "23:59:00"]

    def test_says_which_of_two_equal_times_it_was_in_the_night_of_a_clock_change(self, admin: Browser, note: Note):
        for moment in ("2026-10-25 00:30", "2026-10-25 01:30"):
            note(admin.actor, now=utc(moment))

        text = admin.visit("/audit").text

        assert clocks(text) == ["03:30:00 (UTC+02:00)", "03:30:00 (UTC+03:00)"]

    def test_tells_a_person_a_token_and_the_installation_apart(self, admin: Browser, note: Note):
        label = f"{admin.actor.label} (token ci)"
        note(Actor(admin.organization_id, Role.ADMIN, label, admin.user_id))
        note(Actor(admin.organization_id, Role.OWNER, "command line"))

        text = admin.visit("/audit").text

        assert f'{label}</a><span class="sub">API token</span>' in text
        assert 'command line</a><span class="sub">System</span>' in text

    def test_links_to_what_still_exists_and_to_nothing_else(
        self, admin: Browser, database: OpenDatabase, clock: ManualClock, note: Note
    ):
        with database.transaction() as session:
            job = make_job(session, admin.organization_id, name="Load")
            schedule = make_schedule(session, job, name="Nightly")
            gone = make_schedule(session, job, name="Gone", deleted_at=clock.moment)
            run = make_run(session, job, now=clock.moment)
            ids = {"job": job.id, "schedule": schedule.id, "run": run, "user": admin.user_id}
            lost = gone.id
        for kind, subject_id in [*ids.items(), ("schedule", lost)]:
            note(admin.actor, f"{kind}.changed", subject_kind=kind, subject_id=subject_id)

        text = admin.visit("/audit").text

        for address in (f"/jobs/{ids['job']}", f"/schedules/{ids['schedule']}", f"/runs/{run}", "/settings/team"):
            assert f'<br><a href="{address}">' in text
        assert f"/schedules/{lost}" not in text

    def test_unfolds_from_what_to_what(self, admin: Browser, note: Note):
        note(admin.actor, changes={"tries": [3, 5], "retry_delay_seconds": [10, 600]})

        text = admin.visit("/audit").text

        assert "<summary>2 changes</summary>" in text
        assert '<dt>tries</dt><dd><del>3</del> <span aria-hidden="true">→</span> <ins>5</ins>' in text
        assert "<dt>first wait</dt><dd><del>10 s</del>" in text

    def test_tells_changes_of_a_schedule_in_its_words(self, admin: Browser, database: OpenDatabase, note: Note):
        with database.transaction() as session:
            old, new = (make_job(session, admin.organization_id, name=name).id for name in ("Old", "New"))
        pairs = {"enabled": ["True", "False"], "missed_max_age_seconds": ["3600", "None"], "tags": ["", "a, b"]}
        changes = {"job_id": [str(old), str(new)], **pairs}
        note(admin.actor, "schedule.edited", subject_kind="schedule", subject_id=uuid4(), changes=changes)

        text = re.sub(r"<[^>]+>", "", admin.visit("/audit").text)

        for words in ("jobOld → New", "switchon → off", "oldest missed run1 h → nothing", "tagsnothing → a, b"):
            assert words in text

    def test_shows_no_secret(self, admin: Browser, note: Note):
        secret = "canary-of-ours"
        kept = {"password": ["x", secret], "url": ["", f"https://ada:{secret}@example.com"], "chain": [None, "y"]}
        kept["chain"] = [None, f'“Report” on success, with {{"api_key": "{secret}", "rows": 3}}']
        note(admin.actor, summary=f"Called with Bearer {secret}", changes=kept)

        shown = [admin.visit(path).text for path in ("/audit", "/audit.csv", "/audit.json")]

        assert all(secret not in text and MASK in text for text in shown)

    def test_shows_a_page_of_fifty_and_leads_to_the_next(self, admin: Browser, note: Note, clock: ManualClock):
        for number in range(USUAL_SIZE + 2):
            note(admin.actor, summary=f"Number {number}.", now=clock.moment - timedelta(seconds=number // 2))

        first = admin.visit("/audit?actor=admin@example.com").text
        older = re.search(r'href="([^"]+)"\s+rel="next"', first)
        assert older is not None
        second = admin.visit(older[1].replace("&amp;", "&")).text

        numbers = [int(found) for found in re.findall(r"Number (\d+)\.", first + second)]
        assert sorted(numbers) == list(range(USUAL_SIZE + 2))
        assert len(clocks(second)) == 2
        assert 'rel="next"' not in second

    def test_asks_the_database_little(self, admin: Browser, database: OpenDatabase, note: Note, clock: ManualClock):
        with database.transaction() as session:
            job = make_job(session, admin.organization_id)
            run = make_run(session, job, now=clock.moment)
            ids = {"job": job.id, "run": run, "schedule": make_schedule(session, job).id, "user": admin.user_id}
        for kind in ("job", "run", "schedule", "user", "invitation", "api_token"):
            subject_id = ids.get(kind, new_id())
            changes = {"job_id": [str(ids["job"]), str(new_id())]}
            note(admin.actor, subject_kind=kind, subject_id=subject_id, changes=changes)
        admin.visit("/audit")
        asked: list[str] = []

        def keep(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
            if "set_config" not in statement:
                asked.append(statement)

        event.listen(database.read, "before_cursor_execute", keep)
        admin.visit("/audit")
        event.remove(database.read, "before_cursor_execute", keep)

        assert len(asked) <= MOST_STATEMENTS, "\n".join(asked)


class TestFilter:
    @pytest.fixture
    def past(self, admin: Browser, owner: Browser, note: Note) -> UUID:
        """Four entries; the id is that of a schedule of which two of them tell."""
        subject = uuid4()
        of_schedule = {"subject_kind": "schedule", "subject_id": subject}
        note(owner.actor, "schedule.created", summary="First", now=utc("2027-01-01 12:00"), **of_schedule)
        note(admin.actor, "schedule.deleted", summary="Second", now=utc("2027-01-02 12:00"), **of_schedule)
        token = Actor(admin.organization_id, Role.ADMIN, f"{admin.actor.label} (token ci)", admin.user_id)
        note(token, "member.left", subject_kind="user", summary="Third", now=utc("2027-01-03 12:00"))
        note(Actor(admin.organization_id, Role.OWNER, "command line"), summary="Fourth", now=utc("2027-01-03 21:59"))
        return subject

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["Fourth", "Third", "Second", "First"]),
            ("actor=admin@example.com", ["Third", "Second"]),
            ("actor=admin@example.com+(token+ci)", ["Third"]),
            ("actor=command+line", ["Fourth"]),
            ("actor=%25", []),
            ("kind=schedule", ["Second", "First"]),
            ("action=schedule.created", ["First"]),
            ("action=schedule", ["Second", "First"]),
            ("action=member", ["Third"]),
            ("subject=SUBJECT", ["Second", "First"]),
            ("since=2027-01-02&until=2027-01-02", ["Second"]),
            ("since=2027-01-03", ["Fourth", "Third"]),
            ("until=2027-01-03", ["Fourth", "Third", "Second", "First"]),
            ("until=2027-01-03T12:00:00Z", ["Second", "First"]),
        ],
    )
    def test_narrows_the_page_and_the_files(self, admin: Browser, past: UUID, query: str, expected: list[str]):
        query = query.replace("SUBJECT", str(past))

        page = re.findall(r'data-label="Details">(\w+)', admin.visit(f"/audit?{query}", follow_redirects=True).text)
        rows = list(csv.DictReader(io.StringIO(admin.visit(f"/audit.csv?{query}").text)))
        facts = json.loads(admin.visit(f"/audit.json?{query}").text)

        assert page == expected
        assert [row["summary"] for row in rows] == expected
        assert [fact["summary"] for fact in facts] == expected

    def test_is_in_the_form_and_in_the_links_of_the_files(self, admin: Browser, past: UUID):
        typed = f"/audit?subject={past}&action=schedule.deleted&since=2027-01-01"
        text = admin.visit(typed, follow_redirects=True).text

        assert '<option value="schedule.deleted" selected>' in text
        assert f'name="subject" value="{past}"' in text
        assert f'href="/audit.csv?action=schedule.deleted&amp;subject={past}&amp;since=2026-12-31T22:00Z"' in text
        assert 'type="date" name="since" id="since" value="2027-01-01"' in text

    def test_says_what_of_it_cannot_be_read_and_gives_no_file_then(self, admin: Browser, past: UUID):
        page = admin.visit("/audit?since=yesterday&subject=7")

        assert page.status_code == 422
        assert "From: &#39;yesterday&#39; is neither a day nor an instant." in page.text
        assert "/audit.csv" not in page.text
        assert admin.visit("/audit.csv?since=yesterday").status_code == 422

    def test_that_lets_nothing_through_says_so(self, admin: Browser, past: UUID):
        assert "Nothing matches this filter" in admin.visit("/audit?actor=nobody").text
        assert "Nothing older" in admin.visit(f"/audit?before=2020-01-01T00:00:00%2B00:00~{past}").text

    def test_comes_from_the_pages_of_things(self, admin: Browser, viewer: Browser, database: OpenDatabase):
        with database.transaction() as session:
            job = make_job(session, admin.organization_id)
            schedule_id = make_schedule(session, job).id
        links = {
            f"/jobs/{job.id}": f"/audit?kind=job&amp;subject={job.id}",
            f"/schedules/{schedule_id}": f"/audit?kind=schedule&amp;subject={schedule_id}",
            "/settings/team": "/audit?action=member",
        }

        for path, link in links.items():
            assert f'href="{link}"' in admin.visit(path).text
            assert "/audit" not in viewer.visit(path).text


class TestFiles:
    def test_hold_more_than_one_read(
        self, admin: Browser, note: Note, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
    ):
        monkeypatch.setattr("app.ops.audit_files.ROWS_PER_READ", 2)
        for number in range(5):
            note(admin.actor, summary=f"Number {number}")

        rows = list(csv.DictReader(io.StringIO(admin.visit("/audit.csv").text)))
        facts = json.loads(admin.visit("/audit.json").text)

        assert sorted(row["summary"] for row in rows) == [f"Number {number}" for number in range(5)]
        assert [fact["id"] for fact in facts] == [row["id"] for row in rows]

    def test_are_safe_to_open_in_a_spreadsheet(self, admin: Browser, note: Note):
        note(admin.actor, summary='=HYPERLINK("http://example.com")', changes={"name": ["a", "@SUM(A1)"]})
        note(Actor(admin.organization_id, Role.OWNER, "+cmd"), changes={"=x": [1, 2]})

        rows = list(csv.reader(io.StringIO(admin.visit("/audit.csv").text)))

        assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]

    def test_of_nothing_are_whole_too(self, admin: Browser):
        assert len(admin.visit("/audit.csv?actor=nobody").text.splitlines()) == 1
        assert json.loads(admin.visit("/audit.json?actor=nobody").text) == []

    def test_say_when_by_the_clock_of_the_world(self, admin: Browser, note: Note):
        note(admin.actor, now=datetime.fromisoformat("2027-01-05T10:00:00.5+02:00"))

        assert json.loads(admin.visit("/audit.json").text)[0]["at"] == "2027-01-05T08:00:00.500000Z"


class TestWhoMaySee:
    @pytest.mark.parametrize("path", ["/audit", "/audit.csv", "/audit.json"])
    def test_is_up_to_the_role(self, owner: Browser, admin: Browser, operator: Browser, viewer: Browser, path: str):
        statuses = [browser.visit(path).status_code for browser in (owner, admin, operator, viewer)]

        assert statuses == [200, 200, 403, 403]

    def test_the_menu_names_it_to_those_who_may(self, admin: Browser, operator: Browser):
        assert 'href="/audit"' in admin.visit("/").text
        assert "/audit" not in operator.visit("/").text

    def test_nobody_sees_what_was_done_elsewhere(self, admin: Browser, stranger: Browser, note: Note):
        note(admin.actor, summary="Ours alone")

        shown = [stranger.visit(path).text for path in ("/audit", "/audit.csv", "/audit.json")]

        assert not [text for text in shown if "Ours alone" in text]

    def test_platform_admins_switch_to_the_installation(self, platform_admin: Browser, note: Note):
        note(acting_for_the_installation("command line"), "queue.paused", subject_kind="queue", summary="Paused “sync”")

        own, installation = platform_admin.visit("/audit").text, platform_admin.visit("/admin/audit").text

        assert "Paused “sync”" not in own
        assert 'href="/admin/audit" >The installation' in own
        assert "Paused “sync”" in installation
        assert re.search(r'<a href="/audit"[^>]* aria-current="page"', installation)

    def test_the_installation_has_files_of_its_own(self, platform_admin: Browser, admin: Browser, note: Note):
        note(acting_for_the_installation("command line"), "queue.paused", subject_kind="queue", summary="Paused “sync”")

        rows = list(csv.DictReader(io.StringIO(platform_admin.visit("/admin/audit.csv").text)))
        facts = json.loads(platform_admin.visit("/admin/audit.json").text)

        assert [row["summary"] for row in rows] == [fact["summary"] for fact in facts] == ["Paused “sync”"]
        assert admin.visit("/admin/audit").status_code == 403

    def test_a_platform_admin_who_only_looks_here_still_finds_the_installation(self, open_browser: OpenBrowser):
        both = open_browser(role=Role.VIEWER, email="both@example.com", is_platform_admin=True)

        assert both.visit("/audit").status_code == 403
        assert 'href="/admin/audit"' in both.visit("/").text
        assert "This organization" not in both.visit("/admin/audit").text
