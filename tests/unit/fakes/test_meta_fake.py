"""The fake of Meta refuses what the real one refuses, and says what it says."""

import json
from decimal import Decimal
from itertools import pairwise

import pytest

from tests.fakes.providers.meta.scenarios import APP_ID, APP_SECRET, EU, JP, SCOPELESS_TOKEN, TOKEN


def error_of(answer) -> tuple[int, int, int | None]:
    error = answer.content["error"]
    return answer.status, error["code"], error.get("error_subcode")


def spend_of(rows: list[dict]) -> Decimal:
    return sum((Decimal(row["spend"]) for row in rows), Decimal(0))


class TestWhoMayAsk:
    def test_nobody_without_a_token(self, insights):
        assert error_of(insights(token=None)) == (401, 104, None)

    def test_nobody_with_a_token_that_was_never_given(self, insights):
        assert error_of(insights(token="EAAnever")) == (400, 190, None)

    def test_nobody_whose_token_has_run_out(self, insights, world):
        world.advance(days=61)

        assert error_of(insights()) == (400, 190, 463)

    def test_nobody_without_the_scope(self, insights):
        assert error_of(insights(token=SCOPELESS_TOKEN)) == (403, 200, None)

    def test_nobody_for_an_account_that_is_not_theirs(self, insights):
        assert error_of(insights(path="act_999/insights")) == (400, 100, 33)

    def test_the_holder_of_a_token_in_the_query_too(self, insights):
        assert insights(token=None, access_token=TOKEN).status == 200


class TestWhatMayBeAsked:
    @pytest.mark.parametrize(
        ("version", "error"),
        [("v23.0", (400, 2635, None)), ("v27.0", (404, 2500, None)), ("latest", (404, 2500, None))],
    )
    def test_no_version_but_those_that_are_served(self, ask, version, error):
        assert error_of(ask(f"act_{EU}", version=version)) == error

    @pytest.mark.parametrize("version", ["v24.0", "v25.0", "v26.0"])
    def test_each_version_that_is_served(self, ask, version):
        assert ask(f"act_{EU}", version=version).status == 200

    @pytest.mark.parametrize(
        "wrong",
        [
            {"fields": "spend,conversions_total"},
            {"level": "advert"},
            {"limit": "0"},
            {"limit": "9000"},
            {"time_range": "yesterday"},
            {"time_range": json.dumps({"since": "2026-11-02", "until": "2026-11-01"})},
            {"action_attribution_windows": json.dumps(["7d_view"])},
            {"after": "not-a-cursor"},
            {"filtering": json.dumps([{"field": "ad.name", "operator": "CONTAIN", "value": "x"}])},
        ],
    )
    def test_no_parameter_that_the_real_one_does_not_know(self, insights, wrong):
        assert error_of(insights(**wrong)) == (400, 100, None)

    def test_nothing_beyond_what_is_kept(self, insights):
        assert error_of(insights(since="2023-10-19", until="2023-10-20")) == (400, 3018, None)

    def test_no_unknown_field_of_an_account(self, ask):
        assert error_of(ask(f"act_{EU}", fields="currency,colour")) == (400, 100, None)


