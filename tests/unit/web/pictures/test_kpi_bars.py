"""The picture of a metric: where bars stand, what is hollow, and values below zero."""

from datetime import date, timedelta
from decimal import Decimal

from app.ops.kpi_report import KpiPoint, KpiSeries, Mark
from app.syncs.days import DayRange
from app.web.pictures.kpi_bars import HEIGHT, KpiBars, draw_bars
from app.web.pictures.shapes import Form

FIRST = date(2026, 11, 1)


def point(place: int, value: str | None, *marks: Mark, before: str | None = None) -> KpiPoint:
    day = FIRST + timedelta(days=place)
    known = [None if one is None else Decimal(one) for one in (value, before)]
    return KpiPoint(DayRange(day, day), known[0], marks, before=known[1])


def draw(*points: KpiPoint, currency: str | None = "EUR") -> KpiBars:
    return draw_bars(KpiSeries(currency, points, None, None))


class TestBars:
    def test_stand_on_zero_and_reach_the_top(self):
        bars = draw(point(0, "5"), point(1, "10"))

        assert (bars.ground, bars.most, bars.least) == (HEIGHT, "10.00 EUR", "")
        assert bars.shapes[0].path.startswith("M160 75h40v75")

    def test_hang_below_zero_where_values_are_negative(self):
        bars = draw(point(0, "5"), point(1, "-5"))

        assert (bars.ground, bars.least) == (HEIGHT / 2, "−5.00 EUR")

    def test_are_of_another_form_where_something_is_not_complete(self):
        bars = draw(point(0, "5"), point(1, "3", Mark.PROVISIONAL), point(2, None, Mark.MISSING))

        assert [shape.form for shape in bars.shapes] == [Form.SOLID, Form.DASHED]
        assert bars.crosses == ("83.33%",)
        assert bars.has_hollow

    def test_of_a_part_of_a_week_are_hollow(self):
        bars = draw(point(0, "5", Mark.CUT), point(1, "9"))

        assert ([shape.form for shape in bars.shapes], bars.has_hollow) == ([Form.SOLID, Form.DASHED], True)

    def test_have_a_ring_where_they_are_in_doubt_or_flagged(self):
        bars = draw(point(0, "5", Mark.SETTLING, Mark.DOUBTFUL), point(1, "3", Mark.FLAGGED))

        assert bars.signs == ("25.00%", "75.00%")

    def test_of_nothing_but_zero_are_none(self):
        bars = draw(point(0, "0"), point(1, "0"))

        assert (bars.shapes, bars.most, bars.ground) == ((), "", HEIGHT)


class TestThePeriodBefore:
    def test_is_a_line_that_breaks_where_nothing_is_known(self):
        bars = draw(point(0, "5", before="5"), point(1, "5", before="5"), point(2, "5"), point(3, "5", before="0"))

        assert bars.before == "M90 0L270 0M610 150L650 150"

    def test_shows_of_one_day_alone(self):
        assert draw(point(0, "5", before="10")).before == "M340 0L380 0"
