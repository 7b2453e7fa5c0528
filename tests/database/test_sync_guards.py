"""What a run does when it is stopped, lacks a key, or gets figures that look odd."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.events.models import Event
from app.jobs.kinds.base import RunContext
from app.jobs.kinds.sync.kind import SyncKind
from app.runs.attempts import LiveAttempt
from app.syncs.calls.client import ReadStopped
from app.syncs.stream_changes import say_normal
from app.syncs.volume import FEWEST
from tests.database.sync_world import SyncWorld, WorldWatch, meta_sources
from tests.factories.work import actor_in
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.scenarios import EU
from tests.fakes.vault import SEALER, sealer_with, vault_key


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


@dataclass(frozen=True)
class CancellingWatch(WorldWatch):
    """Somebody cancels the run after so many looks."""

    looks: list[int] = field(default_factory=list)

    def go_on(self) -> None:
        self.looks.append(1)
        if len(self.looks) == 5:
            assert isinstance(self.context, LiveAttempt)
            self.context.cancel()
        super().go_on()


def doubts(syncs: SyncWorld) -> list[tuple[str, str]]:
    with syncs.database.reading() as session:
        events = session.scalars(select(Event).where(Event.kind == "figures.doubted").order_by(Event.id))
        return [(event.data["stream"], event.data["doubt"]) for event in events]


def hourly(syncs: SyncWorld) -> dict[str, object]:
    """What the run of the next hour reports."""
    syncs.world.advance(minutes=20)
    return syncs.report(syncs.sync().id)


def keep_deliveries(syncs: SyncWorld, *, one_in: int) -> None:
    """Most of what was delivered is no longer there."""
    account = syncs.world.provider("meta").state.accounts[EU]
    kept = sorted(account.deliveries)[::one_in]
    account.deliveries = {key: account.deliveries[key] for key in kept}


def lose_a_campaign(syncs: SyncWorld) -> None:
    """A third of all figures is no longer there."""
    account = syncs.world.provider("meta").state.accounts[EU]
    lost = min(account.campaigns)
    account.deliveries = {key: delivery for key, delivery in account.deliveries.items() if key[1] != lost}


def say(syncs: SyncWorld, stream: str) -> None:
    """That it is normal."""
    actor = actor_in(syncs.organization_id)
    with syncs.database.transaction(syncs.scope) as session:
        say_normal(session, actor=actor, connection_id=syncs.connection_id, stream=stream, now=syncs.world.now)


class TestStopping:
    def test_comes_before_the_next_request_and_keeps_what_has_landed(self, syncs: SyncWorld) -> None:
        kind = SyncKind(SEALER, meta_sources(syncs.world), watch=lambda context: CancellingWatch(context, syncs.world))

        run = syncs.attempt(syncs.ready_run(), kind=kind)

        assert (run.state, syncs.routes) == ("cancelled", ["account", "insights", "insights"])
        assert set() < syncs.table() < syncs.oracle()

    def test_ends_a_wait(self, syncs: SyncWorld) -> None:
        seen: list[float] = []

        class Waiting(WorldWatch):
            def pause(self, seconds: float) -> None:
                seen.append(seconds)
                raise ReadStopped

        def watch(context: RunContext) -> Waiting:
            return Waiting(context, syncs.world)

        syncs.world.fail("meta", "rate_limit_hint", regain=1, match={"route": "insights"})

        run = syncs.attempt(syncs.ready_run(), kind=SyncKind(SEALER, meta_sources(syncs.world), watch=watch))

        assert (seen, run.state, run.attempt) == ([60.0], "ready", 0)


def test_a_worker_without_the_key_leaves_the_run_to_another(syncs: SyncWorld) -> None:
    run = syncs.attempt(
        syncs.ready_run(),
        kind=SyncKind(
            sealer_with(vault_key(9)), meta_sources(syncs.world), watch=lambda context: WorldWatch(context, syncs.world)
        ),
    )

    assert (run.state, run.reason, run.attempt, syncs.routes) == ("waiting_retry", "key_missing", 0, [])


class TestOddFigures:
    def test_are_told_once_and_flag_each_run_until_they_are_called_normal(self, syncs: SyncWorld) -> None:
        usual = [hourly(syncs) for _ in range(FEWEST + 1)]
        assert {report.get("flag") for report in usual} == {None}
        lose_a_campaign(syncs)

        odd = [hourly(syncs) for _ in range(3)]

        assert [report["flag"] for report in odd] == ["suspicious"] * 3
        assert doubts(syncs) == [("campaigns", "volume")]
        say(syncs, "campaigns")
        assert "flag" not in hourly(syncs)

    def test_that_are_nearly_all_gone_stay_until_somebody_says_that_it_is_normal(self, syncs: SyncWorld) -> None:
        hourly(syncs)
        before = syncs.table()
        keep_deliveries(syncs, one_in=10)

        report = hourly(syncs)
        assert (report["flag"], ("campaigns", "loss") in doubts(syncs)) == ("suspicious", True)
        assert len(syncs.table()) >= len(before)
        told = len(doubts(syncs))
        hourly(syncs)
        assert len(doubts(syncs)) == told

        say(syncs, "campaigns")
        say(syncs, "account")
        assert "flag" not in hourly(syncs)
        first = (syncs.world.now - timedelta(days=27)).date().isoformat()
        assert {row for row in syncs.table() if row[0] >= first} == {row for row in syncs.oracle() if row[0] >= first}