class TestRows:
    def test_are_texts_in_major_units(self, insights):
        row = insights().content["data"][0]

        assert (row["account_currency"], row["date_start"]) == ("USD", row["date_stop"])
        assert all(isinstance(row[name], str) for name in ("spend", "impressions", "reach"))

    def test_add_up_to_the_oracle(self, insights, world):
        found = world.oracle("meta", account=EU, since="2026-11-01", until="2026-11-19")

        truth = sum(Decimal(figure["value"]) for figure in found if figure["metric"] == "spend")
        assert spend_of(insights().content["data"]) == truth != 0

    def test_do_not_come_for_days_without_delivery(self, insights, world):
        rows = insights(since="2026-10-12", until="2026-11-20").content["data"]

        assert len(rows) < 3 * 40

    def test_report_a_purchase_under_several_names(self, insights):
        row = next(
            row for row in insights().content["data"] if row["campaign_id"] == f"{EU}01" and "action_values" in row
        )

        assert [action["action_type"] for action in row["action_values"]] == [
            "omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase",
        ]  # fmt: skip

    def test_of_yen_have_no_fractions(self, insights):
        rows = insights(path=f"act_{JP}/insights").content["data"]

        assert all("." not in row["spend"] for row in rows)

    def test_change_for_28_days_and_then_no_more(self, insights, world):
        day = {"since": "2026-11-19", "until": "2026-11-19"}
        seen = [insights(**day).body]
        for _ in range(3):
            world.advance(days=14)
            seen.append(insights(**day).body)

        assert [one == other for one, other in pairwise(seen)] == [False, False, True]

    def test_of_the_account_count_people_once(self, insights):
        campaigns = insights().content["data"]
        day = campaigns[0]["date_start"]

        whole = insights(since=day, until=day, level="account").content["data"][0]

        parts = sum(int(row["reach"]) for row in campaigns if row["date_start"] == day)
        assert int(whole["reach"]) < parts


class TestPages:
    def test_end_where_next_is_missing_though_after_is_there(self, insights):
        last = insights(limit=5_000).content["paging"]

        assert "next" not in last
        assert last["cursors"]["after"]

    def test_name_the_real_host_and_the_token_in_next(self, insights):
        following = insights(limit=5).content["paging"]["next"]

        assert following.startswith("https://graph.facebook.com/")
        assert TOKEN in following

    def test_hold_as_many_rows_as_asked_for_and_all_together(self, insights):
        whole, pages, after = insights().content["data"], [], {}
        while True:
            page = insights(limit=7, **after).content
            pages.append(page["data"])
            if "next" not in page["paging"]:
                break
            after = {"after": page["paging"]["cursors"]["after"]}

        assert [row for page in pages for row in page] == whole
        assert {len(page) for page in pages[:-1]} == {7}

    def test_may_be_empty_in_the_middle(self, insights, world):
        world.fail("meta", "empty_page_with_next", match={"nth": 2})
        first = insights(limit=5).content["paging"]["cursors"]["after"]

        empty = insights(limit=5, after=first).content
        third = insights(limit=5, after=empty["paging"]["cursors"]["after"]).content

        assert (empty["data"], "next" in empty["paging"], len(third["data"])) == ([], True, 5)


class TestQuota:
    def test_is_said_with_every_answer(self, insights):
        headers = dict(insights().headers)

        business = json.loads(headers["X-Business-Use-Case-Usage"])[EU]
        assert {entry["type"] for entry in business} == {"ads_management", "ads_insights"}
        assert {"X-App-Usage", "X-Ad-Account-Usage", "X-FB-Ads-Insights-Throttle"} <= set(headers)

    def test_that_is_used_up_refuses_and_says_when_to_come_back(self, insights, world):
        world.provider("meta").state.accounts[EU].quota_per_hour = 3

        answers = [insights() for _ in range(4)]

        assert error_of(answers[-1])[:2] == (400, 80_000)
        usage = json.loads(dict(answers[-1].headers)["X-Business-Use-Case-Usage"])[EU]
        assert max(entry["estimated_time_to_regain_access"] for entry in usage) == 60

    def test_comes_back_with_time(self, insights, world):
        world.provider("meta").state.accounts[EU].quota_per_hour = 3
        for _ in range(4):
            insights()

        world.advance(minutes=61)

        assert insights().status == 200


