"""What is said about failures of known causes, as the kinds of jobs and the usual clients put them into words."""

from http import HTTPStatus

import pytest

from app.jobs.kinds.code.limits import Breach, Limit, Limits, breach_message
from app.jobs.kinds.http_words import status_words
from app.jobs.policies import ErrorClass
from app.ops.run_advice import known_advice
from app.runs.states import Reason


@pytest.mark.parametrize(
    ("status", "part"),
    [
        (401, "key or password"),
        (403, "does not allow this"),
        (404, "Nothing is at this address"),
        (429, "fewer requests"),
        (500, "itself has trouble"),
        (503, "itself has trouble"),
    ],
)
@pytest.mark.parametrize(
    "error",
    [
        "GET https://shop.example/orders answered {words}, expected 200-299.",
        "HTTPError: {status} Client Error: {phrase} for url: https://shop.example/orders",
        "HTTPError: HTTP Error {status}: {phrase}",
        "HTTPStatusError: Client error '{status} {phrase}' for url 'https://shop.example/orders'",
    ],
)
def test_a_status_is_advised_on_however_it_is_told(error: str, status: int, part: str) -> None:
    text = error.format(status=status, words=status_words(status), phrase=HTTPStatus(status).phrase)

    assert part in known_advice(Reason.ERROR, text)


@pytest.mark.parametrize(
    ("error", "part"),
    [
        ("GET https://sho.example was not sent. Requests to 10.0.0.1 are refused: that is not on …", "ALLOWED_PRIVATE"),
        ("It got no answer. The name sho.example has no address. Check its spelling.", "No machine goes by this name"),
        ("It got no answer. Nothing answers at shop.example port 81: connection refused.", "nothing listens"),
        ("It got no answer. Nothing answers at shop.example port 81: no route to host.", "machines of the workers"),
        ("It got no answer. shop.example port 443 did not answer within 5 seconds.", "slow or out of reach"),
        ("The certificate of shop.example port 443 is not trusted: certificate has expired", "renewed"),
        (breach_message(Breach(Limit.MEMORY, 900), Limits(512, 64)), "hold less at once"),
        (breach_message(Breach(Limit.PROCESSES, 90), Limits(512, 64)), "start fewer"),
    ],
)
def test_words_of_a_known_cause_are_advised_on(error: str, part: str) -> None:
    assert part in known_advice(Reason.ERROR, error)


@pytest.mark.parametrize(
    ("reason", "part"),
    [(Reason.TIMED_OUT, "time limit"), (Reason.LOST, "memory of their machine"), (Reason.MISTAKE, "in the code")],
)
def test_a_reason_is_advised_on_whatever_the_error(reason: Reason, part: str) -> None:
    assert part in known_advice(reason, "It answered 404 Not Found.")


@pytest.mark.parametrize(
    ("error", "has_trace", "is_known"),
    [
        ("ValueError: 7 is no colour", True, True),
        ("The shop has no orders.", False, False),
        ("GET https://shop.example answered 200 OK, expected 404.", False, False),
        ("GET https://shop.example answered 418 I'm a Teapot, expected 200.", False, False),
        ("", False, False),
        (None, False, False),
        ("answered " * 100_000, False, False),
    ],
)
def test_nothing_is_said_where_nothing_is_known(error: str | None, has_trace: bool, is_known: bool) -> None:
    assert bool(known_advice(Reason.ERROR, error, has_trace=has_trace)) is is_known


def test_the_class_of_the_trouble_says_what_the_words_do_not() -> None:
    assert "fewer requests" in known_advice(Reason.ERROR, "Come back later.", error_class=ErrorClass.RATE_LIMITED)
