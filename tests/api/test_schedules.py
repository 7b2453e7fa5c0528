"""`/schedules`: lists and pages of them, every change, and what lies behind and ahead of one."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.core.ids import new_id
from app.events.service import Topic, append_event
from app.jobs.kinds.base import KindName
from app.jobs.models import Job
from app.schedules.defaults import give_default_schedules
from app.schedules.models import Gap, Schedule
from app.schedules.queries import NO_TIME_TO_READ
from tests.api.conftest import Caller
from tests.factories.outcomes import make_failed, make_succeeded
from tests.factories.work import make_job, make_run, make_schedule
from tests.fakes.clock import ManualClock, utc
from tests.fakes.database import OpenDatabase

FIELDS = {"id", "service", "cron", "enabled", "timezone", "last_run_at", "next_run_at", "created_at", "updated_at"}


@pytest.fixture
def job(database: OpenDatabase, organization_id: UUID) -> Job:
    with database.transaction() as session:
        return make_job(session, organization_id, name="Orders")


@pytest.fixture
def schedule(database: OpenDatabase, job: Job) -> Schedule:
    with database.transaction() as session:
        return make_schedule(
            session, job, name="Orders, nightly", cron="0 2 * * *", next_run_at=utc("2027-01-06 02:00")
        )


@pytest.fixture
def defaults(database: OpenDatabase, organization_id: UUID, clock: ManualClock) -> None:
    with database.transaction() as session:
        give_default_schedules(session, organization_id=organization_id, now=clock.moment)


def asked(job: Job, **changes: Any) -> dict[str, Any]:
    """The body of a good new schedule."""
    return {"name": "Weekdays", "job_id": str(job.id), "cron": "0 9 * * 1-5", "timezone": "Europe/Berlin"} | changes


def names(answer: Any) -> list[str]:
    return [one["name"] for one in answer.json["data"]]


class TestList:
    def test_shows_one_whose_time_no_calendar_holds_with_its_problem(
        self, viewer_api: Caller, schedule: Schedule, database: OpenDatabase, engine: str
    ):
        with database.transaction() as session:
            stored = {"sqlite": "soon", "postgresql": "infinity"}[engine]
            words = text("UPDATE schedules SET next_run_at = :at, enabled = false WHERE id = :id")
            session.execute(words, {"at": stored, "id": schedule.id.hex})

        (listed,) = viewer_api.get("/schedules").json["data"]
        alone = viewer_api.get(f"/schedules/{schedule.id}").json["data"]

        assert listed["problem"] == alone["problem"] == NO_TIME_TO_READ
        assert listed["next_run_at"] is None

    def test_shows_the_fields_that_were_agreed_on(self, viewer_api: Caller, schedule: Schedule):
        answer = viewer_api.get("/schedules")

        (shown,) = answer.json["data"]
        assert answer.json["success"] is True
        assert set(shown) >= FIELDS
        assert (shown["service"], shown["next_run_at"]) == (None, "2027-01-06T02:00:00Z")

    def test_is_the_same_under_both_addresses(self, viewer_api: Caller, schedule: Schedule):
        assert viewer_api.get("/api/schedules").json == viewer_api.get("/api/v1/schedules").json

    def test_says_when_it_ran_last_and_how_it_fares(
        self, viewer_api: Caller, database: OpenDatabase, job: Job, schedule: Schedule, clock: ManualClock
    ):
        with database.transaction() as session:
            make_failed(session, job, now=clock.moment, schedule_id=schedule.id)

        (shown,) = viewer_api.get("/schedules").json["data"]

        assert shown["last_run_at"] == clock.moment.isoformat().replace("+00:00", "Z")
        assert (shown["last_run_state"], shown["health"]) == ("failed", "failing")
        assert shown["recent_runs"] == {"finished": 1, "succeeded": 0}

    def test_goes_through_all_pages_by_name(self, viewer_api: Caller, database: OpenDatabase, job: Job):
        with database.transaction() as session:
            for name in "edcba":
                make_schedule(session, job, name=name)

        first = viewer_api.get("/schedules", limit=2)
        second = viewer_api.get("/schedules", limit=2, cursor=first.json["next"])
        third = viewer_api.get("/schedules", limit=2, cursor=second.json["next"])

        assert [names(first), names(second), names(third)] == [["a", "b"], ["c", "d"], ["e"]]
        assert third.json["next"] is None

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"service": "ga4"}, ["Google Analytics sync"]),
            ({"enabled": "true"}, ["Orders, nightly"]),
            ({"enabled": "false", "service": "meta"}, ["Meta sync"]),
            ({"enabled": "true", "service": "meta"}, []),
        ],
    )
    def test_is_narrowed(
        self, viewer_api: Caller, schedule: Schedule, defaults: None, query: dict[str, str], found: list[str]
    ):
        assert names(viewer_api.get("/schedules", **query)) == found

    def test_is_narrowed_to_a_workflow(self, viewer_api: Caller, schedule: Schedule, defaults: None):
        assert names(viewer_api.get("/schedules", workflow=schedule.job_id)) == ["Orders, nightly"]
        assert names(viewer_api.get("/schedules", workflow=uuid4())) == []

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"enabled": "maybe"}, "enabled"),
            ({"service": "myspace"}, "service"),
            ({"workflow": "7"}, "workflow"),
            ({"colour": "red"}, "colour"),
            ({"cursor": "forged"}, "cursor"),
            ({"limit": "0"}, "limit"),
        ],
    )
    def test_names_the_parameter_that_is_wrong(self, viewer_api: Caller, query: dict[str, str], field: str):
        answer = viewer_api.get("/schedules", **query)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]

    def test_shows_nobody_elses(self, stranger_api: Caller, schedule: Schedule):
        assert stranger_api.get("/schedules").json["data"] == []


class TestNarrowing:
    def test_by_how_they_fare_and_by_name(self, viewer_api: Caller, schedule: Schedule):
        def names(**query: str) -> list[str]:
            return [one["name"] for one in viewer_api.get("/schedules", **query).json["data"]]

        name = schedule.name
        assert names(health="never run") == [name] == names(q=name[1:4].upper())
        assert names(health="enabled") == [name]
        assert names(health="failing") == [] == names(q="zebra") == names(health="disabled")
        assert viewer_api.get("/schedules", health="fine").status_code == 422


class TestCreating:
    def test_makes_a_schedule_for_any_job(self, operator_api: Caller, job: Job, audited):
        answer = operator_api.post("/schedules", asked(job))

        made = operator_api.get(f"/schedules/{answer.json['data']['id']}").json["data"]
        assert answer.status_code == 201
        assert made == answer.json["data"]
        assert audited() == ["schedule.created"]

    def test_says_in_words_when_it_runs(self, operator_api: Caller, job: Job):
        made = operator_api.post("/schedules", asked(job)).json["data"]

        assert made["description"] == "Every weekday at 09:00, Berlin time"
        assert (made["enabled"], made["health"], made["version"]) == (True, "never run", 1)

    def test_takes_the_time_zone_of_who_asks_unless_one_is_given(self, operator_api: Caller, job: Job):
        body = asked(job)
        del body["timezone"]

        assert operator_api.post("/schedules", body).json["data"]["timezone"] == "Europe/Riga"

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"cron": "0 0 31 2 *"}, "cron"),
            ({"cron": 5}, "cron"),
            ({"timezone": "Europe/Atlantis"}, "timezone"),
            ({"name": ""}, "name"),
            ({"name": "\u202e"}, "name"),
            ({"job_id": "7"}, "job_id"),
            ({"overlap": "maybe"}, "overlap"),
            ({"missed_max_age_seconds": 2**31}, "missed_max_age_seconds"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_names_the_field_that_is_wrong(self, operator_api: Caller, job: Job, changes: dict[str, Any], field: str):
        answer = operator_api.post("/schedules", asked(job, **changes))

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]

    def test_refuses_a_name_that_is_taken(self, operator_api: Caller, job: Job, schedule: Schedule):
        answer = operator_api.post("/schedules", asked(job, name=schedule.name))

        assert answer.status_code == 409
        assert answer.json["error"]["fields"][0]["field"] == "name"

    def test_knows_no_job_of_another_organization(self, stranger_api: Caller, job: Job):
        foreign, absent = stranger_api.post("/schedules", asked(job)), asked(job, job_id=str(new_id()))

        assert foreign.status_code == 404
        assert stranger_api.post("/schedules", absent).json == foreign.json

    def test_is_not_for_viewers(self, viewer_api: Caller, job: Job):
        assert viewer_api.post("/schedules", asked(job)).status_code == 403


class TestChanging:
    def test_changes_what_is_sent_and_nothing_else(self, operator_api: Caller, schedule: Schedule, audited):
        before = operator_api.get(f"/schedules/{schedule.id}").json["data"]

        after = operator_api.patch(f"/schedules/{schedule.id}", {"cron": "30 3 * * *"}).json["data"]

        changed = {field for field in before if before[field] != after[field]}
        assert changed == {"cron", "description", "next_run_at", "updated_at", "version"}
        assert audited() == ["schedule.edited"]

    def test_refuses_what_was_read_before_somebody_changed_it(self, operator_api: Caller, schedule: Schedule):
        operator_api.patch(f"/schedules/{schedule.id}", {"cron": "30 3 * * *", "version": 1})

        answer = operator_api.patch(f"/schedules/{schedule.id}", {"cron": "0 4 * * *", "version": 1})

        assert answer.status_code == 409
        assert operator_api.get(f"/schedules/{schedule.id}").json["data"]["cron"] == "30 3 * * *"

    @pytest.mark.parametrize("body", [{"name": None}, {"cron": ""}, {"timezone": ""}, {"job_id": str(new_id())}])
    def test_names_the_field_that_is_wrong(self, operator_api: Caller, schedule: Schedule, body: dict[str, Any]):
        answer = operator_api.patch(f"/schedules/{schedule.id}", body)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == list(body)

    def test_pauses_and_resumes(self, operator_api: Caller, schedule: Schedule, audited):
        paused = operator_api.post(f"/schedules/{schedule.id}/pause").json["data"]
        resumed = operator_api.post(f"/schedules/{schedule.id}/resume").json["data"]

        assert (paused["enabled"], paused["next_run_at"], paused["health"]) == (False, None, "disabled")
        assert (resumed["enabled"], resumed["health"]) == (True, "never run")
        assert audited() == ["schedule.disabled", "schedule.enabled"]

    def test_changes_every_policy_and_the_notes(self, operator_api: Caller, schedule: Schedule):
        wanted = {
            "overlap": "queue_one",
            "missed": "all",
            "missed_limit": 25,
            "missed_max_age_seconds": 172_800,
            "notes": "Ask Ben first.",
        }

        shown = operator_api.patch(f"/schedules/{schedule.id}", wanted).json["data"]

        assert {field: shown[field] for field in wanted} == wanted

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("missed_limit", 0),
            ("missed_limit", 101),
            ("missed_max_age_seconds", 0),
            ("missed_max_age_seconds", -1),
            ("missed_max_age_seconds", 3_600),
            ("missed", "some"),
            ("overlap", "both"),
            ("notes", "x" * 2_001),
            ("missed_while_paused", "oldest"),
        ],
    )
    def test_names_the_policy_that_cannot_be(
        self, operator_api: Caller, schedule: Schedule, field: str, value: int | str
    ):
        answer = operator_api.patch(f"/schedules/{schedule.id}", {"name": "Renamed", field: value})

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]
        assert operator_api.get(f"/schedules/{schedule.id}").json["data"]["name"] == "Orders, nightly"

    def test_refuses_a_maximum_age_that_begins_to_count_and_is_too_short(
        self, operator_api: Caller, schedule: Schedule
    ):
        path = f"/schedules/{schedule.id}"
        skipping = operator_api.patch(path, {"missed": "skip", "missed_max_age_seconds": 60})

        answer = operator_api.patch(path, {"missed": "latest"})

        assert (skipping.status_code, answer.status_code) == (200, 422)
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == ["missed_max_age_seconds"]

    def test_takes_the_time_between_two_slots_as_maximum_age_where_that_is_longer_than_a_day(
        self, operator_api: Caller, schedule: Schedule
    ):
        weekly = operator_api.patch(f"/schedules/{schedule.id}", {"cron": "0 9 * * 1"}).json["data"]
        daily = operator_api.patch(f"/schedules/{schedule.id}", {"cron": "0 9 * * *"}).json["data"]

        assert (weekly["missed_max_age_seconds"], daily["missed_max_age_seconds"]) == (604_800, 86_400)

    def test_deletes(self, operator_api: Caller, schedule: Schedule, audited):
        answer = operator_api.delete(f"/schedules/{schedule.id}")

        assert answer.json == {"success": True, "data": None, "message": "Orders, nightly deleted. Its history stays."}
        assert operator_api.get(f"/schedules/{schedule.id}").status_code == 404
        assert audited() == ["schedule.deleted"]

    def test_runs_it_now(self, operator_api: Caller, schedule: Schedule, audited):
        answer = operator_api.post(f"/schedules/{schedule.id}/run")

        (entry,) = operator_api.get(f"/schedules/{schedule.id}/history").json["data"]
        assert answer.status_code == 201
        assert (entry["run"]["id"], entry["run"]["state"]) == (answer.json["data"]["run_id"], "ready")
        assert audited() == ["run.requested"]

    @pytest.mark.parametrize(
        ("method", "suffix"),
        [
            ("GET", ""),
            ("PATCH", ""),
            ("DELETE", ""),
            ("GET", "/history"),
            ("GET", "/preview"),
            ("POST", "/run"),
            ("POST", "/pause"),
            ("POST", "/resume"),
        ],
    )
    def test_knows_none_of_another_organization(
        self, stranger_api: Caller, owner_api: Caller, schedule: Schedule, method: str, suffix: str
    ):
        before = owner_api.get(f"/schedules/{schedule.id}").json
        more = {"json": {}} if method == "PATCH" else {}

        foreign = stranger_api.open(method, f"/schedules/{schedule.id}{suffix}", **more)
        absent = stranger_api.open(method, f"/schedules/{uuid4()}{suffix}", **more)

        assert foreign.status_code == 404
        assert foreign.json == absent.json
        assert owner_api.get(f"/schedules/{schedule.id}").json == before


class TestResuming:
    @pytest.fixture
    def paused(self, operator_api: Caller, schedule: Schedule, clock: ManualClock) -> str:
        """Where a schedule is that was switched off and missed three slots since."""
        address = f"/schedules/{schedule.id}"
        operator_api.post(f"{address}/pause")
        clock.advance(days=3)
        return address

    def test_says_before_what_was_missed_and_who_switched_it_off(self, operator_api: Caller, paused: str):
        shown = operator_api.get(paused).json["data"]

        assert shown["missed_while_paused"] == {
            "count": 3, "first": "2027-01-06T02:00:00Z", "last": "2027-01-08T02:00:00Z"
        }  # fmt: skip
        assert (shown["switched_at"], bool(shown["switched_by"])) == ("2027-01-05T12:00:00Z", True)

    @pytest.mark.parametrize(
        ("body", "runs", "in_gap"),
        [
            (None, 0, 3),
            ({"missed": "skip"}, 0, 3),
            ({"missed": "latest"}, 1, 2),
            ({"missed": "all"}, 3, 0),
        ],
    )
    def test_does_what_was_asked_for(
        self, operator_api: Caller, paused: str, body: dict[str, str] | None, runs: int, in_gap: int
    ):
        resumed = operator_api.post(f"{paused}/resume", body).json["data"]

        entries = operator_api.get(f"{paused}/history").json["data"]
        assert (resumed["enabled"], resumed["missed_while_paused"]) == (True, None)
        assert sum(entry["run"] is not None for entry in entries) == runs
        assert sum(entry["gap"]["slots"] for entry in entries if entry["gap"]) == in_gap

    def test_answers_what_became_of_what_was_missed(self, operator_api: Caller, paused: str):
        resumed = operator_api.post(f"{paused}/resume", {"missed": "latest", "seen": 3}).json["data"]["resumed"]

        assert (resumed["missed"], resumed["started"], resumed["skipped"], resumed["left"]) == (3, 1, 0, 2)
        assert (resumed["first"], resumed["why_skipped"]) == ("2027-01-06T02:00:00Z", None)
        assert operator_api.post(f"{paused}/resume").json["data"]["resumed"] is None

    def test_refuses_to_run_others_than_were_seen(self, operator_api: Caller, paused: str):
        answer = operator_api.post(f"{paused}/resume", {"missed": "all", "seen": 2})

        assert answer.status_code == 409
        assert "Not 2 but 3 slots have been missed by now" in answer.json["error"]["message"]
        assert operator_api.get(paused).json["data"]["enabled"] is False

    def test_refuses_so_with_other_changes_too(self, operator_api: Caller, paused: str):
        body = {"enabled": True, "missed_while_paused": "all", "seen": 2, "name": "Renamed"}

        answers = operator_api.patch(paused, body), operator_api.post(f"{paused}/effects", body)

        assert {answer.status_code for answer in answers} == {409}
        assert "Not 2 but 3 slots have been missed by now" in answers[0].json["error"]["message"]
        shown = operator_api.get(paused).json["data"]
        assert (shown["enabled"], shown["name"] == "Renamed") == (False, False)
        assert operator_api.patch(paused, body | {"seen": 3}).json["data"]["enabled"] is True

    def test_is_possible_with_other_changes(self, operator_api: Caller, paused: str, audited):
        operator_api.patch(paused, {"enabled": True, "missed_while_paused": "latest", "name": "Renamed"})

        (run,) = [entry["run"] for entry in operator_api.get(f"{paused}/history").json["data"] if entry["run"]]
        assert (run["trigger"], run["state"]) == ("catch_up", "ready")
        assert audited() == ["schedule.disabled", "schedule.edited"]


class TestHistory:
    @pytest.fixture(autouse=True)
    def entries(self, database: OpenDatabase, job: Job, schedule: Schedule) -> None:
        """A run, behind it a gap and two repairs at the gap's end, and two runs behind that."""
        with database.transaction() as session:
            for day in ("2027-01-01", "2027-01-02", "2027-01-06"):
                make_succeeded(session, job, now=utc(day), schedule_id=schedule.id, slot_at=utc(day))
            session.add(
                Gap(
                    organization_id=job.organization_id,
                    schedule_id=schedule.id,
                    first_slot_at=utc("2027-01-03"),
                    last_slot_at=utc("2027-01-05"),
                    slots=3,
                    reason="scheduling_stopped",
                    explanation="Petra stopped all scheduling: a move",
                    at=utc("2027-01-06"),
                )
            )
            for problem in ("missing", "unreadable"):
                append_event(
                    session,
                    organization_id=job.organization_id,
                    topic=Topic.SCHEDULES,
                    kind="schedule.repaired",
                    subject_id=schedule.id,
                    now=utc("2027-01-05"),
                    data={"text": f"It was {problem}."},
                )

    def test_has_runs_gaps_and_repairs_the_newest_first(self, viewer_api: Caller, schedule: Schedule):
        shown = viewer_api.get(f"/schedules/{schedule.id}/history").json["data"]

        assert [entry["kind"] for entry in shown] == ["run", "gap", "repair", "repair", "run", "run"]
        assert [entry["repair"] for entry in shown[2:4]] == ["It was unreadable.", "It was missing."]
        assert shown[0]["run"]["duration_seconds"] == 3
        assert (shown[1]["gap"]["slots"], shown[1]["gap"]["explanation"]) == (3, "Petra stopped all scheduling: a move")

    def test_comes_in_pages_that_miss_and_repeat_nothing(self, viewer_api: Caller, schedule: Schedule):
        whole = viewer_api.get(f"/schedules/{schedule.id}/history").json["data"]

        collected, cursor = [], {}
        while cursor is not None:
            answer = viewer_api.get(f"/schedules/{schedule.id}/history", limit=1, **cursor).json
            collected += answer["data"]
            cursor = {"cursor": answer["next"]} if answer["next"] else None

        assert collected == whole


