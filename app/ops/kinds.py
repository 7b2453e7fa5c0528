"""Puts the kinds of job together, with the functions that Belfry offers itself and those of the operator's modules."""

from app.core.config import Settings
from app.core.key_rings import key_ring
from app.core.sealing import Sealer
from app.jobs.kinds.base import JobKinds, KindName
from app.jobs.kinds.code.fork_server import ForkServer
from app.jobs.kinds.code.kind import CodeKind
from app.jobs.kinds.code.supply import GuardSupply
from app.jobs.kinds.sync.kind import SyncKind
from app.jobs.kinds.workflow.kind import WorkflowKind
from app.ops.code_definitions import Definitions, load_definitions
from app.ops.doors import make_sheets, make_sources, service_sender


def guard_supply(settings: Settings) -> GuardSupply:
    """What runs functions: a worker makes one, starts it ahead of the first run and closes it."""
    return _supply_of(load_definitions(settings), settings)


def job_kinds(
    settings: Settings, functions: GuardSupply | None = None, *, definitions: Definitions | None = None
) -> JobKinds:
    """Every kind of job. What cannot be used of the modules named in BELFRY_JOBS is left out.

    Who runs functions hands in what runs them; others only look at them. Whoever has loaded the definitions hands them
    in: a module that cannot be loaded is executed again by every try.
    """
    found = definitions or load_definitions(settings)
    sealer = Sealer(key_ring(settings))
    return {
        KindName.WORKFLOW: WorkflowKind(sealer),
        KindName.SYNC: _sync_kind(sealer, settings),
        KindName.CODE: CodeKind(found.functions, settings, functions or _supply_of(found, settings), found.problems),
    }


def _sync_kind(sealer: Sealer, settings: Settings) -> SyncKind:
    """One client for the process, for syncs alone."""
    sender = service_sender(settings)
    return SyncKind(sealer, make_sources(settings, sender), sheets=make_sheets(settings, sender))


def _supply_of(definitions: Definitions, settings: Settings) -> GuardSupply:
    return GuardSupply(ForkServer(definitions.modules), slots=settings.workers)
