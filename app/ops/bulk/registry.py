"""Everything that can be done to many things at once, by name."""

from app.ops.bulk.kinds import BulkKind, Family
from app.ops.bulk.runs import RUN_KINDS
from app.ops.bulk.schedules import SCHEDULE_KINDS

KINDS: dict[str, BulkKind] = {kind.name: kind for kind in (*SCHEDULE_KINDS, *RUN_KINDS)}
FAMILIES: dict[str, Family] = {kind.family.name: kind.family for kind in KINDS.values()}