class TestPreview:
    @pytest.fixture
    def clock_change(self, clock: ManualClock) -> None:
        clock.moment = utc("2027-03-26 12:00")

    def test_says_when_it_runs_around_a_change_of_the_clocks(
        self, viewer_api: Caller, database: OpenDatabase, job: Job, clock_change: None
    ):
        with database.transaction() as session:
            schedule = make_schedule(session, job, cron="30 3 * * *", timezone="Europe/Riga")

        shown = viewer_api.get(f"/schedules/{schedule.id}/preview", count=2).json["data"]

        assert [run["at"] for run in shown["next_runs"]] == ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z"]
        assert shown["next_runs"][1]["local"] == "2027-03-28T04:00:00+03:00"
        assert "03:30 does not exist on Sun 28 Mar 2027 in Riga" in shown["notes"][0]

    def test_explains_a_line_that_cannot_be_read_any_more(self, viewer_api: Caller, database: OpenDatabase, job: Job):
        with database.transaction() as session:
            schedule = make_schedule(session, job, cron="R * * * *", problem="It cannot be read.")

        shown = viewer_api.get(f"/schedules/{schedule.id}/preview").json["data"]

        assert shown["next_runs"] == []
        assert shown["error"]
        assert viewer_api.get(f"/schedules/{schedule.id}").json["data"]["health"] == "unreadable"

    @pytest.mark.parametrize("count", ["0", "101", "five"])
    def test_looks_ahead_at_most_a_hundred_runs(self, viewer_api: Caller, schedule: Schedule, count: str):
        assert viewer_api.get(f"/schedules/{schedule.id}/preview", count=count).status_code == 422


