"""The form of a push: what is pushed, of whom, and into which tab of which spreadsheet."""

from uuid import UUID

import pytest
from sqlalchemy import select

from app.jobs.kinds.base import KindName
from app.jobs.models import Job, JobChain
from app.jobs.policies import ChainOutcome
from tests.factories.figures import make_connection
from tests.factories.work import make_job, make_organization
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser
from tests.web.filled_form import filled_form

NEW = "/jobs/new?kind=sync&service=sheets"


@pytest.fixture
def sheet(database: OpenDatabase, organization_id: UUID, real_kinds: None) -> str:
    return connect(database, organization_id, "Marketing KPIs", service="sheets", zone=None, currency=None)


@pytest.fixture
def account(database: OpenDatabase, organization_id: UUID) -> str:
    return connect(database, organization_id, "Acme EU")


def connect(database: OpenDatabase, organization_id: UUID, name: str, **columns: object) -> str:
    with database.transaction() as session:
        return str(make_connection(session, organization_id, name=name, **columns).id)


def filled(owner: Browser, sheet: str, account: str, **changed: list[str]) -> dict[str, list[str]]:
    form = filled_form(owner.visit(NEW).text, "job-form")
    typed = {
        "name": ["Push spend"], "connection_id": [sheet], "tab": ["Spend"], "source": [account],
        "metrics": ["spend", "clicks"], "level": ["campaign"],
    }  # fmt: skip
    return form | typed | changed


def jobs(database: OpenDatabase) -> list[Job]:
    with database.reading() as session:
        return list(session.scalars(select(Job).where(Job.kind == KindName.SYNC.value, Job.service == "sheets")))


def test_makes_a_push(owner: Browser, database: OpenDatabase, sheet: str, account: str) -> None:
    answer = owner.send("/jobs", filled(owner, sheet, account))

    assert answer.status_code == 303, answer.text
    (job,) = jobs(database)
    assert (job.name, job.definition) == (
        "Push spend",
        {
            "service": "sheets",
            "connection_id": sheet,
            "push": {
                "source": account, "level": "campaign", "metrics": ["spend", "clicks"], "grain": "day", "days": 90,
                "tab": "Spend",
            },
        },
    )  # fmt: skip


def test_shows_again_what_was_chosen(owner: Browser, database: OpenDatabase, sheet: str, account: str) -> None:
    owner.send("/jobs", filled(owner, sheet, account, days=["28"], grain=["week"]))
    (job,) = jobs(database)

    form = filled_form(owner.visit(f"/jobs/{job.id}/edit").text, "job-form")

    assert [form[name] for name in ("tab", "days", "grain", "level", "source", "connection_id", "metrics")] == [
        ["Spend"], ["28"], ["week"], ["campaign"], [account], [sheet], ["spend", "clicks"],
    ]  # fmt: skip


def test_takes_changes(owner: Browser, database: OpenDatabase, sheet: str, account: str) -> None:
    owner.send("/jobs", filled(owner, sheet, account))
    (job,) = jobs(database)
    form = filled_form(owner.visit(f"/jobs/{job.id}/edit").text, "job-form")

    answer = owner.send(f"/jobs/{job.id}", form | {"tab": ["Money"], "metrics": ["spend"]})

    (job,) = jobs(database)
    assert (answer.status_code, job.definition["push"]["tab"]) == (303, "Money")
    assert job.definition["push"]["metrics"] == ["spend"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"metrics": []}, "Choose the figures that are pushed"),
        ({"metrics": ["sessions"]}, "Meta has no sessions"),
        ({"metrics": ["reach"], "grain": ["week"]}, "Reach count people"),
        ({"tab": [" "]}, "Say what the tab is called"),
        ({"tab": ["x" * 101]}, "at most 100 characters"),
        ({"days": ["0"]}, "“days” has to be a whole number from 1 to 1,130"),
        ({"source": [""]}, "Choose the account whose figures are pushed"),
        ({"connection_id": [""]}, "say which"),
    ],
)
def test_says_what_is_wrong_and_where(
    owner: Browser, database: OpenDatabase, sheet: str, account: str, changed: dict[str, list[str]], words: str
) -> None:
    answer = owner.send("/jobs", filled(owner, sheet, account, **changed))

    assert (answer.status_code, words in answer.text, jobs(database)) == (422, True, [])


def test_refuses_what_is_of_somebody_else(owner: Browser, database: OpenDatabase, sheet: str, account: str) -> None:
    with database.transaction() as session:
        other = make_organization(session, "Other")
        foreign = str(make_connection(session, other).id)
        foreign_sheet = str(make_connection(session, other, name="Sheet", service="sheets").id)

    for changed in ({"source": [foreign]}, {"connection_id": [foreign_sheet]}):
        answer = owner.send("/jobs", filled(owner, sheet, account, **changed))
        assert (answer.status_code, "This connection is gone" in answer.text) == (422, True)


