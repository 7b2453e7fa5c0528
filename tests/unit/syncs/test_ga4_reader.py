"""Reading a property ends with the truth to the cent, or with the class of what went wrong and nothing else."""

import json
import logging
import traceback
from collections import Counter
from datetime import date, timedelta

import pytest

from app.syncs.calls.trials import Moment
from app.syncs.calls.troubles import HANDLING, Audience, SyncFailed, TroubleClass
from app.syncs.days import DayRange
from app.syncs.figures import QualityFlag
from app.syncs.ga4.error_budget import MOST_ERRORS
from app.syncs.ga4.rows import ACCOUNT, CHANNELS
from tests.fakes.providers.ga4.scenarios import BERLIN, TOKYO
from tests.fakes.providers.google.keys import PRIVATE_KEY, READER, SECRETS
from tests.fakes.providers.world import START, World
from tests.unit.syncs.ga4_world import SECRET, door_of, google_world, open_reading, truth
from tests.unit.syncs.meta_world import said


@pytest.fixture
def world() -> World:
    return google_world()


def fail(world: World, fault: str, **options: object) -> None:
    world.fail("ga4", fault, **{"match": {"route": "report"}} | options)


def failure(world: World, **how: object) -> SyncFailed:
    with pytest.raises(SyncFailed) as failed:
        open_reading(world, **how).read()
    return failed.value


class TestTheTruth:
    @pytest.mark.parametrize("account", [BERLIN, TOKYO])
    @pytest.mark.parametrize("stream", [CHANNELS, ACCOUNT])
    @pytest.mark.parametrize("page_rows", [7, 10_000])
    def test_is_what_is_read(self, world, account, stream, page_rows) -> None:
        found = open_reading(world, account=account, stream=stream, page_rows=page_rows).read()

        assert said(found) == truth(world, account=account, level=stream.level.value)

    def test_of_days_without_anybody_is_nothing(self, world) -> None:
        (window,) = open_reading(world).read(DayRange(date(2026, 1, 1), date(2026, 1, 9)))

        assert (window.figures, window.zone, window.currency) == ((), "Europe/Berlin", "EUR")

    def test_is_asked_for_by_absolute_days_and_in_a_total_order(self, world) -> None:
        open_reading(world).read()

        asked = json.loads(world.requests("report")[0].body)
        assert asked["dateRanges"] == [{"startDate": "2026-10-22", "endDate": "2026-11-19"}]
        ordered = [each["dimension"]["dimensionName"] for each in asked["orderBys"]]
        assert ordered == [each["name"] for each in asked["dimensions"]] == ["date", "sessionDefaultChannelGroup"]

    def test_does_not_depend_on_the_order_of_columns_nor_on_what_is_new(self, world) -> None:
        fail(world, "schema_drift", times=None)

        assert said(open_reading(world, page_rows=50).read()) == truth(world)

    def test_of_people_is_no_sum_of_channels(self, world) -> None:
        by_channel, whole = (open_reading(world, stream=stream).read() for stream in (CHANNELS, ACCOUNT))

        day = "2026-11-04"
        channels, (people,) = (
            [row[4] for row in said(each) if row[0] == day and row[3] == "total_users"] for each in (by_channel, whole)
        )
        assert sum(channels) > people > 0

    def test_is_asked_for_in_windows_of_a_month(self, world) -> None:
        windows = open_reading(world).read(DayRange(date(2026, 10, 1), date(2026, 11, 19)))

        assert [(window.last_day - window.first_day).days + 1 for window in windows] == [30, 20]


