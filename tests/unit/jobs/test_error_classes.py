"""What kind of trouble an answer is."""

import pytest

from app.jobs.kinds.error_classes import class_of_status
from app.jobs.policies import ErrorClass


@pytest.mark.parametrize(
    ("status", "error_class"),
    [
        (401, ErrorClass.REFUSED),
        (403, ErrorClass.REFUSED),
        (404, ErrorClass.REJECTED),
        (200, ErrorClass.REJECTED),
        (429, ErrorClass.RATE_LIMITED),
        (500, ErrorClass.SERVER),
        (503, ErrorClass.SERVER),
    ],
)
def test_a_status_tells_the_class(status: int, error_class: ErrorClass) -> None:
    assert class_of_status(status) is error_class
