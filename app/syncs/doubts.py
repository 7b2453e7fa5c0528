"""What is said of a landing that is looked at twice. Pure."""

from app.syncs.landing import Landed
from app.syncs.streams import Doubt


def doubt_words(landed: Landed) -> str:
    """What is odd, and what to do about it. Empty where nothing is."""
    if landed.doubt is None:
        return ""
    if landed.doubt is Doubt.LOSS:
        return (
            f"Most figures of these days are missing: only {landed.rows_seen:,} came. A login that lost a right looks "
            "like this, so none was taken away. Look at the account; if it is right, say that this is normal and sync "
            "again."
        )
    return (
        f"{landed.rows_seen:,} figures came, where {landed.usual} are usual. They were landed. Look whether that is "
        "right, and say so, or sync again."
    )
