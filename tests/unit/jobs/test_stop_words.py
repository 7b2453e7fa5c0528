"""How each kind of work is stopped, and what is said of it."""

import pytest

from app.core.config import Settings
from app.jobs.kinds.base import KindName, StopWay
from app.jobs.stop_words import cancel_sentence, limit_words
from app.ops.kinds import job_kinds


@pytest.mark.parametrize(
    ("kind", "definition", "way"),
    [
        (KindName.CODE, {"function": "http_check", "arguments": {}}, StopWay.FORCE),
        (KindName.CODE, {"function": "example_quick_test", "arguments": {}}, StopWay.CHECK),
        (KindName.CODE, {"group": "feed"}, StopWay.CHILDREN),
        (KindName.CODE, {}, StopWay.FORCE),
        (KindName.WORKFLOW, {"steps": []}, StopWay.NEXT_CALL),
        (KindName.SYNC, {"service": "meta"}, StopWay.NEXT_CALL),
    ],
)
def test_how_a_job_is_stopped(settings: Settings, kind: KindName, definition: dict[str, object], way: StopWay):
    assert job_kinds(settings)[kind].stop_way(definition) is way


def test_nobody_is_promised_the_end_of_a_function_in_a_thread():
    words = cancel_sentence(StopWay.CHECK, waits=False)

    assert "killed" not in words
    assert "stops when it next calls context.check_stop()" in words
    assert limit_words(StopWay.CHECK, "600 s").startswith("asked to stop after 600 s, and not ended by force")


def test_what_waits_just_does_not_start():
    assert cancel_sentence(StopWay.CHECK, waits=True) == "It will not start any more."
    assert cancel_sentence(StopWay.CHILDREN, waits=True) == "The runs that it started are cancelled with it."
