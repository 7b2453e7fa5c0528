"""Landed figures by API: exact amounts, words for what is in doubt, pages, and nothing of anybody else."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.core.ids import new_id
from app.jobs.kinds.base import KindName
from app.syncs.figures import Metric
from tests.api.conftest import Caller, OpenApi
from tests.database.kpi_world import KpiWorld
from tests.factories.figures import campaign, figure
from tests.factories.outcomes import make_running
from tests.factories.work import make_job
from tests.fakes.clock import utc
from tests.fakes.database import OpenDatabase
from tests.web.data_world import ACCOUNT, FETCHED, connect, correct, land, land_all, of_campaigns, promise


@pytest.fixture
def caller(open_api: OpenApi) -> Caller:
    return open_api()


@pytest.fixture
def world(database: OpenDatabase, caller: Caller) -> KpiWorld:
    found = connect(database, caller.organization_id)
    land_all(found)
    return found


class TestSeries:
    def test_has_amounts_as_texts_with_their_currency(self, caller: Caller, world: KpiWorld):
        found = caller.get("/data/series", **{"from": "2027-01-04", "to": "2027-01-05"}).json["data"]

        assert (found["source"], found["zones"], found["data_through"]) == (
            str(world.connection_id), ["Europe/Riga"], "2027-01-04",
        )  # fmt: skip
        [series] = found["series"]
        assert (series["currency"], series["total"], series["previous_total"]) == ("EUR", "42.02", "42.02")
        assert (series["change_percent"], series["change"]) == ("0.0", "the same")
        assert series["points"][1] == {
            "first_day": "2027-01-05", "last_day": "2027-01-05", "value": "21.01", "previous": "21.01",
            "previous_first_day": "2027-01-03", "previous_last_day": "2027-01-03",
            "marks": ["provisional"], "flags": [], "words": "not complete yet",
        }  # fmt: skip

    def test_names_accounts_of_which_nothing_landed(self, caller: Caller, world: KpiWorld):
        other = connect(world.database, world.organization_id, name="Acme UK")

        found = caller.get("/data/series", source="meta", range="7d").json["data"]

        assert (found["absent"], found["incomplete_points"]) == ([str(other.connection_id)], 0)

    def test_compares_with_nothing_that_is_known_in_part(self, caller: Caller, world: KpiWorld):
        query = {"from": "2026-11-20", "to": "2026-12-20"}

        [series] = caller.get("/data/series", **query).json["data"]["series"]

        assert (series["previous_total"], series["change_percent"]) == (None, None)
        assert series["previous_known_from"] == "2026-11-01"
        assert series["points"][0]["previous_first_day"] is None

    def test_never_writes_an_exponent(self, caller: Caller, world: KpiWorld):
        day = date(2026, 12, 24)
        large = [figure(day, campaign("0"), Metric.SPEND, "5000000000000")]
        land(world, large, first=day, days=1, at=FETCHED + timedelta(hours=1))

        found = caller.get("/data/series", level="campaign", **{"from": "2026-12-24", "to": "2026-12-24"}).json

        assert found["data"]["series"][0]["total"] == "5000000000000"

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"source": "nobody"}, "source"), ({"metric": "sessions"}, "metric"), ({"metric": "moons"}, "metric"),
            ({"level": "channel"}, "level"), ({"level": "campaign", "entity": "x"}, "entity"),
            ({"from": "yesterday", "to": "2027-01-01"}, "from"), ({"from": "2027-01-01"}, "to"),
            ({"from": "2027-01-02", "to": "2027-01-01"}, "from"), ({"grain": "hour"}, "grain"),
            ({"metric": "reach", "grain": "month"}, "grain"), ({"metric": "reach", "level": "campaign"}, "metric"),
        ],
    )  # fmt: skip
    def test_names_the_field_of_what_cannot_be(
        self, caller: Caller, world: KpiWorld, query: dict[str, str], field: str
    ):
        answer = caller.get("/data/series", **query)

        assert answer.status_code == 422
        assert [one["field"] for one in answer.json["error"]["fields"]] == [field]

    def test_of_a_foreign_connection_is_that_of_none(self, open_api: OpenApi, world: KpiWorld):
        stranger = open_api(email="stranger@example.org")
        connect(world.database, stranger.organization_id, name="Own")

        answer = stranger.get("/data/series", source=str(world.connection_id))

        assert answer.status_code == 422
        assert "Acme" not in answer.text

    def test_without_a_connection_says_what_to_do(self, caller: Caller):
        answer = caller.get("/data/series")

        assert answer.status_code == 422
        assert answer.json["error"]["message"].startswith("Nothing is connected yet")


class TestLists:
    def test_sources_say_what_there_is(self, caller: Caller, world: KpiWorld):
        [found] = caller.get("/data/sources").json["data"]

        assert (found["name"], found["service"], found["currency"]) == ("Acme EU", "meta", "EUR")
        assert found["metrics"][0] == "spend"
        assert [(one["name"], one["level"], one["data_through"]) for one in found["streams"]] == [
            ("account", "account", "2027-01-04"), ("campaigns", "campaign", "2027-01-04"),
        ]  # fmt: skip

    def test_entities_have_shares_and_pages(self, caller: Caller, world: KpiWorld):
        first = caller.get("/data/entities", range="7d", limit=1).json
        second = caller.get("/data/entities", range="7d", limit=1, cursor=first["next"]).json

        [one], [other] = first["data"], second["data"]
        assert (one["id"], one["name"], one["value"], one["share_percent"]) == ("1", "Campaign 1", "73.57", "50.0")
        assert other["id"] == "0"
        assert second["next"] is None

    def test_entities_of_people_have_no_shares(self, caller: Caller, world: KpiWorld):
        people = [figure(date(2027, 1, 4), campaign(str(number)), Metric.REACH, number) for number in range(3)]
        stream = type(ACCOUNT)("reach", campaign("1").level, frozenset({Metric.REACH}))
        land(world, people, stream=stream, first=date(2027, 1, 4), days=1)

        found = caller.get("/data/entities", metric="reach").json["data"]

        assert [(one["id"], one["value"], one["share_percent"]) for one in found] == [
            ("2", "2", None), ("1", "1", None), ("0", "0", None),
        ]  # fmt: skip

    def test_changes_say_which_run_changed_what(self, caller: Caller, world: KpiWorld):
        run_id = new_id()
        correct(world, date(2026, 12, 24), "12.00", run_id=run_id)

        [found] = caller.get("/data/changes", level="campaign").json["data"]

        assert (found["day"], found["run_id"], found["run_is_kept"]) == ("2026-12-24", str(run_id), False)
        assert (found["delta"], found["currency"], found["figures"]) == ("1.5", "EUR", 1)
        assert found["largest"] == [
            {"entity": "0", "name": "Campaign 0", "old_value": "10.5", "new_value": "12", "delta": "1.5"}
        ]

    def test_changes_have_pages_without_gaps(self, caller: Caller, world: KpiWorld):
        for number in range(5):
            day = date(2026, 12, 20) + timedelta(days=number)
            correct(world, day, "12.00", run_id=new_id())

        days, cursor = [], None
        while True:
            query = {"level": "campaign", "limit": "2"} | ({"cursor": cursor} if cursor else {})
            answer = caller.get("/data/changes", **query).json
            days += [one["day"] for one in answer["data"]]
            cursor = answer["next"]
            if cursor is None:
                break

        assert days == [f"2026-12-{number}" for number in (24, 23, 22, 21, 20)]

    def test_changes_since_a_moment_leave_earlier_ones_out(self, caller: Caller, world: KpiWorld):
        correct(world, date(2026, 12, 24), "12.00", run_id=new_id())

        assert caller.get("/data/changes", level="campaign", since="2027-01-05T06:30:00Z").json["data"] == []

    def test_figures_have_pages_and_a_file(self, caller: Caller, world: KpiWorld):
        wanted = {"level": "campaign", "range": "7d"}
        ids, cursor = [], None
        while True:
            answer = caller.get("/data/figures", limit="5", **wanted, **({"cursor": cursor} if cursor else {})).json
            ids += [(one["day"], one["entity"]) for one in answer["data"]]
            cursor = answer["next"]
            if cursor is None:
                break
        file = list(csv.DictReader(io.StringIO(caller.get("/data/figures", format="csv", **wanted).text)))

        assert len(ids) == len(set(ids)) == 14
        assert sum(Decimal(row["value"]) for row in file) == Decimal("147.07")

    def test_freshness_says_what_was_promised(self, caller: Caller, world: KpiWorld):
        promise(world, 7 * 60)

        found = caller.get("/data/freshness").json["data"]

        assert [(one["stream"], one["freshness"], one["deadline"]) for one in found] == [
            ("account", "at risk", "2027-01-06T05:00:00Z"), ("campaigns", "at risk", "2027-01-06T05:00:00Z"),
        ]  # fmt: skip

    def test_freshness_counts_on_a_run_under_way_as_the_connection_does(
        self, caller: Caller, world: KpiWorld, database: OpenDatabase
    ):
        promise(world, 7 * 60)
        definition = {"service": "meta", "connection_id": str(world.connection_id)}
        with database.transaction() as session:
            job = make_job(session, caller.organization_id, kind=KindName.SYNC, **definition)
            make_running(session, job, now=utc("2027-01-05 11:59"))

        shown = caller.get("/data/freshness").json["data"]
        streams = caller.get(f"/connections/{world.connection_id}/streams").json["data"]

        assert {one["freshness"] for one in shown} == {one["freshness"] for one in streams} == {"fresh"}


class TestWhatHeldOneBack:
    def test_a_second_currency_is_a_series_of_its_own(self, caller: Caller, world: KpiWorld):
        other = connect(world.database, caller.organization_id, name="Acme JP", currency="JPY")
        land(other, of_campaigns(1, spend="1500", currency="JPY"), currency="JPY")

        found = caller.get("/data/series", source="meta", level="campaign", range="7d").json["data"]["series"]

        assert [(one["currency"], one["total"]) for one in found] == [("EUR", "147.07"), ("JPY", "10500")]
