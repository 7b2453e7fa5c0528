"""What a series is held beside, and what of it is called complete: never a part beside a whole."""

from datetime import date
from uuid import UUID

import pytest

from tests.database.kpi_world import KpiWorld
from tests.fakes.database import OpenDatabase
from tests.web.conftest import Browser
from tests.web.data_world import connect, land, land_all, of_campaigns
from tests.web.test_data_page import rows, words


@pytest.fixture
def landed(database: OpenDatabase, organization_id: UUID) -> KpiWorld:
    world = connect(database, organization_id)
    land_all(world)
    return world


class TestPointsOfThePeriodBefore:
    def test_have_as_many_days_as_those_beside_them(self, viewer: Browser, landed: KpiWorld):
        # From a Wednesday: five days, a week, four days. The period before begins on a Monday.
        found = rows(viewer.visit("/data?from=2026-12-16&to=2026-12-31&grain=week").text)

        assert [row[1:4] for row in found] == [
            ["84.04 EUR", "84.04 EUR 12 Dec – 15 Dec", "the same"],
            ["147.07 EUR", "147.07 EUR 5 Dec – 11 Dec", "the same"],
            ["105.05 EUR", "105.05 EUR 30 Nov – 4 Dec", "the same"],
        ]

    def test_of_whole_months_are_whole_months(self, viewer: Browser, landed: KpiWorld):
        [december] = rows(viewer.visit("/data?from=2026-12-01&to=2026-12-31&grain=month").text)

        assert december[1:3] == ["651.31 EUR", "630.30 EUR 1 Nov – 30 Nov"]

    def test_are_named_with_their_weekday(self, viewer: Browser, landed: KpiWorld):
        found = rows(viewer.visit("/data?from=2026-12-21&to=2026-12-23").text)

        assert found[0][2] == "21.01 EUR Sun 20 Dec"


class TestAPartBesideTheWhole:
    def test_is_no_growth(self, viewer: Browser, landed: KpiWorld):
        # Of 31 days before, 19 are known.
        html = viewer.visit("/data?from=2026-11-20&to=2026-12-20").text

        assert "all is known from Sun 1 Nov 2026 on, so there is nothing whole to compare with." in words(html)
        assert "%)" not in words(html).partition("View as table")[0]
        assert [rows(html)[place][2] for place in (-1, 0)] == ["–", "21.01 EUR Thu 19 Nov"]

    def test_of_the_accounts_is_none_either(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Connected later")
        land(other, of_campaigns(1, days=10, first=date(2026, 12, 27)), first=date(2026, 12, 27), days=10)

        html = viewer.visit("/data?source=meta&level=campaign&range=7d").text

        assert "all is known from Sun 27 Dec 2026 on" in words(html)
        assert rows(html)[-1][2] == "–"


class TestAWeekThatIsCutOff:
    def test_says_so_and_is_dashed(self, viewer: Browser, landed: KpiWorld):
        html = viewer.visit("/data?from=2026-12-02&to=2026-12-13&grain=week").text

        assert [row[-1] for row in rows(html)] == [
            "complete, may still be corrected",
            "cut off by the range",
        ]
        assert "Dashed bars" in html


class TestAccountsTogether:
    def test_money_is_complete_when_the_accounts_of_its_currency_are(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Acme US", currency="USD")
        days = (date(2027, 1, 2) - date(2026, 11, 1)).days + 1
        land(other, of_campaigns(1, days=days, currency="USD"), days=days, currency="USD")

        html = viewer.visit("/data?source=meta&level=campaign&from=2027-01-01&to=2027-01-04").text

        assert {row[-1] for row in rows(html, "series-1")} == {"complete, may still be corrected"}
        assert rows(html, "series-2")[0][-1] != "complete, may still be corrected"
        assert "of 4 days are not complete" in words(html)

    def test_one_from_which_nothing_came_is_named_and_dashes_nothing(self, viewer: Browser, landed: KpiWorld):
        connect(landed.database, landed.organization_id, name="Acme <UK>")

        html = viewer.visit("/data?source=meta&range=7d").text

        assert "Nothing has come in from Acme &lt;UK&gt; yet." in html
        assert {row[-1] for row in rows(html)} == {"complete, may still be corrected"}

    def test_one_that_landed_and_was_empty_dashes_nothing(self, viewer: Browser, landed: KpiWorld):
        other = connect(landed.database, landed.organization_id, name="Quiet")
        land(other, [])

        found = rows(viewer.visit("/data?source=meta&level=campaign&range=7d").text)

        assert {row[-1] for row in found} == {"complete, may still be corrected"}


def test_a_day_alone_has_its_line(viewer: Browser, landed: KpiWorld) -> None:
    assert 'class="chart-before" d="M340 0L380 0"' in viewer.visit("/data?from=2026-12-20&to=2026-12-20").text
