"""The page of landed figures: what it says, what it never says, and what it makes of hostile addresses."""

import csv
import gzip
import io
import re
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.edge.runtime import EXTENSION
from app.syncs.figures import Metric, QualityFlag
from app.syncs.models import Connection, LandedFigure, StreamState
from tests.database.kpi_world import KpiWorld
from tests.factories.figures import campaign, figure
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase
from tests.fakes.statements import counted
from tests.web.conftest import Browser
from tests.web.data_world import ACCOUNT, FETCHED, TODAY, connect, correct, land, land_all, of_campaigns, promise

MOST_STATEMENTS = 12
MOST_BYTES = 16 * 1024
MOST_NODES = 1_200


@pytest.fixture
def world(database: OpenDatabase, organization_id: UUID) -> KpiWorld:
    return connect(database, organization_id)


@pytest.fixture
def landed(world: KpiWorld) -> KpiWorld:
    land_all(world)
    return world


def words(html: str) -> str:
    """What a page says, without its markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def rows(html: str, part: str = "series-1") -> list[list[str]]:
    """The cells of the table of a part of the page."""
    body = html.partition(f'id="{part}"')[2].partition("</section>")[0]
    lines = re.findall(r"<tr role=\"row\">(.*?)</tr>", body, flags=re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<td.*?</td>", line, flags=re.DOTALL)] for line in lines[1:]]


class TestTheSeries:
    def test_is_of_the_account_over_four_weeks_unless_something_else_is_asked(self, viewer: Browser, landed: KpiWorld):
        text = words(viewer.visit("/data").text)

        # 28 days of 21.01 each, and as many before.
        assert "588.28 EUR" in text
        assert "Acme EU: Spend, 8 Dec 2026 – 4 Jan 2027, days in Riga. Data through Mon 4 Jan 2027." in text
        assert "The same compared with 10 Nov – 7 Dec 2026, which had 588.28 EUR." in text

    def test_says_by_how_much_and_how_many_percent_it_changed(self, viewer: Browser, world: KpiWorld):
        first = TODAY - timedelta(days=14)
        fetched = of_campaigns(1, days=7, spend="10", first=first)
        fetched += of_campaigns(1, days=7, spend="15", first=first + timedelta(days=7))
        land(world, fetched, first=first, days=14)

        text = words(viewer.visit("/data?range=7d").text)

        assert "105.00 EUR Up 35.00 EUR (+50.0%) compared with 22 Dec – 28 Dec 2026, which had 70.00 EUR." in text

    def test_has_no_percentage_of_nothing(self, viewer: Browser, world: KpiWorld):
        first = TODAY - timedelta(days=14)
        fetched = of_campaigns(1, days=7, spend="0", first=first)
        fetched += of_campaigns(1, days=7, spend="15", first=first + timedelta(days=7))
        land(world, fetched, first=first, days=14)

        assert "Up 105.00 EUR (no percentage: it was 0 before)" in words(viewer.visit("/data?range=7d").text)

    def test_compares_with_nothing_where_nothing_was_ever_fetched(self, viewer: Browser, world: KpiWorld):
        first = TODAY - timedelta(days=7)
        land(world, of_campaigns(1, days=7, first=first), first=first, days=7)

        text = words(viewer.visit("/data?range=7d").text)

        assert "Nothing is known of 22 Dec – 28 Dec 2026, so there is nothing to compare with." in text

    def test_has_weeks_and_months_that_begin_where_the_range_does(self, viewer: Browser, landed: KpiWorld):
        weeks = rows(viewer.visit("/data?from=2026-12-01&to=2026-12-15&grain=week").text)

        assert [row[:2] for row in weeks] == [
            ["14 Dec – 15 Dec 2026", "42.02 EUR"],
            ["7 Dec – 13 Dec 2026", "147.07 EUR"],
            ["1 Dec – 6 Dec 2026", "126.06 EUR"],
        ]

    def test_never_adds_up_two_currencies(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Acme JP", currency="JPY")
        land(other, of_campaigns(1, spend="1500", currency="JPY"), currency="JPY")

        text = words(viewer.visit("/data?source=meta&level=campaign&range=7d").text)

        assert "147.07 EUR" in text
        assert "10,500 JPY" in text

    def test_adds_up_accounts_of_one_currency_without_the_ended_ones(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Acme US")
        ended = connect(landed.database, landed.organization_id, name="Old")
        for each in (other, ended):
            land(each, of_campaigns(1, spend="1.00"))
        with landed.database.transaction() as session:
            session.query(Connection).filter_by(id=ended.connection_id).update({"state": "disconnected"})

        text = words(viewer.visit("/data?source=meta&level=campaign&range=7d").text)

        assert "154.07 EUR" in text

    def test_shows_nothing_of_somebody_else(self, stranger: Browser, landed: KpiWorld):
        answer = stranger.visit(f"/data?source={landed.connection_id}")

        assert "No figures yet" in answer.text
        assert "Acme" not in answer.text


class TestWhatIsInDoubt:
    def test_today_is_not_complete_and_said_to_be_so(self, viewer: Browser, landed: KpiWorld):
        html = viewer.visit("/data?range=this_month").text

        assert rows(html)[0][0] == "Tue 5 Jan 2027"
        assert rows(html)[0][-1] == "not complete yet"
        assert 'data-shape="dashed"' in html
        assert "1 of 5 days is not complete" in words(html)

    def test_old_days_are_final_and_new_ones_may_be_corrected(self, viewer: Browser, landed: KpiWorld):
        found = rows(viewer.visit("/data?from=2026-12-01&to=2026-12-31").text)

        assert found[0][-1] == "complete, may still be corrected"
        assert found[-1][-1] == "final"

    def test_days_that_nobody_fetched_are_missing_and_not_zero(self, viewer: Browser, landed: KpiWorld):
        html = viewer.visit("/data?from=2026-10-30&to=2026-11-02").text
        found = rows(html)

        assert [row[1] for row in found] == ["21.01 EUR", "21.01 EUR", "–", "–"]
        assert [row[-1] for row in found] == ["final", "final", "missing", "missing"]
        assert "Cross: nothing is here." in words(html)

    def test_a_day_of_which_one_account_is_complete_is_partly_landed(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Late")
        days = (date(2027, 1, 2) - date(2026, 11, 1)).days + 1
        land(other, of_campaigns(1, days=days), days=days)

        found = rows(viewer.visit("/data?source=meta&level=campaign&from=2027-01-01&to=2027-01-04").text)

        assert [row[-1] for row in found] == [
            "partly landed",
            "partly landed",
            *["complete, may still be corrected"] * 2,
        ]

    def test_flags_of_the_service_are_in_words(self, viewer: Browser, world: KpiWorld):
        sampled = frozenset({QualityFlag.SAMPLED})
        land(world, [figure(TODAY - timedelta(days=1), campaign("1"), Metric.SPEND, "5", flags=sampled)])

        html = viewer.visit("/data?range=7d").text

        assert rows(html)[0][-1] == "complete, may still be corrected; extrapolated from a part by its service"
        assert "Ring: in doubt, or flagged" in html

    def test_days_of_a_landing_in_doubt_are_told(self, viewer: Browser, world: KpiWorld):
        land(world, of_campaigns(20, days=10), days=10)
        # Most of it is gone: nothing is taken away, and the days are in doubt.
        land(world, of_campaigns(2, days=10), days=10, at=FETCHED + timedelta(hours=1))

        html = viewer.visit("/data?from=2026-11-01&to=2026-11-12").text

        assert "in doubt" in rows(html)[-1][-1]
        assert "In doubt: most of what was there is missing" in words(html)
        assert f'href="/connections/{world.connection_id}/streams"' in html

    def test_days_that_can_never_be_had_are_no_zeros(self, viewer: Browser, landed: KpiWorld):
        with landed.database.transaction() as session:
            for stream in session.query(StreamState).filter_by(connection_id=landed.connection_id):
                stream.mark = {"lost_days": [["2027-01-02", "2027-01-02"]]}
            gone = session.query(LandedFigure).filter_by(connection_id=landed.connection_id, day=date(2027, 1, 2))
            gone.delete()

        html = viewer.visit("/data").text

        (told,) = (row for row in rows(html) if "cannot be had any more" in row[-1])
        assert ("2 Jan 2027" in told[0], told[1]) == (True, "–")
        assert "2027-01-02 cannot be had any more" in words(html)

    def test_how_new_each_stream_is_and_what_was_promised(self, viewer: Browser, landed: KpiWorld):
        promise(landed, 7 * 60)

        text = words(viewer.visit("/data").text)

        # The 5th is promised by 07:00 of the 6th, and nothing is planned that would bring it.
        assert "At risk data through 2027-01-04 · promised by 07:00 · at risk" in text


class TestReach:
    def test_is_shown_by_day_and_never_added_up(self, viewer: Browser, landed: KpiWorld):
        html = viewer.visit("/data?metric=reach&range=7d").text

        assert rows(html)[0][:2] == ["Mon 4 Jan 2027", "900"]
        assert "days are not added up" in words(html)
        assert "6,300" not in html

    def test_says_why_it_has_no_sum_of_accounts(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Acme US")
        land(other, [], stream=ACCOUNT)

        answer = viewer.visit("/data?metric=reach&source=meta")

        assert answer.status_code == 200
        assert "must not be added up. Look at one account or one campaign by day." in words(answer.text)

    def test_has_no_weeks(self, viewer: Browser, landed: KpiWorld):
        answer = viewer.visit("/data?metric=reach&grain=week")

        assert answer.status_code == 422
        assert "People come on several days" in answer.text


class TestCampaigns:
    def test_are_listed_with_their_shares_the_largest_first(self, viewer: Browser, landed: KpiWorld):
        html = viewer.visit("/data?level=campaign&range=7d").text

        assert rows(html, "entities") == [
            ["Campaign 1 1", "73.57 EUR", "50.0%"], ["Campaign 0 0", "73.50 EUR", "50.0%"],
        ]  # fmt: skip

    def test_have_series_of_their_own(self, viewer: Browser, landed: KpiWorld):
        text = words(viewer.visit("/data?level=campaign&entity=0&range=7d").text)

        assert "Acme EU · Campaign 0: Spend" in text
        assert "73.50 EUR" in text

    def test_with_names_of_formulas_and_markup_do_no_harm(self, viewer: Browser, world: KpiWorld):
        evil = campaign("1", '=HYPERLINK("http://evil","<script>alert(1)</script>")')
        land(world, [figure(TODAY - timedelta(days=1), evil, Metric.SPEND, "5")])

        html = viewer.visit("/data?level=campaign").text
        file = list(csv.DictReader(io.StringIO(viewer.visit("/data.csv?level=campaign").text)))

        assert "<script>alert" not in html
        assert file[0]["name"].startswith("'=HYPERLINK")


class TestWhyItMoved:
    def test_says_which_day_and_campaign_from_what_to_what_by_which_run(
        self, viewer: Browser, landed: KpiWorld, clock: ManualClock
    ):
        with landed.database.transaction() as session:
            run_id = make_run(session, make_job(session, landed.organization_id), now=clock.moment)
        correct(landed, date(2026, 12, 24), "12.00", run_id=run_id)

        html = viewer.visit("/data?level=campaign").text

        [found] = rows(html, "changes")
        assert found[:3] == ["Thu 24 Dec 2026", "Acme EU", "Campaign 0: 10.50 EUR → 12.00 EUR (+1.50 EUR)"]
        assert f'href="/runs/{run_id}"' in html

    def test_has_no_link_to_a_run_that_is_no_longer_kept(self, viewer: Browser, landed: KpiWorld):
        correct(landed, date(2026, 12, 24), "12.00", run_id=new_id())

        assert "a run that is no longer kept" in viewer.visit("/data?level=campaign").text

    def test_has_pages(self, viewer: Browser, landed: KpiWorld):
        for number in range(60):
            at = FETCHED + timedelta(minutes=number + 1)
            day = date(2026, 12, 24)
            land(landed, [figure(day, campaign("0"), Metric.SPEND, number)], first=day, days=1, at=at)

        html = viewer.visit("/data/changes?level=campaign").text
        older = re.search(r'href="(/data/changes\?[^"]*before=[^"]*)"', html)
        assert older is not None
        rest = viewer.visit(older[1].replace("&amp;", "&")).text

        assert html.count('<tr role="row"><td') == 50
        # The first of them took the other campaign's figure away as well.
        assert rest.count('<tr role="row"><td') == 10
        assert "All changes" in viewer.visit("/data?level=campaign").text


class TestAnAddress:
    @pytest.mark.parametrize(
        "query",
        [
            "source=nonsense", "source=11111111-1111-1111-1111-111111111111", "metric=sessions", "metric='; DROP TABLE",
            "level=galaxy", "level=channel", "entity=x", "level=campaign&entity=%00",
            "level=campaign&entity=" + "9" * 900,
            "level=campaign&entity=nobody", "range=forever", "from=2026-13-01&to=2026-12-01", "from=2026-12-05",
            "from=2026-12-05&to=2026-12-01", "from=2020-01-01&to=2026-12-01", "from=2026-12-01&to=2030-12-01",
            "from=0001-01-01&to=9999-12-31", "from=20261201&to=20261202", "grain=second", "compare=moon",
            "from=2026-01-01&to=2026-12-31&grain=day", "range=custom",
        ],
    )  # fmt: skip
    def test_that_asks_for_what_cannot_be_says_so_and_shows_the_rest(
        self, viewer: Browser, landed: KpiWorld, query: str
    ):
        answer = viewer.visit(f"/data?{query}")

        assert answer.status_code == 422
        assert "Part of the address was left out." in answer.text
        assert viewer.visit(f"/data.csv?{query}").status_code == 422

    def test_keeps_its_range_when_the_form_sends_the_days_along(self, viewer: Browser, landed: KpiWorld):
        html = viewer.visit("/data?range=7d&from=2026-12-29&to=2027-01-04").text

        assert 'name="range" value="7d"' in html

    def test_with_other_days_means_these(self, viewer: Browser, landed: KpiWorld):
        text = words(viewer.visit("/data?range=7d&from=2026-12-01&to=2026-12-02").text)

        assert "Spend, 1 Dec – 2 Dec 2026" in text

    def test_of_changes_with_a_place_written_by_hand_says_so(self, viewer: Browser, landed: KpiWorld):
        assert viewer.visit("/data/changes?before=now").status_code == 422


class TestAFile:
    def test_has_every_figure_of_the_days(self, viewer: Browser, landed: KpiWorld):
        answer = viewer.visit("/data.csv?level=campaign&range=7d")
        found = list(csv.DictReader(io.StringIO(answer.text)))

        assert len(found) == 14
        assert sum(Decimal(row["value"]) for row in found) == Decimal("147.07")
        name = "spend-campaign-2026-12-29-2027-01-04.csv"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'

    def test_is_refused_where_there_is_nothing(self, viewer: Browser):
        assert viewer.visit("/data.csv").status_code == 422


class TestBeforeAnythingLanded:
    def test_says_where_figures_come_from(self, viewer: Browser):
        text = words(viewer.visit("/data").text)

        assert "No figures yet" in text
        assert "Connect an account" in text

    def test_a_connection_without_figures_has_its_page(self, viewer: Browser, world: KpiWorld):
        text = words(viewer.visit("/data").text)

        assert "Nothing landed of these days" in text
        assert "Nothing has landed yet." in text


class TestTheBudget:
    @pytest.mark.parametrize("query", ["", "?level=campaign&range=90d", "?level=campaign&entity=0", "?metric=reach"])
    def test_of_statements_bytes_and_nodes(self, viewer: Browser, landed: KpiWorld, query: str):
        for number in range(12):
            correct(landed, date(2026, 12, 24), str(number), run_id=new_id())
        promise(landed, 7 * 60)
        with landed.database.transaction() as session:
            for stream in session.query(StreamState).filter_by(connection_id=landed.connection_id):
                stream.doubt, stream.doubted_since = "volume", FETCHED
        viewer.visit("/data")

        with counted(viewer.application.extensions[EXTENSION].database) as statements:
            answer = viewer.visit(f"/data{query}")

        assert len(statements) <= MOST_STATEMENTS, "\n".join(statements)
        assert len(gzip.compress(answer.data)) <= MOST_BYTES
        chart = answer.text.partition('class="chart kpi"')[2].partition("<details")[0]
        assert chart.count("<") <= MOST_NODES

    def test_of_a_refresh(self, viewer: Browser, landed: KpiWorld):
        tag = viewer.visit("/data", htmx=True).headers["ETag"]

        assert viewer.visit("/data", htmx=True, headers={"If-None-Match": tag}).status_code == 304
