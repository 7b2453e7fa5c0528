"""Saved views: links above a list, for oneself or for everybody, renamed and deleted."""

import re
from html import unescape

import pytest

from tests.web.conftest import Browser

FAILED = {"list": "runs", "state": "failed", "last": "24h"}


def save(browser: Browser, name: str, **more: str) -> int:
    return browser.send("/views", FAILED | {"name": name} | more).status_code


def address_of_view(browser: Browser, name: str) -> str:
    row = browser.visit("/views").text.split(f">{name}</a>")[1]
    return row.split('href="', 1)[1].split('"', 1)[0]


class TestSaving:
    def test_is_offered_for_a_list_that_is_narrowed(self, viewer: Browser) -> None:
        narrowed, plain = viewer.visit("/runs?state=failed&last=24h"), viewer.visit("/runs")

        assert 'href="/views/new?list=runs&state=failed&last=24h"' in unescape(narrowed.text)
        assert "Save this view" not in plain.text

    def test_makes_a_link_above_the_list(self, viewer: Browser) -> None:
        answer = viewer.send("/views", FAILED | {"name": "Failed today"})

        text = unescape(viewer.visit("/runs").text)
        assert answer.headers["Location"] == "/runs?state=failed&last=24h"
        assert '<a class="sub" href="/runs?state=failed&last=24h" >Failed today</a>' in text

    def test_marks_the_one_that_is_open_and_offers_no_second(self, viewer: Browser) -> None:
        save(viewer, "Failed today")

        text = viewer.visit("/runs?state=failed&last=24h").text

        assert 'aria-current="true">Failed today' in text
        assert "Save this view" not in text

    def test_keeps_schedules_as_well(self, viewer: Browser) -> None:
        viewer.send("/views", {"list": "schedules", "status": "failing", "name": "Broken ones"})

        assert ">Broken ones</a>" not in viewer.visit("/runs").text
        assert 'href="/schedules?status=failing"' in viewer.visit("/views").text

    @pytest.mark.parametrize(
        ("typed", "words"),
        [
            ({"name": " "}, "Give the view a name."),
            ({"name": "x" * 81}, "at most 80 characters"),
            ({"name": "a\u202eb"}, "cannot be shown"),
            ({"name": "All", "state": "", "last": ""}, "Narrow the list first"),
            ({"name": "Long", "q": "x" * 201}, "at most 200 characters"),
        ],
    )
    def test_says_what_is_wrong_and_keeps_what_was_typed(
        self, viewer: Browser, typed: dict[str, str], words: str
    ) -> None:
        answer = viewer.send("/views", FAILED | typed)

        assert answer.status_code == 422
        assert words in unescape(answer.text)

    def test_refuses_a_name_twice(self, viewer: Browser, operator: Browser) -> None:
        save(viewer, "Mine")

        assert save(viewer, "Mine") == 409
        assert save(operator, "Mine") == 303


class TestWhose:
    def test_ones_own_are_seen_by_nobody_else(self, viewer: Browser, operator: Browser) -> None:
        save(operator, "Secret one")
        address = address_of_view(operator, "Secret one")

        assert "Secret one" not in viewer.visit("/runs").text
        assert viewer.visit(address).status_code == 404
        assert viewer.send(f"{address}/delete").status_code == 404

    def test_those_of_all_are_seen_by_all(self, viewer: Browser, operator: Browser, stranger: Browser) -> None:
        save(operator, "For all", is_shared="y")

        assert "For all" in viewer.visit("/runs").text
        assert "For all" not in stranger.visit("/runs").text

    def test_viewers_make_none_for_all_and_change_none(self, viewer: Browser, operator: Browser) -> None:
        save(operator, "For all", is_shared="y")
        address = address_of_view(operator, "For all")

        assert save(viewer, "Mine for all", is_shared="y") == 403
        assert viewer.send(address, {"name": "Other"}).status_code == 403
        assert viewer.send(f"{address}/delete").status_code == 403
        assert "this needs operator" in viewer.visit("/views/new?list=runs&q=x").text


class TestChanging:
    def test_renames(self, viewer: Browser) -> None:
        save(viewer, "Before")

        viewer.send(address_of_view(viewer, "Before"), {"name": "After"})

        assert ">After</a>" in viewer.visit("/runs").text
        assert ">Before</a>" not in viewer.visit("/runs").text

    def test_takes_no_name_that_another_one_has(self, viewer: Browser) -> None:
        save(viewer, "One")
        save(viewer, "Two")

        answer = viewer.send(address_of_view(viewer, "Two"), {"name": "One"})

        assert answer.status_code == 409
        assert "Another view is called" in answer.text

    def test_deletes(self, viewer: Browser) -> None:
        save(viewer, "Gone")

        viewer.send(f"{address_of_view(viewer, 'Gone')}/delete")

        assert ">Gone</a>" not in viewer.visit("/runs").text

    @pytest.mark.parametrize("shared", [{}, {"is_shared": "y"}])
    def test_comes_back_by_undo(self, operator: Browser, viewer: Browser, shared: dict[str, str]) -> None:
        save(operator, "50 % & more", q="a&b=c", **shared)
        before = unescape(operator.visit("/runs").text).split(">50 % & more</a>")[0].rpartition("<a")[2]
        operator.send(f"{address_of_view(operator, '50 % &amp; more')}/delete")

        text = unescape(operator.visit("/views").text)
        operator.send(re.findall(r'action="(/views\?[^"]+)"', text)[0])

        after = unescape(operator.visit("/runs").text).split(">50 % & more</a>")[0].rpartition("<a")[2]
        assert after == before
        assert ("50 % & more" in unescape(viewer.visit("/runs").text)) is bool(shared)

    def test_stands_in_the_audit(self, operator: Browser, admin: Browser) -> None:
        save(operator, "Failed today", is_shared="y")
        operator.send(address_of_view(operator, "Failed today"), {"name": "Failed"})

        text = admin.visit("/audit?action=view").text
        assert "Saved the view “Failed today” of runs" in text
        assert "Renamed the view “Failed today” to “Failed”" in text


def test_a_view_keeps_the_order_of_schedules(viewer: Browser) -> None:
    viewer.send("/views", {"list": "schedules", "sort": "-success", "name": "Best ones"})

    assert 'href="/schedules?sort=-success"' in viewer.visit("/views").text
