"""How migrations run: through the app's engine, each in a transaction of its own."""

from alembic import context
from flask import current_app

from app.core.engines import wait_without_end
from app.events import models as events
from app.jobs import models as jobs
from app.notifications import incident_models as incidents
from app.notifications import models as notifications
from app.ops import models as ops
from app.runs import models as runs
from app.runs import queue_models as queues
from app.schedules import models as schedules
from app.syncs import models as syncs
from app.syncs import shop_models as shops
from app.tenants import models as tenants
from app.vault import models as vault

# Importing the tables registers them with the metadata that models are compared against.
TABLES = (events, incidents, jobs, notifications, ops, queues, runs, schedules, shops, syncs, tenants, vault)

database = current_app.extensions["migrate"].db


def run_migrations() -> None:
    """Apply the chosen migrations."""
    with database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # The owner is held back like everybody else. Without this, a migration would change no row and say nothing.
            connection.exec_driver_sql("SET row_security = off")
            wait_without_end(connection)
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            transaction_per_migration=True,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
