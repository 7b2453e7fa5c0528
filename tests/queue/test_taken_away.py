"""A run that was taken from its worker, as the queue sees it: its slot is free, the next one waits for the lease."""

from datetime import timedelta

import pytest

from app.core.scopes import Scope
from app.ops.capacity import live_slots
from app.queue.broker import Carrier
from app.queue.dispatch import Dispatcher
from app.queue.hints import Hints
from app.queue.tasks import make_hints
from app.runs import claims, ledger
from app.runs.claims import LeaseTerms, take
from app.runs.taking_away import take_run_away
from tests.factories.tenants import make_member
from tests.factories.work import load_run, make_job, make_run
from tests.fakes.clock import ManualClock
from tests.fakes.database import OpenDatabase

TERMS = LeaseTerms.for_lease(30)


@pytest.fixture
def hints(carrier: Carrier) -> Hints:
    return make_hints(carrier)


def test_the_next_one_is_called_when_the_lease_is_over_and_never_runs_beside_the_old_one(
    database: OpenDatabase, clock: ManualClock, hints: Hints
) -> None:
    dispatcher = Dispatcher(database, clock, hints, live_slots, own_slots=2)
    with database.transaction() as session:
        bob = make_member(session, email="bob@example.com")
        job = make_job(session, bob.organization_id)
        run_id = make_run(session, job, now=clock.moment)
    dispatcher.dispatch()
    with database.transaction() as session:
        claim = take(session, run_id=run_id, worker="w-1", terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)
    assert claim is not None
    clock.advance(seconds=10)
    with database.transaction(Scope.tenant(bob.organization_id)) as session:
        taken = take_run_away(
            session, actor=bob.actor, run_id=run_id, token=1, evidence="It is silent.", is_retried=True,
            now=clock.moment,
        )  # fmt: skip
    retry_id = taken.retry_id
    assert retry_id is not None

    def is_called() -> bool:
        dispatcher.dispatch()
        with database.reading() as session:
            return load_run(session, retry_id).hinted_at is not None

    before = is_called()
    with database.transaction() as session:
        # What the old worker asks for meanwhile: to keep the run, and to begin it again by a hint that came late.
        kept = claims.renew(session, claim=claim, terms=TERMS, safe_until=TERMS.safe_until(), now=clock.moment)
        again = ledger.start(
            session, run_id=run_id, worker="w-1", lease_until=clock.moment + timedelta(seconds=30), now=clock.moment
        )
    clock.advance(seconds=20)

    assert (before, kept, again) == (False, None, None)
    assert taken.starts_at == clock.moment
    assert is_called()
