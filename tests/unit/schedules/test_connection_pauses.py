"""How it is told who switched a schedule off."""

from app.schedules.connection_pauses import PAUSED_BY, REFUSED, switched_off


class TestSwitchedOff:
    def test_names_a_person(self):
        assert switched_off("ana@example.com", "12:00") == "ana@example.com switched it off at 12:00"

    def test_says_why_belfry_did(self):
        said = switched_off(f"{PAUSED_BY}{REFUSED}", "12:00", has="had")

        assert said == "Belfry had switched it off at 12:00, because its connection can no longer be read"
