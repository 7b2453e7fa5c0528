"""One thing done to many: each by its own command, told of one by one, resumed, paced, stopped and undone."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core.scopes import Scope
from app.ops.bulk import service
from app.ops.bulk.carrying import MOST_AT_ONCE, NOTHING, UNEXPECTED, carry_piece
from app.ops.bulk.kinds import MOST_OBJECTS
from app.ops.bulk.queries import BulkActionNotFound, get_bulk_action, list_bulk_actions
from app.ops.bulk.registry import KINDS
from app.ops.bulk.states import BulkState, ItemState
from app.ops.models import BulkAction, BulkItem
from app.schedules.service import mark_deleted
from app.tenants.access import Actor, PermissionMissing
from app.tenants.models import Membership
from app.tenants.roles import Role
from tests.database.bulk_world import BulkWorld
from tests.factories.tenants import make_member
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, a piece is as large as it may be."""
    monkeypatch.setattr("app.ops.bulk.carrying.LONGEST_SECONDS", 60.0)


def piece(world: BulkWorld, bulk_id: object, **more: object) -> object:
    with world.acting() as session:
        here = {"organization_id": world.member.organization_id, "bulk_id": bulk_id, "now": world.clock.moment}
        return carry_piece(session, **(here | more))  # type: ignore[arg-type]


class TestABulkAction:
    def test_changes_each_by_its_own_command_with_its_own_audit(self, world: BulkWorld) -> None:
        ids = world.schedules(3)

        bulk_id = world.done("schedules.disable", ids, reason="Moving house")

        assert [world.schedule(each).enabled for each in ids] == [False] * 3
        assert world.actions() == ["bulk.started", *["schedule.disabled"] * 3]
        row = world.row(bulk_id)
        assert (row.state, row.title, row.summary) == (BulkState.DONE, "Disable 3 schedules", "3 schedules disabled.")

    def test_concerns_what_was_selected_and_nothing_that_came_later(self, world: BulkWorld) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(2))
        (later,) = world.schedules(1, name="Later")

        world.carry()

        assert world.schedule(later).enabled
        assert world.row(bulk_id).total == 2

    def test_tells_what_could_not_be_done_by_name_and_reason(self, world: BulkWorld) -> None:
        gone, kept = world.schedules(2)
        (default,) = world.schedules(1, name="Meta", default_for="meta")
        bulk_id = world.begin("schedules.delete", [gone, kept, default])
        with world.acting() as session:
            mark_deleted(session, actor=world.actor, schedule_id=gone, now=world.clock.moment)

        world.carry()

        assert world.outcomes(bulk_id) == [("S0", "refused"), ("S1", "done"), ("Meta", "refused")]
        assert "no such schedule" in world.items(bulk_id)[0].words
        assert "stays" in world.items(bulk_id)[2].words
        assert world.row(bulk_id).summary == "1 schedule deleted, 2 could not be."

    def test_counts_what_was_so_already_by_itself(self, world: BulkWorld) -> None:
        on, off = [*world.schedules(1), *world.schedules(1, name="Off", enabled=False)]

        bulk_id = world.done("schedules.disable", [on, off])

        assert world.outcomes(bulk_id) == [("S0", "done"), ("Off", "unchanged")]
        assert world.row(bulk_id).summary == "1 schedule disabled, 1 was so already."

    def test_takes_an_id_that_comes_twice_once(self, world: BulkWorld) -> None:
        (only,) = world.schedules(1)

        assert world.row(world.done("schedules.run", [only, only])).total == 1
        assert len(world.runs()) == 1

    def test_goes_on_when_something_unforeseen_happens_to_one(
        self, world: BulkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = world.schedules(2)
        broken = KINDS["schedules.disable"]
        do = broken.do

        def fail_for_first(session, deed):  # type: ignore[no-untyped-def]
            if deed.object_id == first:
                raise RuntimeError("nobody foresaw this")
            return do(session, deed)

        monkeypatch.setitem(KINDS, broken.name, type(broken)(**(vars(broken) | {"do": fail_for_first})))
        bulk_id = world.done("schedules.disable", [first, second])

        assert [item.words for item in world.items(bulk_id)] == [UNEXPECTED, ""]
        assert [world.schedule(each).enabled for each in (first, second)] == [True, False]


class TestASelection:
    def test_of_nothing_is_refused(self, world: BulkWorld) -> None:
        with pytest.raises(service.SelectionInvalid, match="No schedules are selected"):
            world.begin("schedules.disable", [])

    def test_of_too_many_is_refused_and_of_the_most_is_not(self, world: BulkWorld) -> None:
        with pytest.raises(service.SelectionInvalid, match="at most 10,000 schedules"):
            world.begin("schedules.disable", [uuid4() for _ in range(MOST_OBJECTS + 1)])

        assert world.row(world.begin("schedules.disable", [uuid4() for _ in range(MOST_OBJECTS)])).total == MOST_OBJECTS

    def test_of_another_organizations_things_does_nothing_to_them(
        self, world: BulkWorld, database: OpenDatabase, clock: ManualClock
    ) -> None:
        with database.transaction() as session:
            stranger = make_member(session, email="eve@example.com")
        theirs = BulkWorld(database, clock, stranger).schedules(1, name="Secret")

        bulk_id = world.done("schedules.delete", [*theirs, uuid4()])

        first, second = world.items(bulk_id)
        assert (first.name, first.words, first.state) == ("", second.words, ItemState.REFUSED)
        assert world.schedule(theirs[0]).deleted_at is None

    def test_is_not_anybody_elses(self, world: BulkWorld, database: OpenDatabase, clock: ManualClock) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(1))
        with database.transaction() as session:
            stranger = make_member(session, email="eve@example.com")

        with pytest.raises(BulkActionNotFound), BulkWorld(database, clock, stranger).acting() as session:
            get_bulk_action(session, organization_id=stranger.organization_id, bulk_id=bulk_id)

    def test_is_started_once(self, world: BulkWorld) -> None:
        (schedule,) = world.schedules(1)
        with world.acting() as session:
            now = {"actor": world.actor, "now": world.clock.moment}
            chosen = service.select_objects(session, family="schedules", object_ids=[schedule], **now)
            begun = [
                service.start(session, bulk_id=chosen, kind="schedules.run", parameters={}, **now) for _ in range(2)
            ]
        world.carry()

        assert begun == [True, False]
        assert len(world.runs()) == 1

    def test_of_too_many_to_run_at_once_is_refused(self, world: BulkWorld) -> None:
        with pytest.raises(service.SelectionInvalid, match=r"Run does at most 20 schedules at once\. 21 are"):
            world.begin("schedules.run", [uuid4() for _ in range(21)])

    def test_is_refused_an_action_that_nobody_knows(self, world: BulkWorld) -> None:
        with pytest.raises(service.BulkKindUnknown, match=r"schedules\.enable"):
            world.begin("schedules.paint", world.schedules(1))


