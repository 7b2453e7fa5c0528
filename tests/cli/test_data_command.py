"""`belfry data`."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.ops.kpi_question import QuestionInvalid
from app.syncs.figures import Metric
from tests.cli.conftest import Terminal
from tests.database.kpi_world import KpiWorld
from tests.factories.figures import campaign, figure
from tests.fakes.clock import utc
from tests.web.data_world import connect, land, of_campaigns

# Long past by the clock of the database, which commands tell the time by.
FETCHED = utc("2026-02-21 05:00")
FIRST = date(2026, 2, 1)


@pytest.fixture
def world(terminal: Terminal) -> KpiWorld:
    here = next(UUID(row["id"]) for row in terminal.json("organizations", "list") if not row["is_system"])
    found = connect(terminal.database, here, zone="UTC")
    land(found, of_campaigns(2, days=20, first=FIRST), first=FIRST, days=20, at=FETCHED, zone="UTC")
    return found


def days(first: date, last: date) -> tuple[str, ...]:
    return "--from", str(first), "--to", str(last)


class TestData:
    def test_show_is_a_table_with_a_comparison(self, terminal: Terminal, world: KpiWorld):
        asked = days(FIRST + timedelta(days=10), FIRST + timedelta(days=11))

        lines = terminal.run("data", "show", *asked).output.splitlines()

        assert lines[0].startswith("Spend of Acme EU, ")
        assert lines[-1].split("  ")[0] == "In all"
        assert "42.02 EUR" in lines[-1]
        assert "the same" in lines[-1]

    def test_show_says_where_there_is_nothing_whole_to_compare_with(self, terminal: Terminal, world: KpiWorld):
        connect(world.database, world.organization_id, name="Acme UK")
        asked = days(FIRST + timedelta(days=5), FIRST + timedelta(days=14))

        text = terminal.run("data", "show", "--source", "meta", "--level", "campaign", *asked).output

        assert "Nothing has come in from: Acme UK" in text
        assert f"Of the period before all is known from {FIRST} on" in text

    def test_show_for_programs_has_amounts_as_texts(self, terminal: Terminal, world: KpiWorld):
        found = terminal.json("data", "show", *days(FIRST, FIRST), "--metric", "clicks")

        [series] = found["series"]
        assert (series["currency"], series["total"]) == (None, "3")
        assert found["series"][0]["points"][0]["value"] == "3"

    def test_entities_have_shares(self, terminal: Terminal, world: KpiWorld):
        found = terminal.json("data", "entities", *days(FIRST, FIRST))

        assert [(one["id"], one["value"], one["share_percent"]) for one in found] == [
            ("1", "10.51", "50.0"), ("0", "10.5", "50.0"),
        ]  # fmt: skip

    def test_changes_say_from_what_to_what(self, terminal: Terminal, world: KpiWorld):
        run_id = new_id()
        fetched = [figure(FIRST, campaign("0"), Metric.SPEND, "12")]
        land(world, fetched, first=FIRST, days=1, at=FETCHED + timedelta(minutes=1), run_id=run_id, zone="UTC")

        output = terminal.run("data", "changes", *days(FIRST, FIRST)).output

        assert "Campaign 1: 10.51 EUR → -; Campaign 0: 10.50 EUR → 12.00 EUR" in output
        assert str(run_id) in output

    def test_figures_are_a_file_with_all_of_them(self, terminal: Terminal, world: KpiWorld):
        asked = days(FIRST, FIRST + timedelta(days=4))

        rows = list(csv.DictReader(io.StringIO(terminal.run("data", "figures", "--csv", *asked).output)))

        assert len(rows) == 10
        assert sum(Decimal(row["value"]) for row in rows) == Decimal("105.05")
        assert len(terminal.json("data", "figures", "--limit", "3", *asked)) == 3

    def test_sources_and_freshness_say_what_there_is(self, terminal: Terminal, world: KpiWorld):
        [source] = terminal.json("data", "sources")
        [stream] = terminal.json("data", "freshness")

        assert (source["name"], source["streams"][0]["name"]) == ("Acme EU", "campaigns")
        assert stream["words"] == "data through 2026-02-20 · nothing is promised"

    @pytest.mark.parametrize("words", [("--source", "nobody"), ("--metric", "sessions"), ("--from", "x", "--to", "y")])
    def test_refuses_what_cannot_be(self, terminal: Terminal, world: KpiWorld, words: tuple[str, ...]):
        assert isinstance(terminal.run("data", "show", *words).exception, QuestionInvalid)

    def test_says_that_nothing_is_connected(self, terminal: Terminal):
        assert "Nothing is connected yet" in str(terminal.run("data", "show").exception)
