"""A sync through a real run: what the account says is in the table then, to the cent, and the run reports it."""

import pytest
from sqlalchemy import select

from app.tenants.models import AuditEntry
from tests.database.sync_world import SyncWorld
from tests.fakes.database import OpenDatabase
from tests.fakes.providers.meta.scenarios import EU, JP


@pytest.fixture
def syncs(database: OpenDatabase) -> SyncWorld:
    return SyncWorld(database)


class TestARun:
    @pytest.mark.parametrize("account", [EU, JP])
    def test_lands_all_that_is_true_and_nothing_else(self, syncs: SyncWorld, account: str) -> None:
        connection_id = syncs.connect(account, service="meta") if account == JP else syncs.connection_id

        run = syncs.sync(connection_id=str(connection_id))

        assert (run.state, run.error) == ("succeeded", None)
        assert syncs.table(connection_id) == syncs.oracle(account)

    def test_reports_what_it_saw_and_what_that_cost(self, syncs: SyncWorld) -> None:
        run = syncs.sync()

        report = syncs.report(run.id)
        assert (report["rows_seen"], report["rows_changed"]) == (len(syncs.oracle()),) * 2
        assert (report["requests"], report["throttles"], report["data_through"]) == (len(syncs.routes), 0, "2026-11-19")
        assert report["bytes"] > 0

    def test_again_changes_nothing(self, syncs: SyncWorld) -> None:
        syncs.sync()
        before = syncs.everything()

        run = syncs.sync()

        assert syncs.report(run.id)["rows_changed"] == 0
        assert syncs.everything() == before

    def test_opens_the_login_once_and_says_so(self, syncs: SyncWorld) -> None:
        run = syncs.sync()

        with syncs.database.reading() as session:
            opened = session.scalars(select(AuditEntry).where(AuditEntry.action == "connection.opened")).all()
        assert [str(run.id) in entry.summary for entry in opened] == [True]
        assert syncs.connection().last_used_at == syncs.world.now

    def test_of_an_account_without_figures_is_empty(self, syncs: SyncWorld) -> None:
        syncs.world.provider("meta").state.accounts[EU].deliveries.clear()

        run = syncs.sync()

        assert (run.state, syncs.report(run.id)["flag"]) == ("succeeded", "empty")