class TestQuality:
    @pytest.mark.parametrize(
        ("variant", "flag"),
        [
            ("sampled", QualityFlag.SAMPLED),
            ("thresholded", QualityFlag.THRESHOLDED),
            ("other_row", QualityFlag.OTHER_ROW),
            ("truncated", QualityFlag.TRUNCATED),
        ],
    )
    def test_is_said_of_the_window(self, world, variant, flag) -> None:
        fail(world, "quality", variant=variant)

        (window,) = open_reading(world, page_rows=150).read()

        assert (window.flags, said([window]) == truth(world)) == ({flag}, True)

    def test_is_said_of_the_metric_that_is_hidden(self, world) -> None:
        fail(world, "quality", variant="restricted", times=None)

        (window,) = open_reading(world).read()

        hidden = {figure.metric.value for figure in window.figures if QualityFlag.RESTRICTED in figure.flags}
        assert hidden == {"revenue"}

    def test_is_said_of_the_channel_that_holds_the_rest(self, world) -> None:
        (window,) = open_reading(world).read()

        found = {figure.entity.id for figure in window.figures if QualityFlag.OTHER_ROW in figure.flags}
        assert (found, window.flags) == ({"(other)"}, frozenset())

    def test_is_said_of_rows_that_belong_to_no_day_and_are_left_out(self, world) -> None:
        world.mutate("ga4", property=BERLIN, loses_rows=True)

        (window,) = open_reading(world, page_rows=50).read()

        assert (window.flags, said([window])) == ({QualityFlag.OTHER_ROW}, truth(world))


