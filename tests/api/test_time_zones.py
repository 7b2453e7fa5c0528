"""`/time-zones`: the search of the picker, for programs."""

import pytest

from tests.api.conftest import Caller
from tests.fakes.clock import ManualClock, utc


class TestTheSearchOfTimeZones:
    def test_answers_with_clock_and_next_change(self, viewer_api: Caller, clock: ManualClock):
        clock.moment = utc("2026-11-20 20:34")

        answer = viewer_api.get("/time-zones?q=york")

        assert answer.json["data"] == [
            {
                "name": "America/New_York",
                "city": "New York",
                "country": "United States",
                "local_time": "2026-11-20T15:34:00-05:00",
                "utc_offset": "-05:00",
                "next_change": {"at": "2027-03-14T07:00:00Z", "utc_offset": "-04:00"},
                "group": None,
                "note": None,
            }
        ]

    def test_says_what_became_of_an_old_name(self, viewer_api: Caller):
        zone = viewer_api.get("/time-zones?q=calcutta").json["data"][0]

        assert (zone["name"], zone["note"]) == ("Asia/Kolkata", "Asia/Calcutta is now Asia/Kolkata")
        assert zone["next_change"] is None

    def test_offers_the_likely_ones_without_a_search(self, viewer_api: Caller):
        groups = [zone["group"] for zone in viewer_api.get("/time-zones").json["data"]]

        assert (groups[0], groups.count("Common"), len(groups)) == ("Yours", 11, 30)

    @pytest.mark.parametrize("query", ["q=" + "x" * 61, "city=Riga"])
    def test_refuses_what_it_cannot_use(self, viewer_api: Caller, query: str):
        assert viewer_api.get(f"/time-zones?{query}").status_code == 422
