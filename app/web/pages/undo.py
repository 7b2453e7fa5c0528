"""The way back from saving a schedule: the form as it was, to be sent once more by the same command."""

import json
from typing import Any

from flask import url_for

from app.schedules.queries import ScheduleRow
from app.web.forms.schedules import stored_values

# It travels in a header, and proxies take eight thousand bytes of those in all.
_MOST_BYTES = 3_000


def undo_of_saving(before: ScheduleRow, row: ScheduleRow) -> dict[str, Any] | None:
    """The button of a toast that makes a schedule what it was before; None for notes that are too long to carry."""
    fields = {name: _sent(value) for name, value in stored_values(before).items() if value is not False}
    if before.notes == row.notes:
        # A form without notes leaves them alone.
        del fields["notes"]
    fields["version"] = str(row.version)
    fields["owner_was"] = _sent(row.owner_id or "")
    if len(json.dumps(fields)) > _MOST_BYTES:
        return None
    address = url_for("web.save_schedule", schedule_id=row.id, dialog="yes")
    return {"label": "Undo", "url": address, "post": True, "fields": fields}


def _sent(value: Any) -> str:
    """As a browser sends it."""
    return "y" if value is True else str(value)