class TestPages:
    def test_that_end_too_early_fail_and_nothing_is_handed_on(self, world) -> None:
        fail(world, "truncated_page")
        reading = open_reading(world, page_rows=40)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, reading.routes) == (TroubleClass.TRANSIENT, ["report"])

    @pytest.mark.parametrize(
        "fault",
        [
            {"fault": "reordered"},
            {"fault": "duplicate_page"},
            {"fault": "zone_change"},
            {"fault": "currency_change"},
        ],
    )
    def test_that_are_not_of_one_report_are_read_again(self, world, fault) -> None:
        world.fail("ga4", offset_over=0, match={"route": "report"}, **fault)
        reading = open_reading(world, page_rows=40)

        assert said(reading.read()) == truth(world)
        pages = -(-len({row[:3] for row in truth(world)}) // 40)
        # Some are noticed with the second page, and one that came twice at the end.
        assert len(reading.routes) in {2 + pages, 2 * pages}
        assert "changed while it was read" in reading.watch.lines[-1]

    @pytest.mark.parametrize("fault", ["reordered", "duplicate_page", "long_page"])
    def test_that_never_fit_together_end_it(self, world, fault) -> None:
        world.fail("ga4", fault, offset_over=0, times=None, match={"route": "report"})
        reading = open_reading(world, page_rows=40)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        # Three starts, each as far as it can go before it is noticed.
        assert (failed.value.trouble_class, len(reading.routes) % 3) == (TroubleClass.TRANSIENT, 0)

    def test_that_say_more_than_their_report_has_are_read_again(self, world) -> None:
        rows = len({row[:3] for row in truth(world)})
        pages = -(-rows // 40)
        assert rows % 40, "the last page has to be one that is not full"
        world.fail("ga4", "long_page", offset_over=40 * (pages - 1) - 1, match={"route": "report"})
        reading = open_reading(world, page_rows=40)

        assert said(reading.read()) == truth(world)
        assert len(reading.routes) == 2 * pages

    def test_of_another_zone_say_so(self, world) -> None:
        fail(world, "zone_change", times=None)

        (window,) = open_reading(world).read()

        assert window.zone == "America/New_York"


class TestTheSignIn:
    def test_is_one_for_all_requests(self, world) -> None:
        open_reading(world, page_rows=20).read()

        assert Counter(asked.route for asked in world.asked)["token"] == 1

    def test_is_made_anew_before_its_hour_is_over(self, world) -> None:
        reading = open_reading(world)
        world.advance(minutes=59, seconds=30)

        reading.read()

        assert reading.routes == ["token", "report"]

    def test_that_is_refused_before_its_time_is_made_anew_once(self, world) -> None:
        fail(world, "expired_token")
        reading = open_reading(world)

        assert said(reading.read()) == truth(world)
        assert reading.routes == ["report", "token", "report"]

    def test_that_is_refused_always_ends_it(self, world) -> None:
        fail(world, "expired_token", times=None)
        reading = open_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, reading.routes) == (
            TroubleClass.AUTH_EXPIRED,
            ["report", "token", "report"],
        )

    @pytest.mark.parametrize("variant", ["signature", "account", "expired"])
    def test_with_a_key_that_is_gone_ends_it_without_another_try(self, world, variant) -> None:
        world.fail("google", "revoked", variant=variant, times=None)

        error = failure(world)

        assert (error.trouble_class, len(world.asked)) == (TroubleClass.AUTH_REVOKED, 1)
        assert "new key" in error.message

    def test_of_a_deleted_account_says_so(self, world) -> None:
        world.mutate("google", deleted=READER)

        assert "it was deleted" in failure(world).message

    def test_with_a_wrong_clock_is_the_operators_trouble_and_blames_no_key(self, world) -> None:
        world.fail("google", "clock_skew", times=None)

        error = failure(world)

        assert (error.trouble_class, len(world.asked)) == (TroubleClass.CLOCK_WRONG, 1)
        assert HANDLING[error.trouble_class].audience is Audience.OPERATOR
        assert "The key is not to blame" in error.message

    @pytest.mark.parametrize("minutes", [-70, 10])
    def test_by_a_clock_that_is_really_wrong_says_so(self, world, minutes) -> None:
        calls = door_of(world).calls(SECRET, BERLIN, watch=Moment(world.now + timedelta(minutes=minutes)))

        with pytest.raises(SyncFailed) as failed:
            calls.glance()

        assert failed.value.trouble_class is TroubleClass.CLOCK_WRONG

    @pytest.mark.parametrize("variant", ["500", "503", "html"])
    def test_that_is_down_is_tried_four_times(self, world, variant) -> None:
        world.fail("google", "5xx", variant=variant, times=3)
        assert said(open_reading(world).read()) == truth(world)
        world.fail("google", "5xx", variant=variant, times=None)
        before = len(world.asked)

        error = failure(world)

        assert (error.trouble_class, len(world.asked) - before) == (TroubleClass.TRANSIENT, 4)


class TestRefusals:
    @pytest.mark.parametrize(
        ("fault", "trouble", "words"),
        [
            ({"fault": "no_permission"}, TroubleClass.PERMISSION_MISSING, READER),
            ({"fault": "no_permission", "variant": "disabled"}, TroubleClass.SETUP_ERROR, "project “belfry-fake”"),
            ({"fault": "invalid_field"}, TroubleClass.SETUP_ERROR, "not a valid metric"),
            ({"fault": "account_state"}, TroubleClass.ACCOUNT_UNAVAILABLE, "was deleted, or never was"),
        ],
    )
    def test_are_told_with_what_to_do_after_one_request(self, world, fault, trouble, words) -> None:
        fail(world, times=None, **fault)
        reading = open_reading(world)

        with pytest.raises(SyncFailed, match=words) as failed:
            reading.read()

        assert (failed.value.trouble_class, reading.routes) == (trouble, ["report"])

    def test_of_somebody_elses_property_name_who_has_to_be_let_in(self, world) -> None:
        world.provider("ga4").properties[TOKYO].viewers.clear()

        error = failure(world, account=TOKYO)

        assert error.trouble_class is TroubleClass.PERMISSION_MISSING
        assert f"{READER} may not read property {TOKYO}" in error.message

    @pytest.mark.parametrize("fault", [{"fault": "truncated"}, {"fault": "truncated", "variant": "garbage"}])
    def test_of_the_wire_are_tried_four_times(self, world, fault) -> None:
        fail(world, times=3, **fault)
        assert said(open_reading(world).read()) == truth(world)
        fail(world, times=None, **fault)
        reading = open_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, reading.routes) == (TroubleClass.TRANSIENT, ["report"] * 4)


