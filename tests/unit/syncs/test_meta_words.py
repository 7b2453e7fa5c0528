"""Meta's headers, codes and rows, one by one."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.syncs.calls.retries import Defer, GiveUp, Wait, backoff, decide
from app.syncs.calls.troubles import HANDLING, Trouble, TroubleClass
from app.syncs.calls.usage import Usage, rest_for
from app.syncs.figures import FigureInvalid, Metric
from app.syncs.meta.ad_account import MetaAccount
from app.syncs.meta.refusals import class_of, read_error
from app.syncs.meta.rows import ACCOUNT, CAMPAIGNS, OtherCurrency, purchases_in, read_row
from app.syncs.meta.usage import read_usage

ROW: dict[str, Any] = {
    "account_id": "1", "account_currency": "EUR", "campaign_id": "7", "campaign_name": "Brand", "spend": "11.97",
    "impressions": "3613", "clicks": "10", "reach": "3606", "date_start": "2026-11-19", "date_stop": "2026-11-19",
}  # fmt: skip
MINE = MetaAccount("1", "Mine", "EUR", "Europe/Riga", 1)


def entry(percent: float, regain: float = 0, **more: Any) -> dict[str, Any]:
    return {"type": "ads_insights", "call_count": percent, "estimated_time_to_regain_access": regain} | more


class TestUsage:
    @pytest.mark.parametrize(
        ("headers", "usage"),
        [
            ({}, None),
            ({"x-app-usage": "{not json"}, None),
            ({"x-app-usage": "[]"}, None),
            ({"x-app-usage": '"98"'}, None),
            ({"x-app-usage": '{"call_count": "98"}'}, None),
            ({"x-app-usage": '{"call_count": true}'}, None),
            ({"x-app-usage": '{"call_count": 1e400}'}, None),
            ({"x-app-usage": '{"call_count": -1}'}, None),
            ({"x-app-usage": "[" * 100_000}, None),
            ({"x-app-usage": '{"call_count": 28, "total_time": 25, "total_cputime": 30}'}, Usage(30)),
            ({"x-business-use-case-usage": json.dumps({"1": [entry(95, 19)]})}, Usage(95, timedelta(minutes=19))),
            (
                {"x-business-use-case-usage": json.dumps({"1": [entry(5), entry(80, 2)], "2": [entry(90, 1)]})},
                Usage(90, timedelta(minutes=2)),
            ),
            ({"x-business-use-case-usage": json.dumps({"1": [None, 3, entry(5)], "2": None})}, Usage(5)),
            (
                {"x-ad-account-usage": '{"acc_id_util_pct": 9.67, "reset_time_duration": 120}'},
                Usage(9.67, timedelta(seconds=120)),
            ),
            ({"x-fb-ads-insights-throttle": '{"app_id_util_pct": 100, "acc_id_util_pct": 10}'}, Usage(100)),
        ],
    )
    def test_is_the_highest_of_all_that_can_be_read(self, headers, usage):
        assert read_usage(headers) == usage

    @pytest.mark.parametrize(
        ("usage", "seconds"),
        [
            (Usage(0), 0), (Usage(75), 0), (Usage(80), 7.5), (Usage(94), 28.5), (Usage(95), 300),
            (Usage(96, timedelta(minutes=9)), 540), (Usage(100, timedelta(days=30)), 6 * 3_600),
        ],
    )  # fmt: skip
    def test_asks_for_a_rest_that_grows(self, usage, seconds):
        assert rest_for(usage).total_seconds() == pytest.approx(seconds)


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "subcode", "said", "trouble_class"),
        [
            (190, 463, "", TroubleClass.AUTH_EXPIRED),
            (102, None, "", TroubleClass.AUTH_EXPIRED),
            (190, 459, "", TroubleClass.AUTH_REVOKED),
            (190, 464, "", TroubleClass.AUTH_REVOKED),
            (190, 492, "", TroubleClass.AUTH_REVOKED),
            (190, None, "", TroubleClass.AUTH_REVOKED),
            (10, None, "", TroubleClass.PERMISSION_MISSING),
            (299, None, "", TroubleClass.PERMISSION_MISSING),
            (100, 33, "", TroubleClass.PERMISSION_MISSING),
            (4, 1504039, "", TroubleClass.RATE_LIMITED),
            (80014, None, "", TroubleClass.RATE_LIMITED),
            (80008, None, "", TroubleClass.RATE_LIMITED),
            (100, 1487534, "", TroubleClass.TOO_LARGE),
            (1, None, "Please reduce the amount of data you're asking for", TroubleClass.TOO_LARGE),
            (1, None, "An unknown error occurred", TroubleClass.TRANSIENT),
            (2, 1504043, "", TroubleClass.TRANSIENT),
            (960, None, "", TroubleClass.TRANSIENT),
            (100, None, "(#100) Cannot include purchases in summary param", TroubleClass.TRANSIENT),
            (100, None, "(#100) x is not valid for fields param", TroubleClass.SETUP_ERROR),
            (2635, None, "", TroubleClass.VERSION_RETIRED),
            (368, None, "", TroubleClass.ACCOUNT_UNAVAILABLE),
            (800_008, None, "", TroubleClass.INTERNAL),
            (None, None, "", TroubleClass.INTERNAL),
        ],
    )
    def test_have_a_class_by_their_code(self, code, subcode, said, trouble_class):
        assert class_of(code, subcode, said, is_transient=False) is trouble_class

    def test_of_the_sign_in_are_never_transient(self):
        assert class_of(190, 463, "", is_transient=True) is TroubleClass.AUTH_EXPIRED

    @pytest.mark.parametrize(
        "error", [{}, {"code": "190"}, {"code": True}, {"message": 7, "fbtrace_id": ["x"], "error_subcode": {}}]
    )
    def test_of_an_unknown_shape_are_shown_as_such(self, error):
        trouble = read_error(error, status=400, usage=None, clean=str)

        assert trouble.trouble_class is TroubleClass.INTERNAL
        assert "does not know" in trouble.message

    @pytest.mark.parametrize(("code", "wait"), [(80_000, timedelta(minutes=2)), (2, None), (190, None)])
    def test_ask_for_a_break_only_where_they_are_about_limits(self, code, wait):
        usage = Usage(100, timedelta(minutes=2))

        assert read_error({"code": code}, status=400, usage=usage, clean=str).wait == wait

    def test_keep_what_support_wants_to_know(self):
        error = {"code": 1, "message": "Oops " * 100, "fbtrace_id": "AbC-_9"}

        trouble = read_error(error, status=500, usage=None, clean=str)

        assert (trouble.reference, trouble.code, len(trouble.message) < 400) == ("AbC-_9", "1", True)

    def test_have_a_handling_each(self):
        assert set(HANDLING) == set(TroubleClass)


class TestDecisions:
    def trouble(self, trouble_class: TroubleClass, seconds: float | None = None) -> Trouble:
        return Trouble(trouble_class, "", wait=None if seconds is None else timedelta(seconds=seconds))

    @pytest.mark.parametrize(
        ("trouble_class", "hint", "tries", "decision"),
        [
            (TroubleClass.TRANSIENT, None, 1, Wait(timedelta(seconds=1))),
            (TroubleClass.TRANSIENT, None, 3, Wait(timedelta(seconds=4))),
            (TroubleClass.TRANSIENT, None, 4, GiveUp()),
            (TroubleClass.TRANSIENT, 7, 1, Wait(timedelta(seconds=7))),
            (TroubleClass.TRANSIENT, 61, 4, Defer(timedelta(seconds=61))),
            (TroubleClass.RATE_LIMITED, 0, 1, Wait(timedelta(seconds=1))),
            (TroubleClass.RATE_LIMITED, 60, 3, Wait(timedelta(seconds=60))),
            (TroubleClass.RATE_LIMITED, 60, 4, Defer(timedelta(minutes=5))),
            (TroubleClass.RATE_LIMITED, 1e6, 1, Defer(timedelta(hours=6))),
            (TroubleClass.QUOTA_EXHAUSTED, 3_600, 1, Defer(timedelta(hours=1))),
            (TroubleClass.AUTH_EXPIRED, None, 1, GiveUp()),
            (TroubleClass.TOO_LARGE, None, 1, GiveUp()),
            (TroubleClass.INTERNAL, 5, 1, GiveUp()),
        ],
    )
    def test_follow_from_class_hint_and_tries(self, trouble_class, hint, tries, decision):
        assert decide(self.trouble(trouble_class, hint), tries=tries, chance=0.5) == decision

    def test_never_wait_longer_than_half_a_minute_unasked(self):
        assert max(backoff(tries, chance=1) for tries in range(1, 100)) == timedelta(seconds=30)


class TestRows:
    def read(self, row: dict[str, Any], stream=CAMPAIGNS):
        return read_row(row, account=MINE, stream=stream, metrics=stream.metrics)

    def test_say_zero_where_something_is_missing(self):
        values = self.read(ROW).values

        assert (values[Metric.SPEND], values[Metric.PURCHASES]) == (Decimal("11.97"), 0)
        assert values[Metric.LINK_CLICKS] == values[Metric.PURCHASE_VALUE] == 0

    def test_of_an_account_have_no_entity(self):
        assert (self.read(ROW, ACCOUNT).entity_id, self.read(ROW, ACCOUNT).name) == ("", "Mine")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"spend": None}, {"impressions": None}, {"spend": "NaN"}, {"spend": "1,50"}, {"clicks": 1.5},
            {"spend": "Infinity"}, {"account_id": "2"}, {"campaign_id": None}, {"campaign_id": 7},
            {"date_stop": "2026-11-20"}, {"date_start": "19.11.", "date_stop": "19.11."}, {"date_start": None},
            {"actions": {}}, {"actions": ["purchase"]}, {"actions": [{"action_type": "purchase"}]},
            {"actions": [{"action_type": "purchase", "value": "x"}]},
            {"account_currency": "USD"}, {"account_currency": None},
        ],
    )  # fmt: skip
    def test_that_cannot_be_right_are_refused(self, wrong):
        with pytest.raises(FigureInvalid):
            self.read(ROW | wrong)

    def test_in_another_currency_say_so(self):
        with pytest.raises(OtherCurrency):
            self.read(ROW | {"account_currency": "USD"})

    @pytest.mark.parametrize("number", ["0", "1234567.89", "0.000001", "1e3", 7, "-3.50"])
    def test_keep_numbers_to_the_last_digit(self, number):
        assert self.read(ROW | {"spend": number}).values[Metric.SPEND] == Decimal(number)


class TestPurchases:
    @pytest.mark.parametrize(
        ("kinds", "count"),
        [
            ({"offsite_conversion.fb_pixel_purchase": "11", "purchase": "11", "omni_purchase": "11"}, 11),
            ({"offsite_conversion.fb_pixel_purchase": "9", "purchase": "11", "omni_purchase": "14"}, 14),
            ({"offsite_conversion.fb_pixel_purchase": "9", "purchase": "11"}, 11),
            ({"offsite_conversion.fb_pixel_purchase": "9", "link_click": "70"}, 9),
            ({"add_to_cart": "5", "onsite_conversion.purchase": "3"}, 0),
            ({"omni_purchase": "0", "purchase": "11"}, 0),
            ({}, 0),
        ],
    )
    def test_are_those_of_the_first_name_that_is_there(self, kinds, count):
        assert purchases_in([{"action_type": kind, "value": value} for kind, value in kinds.items()]) == count

    def test_under_one_name_twice_are_not_guessed_at(self):
        with pytest.raises(FigureInvalid):
            purchases_in([{"action_type": "purchase", "value": "1"}, {"action_type": "purchase", "value": "8"}])
