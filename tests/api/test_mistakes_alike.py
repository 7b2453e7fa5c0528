"""What cannot be is said in the same words by the form, by every way of the API, and on the command line."""

from urllib.parse import urlencode

import pytest
from click.testing import CliRunner

from app.cli.root import belfry
from app.core.errors import Invalid
from app.jobs.models import Job
from tests.api.conftest import Caller
from tests.factories.work import make_job
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase
from tests.unit.schedules.test_dialog_messages import MISTAKES
from tests.web.conftest import Browser

# Longer ones do not fit into an address, so the script of the form sends their beginning.
_LONGEST_IN_A_FORM = 3_000


@pytest.fixture
def engine() -> str:
    """Whether a text is accepted does not depend on the database."""
    return "sqlite"


@pytest.fixture
def job(database: OpenDatabase, owner_api: Caller, clock: ManualClock) -> Job:
    clock.moment = utc("2026-11-20 12:00")
    with database.transaction() as session:
        return make_job(session, owner_api.organization_id, name="Orders")


@pytest.mark.parametrize("text", MISTAKES)
def test_a_mistake_is_the_same_everywhere(owner_api: Caller, owner: Browser, job: Job, text: str) -> None:
    body = {"cron": text, "timezone": "America/New_York"}
    new = body | {"name": "New", "job_id": str(job.id)}
    made = owner_api.post("/schedules", new | {"cron": "0 0 * * *", "name": "Old"}).json["data"]["id"]
    form = {**new, "overlap": "skip", "missed": "latest", "cron": text[:_LONGEST_IN_A_FORM]}

    answers = [
        owner_api.post("/schedules/preview", body),
        owner_api.post("/schedules/preview", body | {"schedule_id": made}),
        owner_api.post("/schedules", new),
        owner_api.patch(f"/schedules/{made}", body),
        owner_api.post(f"/schedules/{made}/effects", body),
    ]
    said = {answer.json["error"]["fields"][0]["message"] for answer in answers}
    said.add(owner_api.post("/utils/validate-cron", body).json["error"])
    said |= {str(on_the_command_line(command, text)) for command in ("validate", "preview")}

    (message,) = said
    assert message.startswith(MISTAKES[text])
    assert {answer.status_code for answer in answers} == {422}
    assert message in owner.visit(f"/schedules/preview?{urlencode(form)}", htmx=True).text
    assert message in owner.send("/schedules", form).text


def on_the_command_line(command: str, text: str) -> str:
    result = CliRunner().invoke(belfry, ["schedules", command, "--zone", "America/New_York", "--", text])
    assert result.exit_code == 1
    return result.exception.message if isinstance(result.exception, Invalid) else result.output.strip()
