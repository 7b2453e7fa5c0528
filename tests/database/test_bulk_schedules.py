"""What can be done to many schedules at once, and undoing it: each is as it was, unless somebody changed it since."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.core.errors import Invalid
from app.ops.bulk import service
from app.ops.bulk.queries import BulkRow
from app.ops.bulk.states import BulkState
from app.runs import service as runs
from app.schedules.drafts import draft_with
from app.schedules.models import Gap
from app.schedules.queries import get_schedule
from tests.database.bulk_world import BulkWorld


def rename(world: BulkWorld, session: Session, schedule_id: object, name: str) -> None:
    here = {"schedule_id": schedule_id}
    row = get_schedule(session, organization_id=world.member.organization_id, **here)  # type: ignore[arg-type]
    draft = draft_with(row, {"name": name}, now=world.clock.moment)
    runs.edit_schedule(
        session, actor=world.actor, schedule_id=row.id, draft=draft, version=row.version, now=world.clock.moment
    )


def undone(world: BulkWorld, bulk_id: object) -> BulkRow:
    undo_id = world.undo(bulk_id)  # type: ignore[arg-type]
    world.carry()
    return world.row(undo_id)


class TestEnabling:
    def test_leaves_what_was_missed_unless_somebody_says_otherwise(self, world: BulkWorld) -> None:
        ids = world.schedules(2, enabled=False, next_run_at=world.clock.moment - timedelta(minutes=90))

        world.done("schedules.enable", ids)

        assert [world.schedule(each).enabled for each in ids] == [True, True]
        assert (len(world.runs()), [gap.slots for gap in world.all(Gap)]) == (0, [2, 2])

    def test_runs_the_latest_of_each_where_that_is_wanted(self, world: BulkWorld) -> None:
        ids = world.schedules(2, enabled=False, next_run_at=world.clock.moment - timedelta(minutes=90))

        world.done("schedules.enable", ids, parameters={"missed": "latest"})

        assert len(world.runs()) == 2
        assert world.dispatched

    def test_refuses_a_word_that_says_nothing(self, world: BulkWorld) -> None:
        with pytest.raises(Invalid):
            world.begin("schedules.enable", world.schedules(1), parameters={"missed": "some"})


class TestTagsAndZones:
    def test_are_added_taken_away_and_moved(self, world: BulkWorld) -> None:
        ids = world.schedules(2, tags=["old"])

        world.done("schedules.add_tag", ids, parameters={"tag": " Nightly "})
        world.done("schedules.remove_tag", ids, parameters={"tag": "old"})
        world.done("schedules.move_zone", ids, parameters={"timezone": "Europe/Riga"})

        found = [world.schedule(each) for each in ids]
        assert [(one.tags, one.timezone) for one in found] == [(["nightly"], "Europe/Riga")] * 2

    def test_that_cannot_be_are_refused(self, world: BulkWorld) -> None:
        ids = world.schedules(1)

        for kind, wrong in [
            ("add_tag", {"tag": "  "}), ("add_tag", {"tag": "a b"}), ("add_tag", {}),
            ("move_zone", {"timezone": "Mars/Olympus"}), ("move_zone", {}),
        ]:  # fmt: skip
            with pytest.raises(Invalid):
                world.begin(f"schedules.{kind}", ids, parameters=wrong)

    def test_of_one_that_has_too_many_are_told_of(self, world: BulkWorld) -> None:
        full = world.schedules(1, tags=[f"t{number}" for number in range(12)])

        bulk_id = world.done("schedules.add_tag", full, parameters={"tag": "more"})

        assert "at most 12 tags" in world.items(bulk_id)[0].words


class TestUndo:
    def test_of_switching_makes_each_what_it_was(self, world: BulkWorld) -> None:
        on, off = [*world.schedules(1), *world.schedules(1, name="Off", enabled=False)]
        bulk_id = world.done("schedules.disable", [on, off])
        at = world.schedule(on).next_run_at

        row = undone(world, bulk_id)

        assert [world.schedule(each).enabled for each in (on, off)] == [True, False]
        assert world.schedule(on).next_run_at == at
        assert (row.title, row.summary) == ("Undo: disable 1 schedule", "1 schedule as before.")

    def test_of_enabling_switches_off(self, world: BulkWorld) -> None:
        ids = world.schedules(2, enabled=False)

        undone(world, world.done("schedules.enable", ids))

        assert [world.schedule(each).enabled for each in ids] == [False, False]

    def test_of_tags_and_zones_brings_the_old_ones_back(self, world: BulkWorld) -> None:
        (only,) = world.schedules(1, tags=["a"])
        added = world.done("schedules.add_tag", [only], parameters={"tag": "b"})
        undone(world, added)
        moved = world.done("schedules.move_zone", [only], parameters={"timezone": "Asia/Tokyo"})

        undone(world, moved)

        found = world.schedule(only)
        assert (found.tags, found.timezone) == (["a"], "UTC")

    def test_of_deleting_brings_back_the_same_ids_and_next_runs(self, world: BulkWorld) -> None:
        on, off = [*world.schedules(1), *world.schedules(1, name="Off", enabled=False)]
        before = [(one.id, one.enabled, one.next_run_at) for one in (world.schedule(on), world.schedule(off))]
        bulk_id = world.done("schedules.delete", [on, off])
        deleted = [world.schedule(each).deleted_at is not None for each in (on, off)]

        undone(world, bulk_id)

        after = [(one.id, one.enabled, one.next_run_at) for one in (world.schedule(on), world.schedule(off))]
        assert (deleted, after) == ([True, True], before)

    def test_leaves_alone_and_names_what_somebody_changed_since(self, world: BulkWorld) -> None:
        changed, same = world.schedules(2)
        bulk_id = world.done("schedules.disable", [changed, same])
        with world.acting() as session:
            rename(world, session, changed, "Renamed")

        row = undone(world, bulk_id)

        assert [world.schedule(each).enabled for each in (changed, same)] == [False, True]
        assert [(item.name, item.words) for item in world.items(row.id)] == [
            ("S1", ""), ("S0", "Somebody changed it after that, so it stays as it is now."),
        ]  # fmt: skip

    def test_tells_what_was_deleted_since(self, world: BulkWorld) -> None:
        ids = world.schedules(1)
        bulk_id = world.done("schedules.disable", ids)
        world.done("schedules.delete", ids)

        row = undone(world, bulk_id)

        assert row.refused == 1

    def test_stops_what_goes_on_and_takes_back_what_was_done(self, world: BulkWorld) -> None:
        ids = world.schedules(3)
        bulk_id = world.begin("schedules.disable", ids, per_minute=1)
        world.carry()

        undone(world, bulk_id)

        assert [world.schedule(each).enabled for each in ids] == [True] * 3
        assert world.row(bulk_id).state is BulkState.STOPPED

    def test_happens_once(self, world: BulkWorld) -> None:
        bulk_id = world.done("schedules.disable", world.schedules(1))

        assert world.undo(bulk_id) == world.undo(bulk_id)
        assert world.row(bulk_id).undone_by_id == world.undo(bulk_id)
        assert not world.row(bulk_id).can_undo

    def test_of_runs_of_nothing_and_of_an_undo_is_refused(self, world: BulkWorld) -> None:
        ids = world.schedules(1)
        ran, unchanged = world.done("schedules.run", ids), world.done("schedules.enable", ids)
        undo_id = world.undo(world.done("schedules.disable", ids))

        for bulk_id in (ran, unchanged, undo_id):
            with pytest.raises(service.NotUndoable):
                world.undo(bulk_id)
