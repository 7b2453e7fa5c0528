"""What a job returned, on its run's page."""

from app.web.pages.run_facts import result_facts


class TestResult:
    def test_names_values_in_words(self) -> None:
        facts = result_facts({"status": 200, "latency_ms": 12})

        assert [(fact.term, fact.text) for fact in facts] == [("Status", "200"), ("Latency (ms)", "12")]

    def test_leaves_out_what_says_nothing_and_tells_numbers_and_parts_in_words(self) -> None:
        result = {
            "rows_seen": 12_480, "data_through": None, "streams": [], "year": 2026,
            "trouble": {"class": "auth_revoked", "code": "190"},
            "parts": [{"name": "campaigns", "rows_seen": 1_000, "data_through": None}], "ok": True,
        }  # fmt: skip

        facts = result_facts(result)

        assert [(fact.term, fact.text) for fact in facts] == [
            ("Rows seen", "12,480"), ("Year", "2026"), ("Trouble", "class auth_revoked, code 190"),
            ("campaigns", "rows seen 1,000"), ("Ok", "true"),
        ]  # fmt: skip

    def test_shows_each_step_on_a_line_of_its_own(self) -> None:
        facts = result_facts({"steps": [{"name": "Call", "status": 200, "duration_ms": 3}]})

        assert [(fact.term, fact.text) for fact in facts] == [("Call", "status 200, duration (ms) 3")]

    def test_shows_other_nested_values_as_json(self) -> None:
        facts = result_facts({"rows": [1, {"a": 2}]})

        assert [(fact.term, fact.text) for fact in facts] == [("Rows", '[1, {"a": 2}]')]
