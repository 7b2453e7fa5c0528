"""The picture of an organization's hours, and the same in words and rows."""

from datetime import timedelta

from app.ops.organization_hours import HourOfRuns, OrganizationHours
from app.runs.run_hours import NOTHING, Counts
from app.web.pictures.day_of_runs import draw_day, hour_rows
from tests.fakes.clock import utc

NOW = utc("2027-01-05 12:30")
FIRST = utc("2027-01-04 20:00")


def day(ended: dict[int, Counts] | None = None, coming: dict[int, int] | None = None, now=NOW, first=FIRST):
    """Hours by their place, the seventeenth is the one that goes on."""
    hours = [
        HourOfRuns(first + timedelta(hours=place), (ended or {}).get(place, NOTHING), (coming or {}).get(place, 0))
        for place in range(24)
    ]
    return OrganizationHours(now, tuple(hours))


class TestDrawing:
    def test_puts_a_cross_over_every_hour_with_a_failure(self) -> None:
        drawn = draw_day(day({3: Counts(succeeded=900, failed=1), 5: Counts(succeeded=2)}), zone="UTC")

        assert drawn.crosses == ("14.58%",)
        assert {shape.state for shape in drawn.shapes} == {"succeeded", "failed"}

    def test_shows_one_failure_among_thousands(self) -> None:
        drawn = draw_day(day({3: Counts(succeeded=9_000, failed=1)}), zone="UTC")

        failed = next(shape.path for shape in drawn.shapes if shape.state == "failed")
        assert "v4" in failed

    def test_draws_what_comes_after_now_alone(self) -> None:
        drawn = draw_day(day(coming={16: 4, 20: 8}), zone="UTC")

        planned = next(shape.path for shape in drawn.shapes if shape.state == "planned")
        starts = [float(piece.split(" ")[0]) for piece in planned.split("M")[1:]]
        assert min(starts) >= float(drawn.now.removesuffix("%")) / 100 * 720

    def test_says_the_same_in_words(self) -> None:
        drawn = draw_day(day({3: Counts(succeeded=3, failed=1)}, {20: 8}), zone="Europe/Riga")

        assert drawn.label == (
            "Since Mon 4 Jan, 22:00: 4 runs ended: 3 succeeded, 1 failed. Due by Tue 5 Jan, 22:00: 8."
        )

    def test_says_that_the_clocks_change(self) -> None:
        drawn = draw_day(day(now=utc("2027-03-28 02:30"), first=utc("2027-03-27 10:00")), zone="Europe/Riga")

        assert [change.sentence for change in drawn.clock_changes] == [
            "Sun 28 Mar, 03:00: the clocks go forward 1 h. That day has 23 hours."
        ]


class TestTheTable:
    def test_leaves_empty_hours_out(self) -> None:
        rows = hour_rows(day({3: Counts(succeeded=3, retried=1, failed=1, skipped=2)}, {20: 8}), zone="UTC")

        assert [(row.label, row.succeeded, row.failed, row.others, row.coming) for row in rows] == [
            ("Mon 4 Jan, 23:00", 4, 1, "1 after retry, 2 skipped", 0),
            ("Tue 5 Jan, 16:00", 0, 0, "", 8),
        ]

    def test_tells_the_hour_that_comes_twice_apart(self) -> None:
        night = day({2: Counts(succeeded=1), 3: Counts(succeeded=1)}, first=utc("2027-10-30 22:00"))

        labels = [row.label for row in hour_rows(night, zone="Europe/Riga")]

        assert labels == ["Sun 31 Oct, 03:00", "Sun 31 Oct, 03:00 again"]
