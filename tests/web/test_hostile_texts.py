"""What came from outside and could steer a page or hide in it: written out wherever it is shown."""

import re
from uuid import UUID

import pytest

from app.core.db import Database
from tests.factories.outcomes import make_failed
from tests.factories.work import make_job, make_schedule
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

# An order to a terminal, a direction of writing, something that nobody sees, and the end of a page.
HOSTILE = "Sho\x1b[31mp \u202egnp.exe \u200bdown\u2066 \x07\x9b\u2028</title><script>alert(1)</script>"
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
WRITTEN_OUT = r"Sho\x1b[31mp \u202egnp.exe \u200bdown\u2066 \x07\x9b\u2028"


@pytest.fixture
def shown(database: Database, organization_id: UUID, clock: ManualClock) -> dict[str, str]:
    """The pages that show errors and names, with a job whose name is from before names were checked."""
    with database.transaction() as session:
        job = make_job(session, organization_id, name=HOSTILE)
        schedule = make_schedule(session, job, name=f"S {HOSTILE}")
        run_id = make_failed(
            session, job, now=clock.moment, error=HOSTILE, detail=f"{HOSTILE}\nmore", lines=[HOSTILE],
            schedule_id=schedule.id,
        )  # fmt: skip
        return {
            "overview": "/",
            "schedules": "/schedules",
            "schedule": f"/schedules/{schedule.id}",
            "its history": f"/schedules/{schedule.id}/history",
            "its deletion": f"/schedules/{schedule.id}/delete",
            "jobs": "/jobs",
            "job": f"/jobs/{job.id}",
            "runs": "/runs",
            "run": f"/runs/{run_id}",
            "queue": "/queue?tab=all",
            "dead letters": "/queue?tab=dead",
            "audit": "/audit",
        }


class TestHostileTexts:
    def test_are_written_out_on_every_page(self, shown: dict[str, str], real_kinds: None, admin: Browser) -> None:
        pages = {name: admin.visit(path) for name, path in shown.items()}

        assert {name: page.status_code for name, page in pages.items() if page.status_code != 200} == {}
        assert {name: RAW.findall(page.text) for name, page in pages.items() if RAW.search(page.text)} == {}

    @pytest.mark.parametrize(
        "name", ["overview", "schedules", "schedule", "jobs", "runs", "run", "queue", "dead letters"]
    )
    def test_can_be_read(self, shown: dict[str, str], real_kinds: None, admin: Browser, name: str) -> None:
        assert WRITTEN_OUT in admin.visit(shown[name]).text

    def test_are_written_out_in_the_question_about_many(
        self, shown: dict[str, str], real_kinds: None, admin: Browser
    ) -> None:
        asked = admin.send("/queue/selection", {"all": "yes", "tab": "dead", "action": "runs.retry"}).location

        text = admin.visit(asked).text

        assert WRITTEN_OUT in text
        assert RAW.search(text) is None

    def test_are_written_out_in_what_a_page_says_after_a_press(
        self, shown: dict[str, str], real_kinds: None, admin: Browser
    ) -> None:
        said = admin.send(f"{shown['schedule']}/enabled", {"enabled": "no"}, htmx=True).headers["HX-Trigger"]

        assert r"\\u202e" in said
        assert r'"\u202e' not in said
