"""The log on the page of a run: its parts, what is looked for, links to lines, and what is said where nothing comes."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest

from app.core.db import Database
from app.core.ids import new_id
from app.jobs.kinds.base import Level
from tests.factories.log_lines import write_lines
from tests.factories.outcomes import make_failed, make_running, make_succeeded
from tests.factories.work import make_job, make_run
from tests.fakes.clock import ManualClock
from tests.web.conftest import Browser

LINES = 1202


@pytest.fixture
def run_id(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    """Of a run that goes on and wrote “line 0001” and so on."""
    with database.transaction() as session:
        texts = [f"line {number:04}" for number in range(1, LINES + 1)]
        return make_running(session, make_job(session, organization_id), now=clock.moment, lines=texts)


@pytest.fixture
def mixed(database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
    """Of a run that goes on and wrote lines of each level, with what a pattern could be mistaken for."""
    with database.transaction() as session:
        run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
        write_lines(
            session, run_id, ["Timeout of 5 %", "a timeout", "50% done", "a_b", "axb", "back\\slash"], at=clock.moment
        )
        write_lines(session, run_id, ["careful, timeout"], at=clock.moment, level=Level.WARNING)
        write_lines(session, run_id, ["Boom", "It's over"], at=clock.moment, level=Level.ERROR)
        return run_id


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r'<li id="L(\d+)"', text)]


def links(text: str, label: str) -> list[str]:
    return [unescape(href) for href in re.findall(rf'href="([^"]+)"[^>]*>{label}<', text)]


class TestParts:
    def test_each_line_has_its_number_as_a_link(self, viewer: Browser, run_id: UUID) -> None:
        text = viewer.visit(f"/runs/{run_id}").text

        assert numbers(text) == list(range(703, LINES + 1))
        assert '<a class="log-number" href="#L703" tabindex="-1" aria-label="Line 703">703</a>' in text

    def test_lead_to_earlier_ones_until_the_first_line(self, viewer: Browser, run_id: UUID) -> None:
        shown = []
        address = f"/runs/{run_id}"
        while address:
            text = viewer.visit(address).text
            shown = [*numbers(text), *shown]
            address = next(iter(links(text, r"Load \d+ earlier")), "")

        assert shown == list(range(1, LINES + 1))

    def test_come_alone_for_a_script_with_the_way_to_those_before(self, viewer: Browser, run_id: UUID) -> None:
        text = viewer.visit(f"/runs/{run_id}/log?before=703", htmx=True).text

        assert numbers(text) == list(range(203, 703))
        assert f'hx-get="/runs/{run_id}/log?before=203"' in text
        assert "Load 202 earlier" in text
        assert "log-more" not in text

    def test_show_what_stands_around_a_line(self, viewer: Browser, run_id: UUID) -> None:
        text = viewer.visit(f"/runs/{run_id}?line=400").text

        assert numbers(text) == list(range(150, 650))
        assert links(text, "Load 500 later") == [f"/runs/{run_id}?after=649#log"]
        assert links(text, "To the end") == [f"/runs/{run_id}#log"]
        assert "log-more" not in text

    @pytest.mark.parametrize(("line", "first", "last"), [(1, 1, 500), (1200, 703, 1202), (99_999, 703, 1202)])
    def test_are_whole_at_both_ends(self, viewer: Browser, run_id: UUID, line: int, first: int, last: int) -> None:
        assert numbers(viewer.visit(f"/runs/{run_id}?line={line}").text) == list(range(first, last + 1))

    def test_go_on_where_they_reach_the_end(self, viewer: Browser, run_id: UUID) -> None:
        text = viewer.visit(f"/runs/{run_id}?after=1000").text

        assert numbers(text)[0] == 1001
        assert f'hx-get="/runs/{run_id}/log?after={LINES}"' in text

    def test_of_a_number_typed_are_led_to(self, viewer: Browser, run_id: UUID) -> None:
        answer = viewer.visit(f"/runs/{run_id}?level=error&go=120")

        assert answer.location == f"/runs/{run_id}?line=120#L120"

    @pytest.mark.parametrize(
        "query", ["before=x", "after=-1", "line=²", "before=0", "go=x", "level=loud", "q=%00", "before=1"]
    )
    def test_survive_what_cannot_be_read(self, viewer: Browser, run_id: UUID, query: str) -> None:
        assert viewer.visit(f"/runs/{run_id}?{query}").status_code == 200
        assert viewer.visit(f"/runs/{run_id}/log?{query}", htmx=True).status_code == 200


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("q=timeout", [2, 7]),
            ("q=Timeout", [1]),
            ("q=timeout&case=ignore", [1, 2, 7]),
            ("q=%25", [1, 3]),
            ("q=a_b", [4]),
            ("q=a_b&case=ignore", [4]),
            ("q=%5C", [6]),
            ("q='", [9]),
            ("q=a+", [2]),
            ("q=+timeout", [2, 7]),
            ("q=timeout+", []),
            ("q=+", [1, 2, 3, 7, 9]),
            ("level=warning", [7, 8, 9]),
            ("level=error", [8, 9]),
            ("level=warning&q=timeout", [7]),
        ],
    )
    def test_finds_lines_as_grep_does_and_counts_them(
        self, viewer: Browser, mixed: UUID, query: str, found: list[int]
    ) -> None:
        text = viewer.visit(f"/runs/{mixed}?{query}").text

        assert numbers(text) == found
        assert f'id="log-count">{len(found)} of 9 lines<' in text

    def test_stays_in_every_link(self, viewer: Browser, run_id: UUID) -> None:
        text = unescape(viewer.visit(f"/runs/{run_id}?q=line&case=ignore&level=info").text)

        assert f'hx-get="/runs/{run_id}/log?before=703&q=line&case=ignore"' in text
        assert f'hx-get="/runs/{run_id}/log?after={LINES}&q=line&case=ignore"' in text
        assert 'value="line"' in text
        assert links(text, "All lines") == [f"/runs/{run_id}#log"]

    def test_counts_all_and_shows_the_last_of_them(self, viewer: Browser, run_id: UUID) -> None:
        text = viewer.visit(f"/runs/{run_id}?q=line+0").text

        assert "999 of 1,202 lines" in text
        assert numbers(text) == list(range(500, 1000))
        assert "Load 499 earlier" in text

    def test_of_what_only_has_other_letters_offers_those(self, viewer: Browser, mixed: UUID) -> None:
        text = viewer.visit(f"/runs/{mixed}?q=BOOM").text

        assert "No line matches yet." in text
        assert links(text, "Ignore case: 1 line") == [f"/runs/{mixed}?q=BOOM&case=ignore#log"]

    def test_goes_on_with_new_lines_and_their_number(
        self, viewer: Browser, database: Database, run_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            write_lines(session, run_id, ["quiet", "loud", "quiet"], at=clock.moment)

        text = viewer.visit(f"/runs/{run_id}/log?after={LINES}&q=loud", htmx=True).text

        assert numbers(text) == [LINES + 2]
        assert f"after={LINES + 3}" in text
        assert '<hx-partial hx-target="#log-count" hx-swap="innerHTML">1 of 1,205 lines</hx-partial>' in text


class TestWithoutLines:
    def test_says_how_long_a_run_is_silent_and_how_long_it_usually_is(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
            for number in range(4):
                write_lines(session, run_id, ["beat"], at=clock.moment + timedelta(seconds=5 * number))
        clock.advance(seconds=15 + 72)

        text = viewer.visit(f"/runs/{run_id}/log?after=4", htmx=True).text

        assert "No output for 1 min 12 s (typical gap 5.0 s)." in text
        assert "No output for 1 min 12 s (typical gap 5.0 s)." in viewer.visit(f"/runs/{run_id}").text

    def test_says_so_of_a_run_that_never_said_anything(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
        clock.advance(seconds=60)

        assert "Nothing logged yet. No output for 1 min." in viewer.visit(f"/runs/{run_id}").text

    def test_says_nothing_within_a_minute(self, viewer: Browser, run_id: UUID, clock: ManualClock) -> None:
        clock.advance(seconds=59)

        assert "No output" not in viewer.visit(f"/runs/{run_id}").text

    def test_offers_nothing_to_look_for_where_nothing_ever_comes(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            job = make_job(session, organization_id)
            over, waiting = make_succeeded(session, job, now=clock.moment), make_run(session, job, now=clock.moment)

        text = viewer.visit(f"/runs/{over}").text

        assert "This run wrote no log." in text
        assert 'id="log-search"' not in text
        assert "The log begins when the run starts." in viewer.visit(f"/runs/{waiting}").text

    def test_says_that_nothing_matches_yet(self, viewer: Browser, run_id: UUID) -> None:
        assert "No line matches yet." in viewer.visit(f"/runs/{run_id}?q=nowhere").text


def test_is_closed_to_strangers(stranger: Browser, run_id: UUID) -> None:
    theirs = stranger.visit(f"/runs/{run_id}/log?before=10&q=line", htmx=True)

    assert theirs.status_code == stranger.visit(f"/runs/{new_id()}/log?before=10", htmx=True).status_code == 404
    assert "line 0" not in theirs.text


def test_of_a_run_that_is_over_asks_for_nothing(
    viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
) -> None:
    with database.transaction() as session:
        run_id = make_failed(session, make_job(session, organization_id), now=clock.moment, lines=["one", "two"])

    text = viewer.visit(f"/runs/{run_id}").text

    assert numbers(text) == [1, 2]
    assert "log-more" not in text
    assert "data-log-follow" not in text


class TestTracebacks:
    FRAMES = ("  File “shop.py”, line 4, in fetch", "    return call()") * 4
    TEXTS = ("before", "Traceback (most recent call last):", *FRAMES, "ShopError: no such shop", "after")

    @pytest.fixture
    def broken(self, database: Database, organization_id: UUID, clock: ManualClock) -> UUID:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
            write_lines(session, run_id, self.TEXTS, at=clock.moment, level=Level.ERROR)
            return run_id

    @staticmethod
    def fold(text: str) -> str:
        return text.partition('<li class="log-fold"')[2].partition("</details>")[0]

    def test_fold_between_their_first_line_and_their_error(self, viewer: Browser, broken: UUID) -> None:
        text = viewer.visit(f"/runs/{broken}").text

        fold = self.fold(text)
        assert numbers(text) == list(range(1, 13))
        assert numbers(fold) == list(range(3, 11))
        assert "<summary>8 lines of the traceback</summary>" in fold
        assert "<details >" in fold

    def test_are_open_where_the_address_names_one_of_their_lines(self, viewer: Browser, broken: UUID) -> None:
        assert "<details open>" in self.fold(viewer.visit(f"/runs/{broken}?line=10").text)
        assert "<details >" in self.fold(viewer.visit(f"/runs/{broken}?line=11").text)

    def test_fold_while_they_come(self, viewer: Browser, broken: UUID) -> None:
        assert numbers(self.fold(viewer.visit(f"/runs/{broken}/log?after=1", htmx=True).text)) == list(range(3, 11))

    def test_are_whole_in_the_file(self, viewer: Browser, broken: UUID) -> None:
        text = viewer.visit(f"/runs/{broken}/log.txt").text

        assert [line for line in self.TEXTS if line not in text] == []
        assert len(text.splitlines()) == len(self.TEXTS)

    def test_are_not_folded_among_what_is_searched_for(self, viewer: Browser, broken: UUID) -> None:
        assert "log-fold" not in viewer.visit(f"/runs/{broken}?q=e").text

    def test_are_not_folded_where_lines_between_are_left_out(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
            for text in self.TEXTS:
                write_lines(session, run_id, [text], at=clock.moment, level=Level.ERROR)
                write_lines(session, run_id, ["  between"], at=clock.moment)

        assert "log-fold" not in viewer.visit(f"/runs/{run_id}?level=error").text

    def test_in_one_text_fold_as_well(
        self, viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            run_id = make_running(session, make_job(session, organization_id), now=clock.moment)
            write_lines(session, run_id, ["\n".join(self.TEXTS[1:-1])], at=clock.moment)

        text = viewer.visit(f"/runs/{run_id}").text

        shown = "Traceback (most recent call last):<details><summary>8 lines of the traceback</summary>  File"
        assert shown in text
        assert "</details>ShopError: no such shop</div>" in text


def test_lines_steer_no_page_and_the_file_keeps_them(
    viewer: Browser, database: Database, organization_id: UUID, clock: ManualClock
) -> None:
    with database.transaction() as session:
        line = "done \u202egnp.exe\x1b[31m"
        run_id = make_running(session, make_job(session, organization_id), now=clock.moment, lines=[line])

    page, file = viewer.visit(f"/runs/{run_id}").text, viewer.visit(f"/runs/{run_id}/log.txt").text

    assert "done \\u202egnp.exe\\x1b[31m" in page
    assert "\u202e" not in page
    assert line in file
