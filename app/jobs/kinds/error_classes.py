"""What kind of trouble an HTTP answer is. Pure."""

from app.jobs.policies import ErrorClass

_OF_STATUS = {401: ErrorClass.REFUSED, 403: ErrorClass.REFUSED, 429: ErrorClass.RATE_LIMITED}


def class_of_status(status: int) -> ErrorClass:
    """The class of an answer that was not expected."""
    return _OF_STATUS.get(status, ErrorClass.SERVER if status >= 500 else ErrorClass.REJECTED)
