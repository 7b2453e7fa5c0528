"""What marks an installation as a demo, so that its figures are never taken for anybody's. Pure but for one look."""

import os.path
from pathlib import Path

from app.core.service_urls import is_on_this_machine

SENTENCE = "Demo data from a fake provider on this machine."
# Lies in the data directory of a demo, which is one whoever opens it.
MARK = "demo.json"


def is_marked(data_dir: Path) -> bool:
    """Whether the data in a directory are a demo's."""
    return os.path.exists(data_dir / MARK)


def why_no_demo(*addresses: str) -> str | None:
    """What forbids that a demo reads from these addresses; None where all of them lead to this machine."""
    away = [address for address in addresses if not is_on_this_machine(address)]
    if not away:
        return None
    return (
        "This is a demo: its data directory holds demo data, or BELFRY_DEMO is on. It reads from a fake on this "
        f"machine alone, and would now read from {away[0]}. Start it with: make demo. "
        "For an installation of your own, set BELFRY_DATA_DIR to another directory"
    )