class TestReports:
    def test_are_complete_only_with_status_and_percentage(self, ask, insights):
        report = insights(method="POST").content["report_run_id"]

        first, second = ask(report).content, ask(report).content

        assert (first["async_status"], first["async_percent_completion"]) == ("Job Completed", 90)
        assert (second["async_status"], second["async_percent_completion"]) == ("Job Completed", 100)

    def test_hand_out_nothing_before_they_are_complete(self, ask, insights):
        report = insights(method="POST").content["report_run_id"]

        assert error_of(ask(f"{report}/insights")) == (400, 2601, None)

    def test_have_the_same_rows_as_a_direct_answer(self, ask, insights):
        report = insights(method="POST").content["report_run_id"]
        for _ in range(2):
            ask(report)

        assert ask(f"{report}/insights", limit=500).content["data"] == insights().content["data"]

    def test_are_gone_after_thirty_days(self, ask, insights, world):
        report = insights(method="POST").content["report_run_id"]

        world.advance(days=31)

        assert error_of(ask(report)) == (400, 100, 33)

    def test_end_as_a_fault_says(self, ask, insights, world):
        world.fail("meta", "async_failed", code=2, subcode=1504038)
        report = insights(method="POST").content["report_run_id"]
        ask(report)

        end = ask(report).content

        assert (end["async_status"], end["error_code"]) == ("Job Failed", 2)


class TestAccountsAndTokens:
    def test_account_speaks_in_minor_units(self, ask):
        said = ask(f"act_{EU}", fields="currency,timezone_name,account_status,amount_spent").content

        assert (said["currency"], said["timezone_name"], said["account_status"]) == ("USD", "Europe/Berlin", 1)
        assert "." not in said["amount_spent"]

    def test_accounts_come_on_pages(self, ask):
        first = ask("me/adaccounts", limit=1, fields="account_id").content

        assert [each["account_id"] for each in first["data"]] == [EU]
        assert "next" in first["paging"]

    def test_facts_of_a_token_are_for_the_app_alone(self, ask):
        assert error_of(ask("debug_token", input_token=TOKEN))[1] == 190
        said = ask("debug_token", token=f"{APP_ID}|{APP_SECRET}", input_token=TOKEN).content["data"]
        assert (said["is_valid"], said["scopes"]) == (True, ["ads_read"])

    def test_token_is_exchanged_for_one_that_works(self, ask, insights):
        said = ask(
            "oauth/access_token", token=None, grant_type="fb_exchange_token", client_id=APP_ID,
            client_secret=APP_SECRET, fb_exchange_token=TOKEN,
        ).content  # fmt: skip

        assert insights(token=said["access_token"]).status == 200

    def test_nothing_that_was_asked_keeps_a_secret(self, ask, insights, world):
        insights(token=None, access_token=TOKEN)
        ask("debug_token", token=f"{APP_ID}|{APP_SECRET}", input_token=TOKEN)

        assert TOKEN not in repr(world.asked)
        assert APP_SECRET not in repr(world.asked)


class TestFaults:
    def test_meet_the_request_they_are_meant_for(self, ask, insights, world):
        world.fail("meta", "5xx", match={"route": "insights", "nth": 2})

        found = [insights().status, ask(f"act_{EU}").status, insights().status, insights().status]

        assert found == [200, 200, 500, 200]

    def test_go_on_as_often_as_they_say(self, insights, world):
        world.fail("meta", "rate_limit_nohint", times=None, match={"after": 1})

        assert [insights().status for _ in range(4)] == [200, 400, 400, 400]

    def test_hit_large_requests_alone_when_they_say_so(self, insights, world):
        world.fail("meta", "too_large", times=None, days_over=7)

        statuses = [insights().status, insights(since="2026-11-13").status]

        assert statuses == [400, 200]

    def test_drift_leaves_numbers_as_they_were(self, insights, world):
        before = insights().content["data"][0]["spend"]
        world.fail("meta", "schema_drift")

        assert f'"spend": {before}'.encode() in insights().body

    def test_change_of_the_truth_shows_in_rows_and_oracle(self, insights, world):
        before = spend_of(insights().content["data"])

        world.mutate("meta", account=EU, campaign=f"{EU}01", day="2026-11-15", spend="3.10")

        assert spend_of(insights().content["data"]) - before == Decimal("3.10")