@pytest.mark.usefixtures("defaults")
class TestDefaultSchedules:
    def test_are_there_and_switched_off(self, viewer_api: Caller):
        shown = viewer_api.get("/schedules").json["data"]

        assert [(one["service"], one["cron"], one["enabled"]) for one in shown] == [
            ("ga4", "0 2 * * *", False),
            ("meta", "0 2 * * *", False),
            ("shopify", "0 2 * * *", False),
        ]

    def test_are_set_by_their_service(self, operator_api: Caller, audited):
        body = {"cron": "15 4 * * *", "enabled": True, "timezone": "Europe/Berlin"}

        answer = operator_api.put("/schedules/shopify", body)

        shown = answer.json["data"]
        assert answer.status_code == 200
        assert {field: shown[field] for field in body} == body
        assert audited() == ["schedule.edited"]

    def test_say_that_they_need_a_connection(self, operator_api: Caller):
        answer = operator_api.put("/schedules/meta", {"cron": "0 2 * * *", "enabled": True, "timezone": "UTC"})

        assert answer.status_code == 200
        assert answer.json["data"]["health"] == "needs connection"
        assert answer.json["data"]["next_run_at"] is not None

    def test_answer_exactly_as_agreed_when_they_are_run(self, operator_api: Caller):
        answer = operator_api.post("/schedules/meta/run")

        job_id = answer.json["data"]["jobId"]
        user_id = str(operator_api.actor.user_id)
        assert answer.status_code == 200
        assert answer.json == {
            "success": True,
            "message": f"meta sync job enqueued for user {user_id}",
            "data": {"jobId": job_id, "service": "meta", "userId": user_id},
        }

    def test_say_that_a_run_was_skipped_when_it_is_asked_for_by_id(self, operator_api: Caller):
        (shown,) = operator_api.get("/schedules", service="shopify").json["data"]

        answer = operator_api.post(f"/schedules/{shown['id']}/run")

        assert answer.status_code == 201
        assert answer.json["message"].startswith("Shopify sync skipped. This sync needs a connection")

    def test_record_that_a_run_was_skipped_for_want_of_a_connection(self, operator_api: Caller):
        answer = operator_api.post("/schedules/ga4/run")

        (shown,) = operator_api.get("/schedules", service="ga4").json["data"]
        (entry,) = operator_api.get(f"/schedules/{shown['id']}/history", kind="gaps").json["data"]
        assert (entry["run"]["state"], entry["run"]["reason"]) == ("skipped", "needs_connection")
        assert entry["run"]["id"] == answer.json["data"]["jobId"]
        assert shown["health"] == "needs connection"

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"cron": "nonsense"}, "cron"),
            ({"enabled": True}, "cron"),
            ({"cron": "0 2 * * *", "timezone": "Mars"}, "timezone"),
            ({"cron": "0 2 * * *", "service": "meta"}, "service"),
            ({"cron": "0 2 * * *", "enabled": "yes"}, "enabled"),
        ],
    )
    def test_name_the_field_that_is_wrong(self, operator_api: Caller, body: dict[str, Any], field: str):
        answer = operator_api.put("/schedules/meta", body)

        assert answer.status_code == 422
        assert [problem["field"] for problem in answer.json["error"]["fields"]] == [field]

    def test_are_none_for_other_services(self, operator_api: Caller):
        assert operator_api.put("/schedules/myspace", {"cron": "0 2 * * *"}).status_code == 404
        assert operator_api.post("/schedules/myspace/run").status_code == 404

    def test_are_each_organizations_own(self, operator_api: Caller, stranger_api: Caller):
        operator_api.put("/schedules/meta", {"cron": "15 4 * * *", "enabled": True, "timezone": "UTC"})

        # The stranger's organization was made by hand here, without any.
        assert stranger_api.post("/schedules/meta/run").status_code == 404