class TestWhoMay:
    def test_a_viewer_selects_nothing(self, world: BulkWorld) -> None:
        viewer = Actor(world.actor.organization_id, Role.VIEWER, "eve@example.com")

        with pytest.raises(PermissionMissing):
            world.begin("schedules.disable", world.schedules(1), actor=viewer)

    def test_whoever_lost_the_role_meanwhile_changes_nothing_more(
        self, world: BulkWorld, database: OpenDatabase
    ) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(2))
        with database.transaction() as session:
            here = (world.member.organization_id, world.member.user_id)
            session.get_one(Membership, here).role = "viewer"

        world.carry()

        assert {item.state for item in world.items(bulk_id)} == {ItemState.REFUSED}
        assert "Your role here is viewer" in world.items(bulk_id)[0].words

    def test_whoever_left_changes_nothing_more(self, world: BulkWorld, database: OpenDatabase) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(2))
        with database.transaction() as session:
            session.delete(session.get_one(Membership, (world.member.organization_id, world.member.user_id)))

        world.carry()

        assert world.row(bulk_id).summary == "0 schedules disabled, 2 could not be."
        assert "no longer a member" in world.items(bulk_id)[0].words


class TestCarryingOut:
    def test_is_in_pieces_and_says_how_far_it_is(self, world: BulkWorld) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(MOST_AT_ONCE + 6))

        piece(world, bulk_id, seconds=60.0)

        row = world.row(bulk_id)
        assert (row.progress, row.state) == ("25 of 31", BulkState.GOING)
        assert world.carry() == 6

    def test_ends_a_piece_when_it_takes_long(self, world: BulkWorld) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(5))
        ticks = iter(range(100))

        piece(world, bulk_id, seconds=2, ticks=lambda: next(ticks))

        assert world.row(bulk_id).progress == "2 of 5"

    def test_leaves_a_piece_undone_that_fails_and_begins_it_again(
        self, world: BulkWorld, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = world.schedules(3)
        bulk_id = world.begin("schedules.run", ids)
        with monkeypatch.context() as patched:
            patched.setattr("app.ops.bulk.carrying._put_back", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                piece(world, bulk_id)
        before = len(world.runs())

        world.carry()

        assert (before, len(world.runs())) == (0, 3)
        assert world.actions().count("run.requested") == 3

    def test_does_nothing_when_it_is_over(self, world: BulkWorld) -> None:
        bulk_id = world.done("schedules.disable", world.schedules(1))

        assert piece(world, bulk_id) == NOTHING

    def test_hands_runs_on(self, world: BulkWorld) -> None:
        world.done("schedules.run", world.schedules(2))

        assert world.dispatched

    def test_is_paced_where_that_is_wanted(self, world: BulkWorld) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(4), per_minute=2)
        counts = []
        for seconds in (0, 29, 1, 30, 30):
            world.clock.advance(seconds=seconds)
            counts.append(world.carry())

        assert counts == [1, 0, 1, 1, 1]
        assert world.row(bulk_id).state is BulkState.DONE

    def test_does_several_at_once_at_a_fast_pace(self, world: BulkWorld) -> None:
        bulk_id = world.begin("schedules.disable", world.schedules(6), per_minute=120)

        assert world.carry() == 2
        world.clock.advance(seconds=1)
        assert world.carry() == 2
        assert world.row(bulk_id).progress == "4 of 6"

    def test_refuses_a_pace_that_is_none(self, world: BulkWorld) -> None:
        for wrong in (0, -1, 6_001):
            with pytest.raises(service.BulkInvalid):
                world.begin("schedules.disable", world.schedules(1, name=f"S{wrong}"), per_minute=wrong)

    def test_goes_on_with_others_when_one_fails(self, world: BulkWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        first = world.begin("schedules.disable", world.schedules(1))
        world.clock.advance(seconds=1)
        second = world.begin("schedules.disable", world.schedules(1, name="Other"))
        whole = carry_piece

        def fail_for_first(session, **more):  # type: ignore[no-untyped-def]
            if more["bulk_id"] == first:
                raise RuntimeError("nobody foresaw this")
            return whole(session, **more)

        monkeypatch.setattr("app.ops.bulk.carrier.carry_piece", fail_for_first)
        with pytest.raises(RuntimeError):
            world.carry()

        assert (world.row(first).state, world.row(second).state) == (BulkState.GOING, BulkState.DONE)


class TestStopping:
    def test_leaves_the_rest_as_it_is(self, world: BulkWorld) -> None:
        ids = world.schedules(3)
        bulk_id = world.begin("schedules.disable", ids)
        piece(world, bulk_id, most=1)
        with world.acting() as session:
            service.stop(session, actor=world.actor, bulk_id=bulk_id, now=world.clock.moment)

        assert world.carry() == 0
        assert [world.schedule(each).enabled for each in ids] == [False, True, True]
        assert world.row(bulk_id).summary == "1 schedule disabled, 2 left as they were."
        assert world.row(bulk_id).stopped_by == world.actor.label

    def test_of_what_is_over_is_refused(self, world: BulkWorld) -> None:
        bulk_id = world.done("schedules.disable", world.schedules(1))

        with pytest.raises(service.NotStoppable), world.acting() as session:
            service.stop(session, actor=world.actor, bulk_id=bulk_id, now=world.clock.moment)


class TestKeeping:
    def test_lists_the_newest_first_and_no_selections(self, world: BulkWorld) -> None:
        ids = world.schedules(1)
        first = world.begin("schedules.disable", ids)
        second = world.begin("schedules.enable", ids)
        with world.acting() as session:
            now = world.clock.moment
            service.select_objects(session, actor=world.actor, family="schedules", object_ids=ids, now=now)
            here = {"organization_id": world.member.organization_id}
            rows = list_bulk_actions(session, limit=5, **here)
            older = list_bulk_actions(session, limit=5, before=(rows[0].created_at, rows[0].id), **here)

        assert [row.id for row in rows] == [second, first]
        assert [row.id for row in older] == [first]

    def test_ends_after_thirty_days_and_after_one_for_a_selection(self, world: BulkWorld) -> None:
        ids = world.schedules(3)
        world.done("schedules.disable", ids)
        world.clock.advance(days=29)
        going = world.begin("schedules.enable", ids, per_minute=1)
        with world.acting() as session:
            now = world.clock.moment
            service.select_objects(session, actor=world.actor, family="schedules", object_ids=ids, now=now)
        world.clock.advance(days=2)

        while forget(world, limit=2):
            pass

        assert [row.id for row in world.all(BulkAction)] == [going]
        assert len(world.all(BulkItem)) == 3


def forget(world: BulkWorld, *, limit: int) -> int:
    here = world.member.organization_id
    with world.database.transaction(Scope.tenant(here)) as session:
        return service.forget_bulk_actions(session, organization_id=here, now=world.clock.moment, limit=limit)


def test_pieces_wait_for_their_time(world: BulkWorld) -> None:
    bulk_id = world.begin("schedules.disable", world.schedules(1))
    early = world.clock.moment - timedelta(seconds=1)

    assert piece(world, bulk_id, now=early) == NOTHING