def test_refuses_the_tab_of_another_push(owner: Browser, database: OpenDatabase, sheet: str, account: str) -> None:
    owner.send("/jobs", filled(owner, sheet, account))
    (first,) = jobs(database)
    other = connect(database, first.organization_id, "Another", service="sheets", account_id="b" * 44)

    # Two tabs cannot differ in upper and lower case alone.
    answer = owner.send("/jobs", filled(owner, sheet, account, name=["Second"], tab=["SPEND"]))

    assert (answer.status_code, len(jobs(database))) == (422, 1)
    assert "“Push spend” pushes to the tab “SPEND” of this spreadsheet already" in answer.text
    assert owner.send("/jobs", filled(owner, other, account, name=["Elsewhere"])).status_code == 303
    assert owner.send("/jobs", filled(owner, sheet, account, name=["Second"], tab=["Money"])).status_code == 303


def test_refuses_to_move_to_the_tab_of_another_push(
    owner: Browser, database: OpenDatabase, sheet: str, account: str
) -> None:
    owner.send("/jobs", filled(owner, sheet, account))
    owner.send("/jobs", filled(owner, sheet, account, name=["Second"], tab=["Money"]))
    first, second = sorted(jobs(database), key=lambda job: job.name)
    form = filled_form(owner.visit(f"/jobs/{second.id}/edit").text, "job-form")

    refused = owner.send(f"/jobs/{second.id}", form | {"tab": ["Spend"]})
    kept = owner.send(f"/jobs/{second.id}", form | {"tab": ["MONEY"]})
    owner.send(f"/jobs/{first.id}/delete", {})
    form = filled_form(owner.visit(f"/jobs/{second.id}/edit").text, "job-form")
    moved = owner.send(f"/jobs/{second.id}", form | {"tab": ["Spend"]})

    assert (refused.status_code, kept.status_code, moved.status_code) == (422, 303, 303)


def test_offers_accounts_and_spreadsheets_apart(owner: Browser, sheet: str, account: str) -> None:
    answer = owner.send("/jobs", filled(owner, account, sheet))

    assert answer.status_code == 422
    assert "This connection is none of Google Sheets" in answer.text


def test_says_what_it_does_in_the_list(owner: Browser, sheet: str, account: str) -> None:
    owner.send("/jobs", filled(owner, sheet, account))

    assert "Pushes spend, clicks by campaign and day to Google Sheets: “Spend”" in owner.visit("/jobs").text


def test_can_be_deleted_without_a_spreadsheet(owner: Browser, database: OpenDatabase, sheet: str, account: str) -> None:
    owner.send("/jobs", filled(owner, sheet, account))
    (job,) = jobs(database)

    owner.send(f"/jobs/{job.id}/delete", {})

    assert owner.visit(f"/jobs/{job.id}/edit").status_code == 404


def test_is_offered_where_kinds_are_chosen_and_at_the_spreadsheet(owner: Browser, sheet: str, account: str) -> None:
    assert "service=sheets" in owner.visit("/jobs/new").text
    at_sheet = owner.visit(f"/connections/{sheet}").text
    assert f"connection_id={sheet}" in at_sheet
    assert ("Schedules that push to it" in at_sheet, "Days and money" in at_sheet) == (True, False)
    form = filled_form(owner.visit(f"{NEW}&connection_id={sheet}&source={account}").text, "job-form")
    assert (form["connection_id"], form["source"]) == ([sheet], [account])


def test_is_named_at_the_spreadsheet_with_what_starts_it(
    owner: Browser, database: OpenDatabase, sheet: str, account: str
) -> None:
    page = owner.visit(f"/connections/{sheet}").text
    assert ("Nothing is pushed to it yet" in page, "Nothing is pushed to it by itself yet" in page) == (False, True)
    owner.send("/jobs", filled(owner, sheet, account))
    (push,) = jobs(database)
    with database.transaction() as session:
        sync = make_job(session, push.organization_id, name="<b>Read</b> Acme")
    assert "Nothing is pushed to it by itself yet" in owner.visit(f"/connections/{sheet}").text

    with database.transaction() as session:
        session.add(
            JobChain(
                organization_id=push.organization_id, job_id=sync.id, outcome=ChainOutcome.SUCCESS.value,
                then_job_id=push.id, parameters={}, created_at=push.created_at,
            )
        )  # fmt: skip
    page = owner.visit(f"/connections/{sheet}").text

    assert (f'<a href="/jobs/{push.id}">Push spend</a>' in page, "&lt;b&gt;Read&lt;/b&gt; Acme" in page) == (True, True)
    assert ("Nothing is pushed to it by itself yet" in page, "What its job reads" in page) == (False, False)


def test_is_no_other_kind(owner: Browser, sheet: str) -> None:
    assert "What kind of work is it?" in owner.visit("/jobs/new?kind=sync&service=meta").text
    assert owner.send("/jobs", {"kind": "sync", "service": "meta", "name": "x"}).status_code in {400, 422}


def test_has_no_place_among_figures(owner: Browser, sheet: str, account: str) -> None:
    text = owner.visit("/data").text

    assert ("Acme EU" in text, "Marketing KPIs" in text) == (True, False)