class TestNeighbours:
    def test_stay_as_they_are_when_a_workflow_has_many(
        self, operator_api: Caller, database: OpenDatabase, organization_id: UUID, clock: ManualClock
    ):
        with database.transaction() as session:
            workflow = make_job(session, organization_id, name="Flow", kind=KindName.WORKFLOW)
            make_run(session, workflow, now=clock.moment - timedelta(days=1))
            kept = make_schedule(session, workflow, name="Kept", next_run_at=utc("2028-01-01"))
            gone = make_schedule(session, workflow, name="Gone", next_run_at=utc("2028-01-01"))

        operator_api.delete(f"/schedules/{gone.id}")

        (shown,) = operator_api.get("/schedules", workflow=workflow.id).json["data"]
        assert (shown["id"], shown["last_run_at"]) == (str(kept.id), None)


class TestRhythms:
    """What decides when it fires, beside cron line and zone."""

    SAID = {
        "cron": "*/30 0 9 * * 1-5\n0 11 * * 6",
        "has_seconds": True,
        "clock_change": "skip",
        "starts_at": "2027-02-01T00:00:00+01:00",
        "ends_at": "2027-03-01T00:00:00Z",
        "tags": ["Nightly", "finance", "nightly"],
    }

    def test_keeps_all_that_is_said(self, operator_api: Caller, job: Job) -> None:
        made = operator_api.post("/schedules", asked(job, **self.SAID)).json["data"]

        assert {name: made[name] for name in self.SAID} == self.SAID | {
            "starts_at": "2027-01-31T23:00:00Z",
            "tags": ["finance", "nightly"],
        }
        assert made["next_run_at"] == "2027-02-01T08:00:00Z"

    def test_completes_an_interval_with_today(self, operator_api: Caller, job: Job) -> None:
        made = operator_api.post("/schedules", asked(job, cron="every 90 minutes from 08:00")).json["data"]

        assert made["cron"] == f"every 90 minutes from {made['created_at'][:10]} 08:00"

    def test_changes_what_is_sent_and_takes_bounds_away(self, operator_api: Caller, job: Job) -> None:
        made = operator_api.post("/schedules", asked(job, **self.SAID)).json["data"]

        changes = {"ends_at": None, "starts_at": None, "tags": []}
        changed = operator_api.patch(f"/schedules/{made['id']}", changes).json["data"]

        assert {name: changed[name] for name in changes} == changes
        assert changed["cron"] == self.SAID["cron"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"cron": "0 9 * * *\n60 9 * * *"}, "cron"),
            ({"cron": "0 0 9 * * *"}, "cron"),
            ({"cron": "0 9 * * *\n" * 100}, "cron"),
            ({"clock_change": "sometimes"}, "clock_change"),
            ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
            ({"starts_at": "tomorrow"}, "starts_at"),
            ({"tags": ["two words"]}, "tags"),
            ({"tags": ["x"] * 49}, "tags"),
        ],
    )
    def test_names_the_field_that_cannot_be(
        self, operator_api: Caller, job: Job, changes: dict[str, Any], field: str
    ) -> None:
        answer = operator_api.post("/schedules", asked(job, **changes))

        assert answer.status_code == 422
        assert [problem["field"].partition(".")[0] for problem in answer.json["error"]["fields"]] == [field]

    def test_lists_those_with_a_tag(self, operator_api: Caller, job: Job) -> None:
        for name, tags in (("A", ["x_1"]), ("B", ["xy1"]), ("C", ["x_1", "täglich"])):
            operator_api.post("/schedules", asked(job, name=name, tags=tags))

        assert names(operator_api.get("/schedules", tag="X_1")) == ["A", "C"]
        assert names(operator_api.get("/schedules", tag="täglich")) == ["C"]
        assert operator_api.get("/schedules", tag="no tag").status_code == 422

    def test_lists_those_of_its_maker(self, operator_api: Caller, viewer_api: Caller, job: Job) -> None:
        made = operator_api.post("/schedules", asked(job, name="A")).json["data"]

        assert "@" in made["made_by"]
        assert "token" not in made["made_by"]
        assert (made["owner"], made["former_owner"]) == (made["made_by"], None)
        assert names(viewer_api.get("/schedules", owner=made["made_by"])) == ["A"]
        assert names(viewer_api.get("/schedules", owner="nobody@example.com")) == []

    def test_gives_it_to_a_member_or_to_nobody(self, operator_api: Caller, viewer_api: Caller, job: Job) -> None:
        made = operator_api.post("/schedules", asked(job, name="A")).json["data"]
        address, email = f"/schedules/{made['id']}/owner", viewer_api.get("/me").json["data"]["user"]["email"]

        given = operator_api.put(address, {"owner": email.upper()}).json["data"]
        refused = operator_api.put(address, {"owner": "far@example.com"})
        left = operator_api.put(address, {"owner": None}).json["data"]

        assert (given["owner"], given["made_by"], given["version"]) == (email, made["made_by"], 1)
        assert (refused.status_code, refused.json["error"]["fields"][0]["field"]) == (422, "owner")
        assert (left["owner"], left["former_owner"]) == (None, None)
        assert viewer_api.put(address, {"owner": email}).status_code == 403
        assert names(viewer_api.get("/schedules", owner="nobody", q="A")) == ["A"]

    def test_previews_what_it_does(self, operator_api: Caller, job: Job) -> None:
        made = operator_api.post("/schedules", asked(job, **self.SAID)).json["data"]

        preview = operator_api.get(f"/schedules/{made['id']}/preview", count=3).json["data"]

        assert [run["at"] for run in preview["next_runs"]] == [
            "2027-02-01T08:00:00Z",
            "2027-02-01T08:00:30Z",
            "2027-02-02T08:00:00Z",
        ]
        assert preview["notes"][:2] == ["Starts on Mon 1 Feb 2027, 00:00.", "Ends on Mon 1 Mar 2027, 01:00."]

    def test_validates_with_all_that_decides(self, operator_api: Caller) -> None:
        body = {"cron": "30 0 6 * * *", "timezone": "UTC", "has_seconds": True, "starts_at": "2027-02-01T06:00:30Z"}

        answer = operator_api.post("/utils/validate-cron", body).json

        assert (answer["valid"], answer["nextRuns"][0]) == (True, "2027-02-01T06:00:30Z")


