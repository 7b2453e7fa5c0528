"""What a service may answer that is no answer: nothing of it breaks the end of a run, and nothing of it lands."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import pytest

from app.core.http import OutboundLimits, OutboundRequest, OutboundResponse
from app.events.models import Event
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.services import Service
from app.runs.models import Run
from app.syncs.meta.door import MetaDoor
from app.syncs.meta.source import MetaSource
from tests.database.sync_world import SyncWorld, WorldWatch
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.inside import BASE, InsideClient
from tests.fakes.providers.meta.scenarios import TOKEN
from tests.fakes.vault import SEALER

Bend = Callable[[OutboundRequest, OutboundResponse], OutboundResponse]
NO_TEXT = "a\x00b\ud800"


@dataclass(frozen=True)
class Bending:
    """Sends to the fake, and bends what it answers."""

    inside: InsideClient
    bend: Bend

    def send(
        self, request: OutboundRequest, *, limits: OutboundLimits | None = None, into: BinaryIO | None = None
    ) -> OutboundResponse:
        return self.bend(request, self.inside.send(request, limits=limits, into=into))


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


def sync(syncs: SyncWorld, bend: Bend) -> Run:
    door = MetaDoor(f"{BASE}/meta", "v26.0", Bending(InsideClient(syncs.world), bend), chance=lambda: 0.5)
    kind = SyncKind(SEALER, {Service.META: MetaSource(door)}, watch=lambda context: WorldWatch(context, syncs.world))
    return syncs.attempt(syncs.ready_run(), kind=kind)


def refusing(**error: Any) -> Bend:
    """Answers every question about figures with an error."""
    body = json.dumps({"error": error}).encode()
    return lambda request, said: replace(said, status=400, body=body) if "/insights" in request.url else said


def saying(name: str, value: Any) -> Bend:
    """Gives the first row of figures another value."""

    def bend(request: OutboundRequest, said: OutboundResponse) -> OutboundResponse:
        content = json.loads(said.body)
        if "/insights" not in request.url or not content.get("data"):
            return said
        content["data"][0][name] = value
        return replace(said, body=json.dumps(content).encode())

    return bend


def paging_to(after: Any) -> Bend:
    def bend(request: OutboundRequest, said: OutboundResponse) -> OutboundResponse:
        if "/insights" not in request.url:
            return said
        content = json.loads(said.body) | {"paging": {"next": "https://graph.example/", "cursors": {"after": after}}}
        return replace(said, body=json.dumps(content).encode())

    return bend


class TestARefusalInWordsThatNoDatabaseHolds:
    @pytest.mark.parametrize("code", [190, 200])
    def test_refuses_the_connection_all_the_same(self, syncs: SyncWorld, code: int) -> None:
        run = sync(syncs, refusing(code=code, message=NO_TEXT, fbtrace_id=NO_TEXT))

        assert (run.state, syncs.connection().state) == ("failed", "refused")
        assert "It said: ab?" in (run.error or "")
        assert "connection.refused" in {event.kind for event in syncs.rows(Event)}


class TestAnAnswer:
    @pytest.mark.parametrize("code", [10**4000, "190", [], {}, True, None, -1])
    def test_with_a_code_that_is_none_is_told_in_short(self, syncs: SyncWorld, code: Any) -> None:
        run = sync(syncs, refusing(code=code, error_subcode=code, message="x" * 100_000))

        assert (run.state, syncs.report(run.id)["trouble"]["class"]) == ("failed", "internal")
        assert len(run.error or "") < 500
        assert len(json.dumps(syncs.report(run.id))) < 1_000

    @pytest.mark.parametrize("spend", [10**4000, "9" * 40, "1e99", "-1e99"])
    def test_with_a_number_that_is_too_large_lands_nothing(self, syncs: SyncWorld, spend: Any) -> None:
        run = sync(syncs, saying("spend", spend))

        assert (run.state, syncs.table()) == ("failed", set())
        assert "digits, which is more than can be kept" in (run.error or "")
        assert len(run.error or "") < 200

    @pytest.mark.parametrize("after", ["\ud800", "é", "x" * 5_000, 7, ["x"], ""])
    def test_with_a_page_behind_it_that_has_no_place_lands_nothing(self, syncs: SyncWorld, after: Any) -> None:
        run = sync(syncs, paging_to(after))

        assert (run.state, syncs.table()) == ("waiting_retry", set())
        assert "Meta says that there is another page, and not where." in (run.error or "")

    @pytest.mark.parametrize("state", [[], {}, 7, None])
    def test_about_a_report_whose_state_is_no_word_fails(self, syncs: SyncWorld, state: Any) -> None:
        syncs.world.fail("meta", "too_large", times=1, match={"route": "insights"})
        body = json.dumps({"async_status": state}).encode()

        run = sync(syncs, lambda request, said: said if "/act_" in request.url else replace(said, body=body))

        assert (run.state, syncs.report(run.id)["trouble"]["class"]) == ("failed", "internal")

    def test_in_names_that_no_database_holds_lands(self, syncs: SyncWorld) -> None:
        run = sync(syncs, saying("campaign_name", NO_TEXT))

        assert (run.state, syncs.table()) == ("succeeded", syncs.oracle())

    def test_with_a_login_in_the_name_of_its_account_shows_nothing_of_it(self, syncs: SyncWorld) -> None:
        def bend(request: OutboundRequest, said: OutboundResponse) -> OutboundResponse:
            if "/insights" in request.url:
                return said
            content = json.loads(said.body) | {"name": f"{NO_TEXT} {TOKEN} {'x' * 100_000}"}
            return replace(said, body=json.dumps(content).encode())

        run = sync(syncs, bend)

        assert run.state == "succeeded"
        assert TOKEN[:25] not in syncs.whole_database()
        assert "x" * 500 not in syncs.whole_database()


class TestEmpty:
    def test_is_said_of_no_run_that_failed(self, syncs: SyncWorld) -> None:
        run = sync(syncs, refusing(code=100, message="no"))

        assert (run.state, "flag" in syncs.report(run.id)) == ("failed", False)

    def test_is_not_said_when_an_attempt_before_had_landed_all(
        self, syncs: SyncWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # Of today there is nothing yet.
        syncs.world.advance(seconds=86_400)
        with monkeypatch.context() as broken:
            broken.setattr("app.jobs.kinds.sync.run.note_used", None)
            run = syncs.sync()

        done = syncs.sync_at_last(run.id)

        assert (run.state, done.state, syncs.table()) == ("waiting_retry", "succeeded", syncs.oracle())
        assert (syncs.report(run.id)["rows_seen"], syncs.report(run.id).get("flag")) == (0, None)
