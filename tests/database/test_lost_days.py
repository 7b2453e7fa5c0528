"""A stream that nobody read for longer than Meta keeps figures: what is gone is said, and the rest goes on."""

from datetime import date, timedelta

import pytest
from sqlalchemy import update

from app.syncs.days import DayRange
from app.syncs.models import LandedFigure, Landing, StreamState
from app.syncs.stream_rows import list_streams
from tests.database.sync_world import SyncWorld
from tests.fakes.database import OpenDatabase

REACHED, OLDEST, YESTERDAY = date(2022, 1, 10), date(2023, 11, 1), date(2026, 11, 19)
LOST = DayRange(date(2022, 1, 11), date(2023, 10, 31))


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    found = SyncWorld(database)
    found.sync()
    with database.transaction() as session:
        session.execute(update(StreamState).values(high_water=REACHED))
    found.world.advance(hours=1)
    return found


def streams(syncs: SyncWorld) -> list[tuple[date | None, tuple[DayRange, ...]]]:
    with syncs.database.reading() as session:
        return [(row.data_through, row.lost) for row in list_streams(session, organization_id=syncs.organization_id)]


class TestDaysThatMetaKeepsNoMore:
    def test_are_left_behind_and_said(self, syncs: SyncWorld) -> None:
        run = syncs.sync()

        assert (run.state, streams(syncs)) == ("succeeded", [(YESTERDAY, (LOST,))] * 2)
        assert syncs.table() == syncs.oracle()
        assert any("2022-01-11 to 2023-10-31 cannot be had any more" in line for line in syncs.log(run.id))

    def test_are_not_asked_for_again(self, syncs: SyncWorld) -> None:
        syncs.sync()
        before = len(syncs.rows(Landing))
        syncs.world.advance(hours=1)

        syncs.sync()

        # The look-back of each stream.
        assert len(syncs.rows(Landing)) == before + 2
        assert streams(syncs) == [(YESTERDAY, (LOST,))] * 2

    def test_do_not_come_back_where_a_run_broke_off(self, syncs: SyncWorld) -> None:
        run = syncs.ready_run()
        assert syncs.die(run, at=5)

        run = syncs.sync_at_last(run)

        assert (run.state, streams(syncs)) == ("succeeded", [(YESTERDAY, (LOST,))] * 2)

    def test_end_where_others_landed_while_they_could_be_had(self, syncs: SyncWorld) -> None:
        landed = date(2023, 9, 1)
        with syncs.database.transaction() as session:
            moved = session.query(LandedFigure).filter_by(level="account").order_by(LandedFigure.day).first()
            moved.day = landed

        syncs.sync()

        lost = [days for _, days in streams(syncs)]
        assert sorted(one.last for (one,) in lost) == [landed - timedelta(days=1), LOST.last]
        assert {through for through, _ in streams(syncs)} == {YESTERDAY}