class TestSorting:
    @pytest.mark.parametrize(("sort", "expected"), [("name", "abcde"), ("-name", "edcba"), ("next", "edcba")])
    def test_goes_through_all_pages(
        self, viewer_api: Caller, database: OpenDatabase, job: Job, sort: str, expected: str
    ) -> None:
        with database.transaction() as session:
            for number, name in enumerate("abcde"):
                make_schedule(session, job, name=name, next_run_at=utc("2027-01-09 00:00") - timedelta(hours=number))
        found, cursor = "", None
        for _ in range(5):
            more = {"cursor": cursor} if cursor else {}
            answer = viewer_api.get("/schedules", sort=sort, limit=2, **more).json
            found += "".join(one["name"] for one in answer["data"])
            cursor = answer["next"]
            if cursor is None:
                break

        assert found == expected

    def test_is_by_what_there_is(self, viewer_api: Caller, job: Job) -> None:
        assert viewer_api.get("/schedules", sort="size").status_code == 422

    def test_of_a_filter_keeps_to_it(self, viewer_api: Caller, schedule: Schedule) -> None:
        found = [
            viewer_api.get("/schedules", sort="success", **more).json["data"]
            for more in ({"enabled": "true"}, {"enabled": "false"}, {"workflow": str(uuid4())}, {"q": "night"})
        ]

        assert [len(one) for one in found] == [1, 0, 0, 1]