class TestServerErrors:
    def test_are_tried_again_until_the_property_would_be_locked(self, world) -> None:
        fail(world, "5xx", times=None)
        reading, classes = open_reading(world), []
        for _ in range(3):
            with pytest.raises(SyncFailed) as failed:
                reading.read()
            classes.append(failed.value.trouble_class)

        assert classes == [TroubleClass.TRANSIENT, TroubleClass.RATE_LIMITED, TroubleClass.RATE_LIMITED]
        assert len(world.requests("report")) == MOST_ERRORS

    def test_of_one_property_are_not_those_of_another(self, world) -> None:
        fail(world, "5xx", times=MOST_ERRORS)
        reading = open_reading(world, door=(door := door_of(world)))
        for _ in range(2):
            with pytest.raises(SyncFailed):
                reading.read()

        assert said(open_reading(world, door=door, account=TOKYO).read()) == truth(world, account=TOKYO)

    def test_are_forgotten_after_an_hour(self, world) -> None:
        fail(world, "5xx", times=MOST_ERRORS)
        reading = open_reading(world)
        for _ in range(2):
            with pytest.raises(SyncFailed) as failed:
                reading.read()
        assert failed.value.until is not None
        world.advance(seconds=(failed.value.until - world.now).total_seconds())

        assert said(reading.read()) == truth(world)

    def test_are_not_tried_again_where_google_says_that_few_are_left(self, world) -> None:
        world.fail("ga4", "near_limit", of="serverErrorsPerProjectPerHour", left=1, match={"route": "glance"})
        fail(world, "5xx")
        reading = open_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, reading.routes) == (TroubleClass.RATE_LIMITED, ["report"])


class TestQuota:
    @pytest.mark.parametrize(
        ("variant", "trouble", "wait"),
        [
            ("hour", TroubleClass.RATE_LIMITED, timedelta(minutes=30)),
            ("project", TroubleClass.RATE_LIMITED, timedelta(minutes=30)),
            ("thresholded", TroubleClass.RATE_LIMITED, timedelta(minutes=30)),
            # Until midnight in California it is longer than anything is put off at once.
            ("day", TroubleClass.QUOTA_EXHAUSTED, timedelta(hours=6)),
        ],
    )
    def test_that_is_used_up_puts_the_run_off(self, world, variant, trouble, wait) -> None:
        fail(world, "rate_limit_nohint", variant=variant)
        reading = open_reading(world)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, failed.value.until, reading.routes) == (trouble, START + wait, ["report"])

    def test_of_the_day_says_when_it_returns_by_the_clocks_of_the_property(self, world) -> None:
        fail(world, "rate_limit_nohint", variant="day")

        assert "it returns at 2026-11-21 09:00 (Europe/Berlin)" in failure(world).message

    def test_of_requests_at_the_same_time_is_waited_for_in_place(self, world) -> None:
        fail(world, "rate_limit_nohint", variant="concurrent")
        reading = open_reading(world)

        assert said(reading.read()) == truth(world)
        assert (reading.watch.pauses, reading.routes) == ([30], ["report", "report"])

    def test_that_is_all_but_used_up_ends_it_before_google_does(self, world) -> None:
        fail(world, "near_limit")
        reading = open_reading(world, page_rows=40)

        with pytest.raises(SyncFailed) as failed:
            reading.read()

        assert (failed.value.trouble_class, failed.value.until, reading.routes) == (
            TroubleClass.RATE_LIMITED, START + timedelta(minutes=30), ["report"],
        )  # fmt: skip

    def test_is_kept_by_a_reader_that_obeys(self, world) -> None:
        world.provider("ga4").properties[BERLIN].tokens_per_hour = 1_000

        with pytest.raises(SyncFailed):
            open_reading(world, page_rows=1).read()

        assert {asked.status for asked in world.asked} == {200}


class TestTheKey:
    @pytest.mark.parametrize("text", [*SECRETS, "".join(PRIVATE_KEY.splitlines()[1:-1])])
    @pytest.mark.parametrize("provider", ["ga4", "google"])
    def test_is_hidden_in_whatever_comes_back(self, world, provider, text, caplog) -> None:
        caplog.set_level(logging.DEBUG)
        world.fail(provider, "echo", text=text, times=None)

        error = failure(world)

        shown = "".join([*traceback.format_exception(error), repr(error.trouble), caplog.text])
        assert not [line for line in PRIVATE_KEY.splitlines()[1:-1] if line in shown]

    def test_leaves_only_as_a_signature_to_the_address_of_the_settings(self, world) -> None:
        open_reading(world).read()

        assert {(asked.provider, asked.auth) for asked in world.asked} == {("google", "none"), ("ga4", "bearer")}
