"""The words of the job form for what follows when a worker is lost."""

from app.jobs.kinds.base import KindName
from app.jobs.policies import WhenLost
from app.jobs.queries import JobRow

LOST_LABEL = "If its worker dies or loses touch in the middle"
_STOP_WHEN_LOST = "Stop: it ends as lost, and a person decides"
LOST_CHOICES = {
    WhenLost.KIND.value: "Try again if the function is declared safe to repeat, else stop",
    WhenLost.RETRY.value: "Try again: doing it twice does no harm",
    WhenLost.FAIL.value: _STOP_WHEN_LOST,
}
# What calls an API may always be repeated, so to go by its kind is to try again.
LOST_CHOICES_OF_CALLS = {WhenLost.KIND.value: "Try again", WhenLost.FAIL.value: _STOP_WHEN_LOST}


def chosen_when_lost(job: JobRow) -> str:
    """What the form of an existing job opens with."""
    is_the_same = job.kind is not KindName.CODE and job.retry.when_lost is WhenLost.RETRY
    return WhenLost.KIND.value if is_the_same else job.retry.when_lost.value
