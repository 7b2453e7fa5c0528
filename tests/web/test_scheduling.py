"""Stopping everything and pausing a queue, as browsers see it."""

import re

import pytest
from sqlalchemy import select

from app.core.scopes import PLATFORM
from app.runs.switches import list_switches
from app.schedules.stops import current_stop
from app.tenants.models import AuditEntry
from tests.factories.outcomes import make_failed
from tests.factories.work import load_run, make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser

REASON = {"reason": "Moving house"}
BANNER = "All scheduling is stopped."
PAGES = [
    "/",
    "/schedules",
    "/runs",
    "/queue",
    "/jobs",
    "/settings/team",
    "/account",
    "/organizations",
    "/schedules/new",
]

ADMIN_ACTIONS = ["/scheduling/stop", "/scheduling/start", "/queue/code/pause", "/queue/code/resume"]


def text_of(browser: Browser, path: str) -> str:
    """What a person reads: no tags, no line breaks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.visit(path).text))


class TestStoppingEverything:
    @pytest.mark.parametrize("path", PAGES)
    def test_is_said_on_every_page_with_who_and_why(self, platform_admin: Browser, owner: Browser, path: str) -> None:
        platform_admin.send("/scheduling/stop", REASON)

        shown = text_of(owner, path)

        assert BANNER in shown
        assert f"{platform_admin.actor.label} stopped it" in shown
        assert "Moving house" in shown

    def test_has_an_undo(self, platform_admin: Browser) -> None:
        platform_admin.send("/scheduling/stop", REASON)

        toast = platform_admin.visit("/queue").text.partition('class="toasts"')[2]
        assert 'action="/scheduling/start"' in toast

    def test_offers_the_start_to_platform_admins_alone(self, platform_admin: Browser, owner: Browser) -> None:
        platform_admin.send("/scheduling/stop", REASON)

        assert "/admin/system/resume" in platform_admin.visit("/").text
        assert "/admin/system/resume" not in owner.visit("/").text

    def test_ends_with_the_start_and_both_are_audited(
        self, platform_admin: Browser, owner: Browser, database: OpenDatabase
    ) -> None:
        platform_admin.send("/scheduling/stop", REASON)
        answer = platform_admin.send("/scheduling/start")

        with database.reading() as session:
            actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
            assert current_stop(session) is None
        assert (answer.status_code, answer.location) == (303, "/")
        assert BANNER not in owner.visit("/").text
        assert actions[-2:] == ["scheduling.stopped", "scheduling.started"]

    @pytest.mark.parametrize("path", ADMIN_ACTIONS)
    def test_and_pausing_are_for_platform_admins(self, owner: Browser, database: OpenDatabase, path: str) -> None:
        answer = owner.send(path, REASON)

        with database.reading(PLATFORM) as session:
            found = current_stop(session), list_switches(session)
        assert answer.status_code == 403
        assert found == (None, [])

    def test_needs_a_reason(self, platform_admin: Browser) -> None:
        answer = platform_admin.send("/scheduling/stop", {"reason": " "})

        assert answer.status_code == 422
        assert "Say why scheduling is stopped" in answer.text

    def test_makes_open_pages_refresh_their_banner(self, platform_admin: Browser, owner: Browser) -> None:
        before = owner.visit("/live").json["health"]
        platform_admin.send("/scheduling/stop", REASON)

        after, banner = owner.visit("/live").json["health"], owner.visit("/live/scheduling", htmx=True)

        assert before != after
        assert BANNER in banner.text

    def test_leaves_no_next_run_on_overview_and_schedules(
        self, platform_admin: Browser, owner: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, owner.organization_id)
            schedule_id = make_schedule(session, job, name="Nightly", next_run_at=clock.moment).id
        platform_admin.send("/scheduling/stop", REASON)

        note = "Nothing is planned: all scheduling is stopped"

        assert [note in text_of(owner, path) for path in ("/", "/schedules")] == [True, True]
        assert "What would happen if scheduling were not stopped" in text_of(owner, f"/schedules/{schedule_id}")


class TestPausingAQueue:
    def test_is_said_on_the_queue_page_and_by_the_run_that_waits(
        self, platform_admin: Browser, owner: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, owner.organization_id), now=clock.moment)
        platform_admin.send("/queue/code/pause")

        queue, run = text_of(owner, "/queue"), text_of(owner, f"/runs/{run_id}")

        assert f"The queue “code” is paused. Paused by {platform_admin.actor.label} since" in queue
        assert "Paused" in queue.partition("Tries")[2]
        assert "its queue is paused" in run
        assert f"Its queue “code” is paused, by {platform_admin.actor.label} since" in run

    def test_and_opening_it_have_an_undo(self, platform_admin: Browser) -> None:
        for doing, undo in (("pause", "resume"), ("resume", "pause")):
            platform_admin.send(f"/queue/sync/{doing}")

            toast = platform_admin.visit("/queue").text.partition('class="toasts"')[2]
            assert f'action="/queue/sync/{undo}"' in toast

    def test_that_is_paused_already_undoes_nothing_of_somebody_else(self, platform_admin: Browser) -> None:
        platform_admin.send("/queue/sync/pause")
        platform_admin.visit("/queue")
        platform_admin.send("/queue/sync/pause")

        assert "Undo" not in platform_admin.visit("/queue").text.partition('class="toasts"')[2]

    def test_leaves_a_run_that_is_over_alone(
        self, platform_admin: Browser, owner: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_failed(session, make_job(session, owner.organization_id), now=clock.moment)
        platform_admin.send("/queue/code/pause")

        assert "its queue is paused" not in text_of(owner, f"/runs/{run_id}")

    def test_has_a_button_for_each_queue_for_platform_admins(self, platform_admin: Browser, owner: Browser) -> None:
        platform_admin.send("/queue/sync/pause")

        text = platform_admin.visit("/queue").text

        assert all(f"/queue/{path}" in text for path in ("code/pause", "workflow/pause", "sync/resume"))
        buttons = re.findall(r"<button[^>]*aria-label=\"(?:Pause|Resume) [^>]*>", owner.visit("/queue").text)
        assert len(buttons) == 3
        assert all("disabled" in button and "Only platform admins pause queues" in button for button in buttons)

    def test_ends_with_resuming_and_what_waits_is_hinted_at_at_once(
        self, platform_admin: Browser, owner: Browser, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_run(session, make_job(session, owner.organization_id), now=clock.moment)
        platform_admin.send("/queue/code/pause")

        platform_admin.send("/queue/code/resume")

        with database.reading() as session:
            assert load_run(session, run_id).hinted_at is not None
        assert "is paused" not in owner.visit("/queue").text

    def test_of_a_queue_that_does_not_exist_is_not_found(self, platform_admin: Browser) -> None:
        assert platform_admin.send("/queue/mail/pause").status_code == 404
